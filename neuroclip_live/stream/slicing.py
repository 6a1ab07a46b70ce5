"""Cutting a stream of events into slices, whatever the packets it came in.

The stream is cut into *hops*; a slice is the last ``overlap`` hops together, so slices may overlap and one
new slice comes with every hop. A hop ends

- ``time``: after a fixed duration, on a grid that begins with the epoch;
- ``count``: after a fixed number of events;
- ``auto``: after a number of events proportional to the sensor's area, or after a longest time, whichever
  comes first: fast motion is cut fine enough to stay sharp, slow motion is not waited for.

The cuts depend on the events alone, never on packet boundaries, so a recording gives the same slices at any
speed.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, copy_packet, empty_packet, join_packets
from neuroclip_live.stream.hops_back import hops_back

AUTO_EVENTS_PER_PIXEL = 0.1
AUTO_LONGEST_US = 100_000
MAX_SLICE_EVENTS = 1 << 22
"""No slice holds more events: where time decides, its hops end early. A camera whose clock stands still would
otherwise fill the memory."""
LONGEST_US = 3_600_000_000
"""Longest slice that can be asked for: an hour."""
MAX_SILENT_HOPS = 64
"""After so many hops without an event the grid jumps to the next one: an hour's gap is not 72,000 slices."""

Kind = Literal["time", "count", "auto"]


MOST_HOPS = 16
"""Hops in a slice at most."""


