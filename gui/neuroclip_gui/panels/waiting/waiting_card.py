"""A card over the picture: what is waited for, how to get it, and what to look at meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from neuroclip_gui.style.overlay import Overlay
from neuroclip_gui.style.theme import Theme

_WIDEST, _MARGIN = 520, 16


class WaitingCard(Overlay):
    """Lies over the middle of a widget while there is something to wait for.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("waiting")
        self.title, self.advice = QLabel(), QLabel()
        self.title.setProperty("role", "title")
        for label in (self.title, self.advice):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)  # what a server says is no markup
        may = Qt.TextInteractionFlag  # be copied: it may hold commands
        self.advice.setTextInteractionFlags(may.TextSelectableByMouse | may.TextSelectableByKeyboard)
        meanwhile = QLabel("Meanwhile:")
        meanwhile.setProperty("role", "muted")
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        self._row.addWidget(meanwhile)
        self.buttons: list[QPushButton] = []
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 18)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addWidget(self.advice)
        column.addSpacing(4)
        column.addLayout(self._row)
        self.hide()

    def offer(self, actions: Sequence[QAction]) -> None:
        """Have a button for each of these commands."""
        for action in actions:
            button = QPushButton(action.text().replace("&", ""))
            button.setToolTip(action.toolTip())
            button.setAccessibleName(button.text())
            button.clicked.connect(action.trigger)
            self.buttons.append(button)
            self._row.addWidget(button)
        self._row.addStretch(1)

    def say(self, title: str, advice: str) -> None:
        """Show what is waited for and how to get it; an empty title takes the card away."""
        if title == self.title.text() and advice == self.advice.text() and self.isHidden() != bool(title):
            return
        self.title.setText(title)
        self.advice.setText(advice)
        self.setAccessibleName(title)
        self.setAccessibleDescription(advice)
        self.setVisible(bool(title))
        self.settle()

    def place(self, area: QRect) -> QRect:
        """Return a place in the middle."""
        least = self._column.totalMinimumSize()
        width = max(least.width(), min(area.width() - 2 * _MARGIN, _WIDEST))
        height = max(self._column.totalHeightForWidth(width), least.height())
        return QRect(area.center().x() - width // 2, area.center().y() - height // 2, width, height)
