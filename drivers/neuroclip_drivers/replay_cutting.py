"""Where packets of a replay begin and end, and how far back what leads to a place begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.ends import STRAY_EVENTS
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS, EventFile
from neuroclip_drivers.source import Lead
from neuroclip_live.events import Packet

_PACKET_REAL_S = 0.01
"""Longest stretch of real time in one packet of a paced replay."""
STEP_BACK_US = 100_000
"""Cameras' timestamps jitter by less; a longer step back is a new start of the camera's clock."""
NEVER_US = np.iinfo(np.int64).max - STEP_BACK_US
_FIRST_LOOK_US = 100_000
"""So far back is looked for the events before a place; twice as far where these are too few, and so on."""


def cut(
    places: npt.NDArray[np.int64], done: int, until_us: int, speed: float | None, ordered: bool | None
) -> int:
    """Return where the next packet in a batch ends."""
    first = int(places[done])
    if first < until_us:
        limit = until_us
    elif speed is None:
        return len(places)
    else:
        limit = first + max(1, round(_PACKET_REAL_S * 1e6 * speed))
    if is_ordered(places) if ordered is None else ordered:
        stop = int(np.searchsorted(places, limit))
    else:
        outside = (places[done:] >= limit) | (places[done:] < first - STEP_BACK_US)
        stop = done + int(np.argmax(outside)) if outside.any() else len(places)
    return min(max(stop, done + 1), done + MAX_PACKET_EVENTS)


def first_after(places: npt.NDArray[np.int64], following: npt.NDArray[np.int64], edge_us: int) -> int | None:
    """Return the first event that lies at or after a place, where a part ends or begins; None for none.

    What comes before it in the file lies before the place, what comes after it lies after, also where time
    steps back a little over it: so the parts on both sides have every event once. Strays are not the first:
    one of the next ``STRAY_EVENTS`` is back before the place, further than times jitter.
    """
    after = places >= edge_us
    if not after.any():
        return None
    coming = np.concatenate([places[1:], following[:STRAY_EVENTS]])
    coming = np.append(coming, np.full(max(0, len(places) + STRAY_EVENTS - 1 - len(coming)), NEVER_US))
    least = np.lib.stride_tricks.sliding_window_view(coming, STRAY_EVENTS).min(axis=1)[: len(places)]
    after &= (least >= edge_us) | (places <= least + STEP_BACK_US)
    return int(np.argmax(after)) if after.any() else None


def with_places_after(
    batches: Iterable[tuple[Packet, int]], look_ahead: Callable[[], bool]
) -> Iterator[tuple[Packet, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield each batch of a recording with the places of its events, and the first of those after it.

    Without ``look_ahead``, where no stray holds anything up, nothing is known of those after it; a batch that
    goes on at once is still in the processor's cache.
    """
    before: tuple[Packet, npt.NDArray[np.int64]] | None = None
    for batch, shift in batches:
        places = batch["t"] + shift if shift else batch["t"]
        if before is not None:
            yield *before, places[:STRAY_EVENTS]
            before = None
        if look_ahead():
            before = batch, places
        else:
            yield batch, places, places[:0]
    if before is not None:
        yield *before, before[1][:0]


def coming(places: npt.NDArray[np.int64], stop: int, after: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the places that tell whether those before ``stop`` are strays: of as many events as can tell."""
    following = places[stop : stop + STRAY_EVENTS]
    missing = STRAY_EVENTS - len(following)
    return np.concatenate([following, after[:missing]]) if missing and len(after) else following


def reached(last: int, following: npt.NDArray[np.int64]) -> int:
    """Return the place that a packet comes to; where the ``last`` is a stray ahead, what follows tells.

    Half of what follows, and not the least of it: among that may be strays from the past.
    """
    return min(last, int(np.sort(following)[len(following) // 2])) if len(following) else last


def fallen_to(places: npt.NDArray[np.int64], following: npt.NDArray[np.int64], from_us: int) -> int | None:
    """Return how far a packet comes where all of it and what follows lies before a place; else None."""
    below = from_us - STEP_BACK_US
    if places[-1] >= below or following.max(initial=places[-1]) >= below:
        return None  # nearly always, and quicker than all of the packet
    top = int(places.max())
    return top if top < below else None


def is_ordered(places: npt.NDArray[np.int64]) -> bool:
    """Tell whether no place lies before the one that comes before it."""
    return bool((places[1:] >= places[:-1]).all())


def start_of(recording: EventFile, lead: Lead, to_us: int, interrupted: Callable[[], bool]) -> int:
    """Return the place from which on events are given before another: of the same clock of the camera."""
    first_us = recording.clock_start(to_us)
    if lead.events is None:
        return max(first_us, to_us - lead.time_us)
    back_us = _FIRST_LOOK_US
    while to_us - back_us > first_us and not interrupted():
        if _count(recording, to_us - back_us, to_us, interrupted) >= lead.events:
            break
        back_us *= 2
    return max(first_us, to_us - back_us)


def _count(recording: EventFile, from_us: int, to_us: int, interrupted: Callable[[], bool]) -> int:
    """Return how many events lie between two places, or did when another place was asked for."""
    count = 0
    for batch, shift in recording.read_placed(from_us):
        before = int(np.count_nonzero(batch["t"] < to_us - shift))
        count += before
        if before < len(batch) or interrupted():
            break
    return count
