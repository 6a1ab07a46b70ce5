"""Sending datagrams: nobody is waited for, and what is known to be lost is counted."""

from __future__ import annotations

import socket

from neuroclip_drivers.network.host_port import parse_host_port
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.passing_trouble import PassingTrouble

MOST_BYTES = 1200
"""A datagram of this size is not cut into pieces on any usual network."""


class Datagrams:
    """Sends datagrams to one address; for one thread.

    A machine without a listener says so, which is how a loss can be known; most losses on a way through a
    network cannot.

    Parameters
    ----------
    name : str
        Of the output, for messages.
    argument : str
        ``HOST:PORT``; ``[IPv6]:PORT``. A broadcast or multicast address will do.

    Attributes
    ----------
    sent, lost : int
        Datagrams that were to be sent, and those of them of which it is known that nobody got them.

    Raises
    ------
    UserError
        When that is no address, or nobody knows the host.
    """

    def __init__(self, name: str, argument: str) -> None:
        host, port = parse_host_port(
            argument.removeprefix("//"),
            f"{name} needs an address: write --output {name}:HOST:PORT, such as {name}:127.0.0.1:9000",
        )
        self.called = f"{host}:{port}"
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                self._socket.setblocking(False)
                self._socket.connect(place)  # else nobody would say that nobody listens
            except BaseException:
                self._socket.close()
                raise
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "not a name"
            raise UserError(f"{name}: cannot send to {self.called}: {why}") from None
        self.sent = self.lost = 0
        self._trouble = PassingTrouble()
        self._closed = False

    def send(self, data: bytes) -> None:
        """Send one datagram, or lose it."""
        self.sent += 1
        for _ in range(2):
            try:
                self._socket.send(data)
                return
            except ConnectionRefusedError:  # this is about the one before; nothing was sent just now
                self._lose("nobody listens there")
            except OSError as error:
                self._lose(error.strerror or type(error).__name__)
                return

    def close(self) -> None:
        """End; what came back about the last datagram is still looked at."""
        if not self._closed:
            self._closed = True
            try:
                self._socket.recv(1)
            except ConnectionRefusedError:
                self.lost += 1
            except OSError:  # nobody answers: that is as it should be
                pass
            self._socket.close()

    def trouble(self) -> str:
        """Return what is wrong now; at the end how many were lost."""
        if self._closed:
            lost = f"{self.called}: {self.lost:,} of {self.sent:,} datagrams were lost"
            return lost if self.lost else ""
        return self._trouble.text()

    def _lose(self, why: str) -> None:
        self.lost += 1
        self._trouble.note(f"{self.called}: {why}; sending goes on")
