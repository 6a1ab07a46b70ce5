"""Images in motion become events: the core of the simulator, and of the training data.

The model of a pixel is the usual one (ESIM, v2e): it remembers the log intensity at its last event and fires
when the present one differs by its threshold. Between two images log intensity is taken as linear in time,
which dates every event. On top comes what real sensors add: thresholds that differ from pixel to pixel and
between polarities, a refractory time, background activity, and a few hot pixels.

Everything random is drawn from one seed: the same images, sensor and seed give the same events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, empty_packet, join_packets

LOG_OFFSET = 8.0
"""Added to an 8-bit intensity before the logarithm, so that darkness stays finite and less sensitive."""

_LOG_TABLE = np.log(np.arange(256, dtype=np.float32) + np.float32(LOG_OFFSET))
_LONG_AGO = -(1 << 60)


@dataclass(frozen=True)
class SensorModel:
    """How a sensor's pixels behave.

    Attributes
    ----------
    threshold_on, threshold_off : float
        Contrast, as a difference of natural logarithms, at which a pixel fires.
    threshold_spread : float
        Standard deviation of the thresholds across pixels, relative to their mean.
    refractory_us : int
        Time after an event during which a pixel stays silent.
    background_hz : float
        Noise events per pixel and second.
    background_on_share : float
        Share of ON among noise events.
    hot_share, hot_hz : float
        Share of pixels that fire by themselves, and how often.
    """

    threshold_on: float = 0.22
    threshold_off: float = 0.22
    threshold_spread: float = 0.15
    refractory_us: int = 300
    background_hz: float = 0.5
    background_on_share: float = 0.6
    hot_share: float = 0.0005
    hot_hz: float = 20.0

    def __post_init__(self) -> None:
        if min(self.threshold_on, self.threshold_off) <= 0:
            raise ValueError("contrast thresholds are above zero")
        if (
            min(self.threshold_spread, self.refractory_us, self.background_hz, self.hot_share, self.hot_hz)
            < 0
        ):
            raise ValueError("spread, times and rates are not negative")


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _emit(
    new: Any, old: Any, memory: Any, on: Any, off: Any, last: Any, t0: int, t1: int, refractory: int, out: Any
) -> int:
    """Write the events of one step into ``out``, pixel by pixel; return how many there are.

    The count may exceed ``len(out)``: then nothing but the count is to be trusted and the caller asks again
    with more room (memory and last are only written when the events fit).
    """
    height, width = new.shape
    room = len(out)
    n = 0
    span = t1 - t0
    for y in range(height):
        for x in range(width):
            level = new[y, x]
            rest = level - memory[y, x]
            if -off[y, x] < rest < on[y, x]:  # nearly all pixels, nearly always
                continue
            step, polarity = (on[y, x], 1) if rest > 0 else (-off[y, x], 0)
            crossings = int(rest / step)
            if crossings < 1:
                continue
            before = old[y, x]
            slope = level - before
            quiet_until = last[y, x] + refractory
            for k in range(1, crossings + 1):
                share = (memory[y, x] + k * step - before) / slope if slope != 0 else 1.0
                share = min(max(share, 0.0), 1.0)
                t = t0 + int(share * span)
                if t >= quiet_until:
                    if n < room:
                        event = out[n]
                        event["t"] = t
                        event["x"] = x
                        event["y"] = y
                        event["p"] = polarity
                    n += 1
                    quiet_until = t + refractory
    if n <= room:
        for i in range(n):
            last[out[i]["y"], out[i]["x"]] = max(out[i]["t"], last[out[i]["y"], out[i]["x"]])
        for y in range(height):
            for x in range(width):
                rest = new[y, x] - memory[y, x]
                if -off[y, x] < rest < on[y, x]:
                    continue
                step = on[y, x] if rest > 0 else -off[y, x]
                memory[y, x] += int(rest / step) * step
    return n


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _accumulate(new: Any, memory: Any, on: Any, off: Any, counts: Any) -> None:
    """Add one step's threshold crossings to ``counts`` (2, H, W) without dating them."""
    height, width = new.shape
    for y in range(height):
        for x in range(width):
            rest = new[y, x] - memory[y, x]
            if -off[y, x] < rest < on[y, x]:
                continue
            if rest > 0:
                crossings = int(rest / on[y, x])
                counts[1, y, x] += crossings
                memory[y, x] += crossings * on[y, x]
            else:
                crossings = int(-rest / off[y, x])
                counts[0, y, x] += crossings
                memory[y, x] -= crossings * off[y, x]


