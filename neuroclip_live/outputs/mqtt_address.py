"""Which broker, as whom, and under which topic: read from an address, before anything is connected.

An address is ``mqtt://USER@HOST:PORT/TOPIC?qos=0&password-file=FILE``, or ``mqtts://`` with ``ca``, ``cert``
and ``key`` beside. A password never stands in it: every user of a machine can read its command lines.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from neuroclip_drivers.network.tls import Tls
from neuroclip_live.bounded import home_expanded, read_bounded
from neuroclip_live.errors import UserError

PORTS = {"mqtt": 1883, "mqtts": 8883}
PASSWORD, USER = "NEUROCLIP_MQTT_PASSWORD", "NEUROCLIP_MQTT_USER"
"""Environment variables: asked where the address names no file and no user."""
MAX_SECRET = 4096
MAX_TOPIC = 1000
_KEYS = {"mqtt": ("qos", "password-file"), "mqtts": ("qos", "password-file", "ca", "cert", "key")}


@dataclass(frozen=True)
class MqttAddress:
    """A broker, and what an address says beside.

    Attributes
    ----------
    host : str
    port : int
    topic : str
        Without slashes at its ends; empty where none is given.
    qos : int
        1: the broker confirms every message; 0: it does not.
    user, password : str or None
        The password is not shown where this is printed.
    tls : ssl.SSLContext or None
    """

    host: str
    port: int
    topic: str = ""
    qos: int = 1
    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"MqttAddress({self.called}, topic={self.topic!r}, qos={self.qos})"

    @property
    def called(self) -> str:
        """Host and port, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str, folder: Path | None = None) -> MqttAddress:
    """Read an address.

    Parameters
    ----------
    text : str
        ``mqtt://...`` or ``mqtts://...``; also without the slashes, as in ``mqtt:HOST/TOPIC``.
    folder : Path, optional
        Where its files are meant from; else the current one.

    Raises
    ------
    UserError
        When it makes no sense, or a file in it cannot be used. No part that could be a password is in it.
    """
    scheme, _, rest = text.partition(":")
    example = f"write it as {scheme}://HOST or {scheme}://USER@HOST:{PORTS.get(scheme, 1883)}/TOPIC"
    if scheme not in PORTS:
        raise UserError("a broker's address begins with mqtt:// or mqtts://")
    try:
        parts = urlsplit(f"{scheme}://{rest.removeprefix('//')}")
        host, port = parts.hostname, parts.port
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise UserError(f"that is no address of a broker: {example}") from None
    if not host or port == 0 or parts.fragment or not rest.isprintable():
        raise UserError(f"that is no address of a broker: {example}")
    if parts.password is not None:
        raise UserError(
            f"no password in the address, which everybody on this machine can read: set {PASSWORD}, "
            "or add ?password-file=FILE"
        )
    for key in query:
        if key not in _KEYS[scheme]:
            known = ", ".join(_KEYS[scheme])
            more = "; TLS is for mqtts://" if key in _KEYS["mqtts"] else ""
            raise UserError(f"{key[:40]!r} is not known in a broker's address; choose from {known}{more}")
    if query.get("qos", "1") not in ("0", "1"):
        raise UserError("qos is 0 or 1")
    topic = check_topic(unquote(parts.path).strip("/")) if parts.path.strip("/") else ""
    user = unquote(parts.username) if parts.username else os.environ.get(USER)
    return MqttAddress(
        host=host,
        port=port or PORTS[scheme],
        topic=topic,
        qos=int(query.get("qos", "1")),
        user=_sendable("user", user),
        password=_sendable("password", _password(query.get("password-file"), folder)),
        tls=_tls(query, folder) if scheme == "mqtts" else None,
    )


def check_topic(topic: str) -> str:
    """Return a topic that can be published to.

    Raises
    ------
    UserError
        When it cannot: it is empty, too long, or has signs that only subscribers may use.
    """
    if not topic or len(topic) > MAX_TOPIC or not topic.isprintable() or topic.startswith("$"):
        raise UserError(f"topic {topic[:40]!r}: give 1 to {MAX_TOPIC} characters, as in lab/camera")
    if "+" in topic or "#" in topic:
        raise UserError(f"topic {topic[:40]!r}: + and # are for those who subscribe; leave them out")
    return topic


def _sendable(what: str, text: str | None) -> str | None:
    """Return what MQTT can carry, never showing it: environment variables can hold bytes that are no text."""
    try:
        if text is None or len(text.encode("utf-8")) <= MAX_SECRET:
            return text
    except UnicodeEncodeError:
        pass
    raise UserError(f"the {what} cannot be sent: give text of at most {MAX_SECRET:,} bytes in UTF-8")


def _password(file: str | None, folder: Path | None) -> str | None:
    if file is None:
        return os.environ.get(PASSWORD)
    try:
        path = (folder or Path()) / home_expanded(file)
        lines = read_bounded(path, MAX_SECRET).decode("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UserError(f"cannot read password-file {file}: {why}") from None
    if not lines or not lines[0]:
        raise UserError(f"password-file {file} is empty: write the password into its first line")
    return lines[0]


def _tls(query: Mapping[str, str], folder: Path | None) -> ssl.SSLContext:
    def place(key: str) -> str | None:
        if not query.get(key):
            return None
        try:
            return str((folder or Path()) / home_expanded(query[key]))
        except OSError as error:
            raise UserError(f"{key} {query[key]}: {error.strerror}") from None

    return Tls(place("ca"), place("cert"), place("key"), option="").context()
