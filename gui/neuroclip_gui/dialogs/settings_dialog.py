"""Settings, applied as they are changed: nothing needs a restart, and nothing waits for "OK"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from neuroclip_gui.style.fields import inset, line_of
from neuroclip_gui.style.palettes import PALETTES
from neuroclip_live.model.purposes import purpose_of
from neuroclip_live.stream.motion_setting import describe_motion

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_live.model.catalog import ModelInfo

SLICES = ("auto", "20ms", "50ms", "100ms", "200ms", "500ms", "2000", "5000", "20000")
MOTIONS = ("auto", "0", "0.05", "0.2", "1")
DEVICES = ("auto", "cpu", "cuda", "mps")
_LOOK_MS = 100


class SettingsDialog(QDialog):
    """Shows what is in use and changes it.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(660)
        self._window = window
        self._models: dict[str, ModelInfo] = {}
        self.model, self.device, self.use = QComboBox(), QComboBox(), QPushButton("Use this model")
        self.cancel, self.bar, self.state = QPushButton("Cancel"), QProgressBar(), QLabel()
        self.about_model = QLabel()
        self.slice, self.overlap, self.timesteps = QComboBox(), QSpinBox(), QSpinBox()
        self.motion = QComboBox()
        self.smoothing, self.theme = QDoubleSpinBox(), QComboBox()
        self.reset = QPushButton("Reset all settings")
        self._prepare()
        self._build()
        self.show_current()
        self._connect()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_LOOK_MS)
        self.finished.connect(self._timer.stop)
        self._look()
        self._list_models()

    def _prepare(self) -> None:
        for box, values in ((self.slice, SLICES), (self.device, DEVICES), (self.motion, MOTIONS)):
            box.addItems(values)
        for box in (self.model, self.device, self.slice, self.motion):
            box.setEditable(True)
            box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        for name, palette in PALETTES.items():
            self.theme.addItem(palette.title, name)
        self.overlap.setRange(1, 16)
        self.timesteps.setRange(1, 64)
        self.smoothing.setRange(0.0, 5.0)
        self.smoothing.setSingleStep(0.1)
        self.smoothing.setSuffix(" s")
        self.smoothing.setSpecialValueText("off")
        for spin in (self.overlap, self.timesteps, self.smoothing):
            inset(spin)
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        for label in (self.state, self.about_model):
            label.setWordWrap(True)
            label.setProperty("role", "muted")
        for label, lines in ((self.about_model, 4), (self.state, 2)):  # so that nothing moves
            label.setMinimumHeight(lines * label.fontMetrics().lineSpacing() + 4)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        for widget, name, tip in (
            (self.model, "Model", "A name from the list, ARCH/TAG of open_clip, or hf-hub:ORG/NAME."),
            (self.device, "Device", "auto takes a CUDA GPU where there is one."),
            (self.slice, "Slice", "Length of a timestep: auto, a time such as 50ms, or a count of events."),
            (self.overlap, "Overlap", "A new timestep, and a new decision, this many times per slice."),
            (self.timesteps, "T", "How many of the newest timesteps are averaged for a decision."),
            (
                self.motion,
                "Motion",
                "auto: something moves where events gather. A number: so many events per pixel and second.",
            ),
            (self.smoothing, "Steady the decision", "Time constant of the decision shown; numbers stay raw."),
            (self.theme, "Theme", "Colors of the window."),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tip)

    def _build(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Model", self.model)
        form.addRow("", self.about_model)
        form.addRow("Device", _row(self.device, self.use, self.cancel))
        form.addRow("", self.bar)
        form.addRow("", self.state)
        form.addRow("Slice", _row(self.slice, QLabel("overlap"), self.overlap))
        form.addRow("Timesteps T", self.timesteps)
        form.addRow("Motion", self.motion)
        form.addRow("Steady the decision", self.smoothing)
        form.addRow("Theme", self.theme)
        where = QLabel(f"Kept in {self._window.store.path}")
        where.setProperty("role", "small")
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QPushButton("Close")
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addWidget(self.reset)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(10)
        column.addLayout(form)
        column.addWidget(where)
        column.addLayout(foot)
        for button in (self.use, self.cancel, self.reset, close):
            button.setAutoDefault(False)  # Enter is for the field it is typed in

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for the field it is typed in: it neither closes the page nor loses what was typed."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif self.focusWidget() in (self.model, self.device):
            self.use.click()

    def _connect(self) -> None:
        window, recognition = self._window, self._window.recognition
        self.model.currentTextChanged.connect(self._describe)
        self.use.clicked.connect(
            lambda: recognition.use_model(self.model.currentText(), self.device.currentText())
        )
        self.cancel.clicked.connect(self._on_cancel)
        self.slice.activated.connect(self._on_slices)
        line_of(self.slice).editingFinished.connect(self._on_slices)
        self.overlap.valueChanged.connect(self._on_slices)
        self.timesteps.valueChanged.connect(recognition.use_timesteps)
        self.motion.activated.connect(self._on_motion)
        line_of(self.motion).editingFinished.connect(self._on_motion)
        self.smoothing.valueChanged.connect(self._on_smoothing)
        self.theme.activated.connect(lambda _: window.do.set_theme(self.theme.currentData()))
        self.reset.clicked.connect(self._on_reset)

    def _on_cancel(self) -> None:
        if self._window.pipeline is not None:
            self._window.pipeline.cancel_model()

    def show_current(self) -> None:
        """Show what is in use now."""
        window, pipeline = self._window, self._window.pipeline
        blocked = (self.slice, self.overlap, self.timesteps, self.motion, self.smoothing)
        for widget in blocked:
            widget.blockSignals(True)
        settings = getattr(pipeline, "settings", None)
        self.slice.setCurrentText(settings.slice_by.describe() if settings else window.settings.slice)
        self.overlap.setValue(settings.slice_by.overlap if settings else window.settings.overlap)
        self.timesteps.setValue(settings.recognizer.timesteps if settings else window.settings.timesteps)
        motion = describe_motion(settings.recognizer.motion) if settings else window.settings.motion
        self.motion.setCurrentText(motion)
        self.smoothing.setValue(window.settings.smoothing_s)
        self.theme.setCurrentIndex(self.theme.findData(window.settings.theme))
        self.model.setCurrentText(window.recognition.model)
        self.device.setCurrentText(window.recognition.device)
        for widget in blocked:
            widget.blockSignals(False)
        self._describe()

    def _list_models(self) -> None:
        def work() -> list[ModelInfo]:
            from neuroclip_live.model.catalog import available_models

            return available_models()

        self._window.jobs.do(work, self._on_models, lambda message: self._window.complain(message))

    def _on_models(self, models: list[ModelInfo]) -> None:
        shown = self.model.currentText()
        self._models = {model.name: model for model in models}
        self.model.clear()
        self.model.addItems(list(self._models))
        self.model.setCurrentText(shown)
        self._describe()

    def _describe(self) -> None:
        model = self._models.get(self.model.currentText())
        if model is None:
            self.about_model.setText("")
            return
        purpose = purpose_of(model.name)
        what = model.description if model.availability != "bundled" else "Ships with the program"
        self.about_model.setText(
            f"{what or model.name}. Needs {model.needs}.\n"
            f"Good for {purpose.good_for}. Weak at {purpose.weak_at}."
        )

    def _on_motion(self) -> None:
        if not self._window.recognition.use_motion(self.motion.currentText()):
            self.show_current()

    def _on_slices(self) -> None:
        if not self._window.recognition.use_slices(self.slice.currentText(), self.overlap.value()):
            self.show_current()

    def _on_smoothing(self, seconds: float) -> None:
        self._window.do.set_smoothing(seconds)
        self._window.actions_.check("smoothing", seconds)

    def _on_reset(self) -> None:
        self._window.do.reset_settings()
        self.show_current()

    def _look(self) -> None:
        self.theme.setCurrentIndex(self.theme.findData(self._window.theme.palette.name))
        pipeline = self._window.pipeline
        status = pipeline.status() if pipeline is not None else None
        loading = status is not None and (status.changing or status.state.value == "loading")
        self.use.setEnabled(pipeline is not None)
        self.cancel.setVisible(status is not None and status.changing)
        self.bar.setVisible(loading)
        if status is None:
            text = "The window is still starting"
        elif loading:
            self.bar.setRange(0, 0 if status.progress is None else 100)
            self.bar.setValue(round(100 * (status.progress or 0.0)))
            text = f"{status.message}" + (f" · {status.progress:.0%}" if status.progress is not None else "")
            text += f"\nMeanwhile {status.model} goes on." if status.model else ""
        else:
            text = f"In use: {' · '.join(p for p in (status.model, status.runtime, status.device) if p)}"
            text += f"\n{status.message}" if status.message else ""
        if self.state.text() != text:
            self.state.setText(text)


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    for index, widget in enumerate(widgets):
        row.addWidget(widget, 1 if index == 0 else 0)
    return holder
