"""The bar under a recording: where it stands, how much happens when, and which part is played."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from neuroclip_gui.style.theme import Theme


class SeekBar(QWidget):
    """Paints the event rate over a recording with the position on it.

    Attributes
    ----------
    sought : Signal(float)
        Where the user wants to be, 0 to 1 of the recording.
    """

    sought = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._counts: npt.NDArray[np.float64] | None = None
        self._position = 0.0
        self._part = (0.0, 1.0)
        self._duration_s = 0.0
        self._hover: float | None = None
        self.setAccessibleName("Position in the recording")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(300, 34)

    def set_recording(self, duration_s: float) -> None:
        """Begin with another recording."""
        self._counts, self._duration_s, self._position, self._part = None, duration_s, 0.0, (0.0, 1.0)
        self.update()

    def set_histogram(self, counts: npt.NDArray[np.int64]) -> None:
        """Draw the event rate: events in equal spans of the recording."""
        top = float(np.percentile(counts, 99)) if len(counts) else 0.0
        self._counts = np.clip(counts / top, 0.0, 1.0) if top > 0 else None
        self.update()

    def set_position(self, share: float) -> None:
        """Move the position."""
        if abs(share - self._position) * self.width() >= 0.5:
            self._position = share
            self.update()

    def set_part(self, first: float, last: float) -> None:
        """Mark the part that is played."""
        if (first, last) != self._part:
            self._part = (first, last)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self._area()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("raised"))
        painter.drawRoundedRect(area, 5, 5)
        x = area.left() + self._position * area.width()
        self._paint_rate(painter, area, x)
        first, last = (area.left() + share * area.width() for share in self._part)
        painter.setBrush(self._theme.color("window", 170))
        painter.setPen(Qt.PenStyle.NoPen)
        if self._part[0] > 0:
            painter.drawRect(QRectF(area.left(), area.top(), first - area.left(), area.height()))
        if self._part[1] < 1:
            painter.drawRect(QRectF(last, area.top(), area.right() - last, area.height()))
        if self._hover is not None:
            painter.setPen(QPen(self._theme.color("muted"), 1))
            painter.drawLine(QPointF(self._hover, area.top()), QPointF(self._hover, area.bottom()))
        painter.setPen(QPen(self._theme.color("accent" if self.hasFocus() else "text"), 2))
        painter.drawLine(QPointF(x, area.top() - 2), QPointF(x, area.bottom() + 2))
        painter.end()

    def _paint_rate(self, painter: QPainter, area: QRectF, x: float) -> None:
        if self._counts is None:
            painter.setBrush(self._theme.color("accent", 60))
            painter.drawRoundedRect(QRectF(area.left(), area.top(), x - area.left(), area.height()), 5, 5)
            return
        count = len(self._counts)
        xs = area.left() + (np.arange(count) + 0.5) / count * area.width()
        ys = area.bottom() - 2 - self._counts * (area.height() - 5)
        shape = QPolygonF([QPointF(area.left(), area.bottom())])
        for px, py in zip(xs, ys, strict=True):
            shape.append(QPointF(float(px), float(py)))
        shape.append(QPointF(area.right(), area.bottom()))
        for left, right, role, alpha in (
            (area.left(), x, "accent", 200),
            (x, area.right(), "muted", 110),
        ):
            painter.save()
            painter.setClipRect(QRectF(left, area.top(), right - left, area.height()))
            painter.setBrush(self._theme.color(role, alpha))
            painter.drawPolygon(shape)
            painter.restore()

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(2, 5, -2, -5)

    def _share(self, x: float) -> float:
        area = self._area()
        return min(max((x - area.left()) / max(area.width(), 1.0), 0.0), 1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if event.button() == Qt.MouseButton.LeftButton:
            self.sought.emit(self._share(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        self._hover = event.position().x()
        share = self._share(self._hover)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(share)
        QToolTip.showText(event.globalPosition().toPoint(), clock(share * self._duration_s), self)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: D102
        self._hover = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        key = event.key()
        step = {
            Qt.Key.Key_Left: -0.01,
            Qt.Key.Key_Right: 0.01,
            Qt.Key.Key_PageDown: -0.1,
            Qt.Key.Key_PageUp: 0.1,
        }
        if key in step:
            self.sought.emit(min(max(self._position + step[Qt.Key(key)], 0.0), 1.0))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.sought.emit(0.0 if key == Qt.Key.Key_Home else 1.0)
        else:
            super().keyPressEvent(event)


def clock(seconds: float) -> str:
    """Return a time as ``m:ss.t``."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    return f"{minutes:.0f}:{rest:04.1f}"
