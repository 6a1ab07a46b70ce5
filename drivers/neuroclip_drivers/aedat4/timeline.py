"""Where events stand in a recording, counted along the file, whatever the camera's clock did meanwhile.

A camera that was unplugged, or reset, begins its clock anew; so one file may hold the same time twice, or
begin with a few events of an hour ago. Whoever seeks, plays or draws a bar wants one axis on which every
event has its place: a *place* is the event's own time plus a shift that changes where the clock begins anew,
so that the time before goes on. The first clock's shift is 0: in an ordinary recording places are times.

Stray time stamps move nothing. A clock begins anew only where time *stays* back; what goes back and returns,
or leaps ahead and returns, within ``STRAY_EVENTS`` events is a fault of these events alone. At both ends of
a file, where nothing comes before or after, :mod:`neuroclip_drivers.aedat4.ends` tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.ends import STEP_US, STRAY_EVENTS, first_time, last_time

FEW = 8
"""At the end of a file fewer events than this are no clock that began anew: there is no telling."""
_FAR_US = 1 << 60
"""Time stamps beyond 36,000 years are damage; they are taken for this, so that sums fit into 64 bits."""

Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outline:
    """The packets of one event stream, as an index or a look at all of them tells.

    Attributes
    ----------
    counts, starts, ends : (N,) int64
        Events in each packet, 0 where there are none; time of the first and of the last of them.
    mixed : (N,) bool
        Packets inside which time is known to step back.
    """

    counts: Times
    starts: Times
    ends: Times
    mixed: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Timeline:
    """The axis of places of one event stream.

    Attributes
    ----------
    places : (N,) int64
        Place of the first event of every packet that is no stray; never less than that of the packet before.
    shifts : (N,) int64
        What is added to the times at the beginning of every packet.
    restarts : dict
        For each packet *inside* which the clock begins anew: pairs of the event's number in it, and the shift
        from there on.
    first_us, last_us : int
        Place of the first event and of the last.
    clocks : (C, 3) int64
        For each clock: its first time, its last, and its shift.
    """

    places: Times
    shifts: Times
    restarts: dict[int, list[tuple[int, int]]]
    first_us: int
    last_us: int
    clocks: Times

    def packet_before(self, place: int) -> int:
        """Return the last packet that begins at or before a place; the first one when there is none."""
        return max(0, int(np.searchsorted(self.places, place, "right")) - 1)

    def time_at(self, place: int) -> int:
        """Return what the clock showed at a place."""
        return place - int(self.clocks[self._clock_at(place), 2])

    def clock_start(self, place: int) -> int:
        """Return the place at which the clock began that runs at a place."""
        first, _, shift = self.clocks[self._clock_at(place)]
        return int(first + shift)

    def _clock_at(self, place: int) -> int:
        begins = self.clocks[:, 0] + self.clocks[:, 2]
        return max(0, int(np.searchsorted(begins, place, "right")) - 1)

    def place_before(self, t_us: int, place: int) -> int:
        """Return where a time stands; where several clocks showed it, the last such place up to ``place``."""
        first, last, shift = self.clocks.T
        away = np.maximum(np.maximum(first - t_us, t_us - last), 0)
        places = t_us + shift[away == away.min()]
        before = places[places <= place]
        return int(before[-1] if len(before) else places[0])

    def places_of(self, times: Times, packets: Times) -> Times:
        """Return the places of times that other streams of the file give.

        Near a restart either clock may be meant, as streams are not written in step: it is the one that ran
        at that time. A time at which neither ran by far is none; it stands where the file has it.

        Parameters
        ----------
        times : (M,) int64
        packets : (M,) int64
            Which packet of events precedes each of them in the file; -1 where none does.
        """
        if len(self.clocks) == 1:
            return times
        shifts = np.where(packets < 0, 0, self._last_shifts()[np.maximum(packets, 0)])
        here = np.searchsorted(self.clocks[:, 2], shifts)
        times = np.clip(times, -_FAR_US, _FAR_US)
        best, away = here, self._away(times, here)
        for other in (here - 1, here + 1):
            other = np.clip(other, 0, len(self.clocks) - 1)
            less = self._away(times, other)
            best, away = np.where(less < away, other, best), np.minimum(less, away)
        fallback = np.where(packets < 0, self.first_us, self.places[np.maximum(packets, 0)])
        return np.where(away > FAR_AWAY_US, fallback, times + self.clocks[best, 2])

    def _away(self, times: Times, clock: Times) -> Times:
        """Return how far times lie outside of what a clock, given by number, showed."""
        first, last = self.clocks[clock, 0], self.clocks[clock, 1]
        away: Times = np.maximum(np.maximum(first - times, times - last), 0)
        return away

    def _last_shifts(self) -> Times:
        shifts = self.shifts.copy()
        for packet, steps in self.restarts.items():
            shifts[packet] = steps[-1][1]
        return shifts


FAR_AWAY_US = 10_000_000
"""A frame may lie so far outside of the events' time: nothing moved meanwhile."""


