"""A camera that moves: ``python -m benchmarks.objects_moving --out moving.csv``.

Two things apart (320 x 240) before a textured background that sways by so much of the picture's shorter side,
0.35 times a second: the share of slices in which the camera is told to move, of true boxes found (IoU 0.5)
and false boxes a slice. At the turning points of its sway a camera is nearly at rest. No encoder is asked.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.objects_hour import FreeEncoder
from benchmarks.results import show, write_table
from benchmarks.timing import load
from neuroclip_live.evaluation.track_metrics import overlaps
from neuroclip_live.evaluation.track_scenes import Scene, SceneSettings
from neuroclip_live.evaluation.track_truth import Truth
from neuroclip_live.events import join_packets
from neuroclip_live.objects.found import ObjectsSettings
from neuroclip_live.objects.objects import Objects
from neuroclip_live.stream.slicing import SliceBy, Slicer

SWAYS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05)
SCENE = SceneSettings(things=2, apart=True, seconds=3.0, seed=2)
SETTLED_US = 700_000


def measured(sway: float) -> dict[str, Any]:
    """Return a row."""
    scene = replace(SCENE, camera_moves=sway)
    steps = list(Scene(scene).steps())
    events, truth = join_packets([packet for packet, _ in steps]), Truth(moment for _, moment in steps)
    objects = Objects(FreeEncoder(), ObjectsSettings(True, budget_ms=np.inf), 3)  # type: ignore[arg-type]
    objects.begin(scene.resolution)
    frame: npt.NDArray[np.uint8] = np.full(scene.resolution[::-1], 127, np.uint8)
    slicer = Slicer(SliceBy(), scene.resolution)
    slices = told = true = found = false = 0
    for piece in [*slicer.push(events), *slicer.flush()]:
        things = objects.update(piece.events, frame, piece.end_us, piece.epoch, None)
        moment = truth.at(piece.end_us)
        if moment is None or piece.end_us < SETTLED_US:
            continue
        slices += 1
        told += objects.camera_moves
        shares = overlaps([box for _, box, _ in moment.things], [one.box for one in things])
        true += len(moment.things)
        if len(things):
            found += int((shares.max(axis=1) >= 0.5).sum())
            false += int((shares.max(axis=0) < 0.5).sum())
    return {
        "sway": sway,
        "pixels_a_second": round(sway * min(scene.resolution) * 2 * np.pi * 0.35, 1),
        "slices": slices,
        "told_to_move": round(told / max(slices, 1), 3),
        "found": round(found / max(true, 1), 3),
        "false_a_slice": round(false / max(slices, 1), 3),
        "load": load(),
    }


def main() -> None:
    """Measure every sway."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = []
    for sway in SWAYS:
        rows.append(measured(sway))
        show(rows[-1])
    write_table(options.out, rows)


if __name__ == "__main__":
    main()
