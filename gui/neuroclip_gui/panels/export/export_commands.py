"""Exports films: asks what of the recording, makes it in a thread of its own, and shows how far it is."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panel_spec import Context
from neuroclip_gui.panels.export.export_dialog import ExportDialog
from neuroclip_gui.panels.playback.transport import Transport

if TYPE_CHECKING:
    from neuroclip_gui.panels.export.film_making import FilmSettings


class Export:
    """Commands of exporting.

    Parameters
    ----------
    context : Context
    transport : Transport
        Knows which part of a recording is played.
    """

    def __init__(self, context: Context, transport: Transport) -> None:
        self._context, self._transport = context, transport
        self.jobs = Jobs()  # its own: a film takes minutes, and everything else must go on meanwhile
        where = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        self.folder = Path(where or Path.home())
        self.share: float | None = None
        self.outcome = ""
        """What became of the film before, in a sentence."""
        self._stop = threading.Event()

    def ask(self) -> None:
        """Ask which stretch and how; recordings only, since what a camera saw is gone."""
        context, pipeline = self._context, self._context.pipeline()
        path = getattr(getattr(pipeline.source, "recording", None), "path", None) if pipeline else None
        if path is None or not self._transport.active:
            context.complain("Only recordings can be exported: record what the camera sees, then open it")
            return
        for dialog in context.parent.findChildren(ExportDialog):
            dialog.raise_()
            return
        dialog = ExportDialog(self, Path(path).stem, self._transport.part_s, context.parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def ask_path(self, suggestion: str, asking: QWidget) -> Path | None:
        """Ask where to write; the ending says what it becomes. ``asking`` has the keyboard again then."""
        kinds = "MPEG-4 film (*.mp4);;Animated GIF (*.gif)"
        path, kind = QFileDialog.getSaveFileName(asking, "Export film", str(self.folder / suggestion), kinds)
        if not path:
            return None
        chosen = Path(path)
        if chosen.suffix.lower() not in (".mp4", ".gif"):
            chosen = chosen.with_name(chosen.name + (".gif" if "gif" in kind else ".mp4"))
        self.folder = chosen.parent
        return chosen

    def begin(self, settings: FilmSettings) -> None:
        """Make a film; one at a time."""
        context, pipeline = self._context, self._context.pipeline()
        if pipeline is None or self.share is not None:
            return
        labels = pipeline.prompts.labels
        decided = pipeline.settings.decision
        settings = replace(
            settings,
            colors=context.event_colors(),
            label_colors={label: context.words.color(label).name() for label in labels},
            smoothing_s=decided.smoothing_s,
            threshold=decided.threshold,
        )
        self._stop.clear()
        self.share, self.outcome = 0.0, ""
        self.jobs.do(
            lambda: _make(settings, pipeline, self._tell, self._stop.is_set),
            lambda pictures: self._done(settings.path, pictures),
            self._failed,
        )

    def cancel(self) -> None:
        """Stop the film being made, and leave nothing of it."""
        self._stop.set()

    def look(self) -> None:
        """Take up what the thread has come to; often."""
        self.jobs.collect()

    def close(self) -> None:
        """Stop, as the window closes."""
        self._stop.set()

    def _tell(self, share: float) -> None:
        self.share = share

    def _done(self, path: Path, pictures: int) -> None:
        self.share = None
        self.outcome = f"Exported {path.name}." if pictures else "The export was stopped."
        self._context.say(f"Exported {path}: {pictures:,} pictures" if pictures else "The export was stopped")

    def _failed(self, message: str) -> None:
        self.share, self.outcome = None, message
        self._context.say(message, "error")


def _make(settings: FilmSettings, pipeline: Any, tell: Any, should_stop: Any) -> int:
    from neuroclip_drivers.opening import SourceSpec, open_source
    from neuroclip_gui.panels.export.film_making import make_film
    from neuroclip_live.recognition.recognizer import Recognizer

    recording = pipeline.source.recording
    before = max(0.0, settings.first_s - 1.0)  # so that the first pictures have their T timesteps
    spec = SourceSpec(
        "replay", str(recording.path), speed=None, start_s=before, end_s=settings.last_s, stream=None
    )
    source = open_source(spec)
    recognizer = None
    if settings.labels and pipeline.backbone is not None:
        how = pipeline.settings.recognizer
        how = replace(how, objects=replace(how.objects, enabled=False))  # a film shows none
        recognizer = Recognizer(pipeline.backbone, pipeline.table, how)
    return make_film(
        settings, source, recognizer, pipeline.settings.slice_by, pipeline.treatment, tell, should_stop
    )
