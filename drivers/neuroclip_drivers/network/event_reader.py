"""One reader of a server of events: what waits for it, and what it lost because it is too slow."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import time
from collections import deque

from neuroclip_live.events import Resolution

READER_BYTES = 1 << 24
"""Kept for a reader that is behind: 16 MiB, about a second of two million events each second, or more."""
GREETING_S = 5.0
"""So long a reader may take over the greeting of TLS."""
_EVENTS_STREAM = 0


class Gone(Exception):
    """The reader left, or said something that no reader says."""


def wire_packet(body: bytes) -> bytes:
    """Return a packet of events as it goes over the wire: stream, size, body."""
    return struct.pack("<ii", _EVENTS_STREAM, len(body)) + body


class Reader:
    """A connection that is written to without ever waiting; for one thread.

    Parameters
    ----------
    connection : socket.socket
        Given up to it.
    context : ssl.SSLContext or None
    header : bytes
        Goes first, and is never left out.
    resolution : Resolution
        The size that the header tells.
    most_bytes : int
        What may wait; the oldest packets go where there is no more room.

    Attributes
    ----------
    ready : bool
        Whether it may be sent events: at once, or after the greeting of TLS.
    lost : int
        Events that it did not get.

    Raises
    ------
    OSError
        When TLS cannot be begun.
    """

    def __init__(
        self,
        connection: socket.socket,
        context: ssl.SSLContext | None,
        header: bytes,
        resolution: Resolution,
        most_bytes: int,
    ) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self.resolution = connection, resolution
        if context is not None:
            self.socket = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.ready = context is None
        self.lost = 0
        self.interest = selectors.EVENT_READ
        self._until = time.monotonic() + GREETING_S
        self._most = most_bytes
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._bytes = 0
        self._sending = memoryview(header)

    @property
    def waiting(self) -> bool:
        """Whether there is something it has not got yet."""
        return bool(self.ready and (self._sending or self._waiting))

    @property
    def crowded(self) -> bool:
        """Whether half of what may wait for it does."""
        return self._bytes > self._most // 2

    def late(self, now: float) -> bool:
        """Tell whether it took too long over its greeting."""
        return not self.ready and now > self._until

    def offer(self, data: bytes, events: int) -> None:
        """Queue a packet; the oldest go where there is no room. One that has begun to be sent goes on."""
        if not self.ready:
            return
        while self._waiting and self._bytes + len(data) > self._most:
            old, lost = self._waiting.popleft()
            self._bytes -= len(old)
            self.lost += lost
        self._waiting.append((data, events))
        self._bytes += len(data)

    def go_on(self) -> None:
        """Greet, listen, and send as much as the connection takes.

        Raises
        ------
        Gone
            When the reader is no more, or is none: one that asks for a page, say.
        """
        self.interest = selectors.EVENT_READ
        try:
            if not self.ready:
                assert isinstance(self.socket, ssl.SSLSocket)
                self.socket.do_handshake()
                self.ready = True
            self._hear()
            self._send()
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        except ssl.SSLWantWriteError:
            self.interest |= selectors.EVENT_WRITE
        except OSError as error:
            raise Gone(error.strerror or str(error)) from None

    def _hear(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError, BlockingIOError):
            raise Gone(
                "it closed the connection" if not self.socket.recv(64) else "it is no reader of events"
            )

    def _send(self) -> None:
        while self._sending or self._waiting:
            if not self._sending:
                data, _ = self._waiting.popleft()
                self._bytes -= len(data)
                self._sending = memoryview(data)
            self.interest |= selectors.EVENT_WRITE
            self._sending = self._sending[self.socket.send(self._sending) :]
        self.interest = selectors.EVENT_READ
