"""Events to measure with: the same for everybody, made on the spot."""

from __future__ import annotations

import functools

import numpy as np

from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

DAVIS346, VGA, HD = Resolution(346, 260), Resolution(640, 480), Resolution(1280, 720)
RATE_HZ = 5_000_000


@functools.lru_cache(maxsize=2)
def moving_edge(count: int, resolution: Resolution, seed: int = 0) -> Packet:
    """Return events of a small thing that circles before a camera, among noise; do not write to them.

    Nine of ten events lie within some pixels of the thing, as in real recordings; the rest is anywhere. Both
    polarities fall on the same pixels.

    Parameters
    ----------
    count : int
    resolution : Resolution
    seed : int

    Returns
    -------
    Packet
        At 5 million events a second, time never going back.
    """
    rng = np.random.default_rng(seed)
    width, height = resolution
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = np.arange(count, dtype=np.int64) * 1_000_000 // RATE_HZ
    angle = np.linspace(0, 40 * np.pi, count, dtype=np.float32) + rng.normal(0, 0.1, count).astype(np.float32)
    spread = rng.normal(0, 4, (2, count)).astype(np.float32)
    x = width * (0.5 + 0.3 * np.cos(angle)) + spread[0]
    y = height * (0.5 + 0.3 * np.sin(angle)) + spread[1]
    noise = rng.random(count, dtype=np.float32) < 0.1
    x[noise] = rng.integers(0, width, int(noise.sum()))
    y[noise] = rng.integers(0, height, int(noise.sum()))
    events["x"], events["y"] = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    events["p"] = rng.integers(0, 2, count)
    events.flags.writeable = False
    return events
