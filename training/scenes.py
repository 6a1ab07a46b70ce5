"""One training sample: a named thing moves before a simulated sensor; out come event frames, made as live.

The simulator's crossings (:mod:`neuroclip_drivers.simulator.event_synthesis`) and the live path's frames
(``neuroclip_live/stream/frames.py``) are used as they are. What varies: sensor size, thresholds and their
spread, noise, motion, size, pose, contrast, background, slice length, and whether the view is focused on the
activity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.simulator.event_synthesis import EventSynthesizer, SensorModel
from neuroclip_live.events import Resolution
from neuroclip_live.stream.frames import crop, discriminate, fit_frame, focus_box

Random = np.random.Generator
Image = npt.NDArray[np.uint8]
LONGEST_SLICE = 3
"""A slice is lengthened up to this many times when too little fires."""

FEWEST_ACTIVE = 0.005
"""Share of the sensor's pixels that must fire for a slice to be worth learning from."""

UNEVEN = 0.35
"""Share of the sensors in training whose ON and OFF thresholds are far apart."""

Film = Callable[[float], Image]
"""A scene: time, in slices, → the luminance the sensor sees then."""

SIZES = (
    ((34, 34), 0.07), ((64, 64), 0.12), ((96, 96), 0.1), ((128, 128), 0.5), ((160, 120), 0.08),
    ((240, 180), 0.09), ((320, 240), 0.04),
)  # fmt: skip
DIGIT_SIZES = (((34, 34), 0.6), ((48, 48), 0.1), ((64, 64), 0.1), ((128, 128), 0.15), ((240, 180), 0.05))


@dataclass(frozen=True)
class Style:
    """How a kind of picture is shown: sensor sizes; chances of speckle, of an arm, of clutter; and so on."""

    sizes: tuple[tuple[tuple[int, int], float], ...] = SIZES
    speckle: float = 0.6
    arm: float = 0.12
    clutter: float = 0.1
    flip: bool = True
    turn_any: float = 0.2
    noise: tuple[float, float] = (2e-4, 3e-2)
    thin: float = 0.6
    threshold: float = 0.45
    active: tuple[float, float] = (0.015, 0.09)


PHOTO_SIZES = (
    ((34, 34), 0.04),
    ((64, 64), 0.26),
    ((96, 96), 0.2),
    ((128, 128), 0.36),
    ((160, 120), 0.08),
    ((240, 180), 0.06),
)
PHOTO = Style(
    sizes=PHOTO_SIZES, threshold=0.2, active=(0.12, 0.45), speckle=0.08, arm=0, clutter=0, turn_any=0.0,
    noise=(1e-4, 5e-3), thin=0.25,
)  # fmt: skip
WIDE_PHOTO = replace(
    PHOTO,
    sizes=(
        ((34, 34), 0.03), ((64, 64), 0.2), ((96, 96), 0.22), ((128, 128), 0.33), ((160, 120), 0.06),
        ((240, 180), 0.1), ((320, 240), 0.05), ((346, 260), 0.01),
    ),
)  # fmt: skip
CLEAN_PHOTO = replace(WIDE_PHOTO, noise=(1e-5, 1e-3), thin=0.0, speckle=0.0, active=(0.12, 0.35))
ICON = Style(threshold=0.38)
SOLID = Style(turn_any=0.0, threshold=0.38)
GLYPH = Style(
    active=(0.06, 0.25),
    sizes=DIGIT_SIZES,
    speckle=0.15,
    arm=0,
    clutter=0,
    flip=False,
    turn_any=0.0,
    noise=(1e-3, 3e-2),
    thin=0.25,
)


