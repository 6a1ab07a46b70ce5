"""Every window of a recording, in order, as fast as the machine goes: the headless ``--speed max`` path.

Nothing is skipped, and the same file gives the same predictions every time. One thread reads ahead while the
other recognises; what comes out depends on the order of packets alone, and that stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import TYPE_CHECKING

from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.run_facts import Summary
from neuroclip_live.stream.latency import LatencyStats
from neuroclip_live.stream.ordering import Ordering
from neuroclip_live.stream.read_ahead import read_ahead
from neuroclip_live.stream.slicing import Slice, SliceBy, Slicer

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.events import Packet


@dataclass
class Totals:
    """Counters of a run, for its summary."""

    events: int = 0
    windows: int = 0
    predictions: int = 0
    dropped_events: int = 0
    outside_events: int = 0
    stray_events: int = 0
    latency: LatencyStats = field(default_factory=LatencyStats)

    def summary(self, wall_s: float) -> Summary:
        """Return what outputs are closed with; every window is processed here, none is skipped."""
        return Summary(
            events=self.events,
            windows=self.windows,
            predictions=self.predictions,
            dropped_events=self.dropped_events,
            outside_events=self.outside_events,
            stray_events=self.stray_events,
            total=self.latency.percentiles().get("total"),
            wall_s=wall_s,
        )


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
    recognizer.begin(source.resolution)
    for piece in slices_of(source, by, totals, should_stop):
        yield _timed(recognizer, piece, totals)


def slices_of(
    source: EventSource, by: SliceBy, totals: Totals, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Slice]:
    """Yield every slice of a source that ends; parameters as for :func:`recognise_all`."""
    slicer = Slicer(by, source.resolution)
    ordering = Ordering(*source.resolution)
    epoch = position = 0
    with closing(read_ahead(source.packets())) as packets:
        for pieces in _ordered(packets, ordering, should_stop):
            for events, new_epoch in pieces:
                epoch += new_epoch
                yield from slicer.push(events, position, epoch)
                position += len(events)
            totals.events, totals.outside_events = position, ordering.outside
            totals.stray_events = ordering.strays
    yield from slicer.flush()


def _ordered(
    packets: Iterable[Packet], ordering: Ordering, should_stop: Callable[[], bool]
) -> Iterator[list[tuple[Packet, bool]]]:
    """Yield what the ordering makes of packets, to the last event."""
    for packet in packets:
        if should_stop():
            break
        yield ordering.pieces(packet)
    yield ordering.flush()


def _timed(recognizer: Recognizer, piece: Slice, totals: Totals) -> Prediction:
    begin = monotonic_ns()  # nothing is live here: latency is the work alone
    prediction = recognizer.update(piece)
    totals.windows += 1
    totals.predictions += 1
    totals.latency.add({**prediction.latency_ms, "total": (monotonic_ns() - begin) / 1e6})
    return prediction
