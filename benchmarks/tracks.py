"""Boxes and identities on simulated scenes: ``python -m benchmarks.tracks --out tracks.csv``.

Regions and tracks alone, without words: mAP50, HOTA, DetA, AssA, IDF1, switches, and the milliseconds of a
slice. What is tuned in :mod:`neuroclip_live.objects` was tuned on these scenes.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import load
from neuroclip_live.evaluation.track_metrics import Said, Sequence, average_precision, tracking
from neuroclip_live.evaluation.track_scenes import Scene, SceneSettings
from neuroclip_live.evaluation.track_truth import Truth
from neuroclip_live.events import Resolution, join_packets
from neuroclip_live.objects.regions import RegionFinder
from neuroclip_live.objects.tracker import Tracker
from neuroclip_live.stream.slicing import SliceBy, Slicer

QVGA, VGA, HD = Resolution(320, 240), Resolution(640, 480), Resolution(1280, 720)
SCENES = (
    SceneSettings(QVGA, 1, seed=1),
    SceneSettings(QVGA, 2, apart=True, seed=2),
    SceneSettings(VGA, 4, small=0.1, large=0.3, apart=True, seed=6),
    SceneSettings(VGA, 8, small=0.1, large=0.2, apart=True, noise_hz=1.0, seconds=4, seed=10),
    SceneSettings(QVGA, 2, seed=3),
    SceneSettings(QVGA, 3, stops=True, seed=4),
    SceneSettings(VGA, 4, small=0.1, large=0.3, seed=5),
    SceneSettings(VGA, 8, small=0.08, large=0.2, seconds=4, seed=7),
    SceneSettings(Resolution(128, 128), 2, small=0.25, large=0.4, seed=8),
    SceneSettings(HD, 5, small=0.08, large=0.3, seconds=3, seed=9),
)
SETTLED_US = 400_000
"""Before it nothing can have been confirmed."""


def watched(settings: SceneSettings) -> tuple[Sequence, list[float]]:
    """Return true and told boxes of a scene, and what each slice cost in milliseconds."""
    steps = list(Scene(settings).steps())
    events, truth = join_packets([packet for packet, _ in steps]), Truth(moment for _, moment in steps)
    finder = RegionFinder(settings.resolution)
    tracker, sequence, took = Tracker(finder), Sequence(), []
    slicer = Slicer(SliceBy(), settings.resolution)
    for piece in [*slicer.push(events), *slicer.flush()]:
        newest = piece.events[len(piece.events) // 2 :]
        begin = time.perf_counter()
        span_us = int(newest["t"][-1] - newest["t"][0]) if len(newest) else 0
        tracks = tracker.update(finder.find(newest), piece.end_us, span_us)
        took.append((time.perf_counter() - begin) * 1e3)
        moment = truth.at(piece.end_us)
        if moment is not None and piece.end_us >= SETTLED_US:
            told = [Said(t.id, t.box, "", 0.9 if t.region is not None else 0.5) for t in tracks]
            sequence.add(moment.things, tuple(told))
    return sequence, took


def figures(name: str, sequences: list[Sequence], took: list[float]) -> dict[str, Any]:
    """Return a row of the table."""
    row: dict[str, Any] = {"scene": name, "mAP50": round(average_precision(sequences) or 0.0, 3)}
    row |= {key: round(value, 3) for key, value in tracking(sequences).items()}
    return {
        **row,
        "ms": round(statistics.median(took), 2),
        "p99_ms": round(float(np.quantile(took, 0.99)), 2),
    }


def main() -> None:
    """Measure every scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", type=int, default=len(SCENES), help="only so many scenes")
    options = parser.parse_args()
    rows, sequences, times = [], [], []
    for settings in SCENES[: options.first]:
        sequence, took = watched(settings)
        sequences.append(sequence)
        times += took
        rows.append({**figures(settings.name, [sequence], took), "load": load()})
        sys.stdout.write("  ".join(map(str, rows[-1].values())) + "\n")
        sys.stdout.flush()
    rows.append({**figures("all", sequences, times), "load": load()})
    with options.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
