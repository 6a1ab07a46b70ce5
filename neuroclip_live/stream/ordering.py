"""What every stream goes through before anybody looks at it: onto the sensor, and forward in time.

Events outside the sensor are dropped and counted: a frame has no pixel for them. Time that goes back opens
a new *epoch*; steps back shorter than :data:`JITTER_US`, common inside packets of iniVation cameras, do not:
the events are kept, their time raised to the newest seen, and counted.
"""

from __future__ import annotations

import itertools

import numpy as np

from neuroclip_live.events import EVENT_DTYPE, Packet, copy_packet
from neuroclip_live.stream.counting import orderly, words_of

JITTER_US = 1_000
"""Steps back in time up to this many microseconds are jitter; longer ones open a new epoch."""


class Ordering:
    """Orders one stream, packet by packet; for one thread.

    Parameters
    ----------
    width, height : int, optional
        Sensor size; without it no event is outside.

    Attributes
    ----------
    last_us : int or None
        Time of the newest event.
    clamped, outside : int
        Events whose time was raised, and events dropped, since the start.
    """

    def __init__(self, width: int | None = None, height: int | None = None) -> None:
        self._width, self._height = width, height
        self.last_us: int | None = None
        self.clamped = self.outside = 0

    def pieces(self, packet: Packet) -> list[tuple[Packet, bool]]:
        """Split a packet where time goes far back; return what is left, each with whether an epoch begins.

        A packet with nothing wrong, which is nearly every one, comes back as it is.
        """
        if not len(packet):
            return []
        if self._is_plain(packet):
            pieces = [(packet, False)]
        else:
            packet = self._inside(packet)
            if not len(packet):
                return []
            pieces = self._in_order(packet)
        self.last_us = int(pieces[-1][0]["t"][-1])
        return pieces

    def _is_plain(self, packet: Packet) -> bool:
        if packet.dtype != EVENT_DTYPE or not packet.flags.c_contiguous:
            return False
        last = self.last_us if self.last_us is not None else int(packet["t"][0])
        times = packet.view(np.int64).reshape(-1, 2)
        return bool(orderly(words_of(packet), times, last, self._width or 1 << 15, self._height or 1 << 15))

    def _inside(self, packet: Packet) -> Packet:
        if self._width is None or self._height is None:
            return packet
        x, y = packet["x"], packet["y"]
        good = (x >= 0) & (x < self._width) & (y >= 0) & (y < self._height)
        inside = int(np.count_nonzero(good))
        self.outside += len(packet) - inside
        return packet if inside == len(packet) else packet[good]

    def _in_order(self, packet: Packet) -> list[tuple[Packet, bool]]:
        """Split at long steps back and raise the times of short ones."""
        t = packet["t"]
        last = self.last_us
        goes_back = np.flatnonzero(t[1:] < t[:-1]) + 1
        if not len(goes_back) and (last is None or t[0] >= last):
            return [(packet, False)]
        cuts = [int(i) for i in goes_back if int(t[i - 1]) - int(t[i]) > JITTER_US]  # 64 bits may overflow
        bounds = [0, *cuts, len(packet)]
        pieces: list[tuple[Packet, bool]] = []
        for start, stop in itertools.pairwise(bounds):
            piece = copy_packet(packet[start:stop])
            new_epoch = start > 0 or (last is not None and last - int(piece["t"][0]) > JITTER_US)
            floor = int(piece["t"][0]) if new_epoch or last is None else last
            steady = np.maximum(np.maximum.accumulate(piece["t"]), floor)
            self.clamped += int(np.count_nonzero(steady != piece["t"]))
            piece["t"] = steady
            last = int(steady[-1])
            pieces.append((piece, new_epoch))
        return pieces
