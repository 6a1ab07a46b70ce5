"""The door of the server: how many may be inside at once, and who has to leave when more want to come in.

A connection costs a file, and a process has a thousand or so for everything it does: whoever held a thousand
connections without a word would keep recordings and actions from opening theirs. So strangers, who have not
asked for anything they may have, are few, and the oldest of them makes room for the next: one that has
something to ask has asked by then.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

MOST_STRANGERS = 128
MOST_INSIDE = 640
"""Strangers and known ones together; what comes beyond is let go at once."""
_BUSY_S = 0.05
_NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Door(socket.socket):
    """A listening socket that keeps count of those it let in; for the thread of one event loop.

    Parameters
    ----------
    listener : socket.socket
        Listens already; given up to it.
    most_strangers : int
        So many may be inside of whom nothing is known.
    """

    def __init__(self, listener: socket.socket, most_strangers: int = MOST_STRANGERS) -> None:
        super().__init__(listener.family, listener.type, listener.proto, fileno=listener.detach())
        self._most_strangers = most_strangers
        self._strangers: dict[Any, _Guest] = {}  # by their address, the oldest first
        self._known: dict[Any, _Guest] = {}
        self._leaving: set[_Guest] = set()
        self._told = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Let somebody in, and the oldest stranger out where there are too many.

        Raises
        ------
        BlockingIOError
            When nobody is there, or there is no room for them.
        """
        try:
            connection, address = super().accept()
        except OSError as error:
            if error.errno not in _NO_FILES:
                raise
            if not self._told:
                self._told = True
                log.warning("nobody can connect: %s", error.strerror)
            time.sleep(_BUSY_S)  # it would be asked again at once
            raise BlockingIOError from None
        if len(self._strangers) + len(self._known) + len(self._leaving) >= MOST_INSIDE:
            connection.close()
            raise BlockingIOError
        guest = _Guest(connection, self._forget, address)
        self._strangers[address] = guest
        if len(self._strangers) > self._most_strangers:
            self._show_out(next(iter(self._strangers.values())))
        return guest, address

    def know(self, client: Any) -> None:
        """Take note that one inside, named by host and port, may be there: it need not make room."""
        for address in [address for address in self._strangers if address[:2] == client]:
            self._known[address] = self._strangers.pop(address)

    def _show_out(self, guest: _Guest) -> None:
        self._leaving.add(self._strangers.pop(guest.address))
        with contextlib.suppress(OSError):
            guest.shutdown(socket.SHUT_RDWR)  # whoever reads it closes it then

    def _forget(self, guest: _Guest) -> None:
        self._leaving.discard(guest)
        for inside in (self._strangers, self._known):
            if inside.get(guest.address) is guest:
                del inside[guest.address]


class _Guest(socket.socket):
    """A connection that says so when it is closed."""

    def __init__(self, connection: socket.socket, closed: Callable[[_Guest], None], address: Any) -> None:
        super().__init__(connection.family, connection.type, connection.proto, fileno=connection.detach())
        self.address = address
        self._tell = closed

    def close(self) -> None:
        super().close()
        self._tell(self)
