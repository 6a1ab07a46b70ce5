"""What is seen while something is dragged over the window: that it may be dropped, and what happens then."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from neuroclip_gui.style.theme import Theme, font


class DropSheet(QWidget):
    """A frame over all of the window; the mouse goes through it.

    Parameters
    ----------
    window : QWidget
    theme : Theme
    """

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._window, self._theme, self.text = window, theme, ""
        self.hide()

    def promise(self, text: str) -> None:
        """Say what dropping does; "" hides the sheet."""
        self.text = text
        self.setAccessibleName(text)
        self.setGeometry(self._window.rect())
        self.setVisible(bool(text))
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._theme.color("window", 190))
        painter.setPen(QPen(self._theme.color("accent"), 3, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(14, 14, -14, -14), 14, 14)
        painter.setFont(font(22, bold=True))
        painter.setPen(self._theme.color("text"))
        inner, wrapped = self.rect().adjusted(40, 40, -40, -40), Qt.TextFlag.TextWrapAnywhere
        painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap | wrapped, self.text)
        painter.end()
