"""Packets that follow each other, undone together: looked at as one, and handed on as one.

Many cameras write a packet for every hundred events. What Python does for each of them then takes longer than
undoing it, so as little as can be is done for one, and the rest for a run of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.format import join_events
from neuroclip_live.events import Packet

Place = tuple[bytes, int, int]
"""Decompressed bytes, and where in them how many events lie."""


class PacketRun:
    """Packets that follow each other in their stream.

    Parameters
    ----------
    first : int
        Number of the first of them.
    places : sequence of Place
        Where the events of each are.

    Attributes
    ----------
    first, stop : int
        Number of the first packet, and of that behind the last.
    bounds : (N + 1,) int64
        Where in the run the events of each packet begin, and where the last one's end.
    nbytes : int
        What it takes to keep it.
    """

    __slots__ = ("_data", "_joined", "_position", "bounds", "first", "nbytes", "stop")

    def __init__(self, first: int, places: Sequence[Place]) -> None:
        self.first, self.stop = first, first + len(places)
        self.bounds = np.zeros(len(places) + 1, dtype=np.int64)
        np.cumsum([count for _, _, count in places], out=self.bounds[1:])
        self._joined: Packet | None = None
        self._data: Any
        if len(places) == 1:  # a large one may be copied when it is read, straight to where it belongs
            self._data, self._position = places[0][:2]
        else:
            self._joined, self._position = join_events(list(places)), 0
            self._data = self._joined.view(np.uint8)
        self.nbytes = len(self._data)

    def times(self) -> npt.NDArray[np.int64]:
        """Return the times of all events; a view."""
        return np.frombuffer(self._data, "<i8", 2 * int(self.bounds[-1]), self._position)[::2]

    def place(self, number: int) -> Place:
        """Return where the events of one of its packets are."""
        begin, end = self.bounds[number - self.first : number - self.first + 2].tolist()
        return self._data, self._position + 16 * begin, end - begin

    def taken(self) -> Packet:
        """Return all events, to whoever takes the run as the only one: they may not be copied."""
        if self._joined is None:
            return join_events([(self._data, self._position, int(self.bounds[-1]))])
        return self._joined
