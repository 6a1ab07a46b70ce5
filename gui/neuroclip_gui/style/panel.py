"""What every panel of the window is: a widget that the theme's style sheet paints."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


class Panel(QWidget):
    """A widget with a panel's background."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        # without it Qt does not paint a style sheet's background on a subclass of QWidget
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    @property
    def in_view(self) -> bool:
        """Whether any of it can be seen; Qt calls a panel behind another's tab visible too."""
        return self.isVisible() and not self.visibleRegion().isEmpty()
