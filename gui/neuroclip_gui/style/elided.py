"""Text from outside, a file's name or a typed sentence, that is cut to the room there is.

A label or a button of Qt's is as wide as its text: with it a panel or the window grows beyond the screen.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QStylePainter

_LEAST_CHARACTERS, _MENU_CHARACTERS = 12, 60


class ElidedLabel(QLabel):
    """A label of one line that is cut in its middle, where a name's end tells as much as its beginning.

    Parameters
    ----------
    mode : Qt.TextElideMode
    """

    def __init__(self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle) -> None:
        super().__init__()
        self.mode = mode

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return _least(self, super().minimumSizeHint())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter, area = QStylePainter(self), self.contentsRect()
        painter.drawItemText(
            area,
            int(self.alignment()),
            self.palette(),
            self.isEnabled(),
            _cut(self, area, self.mode),
            self.foregroundRole(),
        )
        painter.end()


class ElidedButton(QPushButton):
    """A button whose text is cut in its middle."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return _least(self, super().minimumSizeHint())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter, option = QStylePainter(self), QStyleOptionButton()
        self.initStyleOption(option)
        area = self.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, self)
        option.text = _cut(self, area)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.end()


def in_menu(name: str) -> str:
    """Return a file's name short enough for a menu, and with nothing in it that a menu takes for a key."""
    if len(name) > _MENU_CHARACTERS:
        half = _MENU_CHARACTERS // 2
        name = f"{name[: half - 1]}…{name[-half:]}"
    return name.replace("&", "&&")


def _cut(
    widget: ElidedLabel | ElidedButton, area: QRect, mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
) -> str:
    return widget.fontMetrics().elidedText(widget.text(), mode, area.width())


def _least(widget: ElidedLabel | ElidedButton, hint: QSize) -> QSize:
    return QSize(
        min(hint.width(), widget.fontMetrics().averageCharWidth() * _LEAST_CHARACTERS), hint.height()
    )
