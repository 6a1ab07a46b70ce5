"""One line while a recording is being made: how long, how large, how much room is left, what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from neuroclip_gui.panels.health.health_panel import amount
from neuroclip_gui.panels.playback.seek_bar import clock
from neuroclip_gui.style.elided import ElidedLabel
from neuroclip_gui.style.theme import Theme

if TYPE_CHECKING:
    from neuroclip_live.recording.report import RecordingReport, RecordingStatus


class RecordBar(QFrame):
    """Hidden while nothing is recorded.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.setAccessibleName("Recording")
        self.dot = _Dot(theme)
        self.text, self.warning = (ElidedLabel(Qt.TextElideMode.ElideRight) for _ in range(2))
        self.name = ElidedLabel()
        self.text.setProperty("role", "value")
        self.name.setProperty("role", "small")
        self.warning.setProperty("role", "warn")
        for label in (self.name, self.warning):  # what does not fit is cut off, not the window made wider
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("End the recording  (Ctrl+R)")
        self.stop.setAccessibleName("Stop recording")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 3, 4, 3)
        row.addWidget(self.dot)
        row.addWidget(self.text)
        row.addWidget(self.name, 1)
        row.addWidget(self.warning, 2)
        row.addWidget(self.stop)
        self.hide()

    def show_status(self, status: RecordingStatus | None) -> None:
        """Show the newest numbers; None hides the bar."""
        if status is not None:
            parts = [
                clock(status.seconds),
                size(status.bytes),
                f"{amount(status.events)} events",
                *(f"{amount(stream.written)} {stream.what}" for stream in status.streams if stream.came),
                f"{amount(status.dropped_events)} dropped",
                f"{size(status.free_bytes)} free",
            ]
            _put(self.text, "  ·  ".join(parts))
            _put(self.name, status.path.name)
            _put(self.warning, status.warning or "")
            self.warning.setToolTip(status.warning or "")
            self.warning.setVisible(bool(status.warning))
            self.name.setVisible(not status.warning)
            self.dot.beat(status.seconds)
        self.setVisible(status is not None)


class _Dot(QWidget):
    """A red dot that beats once a second."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._on = theme, True
        self.setFixedSize(QSize(16, 16))

    def beat(self, seconds: float) -> None:
        on = seconds % 1.0 < 0.6
        if on != self._on:
            self._on = on
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("record", 255 if self._on else 90))
        painter.drawEllipse(QRectF(3, 3, 10, 10))
        painter.end()


def said(report: RecordingReport) -> str:
    """Return what is said of a recording that has ended."""
    beside = "".join(f", {stream}" for stream in report.streams if stream.came)
    held = f"{amount(report.events)} events{beside}"
    facts = f"{clock(report.seconds)}, {held}, {size(report.bytes)}: {report.path}"
    if report.whole and not report.dropped_events:
        return f"Your recording is good: 0 dropped.  {facts}"
    return f"{report.message}  (in {report.path.parent})"


def size(count: float) -> str:
    """Return a number of bytes short enough for a line: 950 B, 12.3 MB."""
    return f"{amount(count).replace(' k', ' kB').replace(' M', ' MB').replace(' G', ' GB')}" + (
        " B" if count < 1e3 else ""
    )


def _put(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)