class Run(NamedTuple):
    """Events of one packet that follow each other without a step of more than ``STEP_US``."""

    packet: int
    offset: int
    events: int
    start: int
    top: int


def seen_of(times: Times, bounds: Times) -> Times:
    """Look at some packets.

    Parameters
    ----------
    times : (M,) int64
        Of all their events.
    bounds : (N + 1,) int64
        Where those of each begin, and where the last one's end.

    Returns
    -------
    (N, 4) int64
        For each: how many events, time of the first and of the last, and whether time steps back in it.
    """
    seen = np.zeros((len(bounds) - 1, 4), dtype=np.int64)
    seen[:, 0] = np.diff(bounds)
    filled = np.flatnonzero(seen[:, 0])
    seen[filled, 1], seen[filled, 2] = times[bounds[filled]], times[bounds[filled + 1] - 1]
    back = np.flatnonzero(times[1:] < times[:-1]) + 1
    if len(back):  # mostly there is none
        now, before = np.clip(times[back], -_FAR_US, _FAR_US), np.clip(times[back - 1], -_FAR_US, _FAR_US)
        back = back[now - before < -STEP_US]
        packets = np.searchsorted(bounds, back, "right") - 1
        seen[packets[back > bounds[packets]], 3] = 1
    return seen


def outline_of(packets: Iterable[Times]) -> Outline:
    """Return the outline of a stream all of whose packets were looked at, as :func:`seen_of` does."""
    rows = np.concatenate([np.zeros((0, 4), dtype=np.int64), *packets])
    return Outline(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] != 0)


def build(outline: Outline, times_of: Callable[[int], Times]) -> Timeline | None:
    """Return the axis of a stream; None where the outline is not true to the packets looked at.

    Parameters
    ----------
    outline : Outline
        With at least one packet that holds events.
    times_of : callable
        Returns the times of a packet's events; asked for the first, the last, and around steps back.
    """
    filled = np.flatnonzero(outline.counts > 0)
    starts = np.clip(outline.starts[filled], -_FAR_US, _FAR_US)
    ends = np.clip(outline.ends[filled], -_FAR_US, _FAR_US)
    looked_at: dict[int, Times] = {}

    def times_at(packet: int) -> Times:
        times = looked_at.get(packet)
        return np.clip(times_of(packet), -_FAR_US, _FAR_US) if times is None else times

    head, tail = _edge(filled, times_at, looked_at), _edge(filled[::-1], times_at, looked_at)[::-1]
    if not all(map(len, (*head, *tail))):
        return None
    back = outline.mixed[filled] | (ends < starts - STEP_US)
    back[1:] |= starts[1:] < ends[:-1] - STEP_US
    back[: len(head)] |= [_steps_back(times) for times in head]
    back[len(back) - len(tail) :] |= [_steps_back(times) for times in tail]
    first_us, last_us = first_time(np.concatenate(head)), last_time(np.concatenate(tail))
    began_anew = bool(back.any())
    near = back.copy()
    near[1:] |= back[:-1]
    near[:-1] |= back[1:]
    near[[0, -1]] = True
    seen: dict[int, list[Run]] = {}
    tops = np.maximum(starts, ends)
    for number in np.flatnonzero(near).tolist():
        packet = int(filled[number])
        times = times_at(packet)
        if not len(times) or (int(times[0]), int(times[-1])) != (starts[number], ends[number]):
            return None
        if began_anew:
            seen[number] = runs_of(packet, times)
    if not began_anew:
        last_us = max(last_us, first_us)
        clocks = np.array([(first_us, last_us, 0)], dtype=np.int64)
        places = _filled(filled, starts, len(outline.counts))
        return Timeline(places, np.zeros_like(places), {}, first_us, last_us, clocks)
    counts = outline.counts[filled]
    rows = zip(filled.tolist(), counts.tolist(), starts.tolist(), tops.tolist(), strict=True)
    runs: list[Run] = []
    for number, (packet, count, start, top) in enumerate(rows):
        runs.extend(seen.get(number) or [Run(packet, 0, count, start, top)])
    return joined(runs, len(outline.counts), first_us, last_us)


