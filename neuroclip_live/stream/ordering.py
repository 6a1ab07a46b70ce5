"""What every stream goes through before anybody looks at it: onto the sensor, and forward in time.

Events outside the sensor are dropped and counted: a frame has no pixel for them. Everything else stays:

- steps back of up to :data:`JITTER_US`, common inside packets of iniVation cameras: the time is raised to the
  newest seen, and counted (``clamped``);
- stray times, further off but with time going on where it was after them: the same, counted apart
  (``strays``); :mod:`neuroclip_live.stream.stray_times` tells how they are told from what follows;
- time that goes back and stays back opens a new *epoch*.

Until enough events have followed to decide, at most :data:`LOOKAHEAD` are held. A source that knows that its
time begins anew, a replay that was sought in, says so, and then nothing has to be guessed.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, copy_packet, empty_packet, join_packets
from neuroclip_live.stream.counting import words_of
from neuroclip_live.stream.stray_times import JITTER_US, LOOKAHEAD, plain, settle

__all__ = ["JITTER_US", "LOOKAHEAD", "Ordering", "stray_note"]


class Ordering:
    """Orders one stream, packet by packet; for one thread.

    Parameters
    ----------
    width, height : int, optional
        Sensor size; without it no event is outside.

    Attributes
    ----------
    last_us : int or None
        Time of the newest event that was given out.
    clamped, strays, outside : int
        Since the start: jittering events, events with a stray time, and events dropped.
    """

    def __init__(self, width: int | None = None, height: int | None = None) -> None:
        self._width, self._height = width, height
        self.last_us: int | None = None
        self.clamped = self.strays = self.outside = 0
        self._held = empty_packet()

    @property
    def held(self) -> int:
        """How many events wait for those that decide about them."""
        return len(self._held)

    def pieces(self, packet: Packet) -> list[tuple[Packet, bool]]:
        """Take a packet in; return what is decided, in pieces, each with whether an epoch begins with it.

        A packet with nothing wrong, which is nearly every one, comes back as it is.

        Raises
        ------
        UserError
            When it is no packet: another package's source may yield anything.
        """
        if not len(packet):
            return []
        if getattr(packet, "dtype", None) != EVENT_DTYPE:
            _require_fields(packet)
        if not len(self._held) and self._is_plain(packet):
            self.last_us = int(packet["t"][-1])
            return [(packet, False)]
        return self._decided(self._inside(packet))

    def settle_silence(self, count: int) -> list[tuple[Packet, bool]]:
        """Return what is decided when the first ``count`` events held have waited long enough.

        Those ahead of time end a silence. Those from the past stay held: a scene at rest sends hardly any
        events, and an epoch too many costs more than a few of them that come late.
        """
        return self._decided(empty_packet(), silent=count)

    def flush(self) -> list[tuple[Packet, bool]]:
        """Return all events held: nothing more will come to decide about them, or not soon."""
        return self._decided(empty_packet(), final=True)

    def begin_anew(self) -> list[tuple[Packet, bool]]:
        """Return all events held, and take the next one for the first of a stream."""
        pieces = self.flush()
        self.last_us = None
        return pieces

    def _is_plain(self, packet: Packet) -> bool:
        if packet.dtype != EVENT_DTYPE or not packet.flags.c_contiguous:
            return False
        last = self.last_us if self.last_us is not None else int(packet["t"][0])
        width, height = self._width or 1 << 15, self._height or 1 << 15
        return bool(plain(words_of(packet), _times_of(packet), last, width, height))

    def _inside(self, packet: Packet) -> Packet:
        if self._width is None or self._height is None:
            return packet
        x, y = packet["x"], packet["y"]
        good = (x >= 0) & (x < self._width) & (y >= 0) & (y < self._height)
        inside = int(np.count_nonzero(good))
        self.outside += len(packet) - inside
        return packet if inside == len(packet) else packet[good]

    def _decided(self, packet: Packet, *, silent: int = 0, final: bool = False) -> list[tuple[Packet, bool]]:
        """Decide about the events held and those of a packet, as far as they tell."""
        events = join_packets([self._held, packet]) if len(self._held) else copy_packet(packet)
        if not len(events):
            return []
        times = _times_of(events)
        first = int(self.last_us is None)  # of a stream it is what it is
        newest = int(times[0, 0]) if self.last_us is None else self.last_us
        cuts: npt.NDArray[np.int64] = np.empty(len(events), np.int64)
        stop, newest, epochs, strays, clamped = settle(times, first, newest, silent, final, cuts)
        self.strays += strays
        self.clamped += clamped
        begins = epochs > 0 and cuts[0] == 0
        bounds = [0, *(int(cut) for cut in cuts[:epochs] if cut), stop]
        pieces = [
            (events[start:end], begins if start == 0 else True)
            for start, end in itertools.pairwise(bounds)
            if start < end
        ]
        if stop:
            self.last_us = newest
        self._held = copy_packet(events[stop:]) if stop < len(events) else empty_packet()
        return pieces


def stray_note(count: int) -> str:
    """Say how many events had a stray time; empty where none had."""
    had = "1 event has" if count == 1 else f"{count:,} events have"
    return f"{had} a time far from all around; taken as of the moment they came" if count else ""


def _times_of(packet: Packet) -> npt.NDArray[np.int64]:
    """Return a packet seen as pairs of integers, (N, 2), time first."""
    return packet.view(np.int64).reshape(-1, 2)


def _require_fields(packet: object) -> None:
    """Refuse what lacks the fields of events in their order: by that they are copied, not by their names."""
    dtype = getattr(packet, "dtype", None)
    if getattr(dtype, "names", None) != EVENT_DTYPE.names:
        what = f"a {type(packet).__name__}" if dtype is None else f"an array of {dtype}"
        raise UserError(f"the source gave {what}, no packet of neuroclip_live.events.EVENT_DTYPE")
