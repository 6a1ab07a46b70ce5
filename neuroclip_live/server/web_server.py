"""The server's thread: listens, answers, and ends when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import quote

from neuroclip_drivers.network.listening import listen, outward_address, parse_listening
from neuroclip_live.errors import UserError
from neuroclip_live.server.access import Access, check_token, new_token

if TYPE_CHECKING:
    import uvicorn

    from neuroclip_live.recognition.pipeline import Pipeline
    from neuroclip_live.server.app import Served

MAX_MESSAGE = 64 * 1024
"""Bytes of a WebSocket message from a client; none is expected."""


@dataclass(frozen=True)
class ServerSettings:
    """How to serve.

    Attributes
    ----------
    address : str
        ``[HOST:]PORT``; without a host only this machine can connect.
    token : str or None
        Asked of every client. Off the loopback address one is made where none is given.
    cert, key : str or None
        PEM files for TLS; the key may be in the certificate's file.
    """

    address: str
    token: str | None = None
    cert: str | None = None
    key: str | None = None


class WebServer:
    """Serves one run from a thread of its own.

    Attributes
    ----------
    url : str
        To open in a browser; with the token, where one is needed.
    scan_url : str
        The same for a phone that scans it; empty where only this machine can connect.

    Raises
    ------
    UserError
        When the address makes no sense or cannot be listened on, or the certificate cannot be used.
    """

    def __init__(self, run: Served, settings: ServerSettings) -> None:
        import uvicorn

        from neuroclip_live.server.app import App
        from neuroclip_live.server.door import Door

        address = parse_listening(settings.address)
        if settings.key is not None and settings.cert is None:
            raise UserError("--serve-key belongs to a certificate: give --serve-cert too")
        token = None if address.loopback else new_token()
        if settings.token is not None:
            token = check_token(settings.token)
        listener, address = listen(address)
        self._door = door = Door(listener)
        self._stop = threading.Event()
        self._app = app = App(run, Access(token, any_host=not address.loopback), self._stop.is_set, door.know)
        config = uvicorn.Config(
            app.asgi,
            log_level="critical",
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE,
            ws_max_queue=4,
            ws_per_message_deflate=False,  # costs the processor more than loopback or Wi-Fi gain
            timeout_graceful_shutdown=1,
            loop="asyncio",  # others do not ask the door
            h11_max_incomplete_event_size=16 * 1024,
            server_header=False,
            ssl_certfile=settings.cert,
            ssl_keyfile=settings.key,
        )
        try:
            config.load()
        except OSError as error:  # ssl.SSLError is one too
            self._door.close()
            raise UserError(
                f"--serve-cert {settings.cert}: {error.strerror or error}; "
                "give PEM files of a certificate and its key"
            ) from None
        self._server: uvicorn.Server = uvicorn.Server(config)
        scheme = "https" if settings.cert is not None else "http"
        rest = f"?token={quote(token, safe='')}" if token is not None else ""
        self.url = f"{scheme}://{address.called}/{rest}"
        self.scan_url = "" if address.loopback else self.url
        # names of machines are not known to every phone; those of certificates have to be asked for
        if address.host == "0.0.0.0" and scheme == "http" and (host := outward_address()) is not None:
            self.scan_url = f"http://{host}:{address.port}/{rest}"
        self._thread = threading.Thread(target=self._serve, name="web server", daemon=True)

    @property
    def watchers(self) -> int:
        """How many watch now; a page listens and looks, and counts once."""
        return self._app.watchers

    def start(self, timeout_s: float = 10.0) -> None:
        """Answer from now on; return once it does."""
        self._thread.start()
        until = monotonic() + timeout_s
        while not self._server.started and self._thread.is_alive() and monotonic() < until:
            self._stop.wait(0.01)

    def stop(self, timeout_s: float = 3.0) -> bool:
        """Let all clients go and end; return whether it did in time. Idempotent."""
        self._stop.set()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._door.close()
        return not self._thread.is_alive()

    def _serve(self) -> None:
        self._server.run(sockets=[self._door])


def serve_pipeline(pipeline: Callable[[], Pipeline | None], settings: ServerSettings) -> WebServer:
    """Return a server of the pipeline of now, whichever that is; raises UserError as :class:`WebServer`."""
    from neuroclip_live.server.live_run import LiveRun  # with what paints: the window imports this module

    return WebServer(LiveRun(pipeline), settings)
