"""Teaching while predicting: p99 latency while an adapter trains against p99 with nothing to learn.

The bundled tour plays in real time; rounds alternate between quiet and a lesson a second, so that training
never ends. Latency is from the arrival of a slice's last event to its prediction.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain

import numpy as np

from benchmarks.machine import ROOT
from benchmarks.timing import Options, Row, load
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings

ROUNDS, SECONDS = 4, 5.0
GOAL = 0.5
"""Least ratio of the untaught p99 to the p99 while training: it may double."""


def run(options: Options) -> Iterator[Row]:
    """Alternate between quiet and lessons."""
    from neuroclip_live.model.backbone import load_backbone

    rounds, seconds = (1, 1.5) if options.quick else (ROUNDS, SECONDS)
    backbone = load_backbone()
    source = ReplaySource(ROOT / "recordings" / "tour.aedat4", loop=True)
    pipeline = Pipeline(
        source,
        lambda progress: backbone,
        parse_prompts("a car, a dog, a giraffe", ("{}",)),
        PipelineSettings(),
    )
    pipeline.start()
    quiet: list[list[float]] = []
    busy: list[list[float]] = []
    lessons = 0
    try:
        _ready(pipeline)
        for _ in range(rounds):
            quiet.append(_watch(pipeline, seconds)[0])
            latencies, taught = _watch(pipeline, seconds, teach=True)
            busy.append(latencies)
            lessons += taught
            assert pipeline.teacher is not None
            pipeline.teacher.clear()
            pipeline.teacher.wait(20)
    finally:
        pipeline.stop()
    ratios = [_p99(a) / _p99(b) for a, b in zip(quiet, busy, strict=True)]
    all_quiet, all_busy = list(chain(*quiet)), list(chain(*busy))
    yield Row(
        "adapter_p99", "p99 of last event to label", "while training", "untaught", _p99(all_busy),
        _p99(all_quiet), "ms", _p99(all_quiet) / _p99(all_busy), min(ratios), max(ratios), GOAL, rounds,
        f"{len(all_busy)} and {len(all_quiet)} predictions, {lessons} lessons", load(),
    )  # fmt: skip
    yield Row(
        "adapter_p99", "median of last event to label", "while training", "untaught",
        float(np.median(all_busy)), float(np.median(all_quiet)), "ms",
        float(np.median(all_quiet) / np.median(all_busy)), repeats=rounds, load=load(),
    )  # fmt: skip


def _p99(latencies: list[float]) -> float:
    return float(np.percentile(latencies, 99))


def _ready(pipeline: Pipeline) -> None:
    """Wait for predictions, and until teaching is prepared."""
    end = time.monotonic() + 90
    while time.monotonic() < end and (pipeline.prediction() is None or pipeline.teacher is None):
        time.sleep(0.05)
    time.sleep(2)
    pipeline.teach("a car", 1.0)  # what is imported for the first lesson belongs to no round
    assert pipeline.teacher is not None
    pipeline.teacher.wait(60)
    pipeline.teacher.clear()
    pipeline.teacher.wait(20)


def _watch(pipeline: Pipeline, seconds: float, *, teach: bool = False) -> tuple[list[float], int]:
    """Return the latencies, in ms, of the predictions of so many seconds, and how many lessons were given."""
    newest = pipeline.prediction()
    seen = newest.number if newest is not None else 0
    latencies: list[float] = []
    lessons = 0
    begin, lesson_at = time.monotonic(), 0.0
    while (passed := time.monotonic() - begin) < seconds:
        if teach and passed >= lesson_at:
            lesson_at += 1.0
            try:
                pipeline.teach(("a car", "a dog")[lessons % 2], 1.0)
                lessons += 1
            except UserError:
                pass  # nothing moved in that second
        time.sleep(0.02)
        for prediction in pipeline.predictions(after=seen):
            seen = prediction.number
            if "total" in prediction.latency_ms:
                latencies.append(prediction.latency_ms["total"])
    if not latencies:
        raise RuntimeError("no prediction was made in that time")
    return latencies, lessons
