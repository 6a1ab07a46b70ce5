"""Letters typed anywhere that is no text field are words: they go into the line words are typed into.

Keys of one character are commands only while the picture or the seek bar has the focus
(:mod:`neuroclip_gui.actions`), so that nobody who begins to type a word starts a recording or teaches one.
Windows are watched, not the application: the keys come by here before any widget has them, and little else.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenuBar,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_COMMAND = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)
TYPES_HERE = "T types a letter here. To teach, hold F8; or press F6, and then hold T"


class TypingAnywhere(QObject):
    """Looks at the keys of a window, and of panels that float over it.

    Parameters
    ----------
    window : QWidget
    entry : QLineEdit
        Into which words are typed.
    focus_entry : callable
        Brings it into view, with the focus.
    say : callable
        Says something over the picture.
    """

    def __init__(
        self,
        window: QWidget,
        entry: QLineEdit,
        focus_entry: Callable[[Qt.FocusReason], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window, self._entry, self._focus_entry, self._say = window, entry, focus_entry, say
        self._held = False

    def watch(self, top: QWidget) -> None:
        """Look at the keys of a window that is shown."""
        handle = top.windowHandle()
        if handle is not None:
            handle.removeEventFilter(self)
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102
        if not isinstance(event, QKeyEvent):
            return False
        kind = event.type()
        if kind == QEvent.Type.KeyPress:
            return self._on_press(event)
        if kind == QEvent.Type.ShortcutOverride:
            return self._on_override(event)
        if kind == QEvent.Type.KeyRelease and not event.isAutoRepeat():
            self._held = False
        return False

    def _on_press(self, event: QKeyEvent) -> bool:
        if QApplication.activePopupWidget() is not None or QApplication.activeModalWidget() is not None:
            return False
        focus = QApplication.focusWidget()
        if is_text_field(focus):
            self._tell_held(event)
            return False
        if event.key() in getattr(focus, "own_keys", ()) and not event.modifiers() & _COMMAND:
            return False
        pasted = event.matches(QKeySequence.StandardKey.Paste)
        typed = event.text().isprintable() and event.text().strip() and not event.modifiers() & _COMMAND
        if not (typed or pasted) or isinstance(focus, QMenuBar) or self._window.property("desk"):
            return False
        self._focus_entry(Qt.FocusReason.OtherFocusReason)
        QApplication.sendEvent(self._entry, event)
        return True

    def _on_override(self, event: QKeyEvent) -> bool:
        """Let a text field in which nothing is to be undone leave that to the window."""
        focus = QApplication.focusWidget()
        line = focus.lineEdit() if isinstance(focus, QComboBox | QAbstractSpinBox) else focus
        if not isinstance(line, QLineEdit):
            return False
        undo = event.matches(QKeySequence.StandardKey.Undo) and not line.isUndoAvailable()
        redo = event.matches(QKeySequence.StandardKey.Redo) and not line.isRedoAvailable()
        if undo or redo:
            event.ignore()
        return undo or redo

    def _tell_held(self, event: QKeyEvent) -> None:
        """Say it once where somebody holds the key that teaches, and only types."""
        if event.key() == Qt.Key.Key_T and event.isAutoRepeat() and not event.modifiers() & _COMMAND:
            if not self._held:
                self._say(TYPES_HERE)
            self._held = True


def is_text_field(widget: QWidget | None) -> bool:
    """Tell whether a widget takes what is typed for itself."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    if isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit | QAbstractSpinBox):
        return not widget.isReadOnly()
    return False
