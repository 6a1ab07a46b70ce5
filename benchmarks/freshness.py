"""Freshness under overload: 200 ms of work added to every decision, newest slices against all in order.

How old the newest decision is, seen every 50 ms: now less the arrival of its last event. In order, slices
wait behind one another and the age grows without end; we take the newest and count the others as skipped.
"""

from __future__ import annotations

import queue
import statistics
import threading
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.stand_ins import PacedSource, SlowBackbone
from benchmarks.timing import Options, Row, load
from neuroclip_live.events import Resolution
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.stream.slicing import SliceBy, Slicer

DELAY_S, SECONDS = 0.2, 5.0
OLDEST_S = 0.45
"""The newest decision may be so old."""
RATE_HZ = 500_000
BY = SliceBy("time", time_us=50_000, overlap=2)
SENSOR = Resolution(346, 260)


def run(options: Options) -> Iterator[Row]:
    """Measure both policies, one after the other: each sleeps most of the time."""
    seconds = 1.5 if options.quick else SECONDS
    ours, in_order = newest_first(seconds), first_in_first_out(seconds)
    half = len(ours) // 2
    grows = statistics.median(ours[half:]) - statistics.median(ours[:half])
    ratio = in_order[-1] / max(ours)
    note = (
        f"oldest of {len(ours)} looks in {seconds:g} s; second half {grows:+.2f} s; in order at the end: "
        f"{in_order[-1]:.2f} s"
    )
    yield Row(
        "freshness", "age of the newest decision", "newest", "in order", max(ours), in_order[-1], "s", ratio,
        repeats=len(ours), note=note, load=load(),
    )  # fmt: skip
    yield Row(
        "freshness", f"limit {OLDEST_S:g} s", "newest", "limit", max(ours), OLDEST_S, "s",
        OLDEST_S / max(ours), goal=1.0, repeats=len(ours),
        note="not growing" if grows < 0.05 else f"growing by {grows:.2f} s",
        load=load(),
    )  # fmt: skip


def newest_first(seconds: float) -> list[float]:
    """Return the ages, in seconds, of our pipeline's newest decision."""
    source = PacedSource(RATE_HZ, SENSOR)
    pipeline = Pipeline(
        source,
        lambda progress: SlowBackbone(DELAY_S),  # type: ignore[arg-type, return-value]
        parse_prompts("a mug, a phone", ("{}",), False),
        PipelineSettings(slice_by=BY),
    )
    pipeline.start()
    ages = []
    end = time.monotonic() + seconds + 1.0
    while (now := time.monotonic()) < end:
        time.sleep(0.05)
        newest = pipeline.prediction()
        if newest is not None and newest.arrival_ns is not None and now > end - seconds:
            ages.append((time.monotonic_ns() - newest.arrival_ns) / 1e9)
    pipeline.stop()
    if not ages:
        raise RuntimeError("no decision was made")
    return ages


def first_in_first_out(seconds: float) -> list[float]:
    """Return the ages of the newest decision of a loop that takes every slice in its order."""
    source, slicer = PacedSource(RATE_HZ, SENSOR), Slicer(BY, SENSOR)
    waiting: queue.Queue[tuple[int, object]] = queue.Queue()
    newest: list[int] = []

    def capture() -> None:
        position = 0
        for packet in source.packets():
            for piece in slicer.push(packet, position):
                waiting.put((time.monotonic_ns(), piece))
            position += len(packet)

    def decide() -> None:
        backbone = SlowBackbone(DELAY_S)
        while True:
            arrival, piece = waiting.get()
            if piece is None:
                return
            backbone.encode_frames(np.zeros((1, 8, 8), np.uint8))
            newest.append(arrival)

    threads = [threading.Thread(target=work, daemon=True) for work in (capture, decide)]
    for thread in threads:
        thread.start()
    ages = []
    end = time.monotonic() + seconds + 1.0
    while (now := time.monotonic()) < end:
        time.sleep(0.05)
        if newest and now > end - seconds:
            ages.append((time.monotonic_ns() - newest[-1]) / 1e9)
    source.close()
    waiting.put((0, None))
    return ages
