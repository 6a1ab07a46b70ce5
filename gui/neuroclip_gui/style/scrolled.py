"""Lets a panel be lower than what it shows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QScrollArea, QWidget


class Scrolled(QScrollArea):
    """Scrolls a panel where it is too low, so that on a small screen it takes no room from the words.

    Parameters
    ----------
    panel : QWidget
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._panel = panel
        self.setWidget(panel)
        self.viewport().setAutoFillBackground(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as wide as the panel needs: Qt sends its events here first."""
        if event.type() == QEvent.Type.LayoutRequest and self.widget() is self._panel:
            bar = self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(max(self.minimumWidth(), self._panel.minimumSizeHint().width() + bar))
        return super().eventFilter(watched, event)
