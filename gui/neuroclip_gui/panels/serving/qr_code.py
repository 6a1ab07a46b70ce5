"""An address as a QR code, for a phone's camera: a token is nothing that anybody types."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

SIDE = 196
"""Of the picture, in logical pixels at most: each dark or light square is a whole number of them."""
_QUIET = 4
"""Squares of light around it, as the standard (ISO/IEC 18004) asks for."""


class QrCode(QLabel):
    """Shows a text as a QR code; hidden while there is none.

    Parameters
    ----------
    name : str
        What it is the code of, for those who do not see it.
    parent : QWidget, optional
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text_shown = ""
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_code(self, text: str) -> None:
        """Show a text's code; an empty text hides it."""
        if text == self.text_shown:
            return
        self.text_shown = text
        self.setPixmap(picture(text, SIDE) if text else QPixmap())
        self.setVisible(bool(text))


def picture(text: str, side: int) -> QPixmap:
    """Return a code, dark on light whatever the theme is, of ``side`` pixels at most where that is possible.

    It can be read with a seventh of it damaged (level M).
    """
    import segno  # when it is first wanted, and not when the window starts

    code = segno.make(text, error="m", micro=False)
    rows = [bytes(row) for row in code.matrix_iter(border=_QUIET)]
    image = QImage(len(rows), len(rows), QImage.Format.Format_Grayscale8)
    image.fill(255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                image.setPixel(x, y, 0)
    each = max(1, side // len(rows))
    return QPixmap.fromImage(image.scaled(image.size() * each))
