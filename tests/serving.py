"""Servers that say whatever a test wants, on loopback."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator

LONG_S = 100.0
"""Nothing here takes so long, however busy the machine is."""


def free_port() -> int:
    """Return a port nobody listens at, below those that the system gives to whoever asks for any."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


class Server:
    """A server that sends whatever a test wants: bytes to each client in turn, then hangs up or waits."""

    def __init__(self, *clients: list[bytes], hold: bool = True, port: int = 0, backlog: int = 5) -> None:
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(backlog)
        self.port = int(self.listener.getsockname()[1])
        self.address = f"127.0.0.1:{self.port}"
        self.connections: list[socket.socket] = []
        self.clients, self.hold = clients, hold
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        for parts in self.clients:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:
                    break
                time.sleep(0.01)
            if not self.hold:
                connection.close()

    def close(self) -> None:
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        for connection in self.connections:
            connection.close()
        self.thread.join(LONG_S)


@contextlib.contextmanager
def servers() -> Iterator[Callable[..., Server]]:
    """Give out what starts a :class:`Server`; close them all in the end."""
    started: list[Server] = []

    def start(*clients: list[bytes], **options: object) -> Server:
        started.append(Server(*clients, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for server in started:
        server.close()
