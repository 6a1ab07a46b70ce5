"""The widgets of one control of a source: its name, what changes it, and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QSlider

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuroclip_drivers.controls import Control

_STEPS = 200
"""Places of a slider, from the lowest value to the highest."""


class ControlRow:
    """One row of the panel of a camera.

    Parameters
    ----------
    control : Control
    changed : callable
        Given the name and the new value when the user changes it.
    """

    def __init__(self, control: Control, changed: Callable[[str, float], object]) -> None:
        self._control, self._changed, self._quiet = control, changed, False
        self.name, self.text = QLabel(control.name), QLabel()
        self.editor: QCheckBox | QComboBox | QSlider
        if control.kind == "switch":
            self.editor = QCheckBox()
            self.editor.toggled.connect(lambda on: self._say(float(on)))
        elif control.kind == "choice":
            self.editor = QComboBox()
            self.editor.addItems(control.choices)
            self.editor.activated.connect(lambda index: self._say(float(index)))
        else:
            self.editor = QSlider(Qt.Orientation.Horizontal)
            self.editor.setRange(0, _STEPS)
            self.editor.valueChanged.connect(self._on_slider)
        self.text.setMinimumWidth(56)
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.name.setProperty("role", "muted")
        for widget in (self.name, self.editor, self.text):
            widget.setToolTip(control.help)
        self.editor.setAccessibleName(control.name)
        self.show_value(control.value)

    def show_value(self, value: float) -> None:
        """Show a value without asking for it."""
        c = self._control
        self._quiet = True
        if isinstance(self.editor, QCheckBox):
            self.editor.setChecked(bool(value))
        elif isinstance(self.editor, QComboBox):
            self.editor.setCurrentIndex(round(value))
        else:
            self.editor.setValue(round((value - c.low) / (c.high - c.low) * _STEPS))
            self._tell(value)
        self._quiet = False

    def _on_slider(self, position: int) -> None:
        c = self._control
        value = c.low + (c.high - c.low) * position / _STEPS
        value = min(c.high, max(c.low, c.low + round((value - c.low) / c.step) * c.step))
        self._say(value)

    def _say(self, value: float) -> None:
        if not self._quiet:
            if isinstance(self.editor, QSlider):
                self._tell(value)
            self._changed(self._control.name, value)

    def _tell(self, value: float) -> None:
        self.text.setText(f"{value:g} {self._control.unit}".strip())
