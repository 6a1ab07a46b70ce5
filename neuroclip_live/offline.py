"""Every window of a recording, in order, as fast as the machine goes: the headless ``--speed max`` path.

No threads, so nothing is skipped and the same file gives the same predictions every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import TYPE_CHECKING

from neuroclip_live.latency import LatencyStats
from neuroclip_live.recognizer import Prediction, Recognizer
from neuroclip_live.ring import EventRing
from neuroclip_live.slicing import Slice, SliceBy, Slicer

if TYPE_CHECKING:
    from drivers.source import EventSource


@dataclass
class Totals:
    """Counters of a run, for its summary."""

    events: int = 0
    windows: int = 0
    predictions: int = 0
    dropped_events: int = 0
    latency: LatencyStats = field(default_factory=LatencyStats)


def recognise_all(
    source: EventSource,
    recognizer: Recognizer,
    by: SliceBy,
    totals: Totals,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Prediction]:
    """Yield one prediction for every slice of a source that ends.

    Parameters
    ----------
    source : EventSource
        Read until it ends; not closed.
    recognizer : Recognizer
    by : SliceBy
    totals : Totals
        Counted up while the run goes on.
    should_stop : callable
        Asked after every packet.
    """
    # The ring is here for what it does to a stream: order, epochs, events outside the sensor.
    width, height = source.resolution
    ring = EventRing(1 << 20, width=width, height=height)
    slicer = Slicer(by, source.resolution)
    recognizer.begin(source.resolution)
    cursor = 0
    for packet in source.packets():
        if should_stop():
            break
        ring.write(packet, monotonic_ns())
        while cursor < ring.newest():
            chunk = ring.read(cursor)
            cursor = chunk.end
            totals.dropped_events += chunk.lost
            for piece in slicer.push(chunk.events, chunk.start, chunk.epoch):
                yield _timed(recognizer, piece, totals)
        totals.events = ring.status().written
    for piece in slicer.flush():
        yield _timed(recognizer, piece, totals)


def _timed(recognizer: Recognizer, piece: Slice, totals: Totals) -> Prediction:
    begin = monotonic_ns()  # nothing is live here: latency is the work alone
    prediction = recognizer.update(piece)
    totals.windows += 1
    totals.predictions += 1
    totals.latency.add({**prediction.latency_ms, "total": (monotonic_ns() - begin) / 1e6})
    return prediction
