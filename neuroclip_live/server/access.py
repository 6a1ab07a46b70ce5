"""Who may ask: the address listened on decides, and what comes from another web page is refused.

Without these checks any page open in the user's browser could send requests to a server on the loopback
address: a form can (cross-site request forgery), and a host name that is pointed at 127.0.0.1 can (DNS
rebinding). So the ``Host`` must be one this server is known by, and an ``Origin`` must be this server's own.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from neuroclip_live.errors import UserError

COOKIE = "neuroclip_token"
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Asked(Protocol):
    """What is looked at of a request or a WebSocket's greeting; Starlette's are such."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by name, in any case."""

    @property
    def query_params(self) -> Mapping[str, str]:
        """What follows the question mark."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """Cookies by name."""


def check_token(token: str) -> str:
    """Return a token that browsers, addresses and headers can carry.

    Raises
    ------
    UserError
        When they cannot: it is empty, or holds spaces or signs that are not ASCII.
    """
    if not token or not token.isascii() or not token.isprintable() or set(token) & set(' ";,\\'):
        raise UserError(
            "--serve-token: give letters, digits and signs of ASCII; no space, quote, ;, comma or \\"
        )
    return token


def new_token() -> str:
    """Return a secret nobody can guess, short enough to be typed on a phone."""
    return secrets.token_urlsafe(12)


@dataclass(frozen=True)
class Access:
    """What a request must show.

    Attributes
    ----------
    token : str or None
        Asked of everybody; None where only this machine can connect.
    any_host : bool
        Off the loopback address a server cannot know all names it is reached by; there the token protects.
    """

    token: str | None
    any_host: bool

    def refusal(self, connection: Asked, *, changes: bool = False) -> tuple[int, str] | None:
        """Return an HTTP status and a reason, or None for a request that may go on.

        Parameters
        ----------
        connection : Asked
        changes : bool
            It would change something: then it must say that it is JSON, which no form of another page can.
        """
        headers = connection.headers
        host = headers.get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if not self.any_host and name.lower() not in _LOOPBACK_NAMES:
            return 421, f"this server is not called {name[:80]!r}"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "requests of other web pages are refused"
        if changes and headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return 415, "send JSON, with the header Content-Type: application/json"
        if self.token is not None and not self._knows(connection):
            return 401, "a token is needed: send Authorization: Bearer TOKEN, or open /?token=TOKEN"
        return None

    def proven_by(self, shown: str) -> bool:
        """Tell whether this is the token; nothing is, where none is asked for."""
        return self.token is not None and hmac.compare_digest(shown.encode(), self.token.encode())

    def _knows(self, connection: Asked) -> bool:
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        shown = (
            bearer if scheme.lower() == "bearer" else "",
            connection.query_params.get("token", ""),
            connection.cookies.get(COOKIE, ""),
        )
        return any(self.proven_by(one) for one in shown if one)
