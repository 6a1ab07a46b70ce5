"""Every window of a recording, in order, as fast as the machine goes: the headless ``--speed max`` path.

Nothing is skipped, and the same file gives the same predictions every time. One thread reads ahead while the
other recognizes; what comes out depends on the order of packets alone, and that stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import TYPE_CHECKING

from neuroclip_live.errors import UserError
from neuroclip_live.objects.found import Missed
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.run_facts import Summary
from neuroclip_live.registry import fault_of
from neuroclip_live.stream.latency import LatencyStats
from neuroclip_live.stream.read_ahead import read_ahead
from neuroclip_live.stream.region import push_inside
from neuroclip_live.stream.road import Road, RoadSettings
from neuroclip_live.stream.slicing import Slice, SliceBy, Slicer

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.events import Packet


log = logging.getLogger(__name__)

PLAIN = RoadSettings()


@dataclass
class Totals:
    """Counters of a run, for its summary."""

    events: int = 0
    windows: int = 0
    predictions: int = 0
    dropped_events: int = 0
    outside_events: int = 0
    stray_events: int = 0
    missed: Missed | None = None
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
            missed=self.missed,
            total=self.latency.percentiles().get("total"),
            wall_s=wall_s,
        )


def recognize_all(
    source: EventSource,
    recognizer: Recognizer,
    by: SliceBy,
    totals: Totals,
    should_stop: Callable[[], bool] = lambda: False,
    road: RoadSettings = PLAIN,
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
    road : RoadSettings
        Noise filter, turns and region, as live.

    Raises
    ------
    UserError
        When too little of the region lies on the picture.
    """
    stages = Road(source.resolution, road)
    recognizer.begin(stages.size, stages.region)
    for piece in slices_of(source, by, totals, should_stop, road):
        yield _timed(recognizer, piece, totals)


def _packets_of(source: EventSource) -> Iterator[Packet]:
    """Yield what a source gives; whatever another package's raises is told in a line."""
    try:
        yield from source.packets()
    except UserError:
        raise
    except Exception as error:
        log.info("%s failed", source.name, exc_info=error)
        raise UserError(f"{source.name}: {fault_of(error)}") from error


def slices_of(
    source: EventSource,
    by: SliceBy,
    totals: Totals,
    should_stop: Callable[[], bool] = lambda: False,
    road: RoadSettings = PLAIN,
) -> Iterator[Slice]:
    """Yield every slice of a source that ends; parameters as for :func:`recognize_all`."""
    stages = Road(source.resolution, road)
    slicer, region = Slicer(by, stages.size), stages.region
    epoch = position = 0
    with closing(read_ahead(_packets_of(source))) as packets:
        for pieces in _treated(packets, stages, should_stop):
            for events, new_epoch in pieces:
                epoch += new_epoch
                # told before the slices are: whoever stops at one of them asks for the counts at once
                totals.events = position + len(events)
                if region is None or not len(events):
                    yield from slicer.push(events, position, epoch)
                else:
                    yield from push_inside(slicer, events, region, position, epoch)[0]
                position += len(events)
            totals.outside_events = stages.ordering.outside
            totals.stray_events = stages.ordering.strays
    yield from slicer.flush()


def _treated(
    packets: Iterable[Packet], road: Road, should_stop: Callable[[], bool]
) -> Iterator[list[tuple[Packet, bool]]]:
    """Yield what order, filter and turns make of packets, to the last event."""
    for packet in packets:
        if should_stop():
            break
        yield road.pieces(packet)
    yield road.flush()


def _timed(recognizer: Recognizer, piece: Slice, totals: Totals) -> Prediction:
    begin = monotonic_ns()  # nothing is live here: latency is the work alone
    prediction = recognizer.update(piece)
    totals.windows += 1
    totals.predictions += 1
    if prediction.objects is not None:
        totals.missed = prediction.missed.and_more(totals.missed or Missed())
    totals.latency.add({**prediction.latency_ms, "total": (monotonic_ns() - begin) / 1e6})
    return prediction
