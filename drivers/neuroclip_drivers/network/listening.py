"""Waiting for others to connect: the one place that listens, where somebody asked for it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from neuroclip_drivers.network.host_port import parse_host_port
from neuroclip_live.errors import UserError

DEFAULT_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """Where to listen.

    Attributes
    ----------
    host : str
    port : int
        0: any that is free.
    """

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def called(self) -> str:
        """How others reach it: this machine's name stands for all of its addresses."""
        if self.host in ("0.0.0.0", "::"):
            return f"{socket.gethostname()}:{self.port}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def outward_address() -> str | None:
    """Return this machine's address on the network that leads to others, or None; nothing is sent.

    A machine's name, which :attr:`Address.called` gives, is not known to every phone.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # of those kept for documentation: the system looks up the way there
            return str(probe.getsockname()[0])
        except OSError:
            return None


def parse_listening(text: str) -> Address:
    """Read ``[HOST:]PORT``; an IPv6 address stands in brackets.

    Raises
    ------
    UserError
        When it is neither.
    """
    hint = f"{text!r}: give a port such as 8080, or HOST:PORT such as 0.0.0.0:8080"
    host, port = parse_host_port(text, hint, port_alone=True, any_port=True)
    return Address(host or DEFAULT_HOST, port)


def listen(address: Address) -> tuple[socket.socket, Address]:
    """Listen; return the socket, and the address with the port that it got.

    Raises
    ------
    UserError
        When that is not possible: the port is taken, there is no such address.
    """
    listener = _bound(address, socket.SOCK_STREAM)
    listener.listen(128)
    return listener, Address(address.host, int(listener.getsockname()[1]))


def listen_datagrams(address: Address) -> tuple[socket.socket, Address]:
    """Take datagrams; return the socket, and the address with the port that it got.

    Raises
    ------
    UserError
        As :func:`listen`.
    """
    listener = _bound(address, socket.SOCK_DGRAM)
    return listener, Address(address.host, int(listener.getsockname()[1]))


def _bound(address: Address, kind: socket.SocketKind) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=kind, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            if kind is socket.SOCK_STREAM:  # with datagrams it would let two take the same port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(place)
        except BaseException:
            bound.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a name"
        raise UserError(
            f"cannot listen on {address.host}:{address.port}: {reason}; choose another port"
        ) from None
    return bound
