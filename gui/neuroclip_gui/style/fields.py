"""The line that is typed in within fields that Qt puts together."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QLineEdit

_SPIN_INSET = 8
"""Pixels before a number, so that it stands below the text of other fields."""


def line_of(field: QComboBox | QAbstractSpinBox) -> QLineEdit:
    """Return the line of a spin box, or of an editable combo box (TypeError: of one that is not)."""
    line = field.lineEdit()
    if line is None:
        raise TypeError(f"{field.accessibleName() or field} cannot be typed in")
    return line


def inset(field: QAbstractSpinBox) -> None:
    """Let a number stand below the text of other fields, which a style sheet cannot."""
    line_of(field).setTextMargins(_SPIN_INSET, 0, 0, 0)
