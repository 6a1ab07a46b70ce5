"""A line that fades in over the picture, and out again: how to leave where nothing else is shown."""

from __future__ import annotations

from PySide6.QtCore import QAbstractAnimation, QEvent, QObject, QPropertyAnimation, Qt
from PySide6.QtWidgets import QGraphicsOpacityEffect, QLabel, QWidget

_LASTS_MS = 7000


class Hint(QLabel):
    """A text at the lower edge of a widget.

    Parameters
    ----------
    over : QWidget
    text : str
    """

    def __init__(self, over: QWidget, text: str) -> None:
        super().__init__(text, over)
        self.setObjectName("hint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(effect)
        self._fade = QPropertyAnimation(effect, b"opacity", self)
        self._fade.setDuration(_LASTS_MS)
        for at, opacity in ((0.0, 0.0), (0.12, 1.0), (0.85, 1.0), (1.0, 0.0)):
            self._fade.setKeyValueAt(at, opacity)
        self._fade.finished.connect(self.hide)
        self._over = over
        over.installEventFilter(self)
        self.hide()

    def appear(self) -> None:
        """Fade in, stay for a while, and fade out."""
        self.adjustSize()
        self._place()
        self.show()
        self.raise_()
        if self._fade.state() != QAbstractAnimation.State.Running:
            self._fade.start()

    def vanish(self) -> None:
        """Go at once."""
        self._fade.stop()
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return False

    def _place(self) -> None:
        self.move((self._over.width() - self.width()) // 2, self._over.height() - self.height() - 24)
