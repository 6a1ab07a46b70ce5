"""Where events stand in a file without an index whose camera's clock began anew.

Whether it did is looked for on opening, and not by reading fifty gigabytes: the first half million events are
looked through, and so are the last ones; of what lies between, the times at which blocks begin. A clock that
began anew shows in that it is behind where it was before. Only where it did is the file read through, once,
and places are then those of :mod:`neuroclip_drivers.aedat4.timeline`; in all other files places are times.

Rejected: looking for it while it is played. The seek bar has to know how long the file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.ends import STEP_US
from neuroclip_drivers.aedat4.timeline import Run, Timeline, joined, runs_of
from neuroclip_drivers.files.event_file import from_place
from neuroclip_live.events import Packet

LOOKED_THROUGH = 1 << 19
"""So many events at the beginning of a file are looked through on opening."""
_PROBES = 64
"""Blocks at the beginning whose times are asked for, and as many of all others."""
_MANY = 8
"""Among so many beginnings of blocks a single one that is out of order is a stray."""

Decode = Callable[[int], Iterable[Packet]]
"""Yields the events from a block on to the end."""


@dataclass(frozen=True)
class Found:
    """What is known of a file already.

    Attributes
    ----------
    head : list of Packet
        The packets that were looked through.
    whole : bool
        Whether these are all.
    last : list of (M,) int64
        Times of the events of the last blocks.
    first_us, last_us : int
        Time of the first event and of the last that are no strays.
    """

    head: list[Packet]
    whole: bool
    last: list[npt.NDArray[np.int64]]
    first_us: int
    last_us: int


def look_through(packets: Iterable[Packet]) -> tuple[list[Packet], bool]:
    """Return the packets that are looked through on opening, and whether these are all."""
    head: list[Packet] = []
    events = 0
    for packet in packets:
        head.append(packet)
        events += len(packet)
        if events >= LOOKED_THROUGH:
            return head, False
    return head, True


def find_clocks(
    found: Found, decode: Decode, blocks: int, start_of: Callable[[int], int | None]
) -> Timeline | None:
    """Return where the events of a file stand, by the packets that are decoded from block 0 on.

    Parameters
    ----------
    found : Found
    decode : callable
    blocks : int
    start_of : callable
        Returns the time at which a block begins; None where it is not known.

    Returns
    -------
    Timeline or None
        None where the clock never begins anew: then places are times.
    """
    if not _suspected(found, blocks, start_of):
        return None
    runs: list[Run] = []
    number = -1
    for number, packet in enumerate(found.head if found.whole else decode(0)):
        runs.extend(_runs(number, packet))
    timeline = joined(runs, number + 1, found.first_us, found.last_us) if runs else None
    return timeline if timeline is not None and len(timeline.clocks) > 1 else None


def read_placed(
    packets: Iterable[Packet], timeline: Timeline, from_us: int | None
) -> Iterator[tuple[Packet, int]]:
    """Yield the events of a file from a place on, in arrays of one clock, each with the shift of its times.

    ``packets`` are all that the file is decoded to from block 0 on; arrays are views of them.
    """
    begin = 0 if from_us is None else timeline.packet_before(from_us - 1)
    left = islice(enumerate(packets), begin, None)
    parts = chain.from_iterable(_parts(number, packet, timeline) for number, packet in left)
    yield from from_place(parts, from_us)


def _parts(number: int, packet: Packet, timeline: Timeline) -> Iterator[tuple[Packet, int]]:
    """Cut a packet where the clock begins anew; what was written meanwhile is of the last clock."""
    shift = int(timeline.shifts[number] if number < len(timeline.shifts) else timeline.clocks[-1, 2])
    begin = 0
    for stop, following in [*timeline.restarts.get(number, []), (len(packet), 0)]:
        if stop > begin:
            yield packet[begin:stop], shift
        begin, shift = stop, following


def _suspected(found: Found, blocks: int, start_of: Callable[[int], int | None]) -> bool:
    runs = [run for number, packet in enumerate(found.head) for run in _runs(number, packet)]
    several = _several(runs, found.first_us, found.last_us)
    if several or found.whole:
        return several
    ends = [run for number, times in enumerate(found.last) for run in runs_of(number, times)]
    if ends and _several(ends, ends[0].start, found.last_us):
        return True
    rest = range(_PROBES, blocks, max(1, (blocks - _PROBES) // _PROBES))
    starts = [start_of(block) for block in (*range(min(blocks, _PROBES)), *rest)]
    known = [start for start in starts if start is not None] + [run.top for run in ends[-1:]]
    return _falls(np.array(known, dtype=np.int64))


def _falls(times: npt.NDArray[np.int64]) -> bool:
    """Tell whether time goes back, and not for a single one of many."""
    if len(times) >= _MANY:
        low, high = np.minimum(times[:-1], times[1:]), np.maximum(times[:-1], times[1:])
        middle = np.maximum(low[:-1], np.minimum(high[:-1], times[2:]))  # of three
        times = np.concatenate([times[:1], middle, times[-1:]])
    return bool((times[1:] < times[:-1] - STEP_US).any())


def _several(runs: list[Run], first_us: int, last_us: int) -> bool:
    return len(runs) > 1 and len(joined(runs, runs[-1].packet + 1, first_us, last_us).clocks) > 1


def _runs(number: int, packet: Packet) -> list[Run]:
    return runs_of(number, packet["t"].astype(np.int64)) if len(packet) else []
