"""How long a key is held that may be let go anywhere in the program."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

_REPEAT_MS = 90
"""A key that is held repeats, which on X11 is ups and downs: an up counts when no down follows so soon."""


class HeldKey(QObject):
    """Waits for the end of a press.

    Parameters
    ----------
    keys : sequence of Qt.Key
        The keys that can be held.

    Attributes
    ----------
    let_go : Signal()
        It was let go, or the program is no longer in front.
    """

    let_go = Signal()

    def __init__(self, *keys: Qt.Key) -> None:
        super().__init__()
        self._keys = keys
        self._since_s = self._up_s = 0.0
        self._up = QTimer(self)
        self._up.setSingleShot(True)
        self._up.setInterval(_REPEAT_MS)
        self._up.timeout.connect(self.let_go)

    def begin(self) -> None:
        """Wait from now on."""
        self._since_s, self._up_s = time.monotonic(), 0.0
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def end(self) -> float:
        """Wait no more; return how long it was held, in seconds."""
        self._up.stop()
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
        return (self._up_s or time.monotonic()) - self._since_s

    def only_repeats(self) -> bool:
        """Tell whether a press that came is the key repeating; then it goes on being held."""
        repeats = self._up.isActive()
        self._up.stop()
        return repeats

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102
        kind = event.type()
        if kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if event.key() in self._keys and not event.isAutoRepeat():
                self._up_s = time.monotonic()
                self._up.start()
        elif kind == QEvent.Type.ApplicationDeactivate:
            self.let_go.emit()
        return False
