"""Servers beside the running window: a page for browsers, and events for other programs.

They are begun and ended away from the window's thread: listening takes a moment, and letting clients go
seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panels.serving.serve_dialog import ServeDialog
from neuroclip_gui.style.banner import Level
from neuroclip_live.outputs.shared_events import SharedEvents, SharingSettings
from neuroclip_live.server.web_server import ServerSettings, WebServer, serve_pipeline

Served = tuple[WebServer | None, SharedEvents | None]


class Say(Protocol):
    """Shows a message over the picture."""

    def __call__(self, text: str, level: Level = ...) -> None:
        """Show it."""


class Serving:
    """Commands of serving.

    Parameters
    ----------
    window : QWidget
        Above which the dialog opens.
    pipeline : callable
        Returns the pipeline of now, or None before there is one.
    say : callable

    Attributes
    ----------
    page, events : WebServer, SharedEvents or None
        What is served now.
    busy : bool
        Whether one is being begun or ended; what is asked for meanwhile is not done.
    failure : str
        Why the last one could not be begun.
    """

    def __init__(self, window: QWidget, pipeline: Callable[[], Any], say: Say) -> None:
        self._window, self._pipeline, self._say = window, pipeline, say
        self.jobs = Jobs()  # its own: what waits for a disk must not keep a server from ending
        self.page: WebServer | None = None
        self.events: SharedEvents | None = None
        self.busy = False
        self.failure = ""
        self._told = ""
        self._telling = False

    def take_up(self, page: WebServer | None, events: SharedEvents | None) -> None:
        """Show what the command line serves already."""
        self.page, self.events = page, events

    def ask(self) -> None:
        """Show what is served, and begin or end it there."""
        for dialog in self._window.findChildren(ServeDialog):
            dialog.raise_()
            dialog.activateWindow()
            return
        dialog = ServeDialog(self, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    # ---- commands

    def serve_page(self, address: str) -> None:
        """Serve a page at ``[HOST:]PORT`` from now on."""

        def work() -> WebServer:
            server = serve_pipeline(self._pipeline, ServerSettings(address))
            server.start()
            return server

        def done(server: WebServer) -> None:
            self.page = server
            self._say(f"Serving {server.url}", "info")

        self._do(work, done)

    def end_page(self) -> None:
        """Let everybody who watches go."""
        if self.page is not None and not self.busy:
            page, self.page = self.page, None
            self._do(page.stop, lambda _: None)

    def share_events(self, address: str) -> None:
        """Give events at ``[HOST:]PORT`` from now on."""
        pipeline = self._pipeline()
        if pipeline is None:
            self._say("Still starting: try again in a moment", "hint")
            return

        def work() -> SharedEvents:
            shared = SharedEvents(SharingSettings(address))
            shared.follow(pipeline)
            return shared

        def done(shared: SharedEvents) -> None:
            self.events, self._telling = shared, True
            self._say(f"Events at {shared.address}", "info")

        self._do(work, done)

    def end_events(self) -> None:
        """Let everybody who reads events go."""
        if self.events is not None and not self.busy:
            events, self.events = self.events, None
            self._telling = False
            self._do(lambda: events.close(None), lambda _: None)

    def _do(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        if self.busy:
            return
        self.busy, self.failure = True, ""

        def ended(result: Any) -> None:
            self.busy = False
            done(result)

        def failed(message: str) -> None:
            self.busy, self.failure = False, message
            self._say(message[:1].upper() + message[1:], "error")

        self.jobs.do(work, ended, failed)

    # ---- each look

    def look(self) -> bool:
        """Take in what was done, tell of readers that are too slow; return whether anything is served."""
        self.jobs.collect()
        # what the command line shares is told with its other outputs
        trouble = self.events.trouble() if self._telling and self.events is not None else ""
        if trouble != self._told:
            self._told = trouble
            if trouble:
                self._say(trouble, "warn")
        return self.page is not None or self.events is not None

    def close(self) -> None:
        """End everything; called when the window is closed."""
        page, events = self.page, self.events
        self.page = self.events = None
        if page is not None:
            page.stop()
        if events is not None:
            events.close(None)
