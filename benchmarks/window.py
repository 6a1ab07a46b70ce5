"""The window under load: 640 x 480 and 20 million events a second, recognition running, on two cores.

Paints a second, the longest gap between two turns of the event loop, and events lost, each against its
limit. A paced source stands for the camera (see ``benchmarks/stand_ins.py``): what is not fetched within
100 ms is lost. Worth little while others want the two cores: see ``load``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks.events import VGA
from benchmarks.real_window import RealWindow, Turning
from benchmarks.stand_ins import PacedSource
from benchmarks.timing import Options, Row, load
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings

RATE_HZ = 20e6
CORES = 2
LEAST_PAINTS_HZ, LONGEST_GAP_MS = 30.0, 100.0
SECONDS, WARM_S = 65.0, 5.0
"""Longer than the timeline, which is full by then, and than the window's own routine, once a minute."""


def run(options: Options) -> Iterator[Row]:
    """Measure once, after what is imported and compiled once per process."""
    rate = 1e6 if options.quick else RATE_HZ
    seconds, warm = (0.5, 0.3) if options.quick else (SECONDS, WARM_S)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:CORES]))
    try:
        turning, lost, decisions = under_load(rate, seconds, warm)
    finally:
        os.sched_setaffinity(0, before)
    note = f"{rate / 1e6:.0f} Mev/s for {seconds:g} s, {decisions:.0f} decisions/s"
    paints, gap = turning.paints_hz, turning.longest_gap_ms
    for case, ours, limit, unit, ratio in (
        ("paints", paints, LEAST_PAINTS_HZ, "paints/s", paints / LEAST_PAINTS_HZ),
        ("longest gap between turns", gap, LONGEST_GAP_MS, "ms", LONGEST_GAP_MS / gap),
        ("events lost", float(lost), 0.0, "events", float(lost == 0)),
    ):
        yield Row(
            "window", case, "window", "limit", ours, limit, unit, ratio, goal=1.0, note=note, load=load()
        )


def under_load(rate_hz: float, seconds: float, warm_s: float) -> tuple[Turning, int, float]:
    """Return how the loop turned, events lost by the device or the ring, and decisions a second."""
    from neuroclip_live.model.backbone import load_backbone

    source, backbone = PacedSource(rate_hz, VGA), load_backbone()
    prompts = parse_prompts("a mug, a phone, a person, a box, scissors, a bottle", ("{}",), False)
    pipeline = Pipeline(source, lambda progress: backbone, prompts, PipelineSettings())
    with RealWindow(pipeline) as shown:
        window = shown.window
        shown.run(warm_s, lambda: pipeline.prediction() is not None and window.live.ready)
        before, lost = pipeline.status(), source.lost
        turning = shown.run(seconds)
        after = pipeline.status()
        gone = source.lost - lost + after.dropped_events - before.dropped_events
        return turning, gone, (after.predictions - before.predictions) / seconds
