"""The ring between capture and everybody who looks.

One writer (the capture thread), any number of readers, fixed memory. The writer never waits for a reader:
when the ring is full the oldest events are overwritten, and a reader that was lapped is told how many it
lost. Positions are absolute event numbers since the start, so a cursor is one integer and counters add up
by construction.

Copies happen under the lock. A reader's copy is bounded (``MAX_READ``), so the writer waits a few
milliseconds at the most, and nothing is ever torn.

Time that goes back and stays back opens a new *epoch* (:mod:`neuroclip_live.stream.ordering`): a loop
restart, a seek, a camera that reset its clock. A read never crosses an epoch, so no slice mixes two times.
The last few events may be held back until others tell whether their time is right: they are not in the ring.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neuroclip_live.events import EVENT_DTYPE, Packet, copy_into, empty_packet
from neuroclip_live.stream.ordering import Ordering

MAX_READ = 1 << 20
"""Most events one read copies: 16 MiB, a few milliseconds under the lock."""


@dataclass(frozen=True)
class Chunk:
    """What one read returned.

    Attributes
    ----------
    events : Packet
        A copy, of one epoch.
    start : int
        Position of the first event.
    epoch : int
        Grows by one each time the stream's time goes back.
    lost : int
        Events overwritten before this reader came for them.
    """

    events: Packet
    start: int
    epoch: int
    lost: int

    @property
    def end(self) -> int:
        """Position after the last event: the next cursor."""
        return self.start + len(self.events)


@dataclass(frozen=True)
class RingStatus:
    """Counters of the ring: all since the start, none ever reset."""

    written: int
    capacity: int
    clamped: int
    strays: int
    outside: int
    epochs: int
    held: int
    last_t_us: int | None
    last_arrival_ns: int | None

    @property
    def fill(self) -> float:
        """Share of the ring that holds events, 0 to 1."""
        return min(self.written, self.capacity) / self.capacity


class EventRing:
    """Fixed memory for the newest events of one source.

    Parameters
    ----------
    capacity : int
        Events kept (16 bytes each).
    width, height : int, optional
        Sensor size. Events outside it are dropped and counted as ``outside``: a frame has no pixel for them.
    treat : callable, optional
        What is done to events once they are in order, before they are kept: filters and turns.
    """

    def __init__(
        self,
        capacity: int = 1 << 22,
        *,
        width: int | None = None,
        height: int | None = None,
        treat: Callable[[Packet], Packet] | None = None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"a ring holds at least one event, not {capacity}")
        self.capacity = capacity
        self._ordering = Ordering(width, height)
        self._treat = treat
        self._events = np.zeros(capacity, dtype=EVENT_DTYPE)
        self._lock = threading.Lock()
        self._written = 0
        self._last_t: int | None = None
        self._epoch_starts: deque[tuple[int, int]] = deque([(0, 0)])  # (first position, epoch)
        self._arrivals: deque[tuple[int, int]] = deque(maxlen=1 << 14)  # (position after the packet, ns)
        self._arrivals_from = 0  # before this position they are forgotten
        self._held: deque[tuple[int, int]] = deque()  # (events held back, ns), by packet

    def write(self, packet: Packet, arrival_ns: int) -> None:
        """Append a packet.

        Parameters
        ----------
        packet : Packet
            Events in the order they came.
        arrival_ns : int
            ``time.monotonic_ns()`` when the packet reached this process.
        """
        outside = self._ordering.outside
        pieces = self._ordering.pieces(packet)
        came = len(packet) - (self._ordering.outside - outside)
        if came:
            self._held.append((came, arrival_ns))
        self._enter(pieces)

    def begin_epoch(self) -> int:
        """Let another time begin, whatever the next event's; return the number of its epoch.

        For a source that knows: a seek, the start of another loop. Nothing has to be guessed then.
        """
        self._enter(self._ordering.begin_anew())
        with self._lock:
            self._epoch_starts.append((self._written, self._epoch_starts[-1][1] + 1))
            return self._epoch_starts[-1][1]

    def settle_silence(self, until_ns: int) -> None:
        """Let events in that came until this moment and wait for others to tell that a silence ended."""
        waited = sum(count for count, arrival_ns in self._held if arrival_ns <= until_ns)
        if waited:
            self._enter(self._ordering.settle_silence(waited))

    def flush(self) -> None:
        """Let all events in that are held back: none will follow, or not soon."""
        if self._held:
            self._enter(self._ordering.flush())

    def _enter(self, pieces: list[tuple[Packet, bool]]) -> None:
        """Append what is decided: the first of the events held back."""
        if not pieces:
            return
        with self._lock:
            for piece, new_epoch in pieces:
                if new_epoch:
                    self._epoch_starts.append((self._written, self._epoch_starts[-1][1] + 1))
                while len(piece):  # as many of it as came at one time
                    count, arrival_ns = self._held.popleft()
                    if count > len(piece):
                        self._held.appendleft((count - len(piece), arrival_ns))
                    self._keep(piece[:count], arrival_ns)
                    piece = piece[count:]
            oldest = self._written - self.capacity
            while len(self._epoch_starts) > 1 and self._epoch_starts[1][0] <= oldest:
                self._epoch_starts.popleft()

    def _keep(self, piece: Packet, arrival_ns: int) -> None:
        if self._treat is not None:
            piece = self._treat(piece)
        if not len(piece):
            return
        self._append(piece)
        if len(self._arrivals) == self._arrivals.maxlen:
            self._arrivals_from = self._arrivals[0][0]
        self._arrivals.append((self._written, arrival_ns))
        self._last_t = int(piece["t"][-1])

    def read(self, cursor: int, limit: int = MAX_READ) -> Chunk:
        """Copy the events from ``cursor`` on, at most ``limit``, never across an epoch."""
        with self._lock:
            oldest = max(0, self._written - self.capacity)
            start = min(max(cursor, oldest), self._written)
            epoch, end = self._epoch_at(start)
            end = min(end, start + limit)
            return Chunk(self._copy(start, end), start, epoch, max(0, start - cursor))

    def latest(
        self, *, duration_us: int | None = None, count: int | None = None, now_us: int | None = None
    ) -> Packet:
        """Copy the newest events of the newest epoch: the last ``count``, or of the last ``duration_us``.

        That time ends with the newest event, or at ``now_us`` where that is later.
        """
        with self._lock:
            oldest = max(0, self._written - self.capacity, self._epoch_starts[-1][0])
            start = max(oldest, self._written - min(count if count is not None else MAX_READ, MAX_READ))
            if duration_us is None or start == self._written or self._last_t is None:
                return self._copy(start, self._written)
            newest = self._last_t if now_us is None else max(self._last_t, now_us)
            first = self._first_at(newest - duration_us, start)
            return self._copy(first, self._written)

    def oldest(self) -> int:
        """Return the position of the oldest event kept: the cursor of somebody who wants all there is."""
        with self._lock:
            return max(0, self._written - self.capacity)

    def newest(self) -> int:
        """Return the position after the newest event: the cursor of somebody who starts now."""
        with self._lock:
            return self._written

    def position_back(self, duration_us: int) -> int:
        """Return the position of the first event of the last ``duration_us``, within the newest epoch."""
        with self._lock:
            oldest = max(0, self._written - self.capacity, self._epoch_starts[-1][0])
            if self._last_t is None or oldest == self._written:
                return self._written
            return self._first_at(self._last_t - duration_us, oldest)

    def span_us(self, start: int, end: int) -> int:
        """Return how much time the events from one position to another took, as far as they are kept.

        Where time began anew on the way, the parts are added up.
        """
        with self._lock:
            start = max(start, self._written - self.capacity)
            if not 0 <= start < end < self._written:
                return 0
            begins = [start, *(first for first, _ in self._epoch_starts if start < first <= end), end + 1]
            times = self._events["t"]
            return sum(
                int(times[(after - 1) % self.capacity]) - int(times[first % self.capacity])
                for first, after in itertools.pairwise(begins)
            )

    def arrival_ns(self, position: int) -> int | None:
        """Return when the event at ``position`` arrived (monotonic clock); None when no longer known."""
        with self._lock:
            found = None
            if position < self._arrivals_from:
                return None
            for end, arrival in reversed(self._arrivals):  # asked for fresh events: near the end
                if end <= position:
                    break
                found = arrival
            return found

    def status(self) -> RingStatus:
        """Return the counters."""
        with self._lock:
            return RingStatus(
                written=self._written,
                capacity=self.capacity,
                clamped=self._ordering.clamped,
                strays=self._ordering.strays,
                outside=self._ordering.outside,
                epochs=self._epoch_starts[-1][1],
                held=self._ordering.held,
                last_t_us=self._last_t,
                last_arrival_ns=self._arrivals[-1][1] if self._arrivals else None,
            )

    def _append(self, piece: Packet) -> None:
        if len(piece) > self.capacity:  # only its newest part can stay; the rest counts as overwritten
            self._written += len(piece) - self.capacity
            piece = piece[-self.capacity :]
        at = self._written % self.capacity
        head = min(len(piece), self.capacity - at)
        copy_into(self._events[at : at + head], piece[:head])
        copy_into(self._events[: len(piece) - head], piece[head:])
        self._written += len(piece)

    def _copy(self, start: int, end: int) -> Packet:
        if end <= start:
            return empty_packet()
        a, n = start % self.capacity, end - start
        out = np.empty(n, dtype=EVENT_DTYPE)
        head = min(n, self.capacity - a)
        copy_into(out[:head], self._events[a : a + head])
        copy_into(out[head:], self._events[: n - head])
        return out

    def _epoch_at(self, position: int) -> tuple[int, int]:
        """Return the epoch of a position and the position where that epoch ends."""
        end = self._written
        for first, epoch in reversed(self._epoch_starts):
            if first <= position:
                return epoch, end
            end = first
        return self._epoch_starts[0][1], end

    def _first_at(self, t_us: int, start: int) -> int:
        """Return the first position from ``start`` on whose time is at least ``t_us``, by bisection."""
        low, high = start, self._written
        while low < high:
            middle = (low + high) // 2
            if self._events["t"][middle % self.capacity] < t_us:
                low = middle + 1
            else:
                high = middle
        return low
