"""Inference's side of the ring: which slices to take now, and which there is no time for."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from time import monotonic_ns

from neuroclip_live.events import Packet, Resolution, empty_packet, join_packets
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Capture, Moment
from neuroclip_live.stream.region import inside, push_inside, size_of
from neuroclip_live.stream.ring import MAX_READ, Chunk
from neuroclip_live.stream.slicing import MAX_SILENT_HOPS, Slice, SliceBy, Slicer

BACKLOG_MS = 60.0
"""Waiting slices are all taken while that costs no more than this; beyond it only the newest are."""
REST_MS = 500.0
"""With no event for so long the scene is at rest, whatever the slices say."""
LATE_MS = 150.0
"""A camera's packets come this late at the most: older hops may be closed by the clock."""
WAIT_S = 0.02
MOST_WAITING = 256
MOST_LEAD = 1 << 24
"""Events before a place that are kept to recognize it, at most: 256 MiB."""


class Reader:
    """Reads one capture's ring through a slicer and applies the newest-slice policy.

    Parameters
    ----------
    capture : Capture
    by : SliceBy
    from_start : bool
        Begin with the oldest event kept; otherwise with the next to come.
    dropped : int
        Events lost so far, by a reader of the same source.
    """

    def __init__(self, capture: Capture, by: SliceBy, *, from_start: bool, dropped: int = 0) -> None:
        self.capture = capture
        self.finished = False
        self.dropped = dropped
        self.ring, self.resolution = capture.picture
        self.region: Box | None = None
        self._by = by
        self._slicer = Slicer(by, self.resolution)
        self._passed_us = self._heard_us = 0  # time of the newest event, anywhere and inside the region
        self._cursor = self.ring.oldest() if from_start else self.ring.newest()
        self._cost_ms = BACKLOG_MS / 4  # of one slice; learned from what slices take
        self._lead: list[Packet] = []
        self._lead_of = 0  # number of the moment they lead to
        self.moment_taken = 0
        """Number of the moment whose slices were taken last."""
        self._told_ns = 0  # arrival of the newest event when the scene was last said to be at rest
        capture.cursor = self._cursor

    def take(self) -> tuple[list[Slice], int]:
        """Read all that is new; return the slices to process, oldest first, and how many were passed over."""
        waiting: deque[Slice] = deque(maxlen=MOST_WAITING)
        made = 0
        ended = self.capture.over.is_set()  # looked at before reading: what came earlier is then in the ring
        self.capture.news.clear()
        passed_over = self._leap()
        newest = self.ring.newest()
        moments = self.capture.moments  # after the newest position: before it, those without an end have none
        if moments and moments[-1].end is not None and moments[-1].number != self.moment_taken:
            newest = min(newest, moments[-1].end)  # what is played on comes after the place was recognized
        while self._cursor < newest:
            chunk = self.ring.read(self._cursor, min(MAX_READ, newest - self._cursor))
            chunk = self._without_lead(chunk, moments)
            self._cursor = self.capture.cursor = chunk.end
            if chunk.lost:
                self.dropped += chunk.lost
                self._slicer.forget()  # no slice spans a gap
            slices = self._slice(chunk)
            made += len(slices)
            waiting.extend(slices)
        if ended and not self.finished:
            self.finished = True
            slices = self._slicer.flush()
        else:
            slices = self._close_by_clock()
        made += len(slices)
        waiting.extend(slices)
        taken = list(waiting)[-self._affordable() :]
        return taken, passed_over + made - len(taken)

    def _without_lead(self, chunk: Chunk, moments: tuple[Moment, ...]) -> Chunk:
        """Set aside what only leads to a place sought while paused; return the rest."""
        moment = next((m for m in reversed(moments) if m.ring is self.ring and m.epoch == chunk.epoch), None)
        if moment is None or (moment.end is not None and chunk.start >= moment.end):
            return chunk
        if moment.number != self._lead_of:
            self._lead, self._lead_of = [], moment.number
        cut = len(chunk.events) if moment.end is None else min(len(chunk.events), moment.end - chunk.start)
        if moment is moments[-1]:  # else another place was sought before this one was recognized
            lead = chunk.events[:cut]
            self._lead.append(lead if self.region is None else inside(lead, self.region))
            while len(self._lead) > 1 and sum(map(len, self._lead)) > MOST_LEAD:
                del self._lead[0]
        return replace(chunk, events=chunk.events[cut:], start=chunk.start + cut)

    def moment(self) -> Moment | None:
        """Return the place a paused recording was taken to: once all before it was read, until taken."""
        moments = self.capture.moments
        if not moments or moments[-1].number == self.moment_taken:
            return None
        newest = moments[-1]
        there = newest.ring is self.ring and newest.end is not None and self._cursor >= newest.end
        return newest if there else None

    def take_moment(self, moment: Moment, timesteps: int) -> list[Slice]:
        """Return the slices that lead up to :meth:`moment`, whatever time they take."""
        events = join_packets(self._lead) if self._lead and self._lead_of == moment.number else empty_packet()
        self._lead, self.moment_taken = [], moment.number
        self._passed_us = self._heard_us = moment.t_us
        return self._slicer.cut_back(events, moment.t_us, timesteps, moment.end or 0, moment.epoch)

    def _affordable(self) -> int:
        """Return how many waiting slices there is time for."""
        return max(1, int(BACKLOG_MS / max(self._cost_ms, 0.01)))

    def _leap(self) -> int:
        """Leave out what there is no time for without even reading it; return how many slices that were.

        Cutting slices only to pass over them costs as much as keeping them: at tens of millions of events a
        second that left no time to recognize any. A recording is not live and is never leapt over.
        """
        if not self.capture.source.live or self.region is not None:
            return 0
        hops = self._affordable() + self._by.overlap
        newest, count, hop_us = self.ring.newest(), self._by.hop_count(self.resolution), self._by.hop_us()
        start = newest - hops * count if count is not None else self.ring.position_back(hops * (hop_us or 1))
        passed = start - self._cursor
        if passed < newest - start:  # a backlog of twice what is wanted is worth the seam
            return 0
        lost = min(passed, max(0, self.ring.oldest() - self._cursor))
        if count is not None:
            slices = (passed - lost) // count
        else:
            # an hour in which nothing came is not 72,000 slices
            slices = self.ring.span_us(self._cursor, start) // (hop_us or 1)
            slices = min(slices, passed - lost + MAX_SILENT_HOPS)
        self.dropped += lost
        self._cursor = self.capture.cursor = start
        self._slicer.forget()
        return slices

    def recut(self, by: SliceBy) -> None:
        """Cut what comes from here on otherwise; what is read already stays read."""
        self._by = by
        self._slicer = Slicer(by, self.size)

    @property
    def size(self) -> Resolution:
        """What slices are a picture of: the region, or all there is."""
        return size_of(self.region) if self.region is not None else self.resolution

    def restrict(self, region: Box | None) -> None:
        """Read only what happens inside a region from here on; None: everywhere."""
        self.region = region
        self._heard_us = self._passed_us
        self._slicer = Slicer(self._by, self.size)

    def took_ms(self, cost_ms: float) -> None:
        """Learn what one slice costs."""
        self._cost_ms += 0.2 * (cost_ms - self._cost_ms)

    def rest_us(self) -> int | None:
        """Return when the scene came to rest, after all slices; None where it has not, or was told before."""
        if self.region is not None and self._passed_us - self._heard_us > REST_MS * 1000:
            self._heard_us = self._passed_us
            return max(self._passed_us, self._slicer.cut_us)
        status = self.ring.status()
        if (
            status.last_arrival_ns is None
            or status.last_t_us is None
            or status.last_arrival_ns == self._told_ns
        ):
            return None
        if (monotonic_ns() - status.last_arrival_ns) / 1e6 < REST_MS:
            return None
        self._told_ns = status.last_arrival_ns
        return max(status.last_t_us, self._slicer.cut_us)

    def wait(self) -> None:
        """Wait for the next packet, a little."""
        self.capture.news.wait(WAIT_S)

    def _slice(self, chunk: Chunk) -> list[Slice]:
        events = chunk.events
        if self.region is None or not len(events):
            return self._slicer.push(events, chunk.start, chunk.epoch)
        last_us = int(events["t"][-1])
        slices, heard = push_inside(self._slicer, events, self.region, chunk.start, chunk.epoch)
        if last_us < self._passed_us or len(heard):
            self._heard_us = int(heard["t"][-1]) if len(heard) else last_us
        self._passed_us = last_us
        return slices

    def _close_by_clock(self) -> list[Slice]:
        """Close the hops of a camera whose scene went quiet: no later event will."""
        status = self.ring.status()
        if not self.capture.source.live or status.last_arrival_ns is None or status.last_t_us is None:
            return []
        silent_us = (monotonic_ns() - status.last_arrival_ns) // 1000 - int(LATE_MS * 1000)
        if silent_us < 0 or silent_us > 2 * int(REST_MS * 1000):
            return []
        return self._slicer.advance(status.last_t_us + silent_us)


def is_at_rest(events: Packet, t_us: int) -> bool:
    """Tell whether so long before ``t_us`` nothing happened that the scene is at rest, whatever its slice."""
    return not len(events) or t_us - int(events["t"][-1]) > REST_MS * 1000
