"""Where a ROS 2 system is, and which name is meant in it: read from an address, before connecting.

An address is ``//HOST:PORT/NAME?domain=3``: the Zenoh router, and a topic or a namespace. Without a host it
is the router of this machine, at the port that ``ros2 run rmw_zenoh_cpp rmw_zenohd`` listens at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from neuroclip_drivers.network.tls import Tls
from neuroclip_live.errors import UserError

HOST, PORT = "127.0.0.1", 7447
DOMAIN = "ROS_DOMAIN_ID"
"""The environment variable of ROS: asked where the address names no domain."""
MOST_DOMAIN = 232
_NAME = re.compile(r"(?:/[A-Za-z_][A-Za-z0-9_]*)+")
_LONGEST_NAME = 200
_KEYS = ("domain", "ca", "cert", "key")


@dataclass(frozen=True)
class Ros2Address:
    """A router, and a name of ROS.

    Attributes
    ----------
    host : str
    port : int
    name : str
        Of a topic or a namespace, with a slash before it.
    domain : int
    tls : Tls or None
        None: the connection is not encrypted.
    more : mapping of str to str
        What else stands after the question mark.
    """

    host: str
    port: int
    name: str
    domain: int = 0
    tls: Tls | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """Host and port, for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def locator(self) -> str:
        """The same as Zenoh writes it."""
        return f"{'tcp' if self.tls is None else 'tls'}/{self.called}"


def parse_ros2(text: str, default: str, example: str, keys: Sequence[str] = ()) -> Ros2Address:
    """Read ``[//HOST[:PORT]][/NAME][?KEY=VALUE&...]``.

    Parameters
    ----------
    text : str
    default : str
        The name where none is given; empty where one has to be.
    example : str
        How it is written, for messages.
    keys : sequence of str
        What may stand after the question mark beside ``domain``, ``ca``, ``cert`` and ``key``.

    Raises
    ------
    UserError
        When it makes no sense.
    """
    try:
        parts = urlsplit(f"ros2:{text}")
        host, port = parts.hostname, parts.port
        more = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise UserError(f"that is no address of ROS 2: write it as {example}") from None
    odd = port == 0 or parts.fragment or parts.username is not None or not text.isprintable()
    if odd or (parts.netloc and not host):
        raise UserError(f"that is no address of ROS 2: write it as {example}")
    for key in more:
        if key not in (*_KEYS, *keys):
            known = ", ".join((*_KEYS, *keys))
            raise UserError(f"{key[:40]!r} is not known in an address of ROS 2; choose from {known}")
    name = "/" + parts.path.strip("/") if parts.path.strip("/") else default
    if not name:
        raise UserError(f"which topic? Write it as {example}")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise UserError(
            f"{name[:40]!r} is no name in ROS 2: write letters, digits and _, no part with a digit first: "
            f"{example}"
        )
    return Ros2Address(host or HOST, port or PORT, name, _domain(more.pop("domain", None)), _tls(more), more)


def _domain(text: str | None) -> int:
    said = os.environ.get(DOMAIN) or "0" if text is None else text
    if not (said.isascii() and said.isdigit() and int(said) <= MOST_DOMAIN):
        where = f"{DOMAIN} of the environment" if text is None else "domain"
        raise UserError(f"{where} is {said[:20]!r}: give a number from 0 to {MOST_DOMAIN}")
    return int(said)


def _tls(more: dict[str, str]) -> Tls | None:
    files = {key: more.pop(key, None) or None for key in ("ca", "cert", "key")}
    if not any(files.values()):
        return None
    tls = Tls(files["ca"], files["cert"], files["key"], option="")
    tls.context()  # says what is wrong with the files, before Zenoh reads them
    return tls
