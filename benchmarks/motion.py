"""What is called motion: noise alone must not be, what moves before a large sensor must.

``python -m benchmarks.motion RECORDINGS --out motion.csv`` counts slices (auto) with motion, by where events
gather and by a rate of 0.05 a pixel and second: of noise alone, at several sizes and rates, even and not; of
every ``.aedat4`` under the folder; and of the small ones placed on a sensor of 640 x 480, with noise added.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from benchmarks.timing import load
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, join_packets
from neuroclip_live.recognition.replay_all import Totals, slices_of
from neuroclip_live.stream.motion import MotionDetector
from neuroclip_live.stream.slicing import Slice, SliceBy, Slicer

FIELDS = ("what", "sensor", "noise_hz", "slices", "gathering", "rate_0.05", "us_a_slice", "load")
SIZES = (Resolution(128, 128), Resolution(346, 260), Resolution(640, 480), Resolution(1280, 720))
VGA = SIZES[2]
RATES_HZ = (0.1, 0.5, 1.0, 2.0, 5.0)
RATE_HZ = 0.05
"""What motion was until it was judged by where events gather."""


def noise(size: Resolution, rate_hz: float, duration_us: int, seed: int = 0, kind: str = "even") -> Packet:
    """Return noise of a mean rate per pixel.

    ``hot``: one pixel in 2,000 fires 500 times as often; ``corner``: a sixth of the picture five times as
    often, with a sharp border; ``uneven``: each pixel has a rate of its own, log-normal (σ 0.6).
    """
    rng = np.random.default_rng(seed)
    weights = np.ones((size.height, size.width))
    if kind == "hot":
        weights.flat[rng.choice(size.area, size.area // 2_000, replace=False)] = 500
    if kind == "corner":
        weights[: size.height // 3, : size.width // 2] = 5
    if kind == "uneven":
        weights = rng.lognormal(0, 0.6, weights.shape)
    count = rng.poisson(rate_hz * size.area * duration_us / 1e6)
    at = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(count))
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = np.sort(rng.integers(0, duration_us, count))
    events["x"], events["y"], events["p"] = at % size.width, at // size.width, rng.integers(0, 2, count)
    return events


def placed(pieces: Iterable[Slice], at: tuple[int, int], noise_hz: float, seconds: float) -> Packet:
    """Return the beginning of a recording at a place on a VGA sensor, with noise all over it."""
    events = join_packets([piece.events for piece in pieces]).copy()
    events["t"] -= events["t"][0]
    events = events[events["t"] < seconds * 1e6]
    events["x"] += at[0]
    events["y"] += at[1]
    if noise_hz:
        events = join_packets([events, noise(VGA, noise_hz, int(events["t"][-1]))])
    return events[np.argsort(events["t"], kind="stable")]


def row(what: str, size: Resolution, noise_hz: float | str, pieces: list[Slice]) -> dict[str, Any]:
    """Count the slices with motion, both ways."""
    detector = MotionDetector(size)
    detector.warm_up()
    begin = process_time()
    gathering = sum(detector.moves(piece) for piece in pieces)
    us = (process_time() - begin) / max(1, len(pieces)) * 1e6
    by_rate = sum(
        len(piece.events) >= RATE_HZ * size.area * (piece.end_us - piece.start_us) / 1e6 for piece in pieces
    )
    figures = (what, str(size), noise_hz, len(pieces), gathering, by_rate, round(us), load())
    return dict(zip(FIELDS, figures, strict=True))


def rows(recordings: list[Path], seconds: float) -> Iterator[dict[str, Any]]:
    """Yield a row for everything that is tried."""
    for size in SIZES:
        for rate_hz in RATES_HZ:
            for kind in ("even", "hot", "corner", "uneven"):
                events = noise(size, rate_hz, int(seconds * 1e6), kind=kind)
                yield row(f"noise, {kind}", size, rate_hz, Slicer(SliceBy(), size).push(events))
    for path in recordings:
        source = ReplaySource(path, speed=None)
        whole = list(slices_of(source, SliceBy(), Totals()))
        yield row(path.stem, source.resolution, "own", whole)
        if source.resolution.area <= SIZES[0].area:
            pieces = list(slices_of(ReplaySource(path, speed=None), SliceBy(overlap=1), Totals()))
            for noise_hz in (0.0, *RATES_HZ):
                events = placed(pieces, (256, 176), noise_hz, seconds)
                yield row(f"{path.stem}, placed", VGA, noise_hz, Slicer(SliceBy(), VGA).push(events))


def main() -> None:
    """Measure every recording under a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path, nargs="?", help="a folder of .aedat4 files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=4.0, help="of noise, and of what is placed")
    options = parser.parse_args()
    found = sorted(options.recordings.rglob("*.aedat4")) if options.recordings else []
    with options.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, FIELDS)
        table.writeheader()
        for each in rows(found, options.seconds):
            table.writerow(each)
            file.flush()
            sys.stdout.write("  ".join(str(each[name]) for name in FIELDS) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
