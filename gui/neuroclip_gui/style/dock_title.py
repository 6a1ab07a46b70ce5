"""Title bars of docks: quiet, and still something to drag."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from neuroclip_gui.style import icons
from neuroclip_gui.style.theme import Theme


class DockTitle(QWidget):
    """A name and a button that closes. Mouse events it does not use reach the dock, which then moves."""

    def __init__(self, dock: QDockWidget, theme: Theme) -> None:
        super().__init__(dock)
        self._theme = theme
        name = QLabel(dock.windowTitle())
        name.setProperty("role", "head")
        self._close = QToolButton()
        self._close.setObjectName("quiet")
        self._close.setToolTip("Close (View › Panels brings it back)")
        self._close.setAccessibleName(f"Close {dock.windowTitle()}")
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 4, 3)
        row.addWidget(name, 1)
        row.addWidget(self._close)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self._close.setIcon(icons.pixmap("close", self._theme.color("muted"), 14))
        self._close.setIconSize(QSize(12, 12))


class Grip(QWidget):
    """Only a handle, for docks whose name is on their tab."""

    def __init__(self, dock: QDockWidget, theme: Theme) -> None:
        super().__init__(dock)
        self._theme = theme
        self.setFixedHeight(9)
        self.setToolTip("Drag to move this panel")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(60, 9)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("border"))
        painter.drawRoundedRect(QRectF(self.width() / 2 - 16, 3, 32, 3), 1.5, 1.5)
        painter.end()