def log_intensity(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the log of an image (H, W), uint8 or floating point in 0..255, as a sensor sees it."""
    if image.dtype == np.uint8:
        return np.take(_LOG_TABLE, image)
    return np.asarray(np.log(image.astype(np.float32) + np.float32(LOG_OFFSET)))


class EventSynthesizer:
    """One simulated sensor: images go in with their times, events come out.

    Parameters
    ----------
    resolution : Resolution
    sensor : SensorModel
    seed : int
        Draws the pixels' thresholds, the hot pixels and the noise.
    """

    def __init__(self, resolution: Resolution, sensor: SensorModel | None = None, seed: int = 0) -> None:
        self.resolution = resolution
        self.sensor = sensor or SensorModel()
        self._random = np.random.default_rng(seed)
        shape = (resolution.height, resolution.width)
        spread = self.sensor.threshold_spread
        self._on = self._thresholds(self.sensor.threshold_on, spread, shape)
        self._off = self._thresholds(self.sensor.threshold_off, spread, shape)
        self._hot = np.flatnonzero(self._random.random(resolution.area) < self.sensor.hot_share)
        self._last = np.full(shape, _LONG_AGO, dtype=np.int64)
        self._memory: npt.NDArray[np.float32] | None = None
        self._old = np.zeros(shape, dtype=np.float32)
        self._t_us = 0
        self._buffer = np.empty(max(1024, resolution.area // 4), dtype=EVENT_DTYPE)

    def tune(self, sensor: SensorModel) -> None:
        """Change the sensor between two images; pixels keep how they differ from each other."""
        self._on *= np.float32(sensor.threshold_on / self.sensor.threshold_on)
        self._off *= np.float32(sensor.threshold_off / self.sensor.threshold_off)
        self.sensor = sensor

    def step(self, image: npt.NDArray[Any], t_us: int) -> Packet:
        """Show the sensor an image at a time; return the events since the image before.

        Parameters
        ----------
        image : ndarray, shape (H, W)
            uint8, or floating point in 0..255.
        t_us : int
            Time in microseconds, not before that of the last image. The first image only sets the memory.

        Returns
        -------
        ndarray of EVENT_DTYPE, shape (N,)
            Sorted by time; every event lies within the two images' times.

        Raises
        ------
        ValueError
            If the image's size is not the sensor's or time goes back.
        """
        level = self._level(image)
        if self._memory is None:
            self._memory = level - self._initial_offset()
            self._old, self._t_us = level, t_us
            return empty_packet()
        if t_us < self._t_us:
            raise ValueError(f"time goes back from {self._t_us} to {t_us} us")
        arguments = (level, self._old, self._memory, self._on, self._off, self._last)
        times = (self._t_us, t_us, self.sensor.refractory_us)
        count = _emit(*arguments, *times, self._buffer)
        if count > len(self._buffer):
            self._buffer = np.empty(count * 3 // 2, dtype=EVENT_DTYPE)
            count = _emit(*arguments, *times, self._buffer)
        noise = self._noise(self._t_us, t_us)
        total = np.empty(count + len(noise), dtype=EVENT_DTYPE)
        total[:count] = self._buffer[:count]
        total[count:] = noise
        self._old, self._t_us = level, t_us
        return np.take(total, np.argsort(total["t"], kind="stable"))

    def cut(self) -> None:
        """Let the next image only set the memory, as the first did: another scene without a flash."""
        self._memory = None

    def accumulate(self, image: npt.NDArray[Any], counts: npt.NDArray[np.uint16]) -> None:
        """Add an image's events to ``counts`` (2, H, W), channel 1 ON, undated and without noise.

        The quick way for training data: the same crossings as :meth:`step`, but neither times nor the
        refractory period. The first image only sets the memory.
        """
        level = self._level(image)
        if self._memory is None:
            self._memory = level - self._initial_offset()
            return
        _accumulate(level, self._memory, self._on, self._off, counts)

    def _level(self, image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        if image.shape != (self.resolution.height, self.resolution.width):
            raise ValueError(f"the image is {image.shape[::-1]}, the sensor {self.resolution}")
        return log_intensity(image)

    def _initial_offset(self) -> npt.NDArray[np.float32]:
        """Return where between its two thresholds each pixel happens to stand at the start."""
        share = self._random.random(self._on.shape, dtype=np.float32)
        offset = (share * (self._on + self._off) - self._off) * np.float32(0.98)
        return np.asarray(offset, dtype=np.float32)

    def _thresholds(self, mean: float, spread: float, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
        drawn = mean * (1 + spread * self._random.standard_normal(shape, dtype=np.float32))
        return np.asarray(np.maximum(drawn, np.float32(0.2 * mean)), dtype=np.float32)

    def _noise(self, t0: int, t1: int) -> Packet:
        """Return background activity and hot pixels' events within [t0, t1), unsorted."""
        seconds = (t1 - t0) * 1e-6
        n_background = int(self._random.poisson(self.sensor.background_hz * self.resolution.area * seconds))
        n_hot = int(self._random.poisson(self.sensor.hot_hz * len(self._hot) * seconds))
        noise = np.empty(n_background + n_hot, dtype=EVENT_DTYPE)
        if len(noise) == 0:
            return noise
        pixel = self._random.integers(0, self.resolution.area, len(noise))
        if n_hot:
            pixel[n_background:] = self._hot[self._random.integers(0, len(self._hot), n_hot)]
        noise["x"], noise["y"] = pixel % self.resolution.width, pixel // self.resolution.width
        noise["t"] = self._random.integers(t0, max(t1, t0 + 1), len(noise))
        noise["p"] = self._random.random(len(noise)) < self.sensor.background_on_share
        return noise


def synthesize(
    images: Iterable[tuple[int, npt.NDArray[Any]]],
    resolution: Resolution,
    sensor: SensorModel | None = None,
    seed: int = 0,
) -> Packet:
    """Turn a sequence of (time in µs, image) into one packet of events.

    Parameters
    ----------
    images : iterable of (int, ndarray)
        Times that do not go back, images (H, W) of the sensor's size.
    resolution, sensor, seed
        See :class:`EventSynthesizer`.

    Returns
    -------
    ndarray of EVENT_DTYPE, shape (N,)
        Sorted by time.
    """
    synthesizer = EventSynthesizer(resolution, sensor, seed)
    packets = [synthesizer.step(image, t_us) for t_us, image in images]
    return join_packets(packets) if packets else empty_packet()
