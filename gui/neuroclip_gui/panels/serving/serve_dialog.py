"""Shows what is served, to whom and where, and begins and ends it."""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from neuroclip_gui.panels.serving.qr_code import QrCode
from neuroclip_gui.style.fields import inset
from neuroclip_live.outputs.shared_events import SharedEvents
from neuroclip_live.server.web_server import WebServer

_LOOK_MS = 200
_EVERYBODY = "0.0.0.0"
PAGE_PORT, EVENTS_PORT = 8080, 7777
ABOUT_PAGE = (
    "The live picture, the answer and the words, for any browser: this machine's, a phone's, a robot's. "
    "Whoever may open it can also type words and teach."
)
ABOUT_EVENTS = (
    "The events as they come in, for dv-processing, DV and another neuroclip-live on this machine. Other "
    "machines need certificates: start with --serve-events."
).replace("-", "\N{NON-BREAKING HYPHEN}")


class Servers(Protocol):
    """What is served, and the commands; see :class:`neuroclip_gui.panels.serving.serve_commands.Serving`."""

    page: WebServer | None
    events: SharedEvents | None
    failure: str

    def serve_page(self, address: str) -> None:
        """Begin."""

    def end_page(self) -> None:
        """End."""

    def share_events(self, address: str) -> None:
        """Begin."""

    def end_events(self) -> None:
        """End."""


class Part(QWidget):
    """One server: its port, a button, and while it runs its address and who is there.

    Parameters
    ----------
    title, about : str
    port : int
        That it begins with.
    """

    def __init__(self, title: str, about: str, port: int) -> None:
        super().__init__()
        self.port, self.button = QSpinBox(), QPushButton("Start")
        self.address, self.copy = QLineEdit(), QPushButton("Copy")
        self.state = QLabel()
        self.port.setRange(1, 65535)
        self.port.setValue(port)
        self.port.setAccessibleName(f"Port: {title}")
        self.port.setToolTip("The port others connect to")
        inset(self.port)
        self.button.setAccessibleName(f"Start or stop: {title}")
        self.address.setReadOnly(True)
        self.address.setAccessibleName(f"Address: {title}")
        self.copy.setAccessibleName(f"Copy the address: {title}")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.address.text()))
        head, told = QLabel(title), QLabel(about)
        head.setProperty("role", "title")
        told.setProperty("role", "muted")
        told.setWordWrap(True)
        self.row, self.found = QHBoxLayout(), QHBoxLayout()
        for widget in (QLabel("Port"), self.port):
            self.row.addWidget(widget)
        self.row.addStretch(1)
        self.row.addWidget(self.button)
        self.found.addWidget(self.address, 1)
        self.found.addWidget(self.copy)
        self.column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(7)
        for each in (head, told):
            column.addWidget(each)
        column.addLayout(self.row)
        column.addLayout(self.found)
        column.addWidget(self.state)

    def show_state(self, address: str, state: str) -> None:
        """Show where it can be reached, or (empty) that it can not."""
        on = bool(address)
        if self.address.text() != address:
            self.address.setText(address)
            self.address.setCursorPosition(0)
        self.address.setEnabled(on)
        self.copy.setEnabled(on)
        self.port.setEnabled(not on)
        self.button.setText("Stop" if on else "Start")
        if self.state.text() != state:
            self.state.setText(state)


class ServeDialog(QDialog):
    """The dialog; the window stays usable beside it, and what is served goes on when it is closed.

    Parameters
    ----------
    servers : Servers
    parent : QWidget, optional
    """

    def __init__(self, servers: Servers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Serve")
        self.setMinimumWidth(520)
        self._servers = servers
        self.page = Part("A page for browsers", ABOUT_PAGE, PAGE_PORT)
        self.events = Part("Events for other programs", ABOUT_EVENTS, EVENTS_PORT)
        self.to = QComboBox()
        self.visit = QPushButton("Open")
        self.code = QrCode("QR code of the page's address")
        self.failure = QLabel()
        self._build()
        self.page.button.clicked.connect(self._on_page)
        self.events.button.clicked.connect(self._on_events)
        self.visit.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(self.page.address.text())))
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_LOOK_MS)
        self.finished.connect(self._timer.stop)
        self._look()

    def _build(self) -> None:
        self.to.addItem("This machine only", "")
        self.to.addItem("The network, with a token", f"{_EVERYBODY}:")
        self.to.setAccessibleName("Who may open the page")
        self.to.setToolTip(
            "Off this machine a token is asked for; it stands in the address. Without TLS (--serve-cert at "
            "the start) it can be read on the way"
        )
        self.visit.setAccessibleName("Open the page")
        self.page.row.insertWidget(2, self.to, 1)
        self.page.found.addWidget(self.visit)
        self.code.setToolTip("Scan it with a phone in the same network; it holds the token")
        self.page.column.addWidget(self.code)
        self.failure.setProperty("role", "bad")
        self.failure.setWordWrap(True)
        self.failure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QPushButton("Close")
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addWidget(self.failure, 1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(20)
        column.addWidget(self.page)
        column.addWidget(self.events)
        column.addStretch(1)
        column.addLayout(foot)
        page, events = self.page, self.events
        stops: list[QWidget] = [page.port, self.to, page.button, page.address, page.copy, self.visit]
        stops += [events.port, events.button, events.address, events.copy, close]
        for one, next_one in pairwise(stops):  # as the eye goes
            QWidget.setTabOrder(one, next_one)

    def _on_page(self) -> None:
        if self._servers.page is not None:
            self._servers.end_page()
        else:
            self._servers.serve_page(f"{self.to.currentData()}{self.page.port.value()}")
        self._look()

    def _on_events(self) -> None:
        if self._servers.events is not None:
            self._servers.end_events()
        else:
            self._servers.share_events(str(self.events.port.value()))
        self._look()

    def _look(self) -> None:
        page, events = self._servers.page, self._servers.events
        watching = _people(page.watchers, "watches", "watch") if page is not None else "Not serving"
        self.page.show_state(page.url if page is not None else "", watching)
        self.to.setEnabled(page is None)
        self.visit.setEnabled(page is not None)
        self.code.show_code(page.scan_url if page is not None else "")
        reading = "Not serving"
        if events is not None:
            given = events.status()
            reading = f"{_people(given.readers, 'reads', 'read')}, {given.lost:,} events lost"
        self.events.show_state(events.address if events is not None else "", reading)
        if self.failure.text() != self._servers.failure:
            self.failure.setText(self._servers.failure)


def _people(count: int, one: str, many: str) -> str:
    if not count:
        return f"Nobody {one} yet" if one == "watches" else f"Nobody {one}"
    return f"{count} {one if count == 1 else many}"
