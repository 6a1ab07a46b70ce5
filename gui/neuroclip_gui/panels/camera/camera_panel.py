"""Cameras at hand, what can be set on the one in use, and what is done to its events before anybody looks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from neuroclip_gui.panels.camera.control_row import ControlRow
from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme
from neuroclip_live.stream.filters import NONE, Treatment

if TYPE_CHECKING:
    from neuroclip_drivers.controls import Control
    from neuroclip_drivers.usb import UsbCamera

_WEAKEST_US, _STRONGEST_US = 20_000.0, 500.0
TURNS = ("as it is", "90° right", "180°", "90° left")


class CameraPanel(Panel):
    """Shows and asks; :class:`neuroclip_gui.panels.camera.cameras.Cameras` does.

    Attributes
    ----------
    open_asked : Signal(str)
        Serial number of the camera chosen; "" for whichever is first.
    stream_asked : Signal(str)
        Address of a stream.
    control_changed : Signal(str, float)
    preset_asked : Signal(str)
    treatment_changed : Signal(object)
    reset_asked : Signal()
    """

    open_asked = Signal(str)
    stream_asked = Signal(str)
    control_changed = Signal(str, float)
    preset_asked = Signal(str)
    treatment_changed = Signal(object)
    reset_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Camera")
        self.treatment = NONE
        self.rows: dict[str, ControlRow] = {}
        self.cameras, self.open, self.found = QComboBox(), QPushButton("Open"), QLabel()
        self.address, self.connect_ = QLineEdit(), QPushButton("Connect")
        self.title, self.nothing = QLabel(), QLabel("Nothing can be set on this source.")
        self.presets, self.reset = QComboBox(), QPushButton("Reset")
        self.noise, self.noise_text = QSlider(Qt.Orientation.Horizontal), QLabel("off")
        self.removed = QLabel()
        self.flip_h, self.flip_v, self.turn = QCheckBox("mirrored"), QCheckBox("upside down"), QComboBox()
        self._grid = QGridLayout()
        self._presets_row = QWidget()
        self._quiet = False
        self._shown: tuple[object, ...] = ()
        self._prepare()
        self._build()
        self._wire()
        self.show_cameras([])

    # ---- putting together

    def _prepare(self) -> None:
        self.cameras.setToolTip("Event cameras on USB, found as they are plugged in")
        self.address.setPlaceholderText("HOST:PORT or a UNIX socket's path")
        self.address.setToolTip("A network stream of dv-processing or DV")
        self.noise.setRange(0, 100)
        self.noise.setToolTip(
            "Takes away events with no neighbor in space and time. The stronger, the closer the company "
            "an event must have had. Recordings keep everything."
        )
        self.removed.setToolTip("Share of the events that the noise filter takes away now")
        self.turn.addItems(TURNS)
        self.flip_h.setToolTip("Left and right change places")
        self.flip_v.setToolTip("Top and bottom change places")
        for widget, name in (
            (self.cameras, "Cameras"), (self.address, "Address of a stream"), (self.noise, "Noise filter"),
            (self.turn, "Turn the picture"), (self.presets, "Presets"), (self.found, "What was found"),
        ):  # fmt: skip
            widget.setAccessibleName(name)
        for label in (self.found, self.nothing, self.noise_text, self.removed):
            label.setProperty("role", "muted")
        self.title.setProperty("role", "value")
        self.found.setWordWrap(True)
        self.nothing.setWordWrap(True)
        self.noise_text.setMinimumWidth(56)
        self.noise_text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _build(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(7)
        column.addLayout(_row(self.cameras, self.open))
        column.addWidget(self.found)
        column.addLayout(_row(self.address, self.connect_))
        column.addWidget(_line())
        column.addWidget(self.title)
        preset_row = QHBoxLayout(self._presets_row)
        preset_row.setContentsMargins(0, 0, 0, 0)
        preset_row.addWidget(self.presets, 1)
        preset_row.addWidget(self.reset)
        column.addWidget(self._presets_row)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        column.addLayout(self._grid)
        column.addWidget(self.nothing)
        column.addWidget(_line())
        noise = QGridLayout()
        noise.setVerticalSpacing(4)
        noise.setColumnStretch(1, 1)
        for row, (text, widget, after) in enumerate(
            (("Noise filter", self.noise, self.noise_text), ("", self.removed, None))
        ):
            name = QLabel(text)
            name.setProperty("role", "muted")
            noise.addWidget(name, row, 0)
            noise.addWidget(widget, row, 1)
            if after is not None:
                noise.addWidget(after, row, 2)
        column.addLayout(noise)
        column.addLayout(_row(self.turn, self.flip_h, self.flip_v))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        inside.setAutoFillBackground(False)
        area.viewport().setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def _wire(self) -> None:
        self.open.clicked.connect(lambda: self.open_asked.emit(self.cameras.currentData() or ""))
        self.connect_.clicked.connect(self._on_address)
        self.address.returnPressed.connect(self._on_address)
        self.presets.activated.connect(lambda _: self.preset_asked.emit(self.presets.currentText()))
        self.reset.clicked.connect(self.reset_asked)
        self.noise.valueChanged.connect(self._on_treatment)
        for box in (self.flip_h, self.flip_v):
            box.toggled.connect(self._on_treatment)
        self.turn.activated.connect(self._on_treatment)

    # ---- what it is told

    def show_cameras(self, cameras: Iterable[UsbCamera]) -> None:
        """Show the cameras on USB."""
        cameras = list(cameras)
        key = tuple((c.serial, c.model, c.node, c.accessible) for c in cameras)
        if key == self._shown and self.found.text():
            return
        self._shown = key
        before = self.cameras.currentData()
        self.cameras.clear()
        for camera in cameras:
            self.cameras.addItem(f"{camera.model} {camera.serial}".strip(), camera.serial)
        if before is not None and self.cameras.findData(before) >= 0:
            self.cameras.setCurrentIndex(self.cameras.findData(before))
        locked = [camera for camera in cameras if not camera.accessible]
        self.cameras.setVisible(bool(cameras))
        self.open.setVisible(bool(cameras))
        if locked:
            text = f"You may not open {locked[0].node}: `neuroclip-live doctor` tells the rule to install."
        elif missing := [camera.missing_driver for camera in cameras if camera.missing_driver]:
            text = f"{missing[0]}."
        elif cameras:
            text = f"{len(cameras)} connected" if len(cameras) > 1 else ""
        else:
            text = "No event camera is plugged in."
        self.found.setText(text)
        self.found.setVisible(bool(text))

    def show_controls(
        self, title: str, controls: list[Control], presets: Mapping[str, Mapping[str, float]]
    ) -> None:
        """Show what can be set on a source."""
        self.title.setText(title)
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self.rows = {c.name: ControlRow(c, self.control_changed.emit) for c in controls}
        for number, row in enumerate(self.rows.values()):
            self._grid.addWidget(row.name, number, 0)
            self._grid.addWidget(row.editor, number, 1)
            self._grid.addWidget(row.text, number, 2)
        self.presets.clear()
        self.presets.setPlaceholderText("Preset…")
        self.presets.addItems(list(presets))
        self.presets.setCurrentIndex(-1)
        self._presets_row.setVisible(bool(controls))
        self.nothing.setVisible(not controls)

    def show_values(self, controls: list[Control]) -> None:
        """Show the values as they are now."""
        for control in controls:
            if control.name in self.rows:
                self.rows[control.name].show_value(control.value)

    def show_treatment(self, treatment: Treatment) -> None:
        """Show what is done to events."""
        self._quiet = True
        self.treatment = treatment
        self.noise.setValue(strength_of(treatment.support_us))
        self.flip_h.setChecked(treatment.flip_horizontal)
        self.flip_v.setChecked(treatment.flip_vertical)
        self.turn.setCurrentIndex(treatment.quarter_turns)
        self._quiet = False
        self._tell_noise()

    def show_removed(self, share: float) -> None:
        """Show how much the noise filter takes away."""
        text = f"takes away {share:.0%} of the events" if self.treatment.support_us else ""
        if text != self.removed.text():
            self.removed.setText(text)

    # ---- what the user does

    def _on_address(self) -> None:
        if self.address.text().strip():
            self.stream_asked.emit(self.address.text().strip())

    def _on_treatment(self) -> None:
        if self._quiet:
            return
        self.treatment = Treatment(
            support_us(self.noise.value()),
            self.flip_h.isChecked(),
            self.flip_v.isChecked(),
            self.turn.currentIndex(),
        )
        self._tell_noise()
        self.treatment_changed.emit(self.treatment)

    def _tell_noise(self) -> None:
        us = self.treatment.support_us
        self.noise_text.setText(f"{us / 1000:.1f} ms" if us else "off")


def support_us(strength: int) -> int:
    """Return τ of the noise filter for a strength of 0 (off) to 100."""
    if strength <= 0:
        return 0
    return round(_WEAKEST_US * math.pow(_STRONGEST_US / _WEAKEST_US, strength / 100))


def strength_of(us: int) -> int:
    """Return the strength that gives this τ."""
    if us <= 0:
        return 0
    share = math.log(us / _WEAKEST_US) / math.log(_STRONGEST_US / _WEAKEST_US)
    return min(100, max(1, round(100 * share)))


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(first, 1)
    for widget in others:
        row.addWidget(widget)
    return row


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setProperty("role", "line")
    line.setFixedHeight(1)
    return line
