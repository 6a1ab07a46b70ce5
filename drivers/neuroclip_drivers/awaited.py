"""A source that is not there yet: what the window reads while it waits for a camera or a server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from neuroclip_drivers.source import MAX_WAIT_S, EventSource, GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import Packet, Resolution, empty_packet


class AwaitedSource:
    """An :class:`~neuroclip_drivers.source.EventSource` without events, waiting for another.

    Whoever reads it asks :meth:`come` now and then, and reads what that returns instead.

    Parameters
    ----------
    away : SourceAway
        Why it is not there.
    open_it : callable
        Opens what is waited for; raises UserError while it cannot.
    """

    live = True
    resolution = Resolution(240, 180)  # nobody knows yet; no event is ever placed in it

    def __init__(self, away: SourceAway, open_it: Callable[[], EventSource]) -> None:
        self.name = away.name
        self._message = away.advice
        self._open = open_it
        self._closed = threading.Event()

    def come(self) -> EventSource | None:
        """Return what was waited for if it can be opened now; may take seconds."""
        try:
            source = self._open()
        except SourceAway as away:
            self._message = away.advice
        except UserError as error:
            self._message = str(error)
        else:
            if not self._closed.is_set():
                return source
            source.close()
        return None

    def packets(self) -> Iterator[Packet]:
        """Yield empty packets until closed."""
        while not self._closed.wait(MAX_WAIT_S):
            yield empty_packet()

    def status(self) -> SourceStatus:
        """Return WAITING, and how to get what is waited for."""
        if self._closed.is_set():
            return SourceStatus(SourceState.ENDED)
        return SourceStatus(SourceState.WAITING, self._message)

    def latest_frame(self) -> GrayFrame | None:
        """Return None."""
        return None

    def close(self) -> None:
        """Wait no more; idempotent."""
        self._closed.set()
