"""What lies over another widget, and stays where it is when that moves or is resized."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect
from PySide6.QtWidgets import QFrame, QWidget


class Overlay(QFrame):
    """A frame over a widget, in its window; :meth:`place` says where."""

    def __init__(self) -> None:
        super().__init__()
        self._over: QWidget | None = None

    def lie_over(self, widget: QWidget) -> None:
        """Lie over a widget from now on."""
        self._over = widget
        self.setParent(widget.parentWidget())
        self.hide()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.settle()
        return False

    def settle(self) -> None:
        """Go to one's place, in front of all else, if one is shown."""
        if self._over is not None and not self.isHidden():
            self.setGeometry(self.place(self._over.geometry()))
            self.raise_()

    def place(self, area: QRect) -> QRect:
        """Return where to lie over a widget that is at ``area``."""
        raise NotImplementedError