@dataclass(frozen=True)
class SliceBy:
    """How long a slice is.

    Attributes
    ----------
    kind : {"time", "count", "auto"}
    time_us : int
        Length of a slice (``time``), or its longest length (``auto``); unused for ``count``.
    count : int
        Events in a slice (``count``); 0 for ``auto`` means in proportion to the sensor's area.
    overlap : int
        Hops in a slice: 1 for slices that do not overlap, 2 for half.
    """

    kind: Kind = "auto"
    time_us: int = AUTO_LONGEST_US
    count: int = 0
    overlap: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.overlap <= MOST_HOPS:
            raise UserError(f"slices of {self.overlap} hops: choose 1 (no overlap) to {MOST_HOPS}")
        if self.kind != "count" and self.time_us < self.overlap:
            raise UserError(
                f"a slice of {self.time_us} µs is too short: give a positive time, like --slice 100ms"
            )
        if self.time_us > LONGEST_US:
            raise UserError(f"a slice of {self.time_us / 1e6:,.0f} s is too long: an hour at most")
        if (self.kind == "count" and self.count < self.overlap) or self.count < 0:
            raise UserError(
                f"a slice of {self.count} events is empty: give a positive number, like --slice 5000"
            )
        if self.count > MAX_SLICE_EVENTS:
            raise UserError(f"a slice of {self.count:,} events is too long: at most {MAX_SLICE_EVENTS:,}")

    def hop_us(self) -> int | None:
        """Longest duration of a hop in microseconds; None when only the count ends it."""
        return None if self.kind == "count" else self.time_us // self.overlap

    def hop_count(self, resolution: Resolution) -> int | None:
        """Events that end a hop; None when only time does."""
        if self.kind == "time":
            return None
        count = self.count or max(1, round(AUTO_EVENTS_PER_PIXEL * resolution.area))
        return max(1, count // self.overlap)

    def lead(self, timesteps: int, resolution: Resolution) -> tuple[int, int | None]:
        """Return how long so many slices take at most, in µs, or how many events where these end them."""
        hops, hop_us, count = timesteps + self.overlap - 1, self.hop_us(), self.hop_count(resolution)
        return (hops * hop_us, None) if hop_us is not None else (0, hops * (count or 1))

    def describe(self) -> str:
        """Return the form :func:`parse_slice` reads."""
        if self.kind == "auto":
            return "auto"
        whole, part = divmod(self.time_us, 1000)
        milliseconds = f"{whole}.{part:03}".rstrip("0").rstrip(".")
        return f"{milliseconds}ms" if self.kind == "time" else str(self.count)


def parse_slice(text: str, overlap: int = 2) -> SliceBy:
    """Read ``auto``, a time (``50ms``, ``20000us``, ``0.1s``) or a number of events (``5000``).

    Raises
    ------
    UserError
        When it is none of these, or not positive.
    """
    if not 1 <= overlap <= MOST_HOPS:
        raise UserError(f"--overlap {overlap}: a slice has 1 (no overlap) to {MOST_HOPS} hops")
    text = text.strip().lower()
    if text == "auto":
        return SliceBy(overlap=overlap)
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*(us|µs|ms|s|)", text)
    if not found:
        raise UserError(
            f"--slice {text!r} is not understood: write auto, a time like 50ms, or a count of events"
        )
    # what is too much is said, and never infinite
    number, unit = max(-1e15, min(float(found[1]), 1e15)), found[2]
    if not unit:
        return SliceBy("count", count=int(number), overlap=overlap)
    return SliceBy(
        "time", time_us=round(number * {"us": 1, "µs": 1, "ms": 1e3, "s": 1e6}[unit]), overlap=overlap
    )


@dataclass(frozen=True)
class Slice:
    """One timestep of events.

    Attributes
    ----------
    events : Packet
    start_us, end_us : int
        Time covered, half open.
    end_position : int
        Position in the ring after the slice's last event.
    index : int
        Number of the slice since the start of the stream; a skipped slice uses up its number.
    epoch : int
    """

    events: Packet
    start_us: int
    end_us: int
    end_position: int
    index: int
    epoch: int


@dataclass(frozen=True)
class _Hop:
    events: Packet
    start_us: int
    end_us: int
    end_position: int


class Slicer:
    """Turns chunks of a stream into slices. No thread, no clock.

    Parameters
    ----------
    by : SliceBy
    resolution : Resolution
        The sensor's size; ``auto`` counts in proportion to it.
    """

    def __init__(self, by: SliceBy, resolution: Resolution) -> None:
        self._hop_us = by.hop_us()
        self._hop_count = by.hop_count(resolution) or MAX_SLICE_EVENTS // by.overlap
        self._overlap = by.overlap
        self._index = 0
        self._epoch = 0
        self.forget()

    def forget(self) -> None:
        """Drop the open hop and those before it: the next event begins anew."""
        self._hops: deque[_Hop] = deque(maxlen=self._overlap)
        self._pieces: list[Packet] = []
        self._held = 0
        self._silent = 0  # hops without an event that were closed in a row
        self._start: int | None = None  # time at which the open hop began
        self._position = 0

    def push(
        self,
        events: Packet,
        start_position: int = 0,
        epoch: int = 0,
        places: npt.NDArray[np.int64] | None = None,
    ) -> list[Slice]:
        """Add events; return the slices they complete, oldest first.

        Parameters
        ----------
        events : Packet
            In order of time, of one epoch; kept by reference, so they must not change afterwards.
        start_position : int
            Position of the first event in the ring.
        epoch : int
            A new epoch forgets the open hop: no slice mixes two times.
        places : ndarray of int64, shape (N,), optional
            How far after ``start_position`` each event stands, where events between them were left out.
        """
        if epoch != self._epoch:
            self._epoch = epoch
            self.forget()
        done: list[Slice] = []
        if not len(events):
            return done
        self._position, taken = start_position, 0
        first_us = int(events["t"][0])
        if self._start is None:
            self._start = first_us
        elif self._hop_us and self._silent >= MAX_SILENT_HOPS and first_us >= self._start + self._hop_us:
            self._hops.clear()  # as after a silence that was all in one piece
            self._start = first_us
        while len(events):
            cut, end_us = self._next_cut(events)
            if end_us is None:
                cut = len(events)
            self._hold(events[:cut])
            taken += cut
            if places is not None and cut:
                self._position = start_position + int(places[taken - 1]) + 1
            if end_us is None:
                break
            events = events[cut:]
            done.extend(self._close(end_us))
            if self._hop_us is not None and len(events):
                done.extend(self._skip_silence(int(events["t"][0])))
        return done

    @property
    def cut_us(self) -> int:
        """Time up to which the stream is cut; 0 before there is any."""
        return self._start or 0

    def begin(self, t_us: int) -> None:
        """Let the open hop begin at ``t_us`` where no event has begun one yet: silence counts from here."""
        if self._start is None:
            self._start = t_us

    def advance(self, t_us: int, position: int | None = None) -> list[Slice]:
        """Close the hops that end by ``t_us`` although no later event came: a scene at rest sends none.

        ``position`` is that of what tells that it is ``t_us``.
        """
        done: list[Slice] = []
        if self._hop_us is None or self._start is None:
            return done
        while self._start + self._hop_us <= t_us and self._silent < MAX_SILENT_HOPS:
            if position is not None:
                self._position = position
            done.extend(self._close(self._start + self._hop_us))
        return done

    def flush(self) -> list[Slice]:
        """Close the open hop at the end of a stream, where it holds events."""
        if not self._held:
            return []
        return self._close(int(self._pieces[-1]["t"][-1]) + 1)

    def cut_back(
        self, events: Packet, end_us: int, slices: int, end_position: int = 0, epoch: int = 0
    ) -> list[Slice]:
        """Return the slices that lead up to a time, oldest first, cut from there backwards; go on from there.

        The last of them ends at that very time, whatever was cut before: for a place that is looked at alone.

        Parameters
        ----------
        events : Packet
            What happened before ``end_us``, in order of time; slices are views of it.
        end_us : int
        slices : int
            How many are wanted; there are fewer where events end sooner.
        end_position, epoch : int
            As of :meth:`push`, after the last event.
        """
        self.forget()
        wanted, fewest = slices + self._overlap - 1, self._overlap if self._hop_us is not None else 0
        hops = hops_back(events["t"], end_us, wanted, fewest, self._hop_us, self._hop_count)
        done: list[Slice] = []
        for last in range(min(self._overlap, len(hops)) - 1 if hops else 0, len(hops)):
            first, _, begin_us, _ = hops[max(0, last - self._overlap + 1)]
            _, stop, _, until_us = hops[last]
            done.append(Slice(events[first:stop], begin_us, until_us, end_position, self._index, epoch))
            self._index += 1
        self._epoch, self._position, self._start = epoch, end_position, end_us
        for first, stop, begin_us, until_us in hops[-self._overlap :]:
            self._hops.append(_Hop(copy_packet(events[first:stop]), begin_us, until_us, end_position))
        return done

    def _hold(self, piece: Packet) -> None:
        if len(piece):
            self._pieces.append(piece)
            self._held += len(piece)
            self._position += len(piece)
            self._silent = 0

    def _next_cut(self, events: Packet) -> tuple[int, int | None]:
        """Return how many of ``events`` belong to the open hop and when it ends; None when it stays open."""
        assert self._start is not None
        cut, end_us = len(events), None
        if self._hop_us is not None:
            limit = self._start + self._hop_us
            if int(events["t"][-1]) >= limit:
                cut, end_us = int(np.searchsorted(events["t"], limit)), limit
        if self._hop_count - self._held <= cut:
            cut = self._hop_count - self._held
            end_us = int(events["t"][cut - 1]) + 1
        return cut, end_us

    def _close(self, end_us: int) -> list[Slice]:
        assert self._start is not None
        events = join_packets(self._pieces) if self._pieces else empty_packet()
        # A hop cut by count may end in the very microsecond its successor begins.
        self._hops.append(_Hop(events, min(self._start, end_us), end_us, self._position))
        self._silent += not self._held
        self._pieces, self._held, self._start = [], 0, end_us
        if len(self._hops) < self._overlap:
            return []
        whole = join_packets([hop.events for hop in self._hops])
        made = Slice(whole, self._hops[0].start_us, end_us, self._position, self._index, self._epoch)
        self._index += 1
        return [made]

    def _skip_silence(self, t_us: int) -> list[Slice]:
        """Close the empty hops before ``t_us``; beyond ``MAX_SILENT_HOPS``, begin anew at ``t_us``."""
        assert self._start is not None
        assert self._hop_us is not None
        silent = (t_us - self._start) // self._hop_us
        done: list[Slice] = []
        most = MAX_SILENT_HOPS - self._silent  # some may have been closed before the event came
        for _ in range(min(silent, most)):
            done.extend(self._close(self._start + self._hop_us))
        if silent > most:
            self._hops.clear()  # else the next slice would reach back over all of the silence
            self._start = t_us
        return done
