"""What the network sees: the strip of timesteps, and beside it the spikes of the adapter."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QWidget

from neuroclip_drivers.source import EventSource
from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.spikes.spike_raster import SpikeDialog, SpikeRaster
from neuroclip_gui.panels.timesteps.timestep_strip import FrameDialog, TimestepStrip

_EVERY_S = 0.06
_SHARE = 0.1
"""Fitting frames may take so much of the window's time, however fast they come."""
_FIT_S = 0.1


class Seen(Presenter):
    """Between predictions, the strip and the raster.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.strip = TimestepStrip(context.theme, context.words.color)
        self.raster = SpikeRaster(context.theme)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.strip, 1)
        row.addWidget(self.raster)
        self.raster.hide()
        super().__init__(both)
        self._parent, self._theme = context.parent, context.theme
        self._due, self._fit_due = Due(_EVERY_S), Due(_FIT_S)
        self._number = 0
        self.strip.opened.connect(self._open_frame)
        self.raster.opened.connect(self._open_spikes)

    def update(self, snapshot: Snapshot) -> None:
        """Show a prediction that is new, at most so often and while it can be seen."""
        if self._fit_due(snapshot.now_s):
            preprocess = getattr(snapshot.pipeline.backbone, "preprocess", None)
            self.strip.set_fit(preprocess.fitted if preprocess is not None else None)
        prediction = snapshot.prediction
        if prediction is None or prediction.number == self._number or snapshot.minimized:
            return
        if not self._due(snapshot.now_s):
            return
        self._number = prediction.number
        begin = time.monotonic()
        self.strip.show_prediction(prediction)
        self.raster.show_prediction(prediction)
        self._due.at_s = snapshot.now_s + max(_EVERY_S, (time.monotonic() - begin) / _SHARE)

    def source_changed(self, source: EventSource) -> None:
        """Show nothing of the source before."""
        self.strip.show_prediction(None)
        self.raster.show_prediction(None)

    def _open_frame(self, index: int) -> None:
        frame = self.strip.seen(index)
        if frame is None:
            return
        label, score = self.strip.caption(index)
        height, width = frame.shape
        what = f"{label}   {score:.2f}" if label else "not scored"
        how = "as the encoder gets it" if self.strip.fit is not None else "as the sensor gave it"
        self._open(FrameDialog(frame, f"{what}   ·   {width} × {height}, {how}", self._parent))

    def _open_spikes(self) -> None:
        if self.raster.spikes is not None:
            self._open(SpikeDialog(self.raster.spikes, self._theme, self._parent))

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
