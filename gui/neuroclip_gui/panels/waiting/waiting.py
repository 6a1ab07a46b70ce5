"""Waits for a camera or a server that is not there: asks for it now and then, says so over the picture."""

from __future__ import annotations

from collections.abc import Callable

from neuroclip_drivers.awaited import AwaitedSource
from neuroclip_drivers.source import EventSource, SourceState, SourceStatus
from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panels.waiting.waiting_card import WaitingCard
from neuroclip_gui.style.theme import Theme

EVERY_S = 1.0


class Waiting:
    """Shows that a source is away; one that never was there is asked for until it comes.

    Parameters
    ----------
    theme : Theme
    take : callable
        Has the window read a source that has come.
    """

    def __init__(self, theme: Theme, take: Callable[[EventSource], None]) -> None:
        self.card = WaitingCard(theme)
        self.jobs = Jobs()  # its own: a server that accepts and says nothing takes seconds to be refused
        self._take = take
        self._source: EventSource | None = None
        self._asked = False
        self._due_s = 0.0

    def look(self, source: EventSource, status: SourceStatus, now_s: float) -> None:
        """Show how it stands, and ask for what is waited for; call often."""
        self._source = source
        self.jobs.collect()
        waits = status.state is SourceState.WAITING
        self.card.say(f"Waiting for {source.name}" if waits else "", status.message)
        if isinstance(source, AwaitedSource) and not self._asked and now_s >= self._due_s:
            self._asked, self._due_s = True, now_s + EVERY_S
            self.jobs.do(source.come, self._come, self._failed)

    def _come(self, source: EventSource | None) -> None:
        if source is None:
            self._asked = False
        elif isinstance(self._source, AwaitedSource):
            self._take(source)
        else:
            source.close()  # another was opened meanwhile, and is not taken away

    def _failed(self, message: str) -> None:
        self._asked = False
        self.card.say(self.card.title.text(), message)
