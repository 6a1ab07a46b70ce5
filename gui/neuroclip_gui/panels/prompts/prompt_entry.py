"""The line words are typed into."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QToolButton


class PromptEntry(QLineEdit):
    """A line for words: several lines pasted become several words."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("prompt")
        self.setAccessibleName("Add a prompt")
        self.setPlaceholderText("Type what to look for, press Enter")
        self.setToolTip(
            "One label, or several separated by commas.\n-hand adds “hand” as a negative: when it fits best, "
            "there is no label."
        )
        self.setClearButtonEnabled(True)
        for button in self.findChildren(QToolButton):  # Qt leaves it without a name
            button.setAccessibleName("Clear")

    def event(self, event: QEvent) -> bool:  # noqa: D102
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if event.key() == Qt.Key.Key_Escape and self.text():
                event.accept()  # Esc clears what was typed before it does anything else
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste_lines(QApplication.clipboard().mimeData())
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

    def paste_lines(self, mime: QMimeData) -> None:
        """Insert a clipboard's text with commas for line ends."""
        lines = [line.strip() for line in mime.text().splitlines()]
        self.insert(", ".join(line for line in lines if line))