def _edge(
    packets: npt.NDArray[np.int64], times_at: Callable[[int], Times], looked_at: dict[int, Times]
) -> list[Times]:
    """Return, and keep, the times of the first packets, as many as tell where a recording begins or ends."""
    found: list[Times] = []
    for packet in packets.tolist():
        found.append(times_at(packet))
        looked_at[packet] = found[-1]
        if sum(map(len, found)) > 2 * STRAY_EVENTS:
            break
    return found


def _steps_back(times: Times) -> bool:
    ordered = (times[1:] >= times[:-1]).all()  # nearly always, and quick
    return bool(not ordered and (np.diff(times) < -STEP_US).any())


def runs_of(packet: int, times: Times) -> list[Run]:
    """Cut the times of a packet's events, (M,) int64, M > 0, where they step by more than ``STEP_US``."""
    times = np.clip(times, -_FAR_US, _FAR_US)
    steps = np.diff(times)
    bounds = [0, *(np.flatnonzero((steps > STEP_US) | (steps < -STEP_US)) + 1).tolist(), len(times)]
    return [
        Run(packet, start, stop - start, int(times[start]), int(times[start:stop].max()))
        for start, stop in pairwise(bounds)
    ]


def joined(runs: list[Run], packets: int, first_us: int, last_us: int) -> Timeline:
    """Lay the runs of a stream of so many packets one behind the other.

    Parameters
    ----------
    runs : list of Run
        At least one.
    packets : int
    first_us, last_us : int
        Time of the first event and of the last that are no strays.
    """
    runs = _without_ends(runs, first_us, last_us)
    end, shift = runs[0].start, 0  # the place reached, and the shift of the clock at work
    low = high = runs[0].start  # what that clock showed
    clocks: list[tuple[int, int, int]] = []
    begins: dict[int, int] = {}
    changes: dict[int, int] = {0: 0}
    restarts: dict[int, list[tuple[int, int]]] = {}
    number = 0
    while number < len(runs):
        run = runs[number]
        if skipped := _strays(runs, number, shift, end):
            number += skipped
            continue
        if run.start + shift < end - STEP_US:
            clocks.append((low, high, shift))
            shift, low, high = end + 1 - run.start, run.start, run.start
            changes[run.packet + (run.offset > 0)] = shift
            if run.offset:
                restarts.setdefault(run.packet, []).append((run.offset, shift))
        begins.setdefault(run.packet, run.start + shift)
        high, end = max(high, run.top), max(end, run.top + shift)
        number += 1
    clocks.append((low, high, shift))
    places = _filled(np.array(list(begins)), np.array(list(begins.values())), packets)
    from_packet = np.array([*changes, packets])
    shifts = np.repeat(list(changes.values()), np.diff(np.minimum(from_packet, packets)))
    return Timeline(places, shifts, restarts, runs[0].start, end, np.array(clocks, dtype=np.int64))


def _without_ends(runs: list[Run], first_us: int, last_us: int) -> list[Run]:
    """Leave out strays at both ends, which nothing before, or nothing after, shows to be such."""
    begin, end, events = 0, len(runs), 0
    while begin < len(runs) - 1 and not runs[begin].start <= first_us <= runs[begin].top:
        begin += 1
    while end - 1 > begin:
        last = runs[end - 1]
        events += last.events
        if events >= FEW or not (last.start > last_us or last.start < runs[end - 2].top - STEP_US):
            break
        end -= 1
    return runs[begin:end]


def _strays(runs: list[Run], number: int, shift: int, end: int) -> int:
    """Return how many runs from ``number`` on are strays: time soon goes on where it was."""
    start = runs[number].start
    back, ahead = start + shift < end - STEP_US, start + shift > end + STEP_US
    events = 0
    for later in range(number + 1, len(runs)) if back or ahead else ():
        events += runs[later - 1].events
        if events > STRAY_EVENTS:
            break
        following = runs[later].start
        leaps = abs(following - runs[later - 1].top) > STEP_US  # strays return at once; a clock creeps up
        if leaps and (following + shift >= end - STEP_US if back else following < start - STEP_US):
            return later - number
    return 0


def _filled(packets: Times, places: Times, total: int) -> Times:
    """Return places for all packets: one without gets that of the packet before, or of the first."""
    result = np.full(total, places[0], dtype=np.int64)
    result[packets] = places
    known = np.zeros(total, dtype=np.int64)
    known[packets] = packets
    result = result[np.maximum.accumulate(known)]
    return np.maximum.accumulate(result)
