"""Getting through to a server: addresses, connecting without waiting long, and what to say when it fails."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
import time
from collections.abc import Generator

from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.network.host_port import parse_host_port
from neuroclip_drivers.network.tls import refusal
from neuroclip_drivers.source import MAX_WAIT_S
from neuroclip_live.errors import UserError

Target = tuple[int, object]
"""Family of a socket, and what it connects to."""


def parse_address(address: str) -> tuple[str, int] | None:
    """Return host and port of ``HOST:PORT`` or ``[IPv6]:PORT``; None for the path of a UNIX socket.

    Raises
    ------
    UserError
        When it is none of these.
    """
    if "/" in address:
        return None
    return parse_host_port(
        address,
        f"{address!r} is not an address. Give HOST:PORT, for example 127.0.0.1:7777, or the path of "
        "a UNIX socket with a / in it.",
    )


def resolve(address: str) -> list[Target]:
    """Return what to try to connect to, in order.

    Raises
    ------
    UserError
        When the address makes no sense or nobody knows the host.
    """
    place = parse_address(address)
    if place is None:
        if not hasattr(socket, "AF_UNIX"):
            raise UserError(f"{address}: this system has no UNIX sockets. Give HOST:PORT.")
        return [(socket.AF_UNIX, address)]
    host, port = place
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a name"
        raise UserError(f"There is no host called {host!r} ({reason}). Check the name.") from None
    return [(family, target) for family, _, _, _, target in found]


def connect(connection: socket.socket, target: object, answer_s: float) -> Generator[None, None, None]:
    """Connect a socket that does not block; yields every ``MAX_WAIT_S``, raises OSError."""
    code = connection.connect_ex(target)  # type: ignore[arg-type]
    if code in (errno.EINPROGRESS, errno.EAGAIN, errno.EWOULDBLOCK):
        until = time.monotonic() + answer_s
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_WRITE)
            while not selector.select(MAX_WAIT_S):
                if time.monotonic() >= until:
                    raise TimeoutError(errno.ETIMEDOUT, "no answer")
                yield
        code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def notice_death(connection: socket.socket) -> None:
    """Have the system look every few seconds whether a silent server is still there (TCP only)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE") and connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def reason(error: Exception) -> str:
    """Return an error in few words."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def explain(address: str, error: Exception) -> str:
    """Return in words why there is no stream, and what to do."""
    if isinstance(error, FormatError):
        return (
            f"{address} does not send events: {error}. Is a dv-processing NetworkWriter or DV running there?"
        )
    if isinstance(error, ssl.SSLError):
        return refusal(address, error)
    if isinstance(error, PermissionError):
        return f"May not connect to {address}: permission denied. Check the permissions of the socket."
    return (
        f"Nobody answers at {address}: {reason(error)}. Start the server first (dv-processing "
        "NetworkWriter, DV's network output), or check the address."
    )
