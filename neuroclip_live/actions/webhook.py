"""Call an address: a POST with a JSON object. No redirect is followed, and all of it has one time limit.

Rejected: urllib and requests, whose limits hold for each read of the socket, so that a server which sends a
byte now and then holds a call for good; and both follow redirects to addresses that nobody wrote down.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from neuroclip_live.actions.effect import Beside, Given, described
from neuroclip_live.actions.triggers import Firing
from neuroclip_live.errors import UserError

MAX_HEADERS = 20


class Webhook:
    """An address: a string, or a table ``{url = "...", headers = {...}}``."""

    key = "webhook"

    def __init__(self, value: Any, given: Given) -> None:
        table = value if isinstance(value, dict) else {"url": value}
        for key in table:
            if key not in ("url", "headers"):
                raise UserError(f"{key!r} is not known; choose from url, headers")
        self._address = _address(table.get("url"))
        self._headers = {"Content-Type": "application/json", **_headers(table.get("headers", {}))}
        self._given = given
        assert self._address.hostname is not None
        # never all of it: paths and queries are where services put their secrets
        self._called = self._address.hostname + (f":{self._address.port}" if self._address.port else "")

    def plan(self, firing: Firing) -> str:
        """Return where it goes."""
        return f"post to {self._called}"

    def trouble(self) -> str:
        """Know nothing before it is tried."""
        return ""

    def carry_out(self, firing: Firing, beside: Beside) -> str:
        """Post, and wait for the status of the answer."""
        limit, late = self._given.timeout_s, threading.Event()
        connection = self._connection()

        def end() -> None:
            late.set()
            open_socket = connection.sock
            if open_socket is not None:
                with contextlib.suppress(OSError):
                    open_socket.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()
        try:
            status = self._post(connection, json.dumps(described(firing), ensure_ascii=False).encode())
            if late.is_set():  # a connection ended in the middle of the headers reads like the end of them
                raise TimeoutError
        except (OSError, http.client.HTTPException, ValueError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                raise UserError(f"{self._called} did not answer within {limit:g} s") from None
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise UserError(f"{self._called} cannot be reached: {why}") from None
        finally:
            timer.cancel()
            connection.close()
        if not 200 <= status < 300:
            raise UserError(f"{self._called} answered {status}")
        return f"posted to {self._called}: {status}"

    def _connection(self) -> http.client.HTTPConnection:
        host, port, limit = self._address.hostname, self._address.port, self._given.timeout_s
        assert host is not None
        if self._address.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=limit, context=context)
        return http.client.HTTPConnection(host, port, timeout=limit)

    def _post(self, connection: http.client.HTTPConnection, body: bytes) -> int:
        path = self._address.path or "/"
        query = f"?{self._address.query}" if self._address.query else ""
        connection.request("POST", path + query, body, self._headers)
        return connection.getresponse().status


def _address(value: Any) -> SplitResult:
    wrong = UserError(f"{str(value)[:80]!r} is no address: write http:// or https:// and a host")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise wrong
    try:
        address = urlsplit(value)
        port, host = address.port, address.hostname
    except ValueError:
        raise wrong from None
    if address.scheme not in ("http", "https") or not host or port == 0:
        raise wrong
    if address.username is not None:
        raise UserError('no name and password in the address: give headers = {Authorization = "..."}')
    return address


def _headers(value: Any) -> Mapping[str, str]:
    fine = isinstance(value, dict) and len(value) <= MAX_HEADERS
    if not fine or not all(isinstance(v, str) and v.isascii() and v.isprintable() for v in value.values()):
        raise UserError('headers is a table of plain text, as in {Authorization = "Bearer ..."}')
    if not all(k and k.isascii() and k.replace("-", "").isalnum() for k in value):
        raise UserError("headers: a name holds letters, digits and - only")
    return dict(value)
