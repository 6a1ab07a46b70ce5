"""What the network sees: the T event frames behind the decision, each with the label it speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme, font

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuroclip_live.recognition.prediction import Prediction

_GAP, _TEXT = 6, 30
_LONGEST = 16
"""More timesteps than fit in a strip: the newest are shown."""


class TimestepStrip(Panel):
    """Paints the frames of the newest prediction.

    Parameters
    ----------
    theme : Theme
    color : callable
        Gives a label's color.

    Attributes
    ----------
    opened : Signal(int)
        The frame clicked, counted from the oldest.
    """

    opened = Signal(int)

    def __init__(self, theme: Theme, color: Callable[[str], QColor]) -> None:
        super().__init__()
        self.setAccessibleName("What the network sees")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(96)
        self.setToolTip(
            "The newest timesteps, oldest first: the frames as the encoder gets them, cropped and fitted to "
            "its size, and the best label of each by itself (cosine with the prompt). Their mean is the "
            "decision. Click one to enlarge it."
        )
        self._theme, self._color = theme, color
        self._prediction: Prediction | None = None
        self._timesteps = 10
        self._focus = -1
        self._seen: dict[int, npt.NDArray[np.uint8]] = {}  # by id of the frame, which the prediction keeps
        self.fit: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None = None
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(640, 122)

    def show_prediction(self, prediction: Prediction | None) -> None:
        """Show the frames of a prediction; None empties the strip."""
        self._prediction = prediction
        self._look()
        if prediction is not None:
            self._timesteps = max(self._timesteps if prediction.frames else 1, len(prediction.frames))
        if self.isVisible():
            self.update()

    def set_fit(self, fit: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None) -> None:
        """Say how the encoder's square input is made of a frame; None shows frames as they are."""
        if fit != self.fit:
            self.fit = fit
            self._seen = {}
            self._look()
            self.update()

    def _look(self) -> None:
        """Fit the frames not fitted yet: one a prediction, since the others were there before."""
        if self.fit is None or not self.in_view:
            self._seen = {}
            return
        self._seen = {
            id(f): self._seen[id(f)] if id(f) in self._seen else self.fit(f) for f in self._frames()
        }

    def _shown(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return self._seen.get(id(frame), frame)

    def seen(self, index: int) -> npt.NDArray[np.uint8] | None:
        """Return what the encoder is given of a frame, (S, S) uint8."""
        frame = self.frame(index)
        return frame if frame is None or self.fit is None else self.fit(frame)

    def frame(self, index: int) -> npt.NDArray[np.uint8] | None:
        """Return a frame, (H, W) uint8, counted from the oldest."""
        frames = self._frames()
        return frames[index] if 0 <= index < len(frames) else None

    def caption(self, index: int) -> tuple[str, float]:
        """Return the best label of a frame, and its cosine; "" where it was not scored."""
        p = self._prediction
        offset = len(p.frames) - len(self._frames()) if p is not None else 0
        if p is None or index + offset >= len(p.step_scores) or not len(p.labels):
            return "", 0.0
        row = p.step_scores[index + offset]
        best = int(np.argmax(row))
        return (p.labels[best] if best < len(p.labels) else ""), float(row[best])

    def _frames(self) -> tuple[npt.NDArray[np.uint8], ...]:
        return self._prediction.frames[-_LONGEST:] if self._prediction is not None else ()

    def _cells(self) -> list[QRectF]:
        count = min(self._timesteps, _LONGEST)
        width = (self.width() - 16 - _GAP * (count - 1)) / count
        height = min(width, self.height() - 16 - _TEXT)
        width = min(width, height * (1.7 if self.fit is None else 1.0))
        return [QRectF(8 + i * (width + _GAP), 8, width, height) for i in range(count)]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frames, cells = self._frames(), self._cells()
        for index, cell in enumerate(cells[: len(cells) - len(frames)] if frames else cells):
            painter.setPen(QPen(self._theme.color("border"), 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(cell, 4, 4)
            if index == 0 and not frames:
                painter.setPen(self._theme.color("muted"))
                painter.setFont(font(12))
                painter.drawText(
                    QRectF(8, cell.bottom() + 4, 400, 20), "The network's frames appear as they come"
                )
        for index, (frame, cell) in enumerate(zip(frames, cells[len(cells) - len(frames) :], strict=True)):
            self._paint_frame(painter, frame, cell, index)
        painter.end()

    def _paint_frame(self, painter: QPainter, frame: npt.NDArray[np.uint8], cell: QRectF, index: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(127, 127, 127))
        painter.drawRect(cell)
        shown = self._shown(frame)
        painter.drawImage(_fitted(shown, cell), gray_image(shown))
        label, score = self.caption(index)
        if self.hasFocus() and index == self._focus:
            painter.setPen(QPen(self._theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(cell)
        if not label:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color(label))
        painter.drawRect(QRectF(cell.left(), cell.bottom() + 1, cell.width(), 3))
        painter.setFont(font(11))
        painter.setPen(self._theme.color("text"))
        line = QRectF(cell.left(), cell.bottom() + 5, cell.width(), 14)
        text = QFontMetricsF(painter.font()).elidedText(label, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setFont(font(10))
        painter.setPen(self._theme.color("muted"))
        line.translate(0, 13)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{score:.2f}")

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        frames, cells = self._frames(), self._cells()
        for index, cell in enumerate(cells[len(cells) - len(frames) :]):
            if cell.adjusted(0, 0, 0, _TEXT).contains(event.position()):
                self._focus = index
                self.opened.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        last = len(self._frames()) - 1
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and last >= 0:
            self._focus = min(max(self._focus + step, 0), last)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and 0 <= self._focus <= last:
            self.opened.emit(self._focus)
        else:
            super().keyPressEvent(event)


class FrameDialog(QDialog):
    """One frame, enlarged, as it was when it was clicked."""

    def __init__(self, frame: npt.NDArray[np.uint8], caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("What the network sees")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picture = QLabel()
        image = gray_image(frame)
        factor = max(1, 560 // max(frame.shape))
        picture.setPixmap(QPixmap.fromImage(image.scaled(image.width() * factor, image.height() * factor)))
        picture.setAccessibleName(caption)
        text = QLabel(caption)
        text.setProperty("role", "title")
        layout = QVBoxLayout(self)
        layout.addWidget(picture)
        layout.addWidget(text)


def gray_image(frame: npt.NDArray[np.uint8]) -> QImage:
    """Return a frame, (H, W) uint8, as an image that owns its pixels."""
    frame = np.ascontiguousarray(frame)
    height, width = frame.shape
    return QImage(frame.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


def _fitted(frame: npt.NDArray[np.uint8], cell: QRectF) -> QRectF:
    """Return the largest rectangle of the frame's aspect within a cell."""
    height, width = frame.shape
    scale = min(cell.width() / width, cell.height() / height)
    area = QRectF(0, 0, width * scale, height * scale)
    area.moveCenter(cell.center())
    return area
