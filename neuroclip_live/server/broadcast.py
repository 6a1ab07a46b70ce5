"""From one run to any number of clients, none of which can hold it up.

One task asks the run whenever there is a prediction; each client has a queue of fixed length, and one that
reads too slowly loses its oldest messages, which is counted. A message is turned into text once, however many
clients there are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

POLL_S = 0.05
"""A prediction wakes at once; a new header, or another run, is noticed so much later at most."""
QUEUE = 64
"""Messages kept for a client that does not read: about three seconds of predictions."""


class Run(Protocol):
    """What is served: the lines of a run, as JSON lines have them.

    Every method is called often, from the server's thread, and returns at once.
    """

    def wake(self, wake: Callable[[], None] | None) -> None:
        """Have ``wake`` called, from any thread, when there are new lines; None: nothing any more."""

    def header(self) -> dict[str, Any] | None:
        """Return the header line; None until the model is loaded. Other prompts have another header."""

    def lines_after(self, number: int) -> tuple[int, list[dict[str, Any]]]:
        """Return the newest prediction's number, and the lines after ``number``, oldest first."""


class Client:
    """One listener.

    Attributes
    ----------
    lost : int
        Messages dropped because it read too slowly.
    """

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE)
        self.lost = 0

    def offer(self, text: str) -> None:
        """Queue a message; the oldest goes where there is no room."""
        if self.queue.full():
            self.queue.get_nowait()
            self.lost += 1
        self.queue.put_nowait(text)


class Broadcast:
    """Everybody who listens to one run. All methods belong to the server's event loop.

    Parameters
    ----------
    run : Run
    limit : int
        So many clients at once; more are refused.
    """

    def __init__(self, run: Run, limit: int) -> None:
        self._run, self._limit = run, limit
        self._clients: set[Client] = set()
        self._number = 0
        self._header: dict[str, Any] | None = None
        self.lost = 0

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._clients)

    @contextmanager
    def client(self) -> Iterator[Client | None]:
        """Listen; None where too many do. The header line comes first, as soon as there is one."""
        if len(self._clients) >= self._limit:
            yield None
            return
        client = Client()
        if self._header is not None:
            client.offer(_text(self._header))
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)
            self.lost += client.lost

    def lost_now(self) -> int:
        """Return how many messages were dropped, of clients that left and of those that listen."""
        return self.lost + sum(client.lost for client in self._clients)

    async def pump(self, stopped: Callable[[], bool]) -> None:
        """Hand over what is new until told to stop."""
        news, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(news.set)

        try:
            while not stopped():
                news.clear()
                self._run.wake(wake)
                self.step()
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), POLL_S)
        finally:
            self._run.wake(None)

    def step(self) -> None:
        """Hand over what is new."""
        header = self._run.header()
        if header is None:
            return
        if header != self._header:
            self._header = header
            self._tell(header)
        newest, lines = self._run.lines_after(self._number)
        if newest < self._number:  # another source: it counts from the beginning
            newest, lines = self._run.lines_after(0)
        self._number = newest
        for line in lines:
            self._tell(line)

    def _tell(self, line: dict[str, Any]) -> None:
        if self._clients:
            text = _text(line)
            for client in self._clients:
                client.offer(text)


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)
