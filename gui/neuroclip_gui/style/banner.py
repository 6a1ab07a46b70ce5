"""One line above everything: what went wrong, or what was done, with a way to put it aside."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton

from neuroclip_gui.style import icons
from neuroclip_gui.style.theme import Theme

Level = Literal["info", "warn", "error"]
_STAYS_MS = {"info": 4000, "warn": 9000}


class Banner(QFrame):
    """Shows the newest message. An error stays until it is put aside; others go by themselves."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.level: Level = "info"
        self._theme = theme
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._close = QToolButton()
        self._close.setAccessibleName("Put the message aside")
        self._close.clicked.connect(self.hide)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._close)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def say(self, text: str, level: Level = "info") -> None:
        """Show a message; an empty one takes the banner away."""
        self._timer.stop()
        self._text.setText(text)
        self.setAccessibleName(text)
        self.level = level
        self.setProperty("level", level)
        self.style().polish(self)
        self.setVisible(bool(text))
        if text and level in _STAYS_MS:
            self._timer.start(_STAYS_MS[level])

    @property
    def text(self) -> str:
        """The message shown; empty when there is none."""
        return self._text.text() if self.isVisibleTo(self.parentWidget()) else ""

    def _restyle(self) -> None:
        self._close.setIcon(icons.pixmap("close", self._theme.colour("muted"), 16))
