"""What was seen and scored at the moment pointed at: a picture and a few lines, over the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from neuroclip_gui.style.theme import Theme, font

_WIDTH, _LINE, _PAD = 168, 17, 8


class MomentCard(QWidget):
    """Shown while the mouse rests on a moment; never takes the mouse itself.

    Parameters
    ----------
    theme : Theme
    color : callable
        Gives a label's color.
    parent : QWidget
        Over which it is shown.
    """

    def __init__(self, theme: Theme, color: Callable[[str], QColor], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._theme, self._color, self._over = theme, color, parent
        self._title = ""
        self._rows: tuple[tuple[str, float], ...] = ()
        self._image: QImage | None = None
        self.hide()

    @property
    def image(self) -> QImage | None:
        """The picture shown."""
        return self._image

    def tell(
        self, title: str, rows: Sequence[tuple[str, float]], picture: npt.NDArray[np.uint8] | None, at: QPoint
    ) -> None:
        """Show a moment above the point ``at``, in the parent's pixels."""
        self._title, self._rows = title, tuple(rows)
        self._image = None
        if picture is not None:
            height, width = picture.shape
            data = np.ascontiguousarray(picture)
            self._image = QImage(data.data, width, height, width, QImage.Format.Format_Grayscale8).copy()
        lines = 1 + max(1, len(self._rows))
        self.resize(_WIDTH, round(2 * _PAD + lines * _LINE + self._picture_height()))
        area = self._over.rect().adjusted(4, 4, -4, -4)
        x = min(max(at.x() - _WIDTH // 2, area.left()), area.right() - _WIDTH)
        self.move(x, max(area.top(), at.y() - self.height() - 10))
        self.setAccessibleName(", ".join([title, *(f"{label} {score:.0%}" for label, score in self._rows)]))
        self.show()
        self.raise_()
        self.update()

    def _picture_height(self) -> float:
        if self._image is None:
            return 0.0
        return (_WIDTH - 2 * _PAD) * self._image.height() / self._image.width() + 6

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("border"), 1))
        painter.setBrush(self._theme.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        top, width = float(_PAD), float(_WIDTH - 2 * _PAD)
        if self._image is not None:
            painter.drawImage(QRectF(_PAD, top, width, self._picture_height() - 6), self._image)
            top += self._picture_height()
        left_align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right_align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(11))
        painter.setPen(self._theme.color("muted"))
        painter.drawText(QRectF(_PAD, top, width, _LINE), left_align, self._title)
        if not self._rows:
            painter.drawText(QRectF(_PAD, top + _LINE, width, _LINE), left_align, "no motion")
        for label, score in self._rows:
            top += _LINE
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._color(label))
            painter.drawEllipse(QRectF(_PAD, top + 5, 7, 7))
            painter.setPen(self._theme.color("text"))
            name = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, round(width - 52))
            painter.drawText(QRectF(_PAD + 13, top, width - 50, _LINE), left_align, name)
            painter.drawText(QRectF(_PAD, top, width, _LINE), right_align, f"{score:.0%}")
        painter.end()
