"""The winner's row, pinned to the edge of the list it is scrolled out of: the best word is always in view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from neuroclip_gui.style.theme import Theme

if TYPE_CHECKING:
    from neuroclip_gui.panels.prompts.prompt_list import PromptList


class PinnedRow(QWidget):
    """Paints one row of a list over its edge; a click scrolls to the row itself.

    Parameters
    ----------
    words : PromptList
    theme : Theme
    """

    def __init__(self, words: PromptList, theme: Theme) -> None:
        super().__init__(words)
        self._words, self._theme = words, theme
        self._row = -1
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("The best word just now; a click scrolls to it")
        self.hide()

    def pin(self, row: int) -> None:
        """Show this row where it is out of view; -1 for none."""
        area = self._words.viewport().geometry()
        place = self._words.visualRect(self._words.model().index(row, 0)) if row >= 0 else QRect()
        place.translate(area.topLeft())
        above, below = place.top() < area.top() - 2, place.bottom() > area.bottom() + 2
        self._row = row
        if row < 0 or not (above or below) or self._words.is_editing:
            self.hide()
            return
        height = self._words.sizeHintForRow(0)
        top = area.top() if above else area.bottom() - height + 1
        self.setGeometry(area.left(), top, area.width(), height)
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("panel"))  # nothing peeks out around the rounding
        painter.setPen(QPen(self._theme.color("accent"), 1))
        painter.setBrush(self._theme.color("raised"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawRoundedRect(self.rect().adjusted(1, 0, -2, -1), 6, 6)
        option = QStyleOptionViewItem()
        option.rect = self.rect()
        self._words.itemDelegate().paint(painter, option, self._words.model().index(self._row, 0))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        index = self._words.model().index(self._row, 0)
        self._words.scrollTo(index, self._words.ScrollHint.PositionAtCenter)
        self.hide()
