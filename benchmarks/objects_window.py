"""Eight things and the window: ``python -m benchmarks.objects_window --out window.csv``.

A simulated scene of eight things apart (640 x 480) is played at its own speed, over and over, on two cores,
with event-nano and the window open off the screen. Looks at each thing a second, of which each makes a
decision; looks passed over; whole-picture answers a second. Worth little while others want the two cores.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.real_window import RealWindow
from benchmarks.results import show, write_table
from benchmarks.timing import load
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.simulator.show_words import SHOW
from neuroclip_live.evaluation.track_scenes import Scene, SceneSettings
from neuroclip_live.events import Resolution
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings

CORES = 2
SCENE = SceneSettings(Resolution(640, 480), 8, small=0.1, large=0.2, apart=True, seconds=6, seed=10)


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "eight.aedat4"
        write_aedat4(path, [packet for packet, _ in Scene(SCENE).steps()], SCENE.resolution, verify=False)
        row = measured(path, options.seconds)
    show(row)
    write_table(options.out, [row])


def measured(path: Path, seconds: float) -> dict[str, float | str]:
    """Return what happened in so many seconds, once all things are followed."""
    backbone = load_backbone()
    source = ReplaySource(path, speed=1.0, loop=True)
    pipeline = Pipeline(source, lambda progress: backbone, parse_prompts(", ".join(SHOW)), PipelineSettings())
    with RealWindow(pipeline) as shown:
        pipeline.change_objects(True)  # the window's own settings have it off
        shown.run(3.0, lambda: (newest := pipeline.prediction()) is not None and bool(newest.objects))
        newest = pipeline.prediction()
        number = newest.number if newest is not None else 0
        begin, cpu = time.monotonic(), time.process_time()
        turning = shown.run(seconds)
        took, cpu = time.monotonic() - begin, time.process_time() - cpu
        predictions = pipeline.predictions(after=number)
    seen = sum(one.state == "seen" for each in predictions for one in each.objects or ())
    passed = sum(each.missed.looks for each in predictions)
    things = seen / max(len(predictions), 1)
    return {
        "things_seen": round(things, 2),
        "looks_a_thing_s": round((seen - passed) / took / max(things, 1e-9), 1),
        "passed_over_share": round(passed / max(seen, 1), 3),
        "answers_s": round(len(predictions) / took, 1),
        "slices_skipped": sum(each.skipped for each in predictions),
        "paints_s": round(turning.paints_hz, 1),
        "longest_gap_ms": round(turning.longest_gap_ms, 1),
        "processor_s_a_s": round(cpu / took, 2),
        "load": load(),
    }


if __name__ == "__main__":
    main()
