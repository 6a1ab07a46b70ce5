"""Asks which stretch of a recording is to become a film, and how; shows how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from neuroclip_gui.panels.export.film_making import FilmSettings
from neuroclip_gui.style.fields import inset
from neuroclip_gui.style.palettes import EVENT_COLORS

if TYPE_CHECKING:
    from neuroclip_gui.panels.export.export_commands import Export

SPEEDS = (1.0, 0.5, 0.25, 0.1, 2.0)
RATES = (25, 30, 50, 12)
WIDTHS = (720, 1080, 480)
_LOOK_MS = 100


class ExportDialog(QDialog):
    """The dialog; the window stays usable while a film is made.

    Parameters
    ----------
    export : Export
    stem : str
        What to call the file.
    part_s : (float, float)
        The stretch suggested, in seconds: what is marked, or all.
    parent : QWidget, optional
    """

    def __init__(
        self, export: Export, stem: str, part_s: tuple[float, float], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export film")
        self.setMinimumWidth(420)
        self._export, self._stem = export, stem
        self.first, self.last = QDoubleSpinBox(), QDoubleSpinBox()
        self.speed, self.rate, self.width_box = QComboBox(), QComboBox(), QComboBox()
        self.labels = QCheckBox("The answer above the picture")
        self.start, self.stop = QPushButton("Export…"), QPushButton("Stop")
        self.bar, self.state = QProgressBar(), QLabel()
        self._fill(part_s)
        self._build()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_LOOK_MS)
        self.finished.connect(self._timer.stop)
        self._look()

    def _fill(self, part_s: tuple[float, float]) -> None:
        for box, value, name in ((self.first, part_s[0], "From"), (self.last, part_s[1], "To")):
            box.setRange(0.0, 1e6)
            box.setDecimals(2)
            box.setSingleStep(0.5)
            box.setSuffix(" s")
            inset(box)
            box.setValue(value)
            box.setAccessibleName(name)
            box.valueChanged.connect(lambda _: self._look())
        self.speed.addItems([f"{speed:g}×" for speed in SPEEDS])
        self.rate.addItems([f"{rate} pictures a second" for rate in RATES])
        self.width_box.addItems([f"at least {width} pixels wide" for width in WIDTHS])
        for choice, name in ((self.speed, "Speed"), (self.rate, "Pictures"), (self.width_box, "Size")):
            choice.setAccessibleName(name)
            choice.currentIndexChanged.connect(lambda _: self._look())
        self.labels.setChecked(True)
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.state.setProperty("role", "muted")
        self.state.setWordWrap(True)
        self.state.setMinimumHeight(2 * self.state.fontMetrics().lineSpacing() + 4)

    def _build(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, widget in (
            ("From", self.first),
            ("To", self.last),
            ("Speed", self.speed),
            ("Pictures", self.rate),
            ("Size", self.width_box),
            ("", self.labels),
        ):
            form.addRow(name, widget)
        close = QPushButton("Close")
        close.clicked.connect(self.accept)
        self.start.setDefault(True)
        self.start.clicked.connect(self._on_start)
        self.stop.clicked.connect(self._export.cancel)
        foot = QHBoxLayout()
        foot.addWidget(self.start)
        foot.addWidget(self.stop)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(10)
        column.addLayout(form)
        column.addWidget(self.bar)
        column.addWidget(self.state)
        column.addLayout(foot)

    def _on_start(self) -> None:
        path = self._export.ask_path(f"{self._stem}.mp4", self)
        if path is not None:
            self._export.begin(self.settings(path))
            self._look()

    def settings(self, path: Path) -> FilmSettings:
        """Return what is asked for, into this file."""
        return FilmSettings(
            path,
            self.first.value(),
            self.last.value(),
            EVENT_COLORS["dark"],
            speed=SPEEDS[self.speed.currentIndex()],
            fps=float(RATES[self.rate.currentIndex()]),
            width=WIDTHS[self.width_box.currentIndex()],
            labels=self.labels.isChecked(),
        )

    def _look(self) -> None:
        share = self._export.share
        length = (self.last.value() - self.first.value()) / SPEEDS[self.speed.currentIndex()]
        self.start.setEnabled(share is None and length > 0)
        self.stop.setEnabled(share is not None)
        self.bar.setValue(round(1000 * (share or 0.0)))
        if share is not None:
            self.state.setText(f"{share:.0%} · the window goes on meanwhile")
        elif length > 0:
            pictures = length * RATES[self.rate.currentIndex()]
            what = f"A film of {length:.1f} s, {pictures:,.0f} pictures. MP4 or GIF, by the name."
            self.state.setText("\n".join(filter(None, (self._export.outcome, what))))
        else:
            self.state.setText("The end is before the beginning")
