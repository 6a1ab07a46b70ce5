"""A message over the picture: what went wrong, or what was done, with a way to put it aside.

It lies over what it speaks of and moves nothing. All look alike; an edge in amber means that something was
lost, one in red that something failed.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRect, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton

from neuroclip_gui.style import icons
from neuroclip_gui.style.overlay import Overlay
from neuroclip_gui.style.theme import Theme

Level = Literal["info", "hint", "warn", "error"]
_STAYS_MS = {"info": 4000, "hint": 9000, "warn": 9000}
_PASSES_MS = 9000
"""How long an error stays where nothing is to lie over the picture for good."""
_MARGIN, _WIDEST = 10, 720


class Banner(Overlay):
    """Shows the newest message. An error stays until it is put aside; others go by themselves.

    Where visitors look, on the demo desk, an error goes by itself too, and is back when that is left.

    Levels: ``info`` for what was done, ``hint`` for why something was not, ``warn`` for losses, ``error``.
    """

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
        self._close.clicked.connect(self.put_aside)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self._passing = False
        self._error = ""
        """The newest error, until it is put aside or something else is said."""
        layout = self._row = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._close)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def say(self, text: str, level: Level = "info") -> None:
        """Show a message; an empty one takes the banner away."""
        self._timer.stop()
        if level == "error" or not self._passing:
            self._error = text if level == "error" else ""
        self._text.setText(text)
        self.setAccessibleName(text)
        self.level = level
        self.setProperty("level", level)
        self.style().polish(self)
        self.setVisible(bool(text))
        self.settle()
        if text and level in _STAYS_MS:
            self._timer.start(_STAYS_MS[level])
        elif text and self._passing:
            self._timer.start(_PASSES_MS)

    def let_pass(self, passing: bool) -> None:
        """Have errors go by themselves as well, or show the newest that went so, and have them stay again."""
        self._passing = passing
        if self._error:
            self.say(self._error, "error")

    def put_aside(self) -> None:
        """Take the message away for good."""
        self._error = ""
        self.hide()

    def place(self, area: QRect) -> QRect:
        """Return a place at the upper edge."""
        width = max(160, min(area.width() - 2 * _MARGIN, _WIDEST))
        height = max(self._row.totalHeightForWidth(width), self._row.totalMinimumSize().height())
        return QRect(area.center().x() - width // 2, area.top() + _MARGIN, width, height)

    @property
    def text(self) -> str:
        """The message shown; empty when there is none."""
        return self._text.text() if not self.isHidden() else ""

    def _restyle(self) -> None:
        self._close.setIcon(icons.pixmap("close", self._theme.color("muted"), 16))
