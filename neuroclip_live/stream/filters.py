"""What happens to events between a source and everybody who looks: noise filter, flips, quarter turns.

Recordings are written before this, so they keep everything.

The noise filter is the usual one for background activity (Delbruck 2008): an event stays when one of its
eight neighbors fired within the last τ; noise rarely has such company, edges always do.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet

_LONG_AGO = -(1 << 60)


@dataclass(frozen=True)
class Treatment:
    """How events are treated.

    Attributes
    ----------
    support_us : int
        τ of the noise filter; 0 switches it off. The shorter, the more it removes.
    flip_horizontal, flip_vertical : bool
    quarter_turns : int
        Clockwise, 0 to 3, after the flips.
    """

    support_us: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    quarter_turns: int = 0

    def __post_init__(self) -> None:
        if self.support_us < 0 or self.quarter_turns not in range(4):
            raise ValueError(f"no such treatment: {self}")

    @property
    def turns(self) -> bool:
        """Whether it moves pixels at all."""
        return self.flip_horizontal or self.flip_vertical or self.quarter_turns != 0

    def resolution(self, sensor: Resolution) -> Resolution:
        """Return the size of the picture a sensor gives."""
        return Resolution(sensor.height, sensor.width) if self.quarter_turns % 2 else sensor

    def image(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a sensor's intensity frame (H, W), flipped and turned as its events are."""
        if self.flip_horizontal:
            image = image[:, ::-1]
        if self.flip_vertical:
            image = image[::-1]
        return np.ascontiguousarray(np.rot90(image, -self.quarter_turns))


NONE = Treatment()


class Treater:
    """Treats one stream, packet by packet. Used by one thread; :attr:`removed_share` is for all.

    Parameters
    ----------
    sensor : Resolution
        Events outside it are left to whoever comes next.
    """

    def __init__(self, sensor: Resolution) -> None:
        self.removed_share = 0.0
        self._sensor = sensor
        self._last: npt.NDArray[np.int64] | None = None  # made for the first packet that is filtered
        self._newest = _LONG_AGO
        self._seen = self._removed = 0
        self._since = monotonic()

    def treat(self, packet: Packet, how: Treatment) -> Packet:
        """Return what is left of a packet; the packet itself stays as it is."""
        if not len(packet):
            return packet
        if how.support_us:
            packet = self._filter(packet, how.support_us)
        elif self._seen or self.removed_share:
            self._seen = self._removed = 0
            self.removed_share = 0.0
        return self._turn(packet, how) if how.turns and len(packet) else packet

    def _filter(self, packet: Packet, support_us: int) -> Packet:
        if self._last is None:
            self._last = np.full((self._sensor.height + 2, self._sensor.width + 2), _LONG_AGO, dtype=np.int64)
        elif int(packet["t"][0]) < self._newest - 1_000_000:  # another time: a loop, a seek
            self._last.fill(_LONG_AGO)
        self._newest = int(packet["t"][-1])
        # these bring Numba, which the window starts without
        from neuroclip_live.stream.counting import words_of
        from neuroclip_live.stream.denoising import keep_supported

        words = words_of(packet)
        pairs: npt.NDArray[np.int64] = words.view(np.int64)
        left = np.empty_like(pairs)
        kept = keep_supported(pairs, words, self._last, support_us, left)
        self._seen, self._removed = self._seen + len(packet), self._removed + len(packet) - kept
        now = monotonic()
        if now - self._since > 0.5:
            self.removed_share = self._removed / max(1, self._seen)
            self._seen = self._removed = 0
            self._since = now
        return left[:kept].reshape(-1).view(EVENT_DTYPE)

    def _turn(self, packet: Packet, how: Treatment) -> Packet:
        result = copy_packet(packet)
        x, y = result["x"], result["y"]
        width, height = self._sensor
        if how.flip_horizontal:
            x[:] = width - 1 - x
        if how.flip_vertical:
            y[:] = height - 1 - y
        for _ in range(how.quarter_turns):
            old_x = x.copy()
            x[:] = height - 1 - y
            y[:] = old_x
            width, height = height, width
        return result


def warm_up() -> None:
    """Compile, or load what was compiled, before the first packet would wait for it."""
    Treater(Resolution(8, 8)).treat(np.zeros(1, dtype=EVENT_DTYPE), Treatment(support_us=1))