def shoot(
    film: Film,
    resolution: Resolution,
    style: Style,
    random: Random,
    size: int,
    slices: int,
    fewest_steps: int = 0,
    uneven: float = UNEVEN,
) -> list[Image]:
    """Film a scene with a random sensor; return up to ``slices`` event frames (size, size), made as live.

    ``fewest_steps`` is how many pictures a slice is made of at the least: what is fast needs more of them.
    ``uneven`` is the share of sensors that fire far less in one polarity.
    """
    threshold = float(np.exp(random.uniform(np.log(0.06), np.log(style.threshold))))
    # many sensors are biased so that one polarity fires far less than the other
    off_ratio = random.uniform(0.8, 1.3)
    if uneven and random.random() < uneven:
        off_ratio = float(np.exp(random.uniform(np.log(0.4), np.log(4.0))))
    sensor = SensorModel(
        threshold_on=threshold,
        threshold_off=threshold * off_ratio,
        threshold_spread=random.uniform(0.05, 0.35),
    )
    synthesizer = EventSynthesizer(resolution, sensor, int(random.integers(1 << 30)))
    steps = max(int(random.integers(2, 5)) if resolution.area < 30_000 else 2, fewest_steps)
    focused = random.random() < 0.85
    noise = float(np.exp(random.uniform(*np.log(style.noise))))
    on_share = random.uniform(0.3, 0.95)
    speckle = random.uniform(0.02, 0.6) if random.random() < style.speckle else 0.0
    keep = random.uniform(0.3, 1.0) if random.random() < style.thin else 1.0
    # slices by time, or by count: then filming goes on until a large enough share of the sensor has fired
    wanted = resolution.area * float(np.exp(random.uniform(*np.log(style.active))))
    by_count = random.random() < 0.5
    if fewest_steps:
        by_count = random.random() < 0.3  # what is fast smears in slices of a fixed time
    frames = []
    t = 0.0
    synthesizer.accumulate(film(t), np.empty(0, np.uint16))
    for _ in range(slices):
        counts = np.zeros((2, resolution.height, resolution.width), np.uint16)
        for step in range(1, LONGEST_SLICE * steps + 1):
            t += 1 / steps
            synthesizer.accumulate(film(t), counts)
            if step >= (1 if by_count else steps) and int((counts > 0).sum()) >= (
                wanted if by_count else wanted / 4
            ):
                break
        if int((counts > 0).sum()) < max(24, FEWEST_ACTIVE * resolution.area):
            continue  # nothing to recognize: live, this is "no motion"
        _disturb(counts, noise, on_share, speckle, keep, random)
        frame = discriminate(counts, 0)
        if focused:
            frame = crop(frame, focus_box(frame, margin=random.uniform(0.04, 0.25)))
        frames.append(fit_frame(frame, size))
    return frames


def _disturb(
    counts: npt.NDArray[np.uint16], noise: float, on_share: float, speckle: float, keep: float, random: Random
) -> None:
    """Lose events, scatter some over the thing's surface, and add noise all over, in place."""
    height, width = counts.shape[1:]
    if keep < 1:
        counts[random.random(counts.shape, dtype=np.float32) > keep] = 0
    if speckle:
        _, ys, xs = np.nonzero(counts)
        n = int(speckle * len(ys))
        if n:
            a, b = random.integers(0, len(ys), (2, n))
            mix = random.random(n) ** 2
            blur = random.uniform(0.3, 0.02 * max(width, height) + 0.4)
            y = np.round(ys[a] * (1 - mix) + ys[b] * mix + random.normal(0, blur, n)).astype(np.int64)
            x = np.round(xs[a] * (1 - mix) + xs[b] * mix + random.normal(0, blur, n)).astype(np.int64)
            inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
            counts[(random.random(n) < on_share).astype(np.int64)[inside], y[inside], x[inside]] += 1
    n = int(random.poisson(min(noise * height * width, 0.5 * np.count_nonzero(counts))))
    counts[
        (random.random(n) < on_share).astype(np.int64),
        random.integers(0, height, n),
        random.integers(0, width, n),
    ] += 1


def random_resolution(style: Style, random: Random) -> Resolution:
    """Draw a sensor size."""
    weights = np.array([weight for _, weight in style.sizes])
    return Resolution(*style.sizes[int(random.choice(len(weights), p=weights / weights.sum()))][0])
