"""Recording what comes in while it is watched. Files are begun and ended away from the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog

from neuroclip_drivers.awaited import AwaitedSource
from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panel_spec import Context
from neuroclip_gui.panels.recording.record_bar import RecordBar, said

if TYPE_CHECKING:
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol
    from neuroclip_live.recording.report import RecordingReport


class Recording:
    """Commands of recording, and what the window says about it.

    Parameters
    ----------
    context : Context
    bar : RecordBar
        Shows how a recording stands.
    draw : callable
        Gives an action of the window an icon, both by name.
    """

    def __init__(self, context: Context, bar: RecordBar, draw: Callable[[str, str], None]) -> None:
        self._context, self._bar, self._draw = context, bar, draw
        self.jobs = Jobs()  # its own: a file that is slow to open must not keep a recording from beginning
        where = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        self.folder = Path(where or Path.home())
        self._busy = self._on = False
        bar.stop.clicked.connect(self.stop)

    @property
    def on(self) -> bool:
        """Whether a recording is being made, as last looked at."""
        return self._on

    # ---- commands

    def toggle(self) -> None:
        """Begin a recording among the user's films, or end the one being made."""
        self.stop() if self._on else self.start(self.folder / f"{_stem(self._context.pipeline())}.aedat4")

    def ask(self) -> None:
        """Choose where to record to, and begin."""
        suggestion = str(self.folder / f"{_stem(self._context.pipeline())}.aedat4")
        path, _ = QFileDialog.getSaveFileName(
            self._context.parent,
            "Record to",
            suggestion,
            "Event recordings (*.aedat4)",
            options=QFileDialog.Option.DontConfirmOverwrite,  # nothing is ever overwritten
        )
        if path:
            path = path if path.endswith(".aedat4") else path + ".aedat4"
            self.folder = Path(path).parent
            self.start(Path(path))

    def start(self, path: Path) -> None:
        """Record into a file from now on."""
        pipeline = self._context.pipeline()
        if pipeline is None or self._busy:
            if pipeline is None:
                self._context.complain("Still starting: record in a moment")
            return
        if isinstance(pipeline.source, AwaitedSource):
            self._context.complain(f"There is nothing to record yet: waiting for {pipeline.source.name}")
            return

        def work() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            pipeline.start_recording(path)

        self._busy = True
        self.jobs.do(work, lambda _: self._done(), self._failed)

    def stop(self) -> None:
        """End the recording."""
        pipeline = self._context.pipeline()
        if pipeline is None or self._busy or not self._on:
            return
        self._busy = True
        self.jobs.do(pipeline.stop_recording, self._stopped, self._failed)

    # ---- each look

    def look(self) -> None:
        """Show how the recording stands; ten times a second."""
        pipeline, action = self._context.pipeline(), self._context.action("record")
        self.jobs.collect()
        status = pipeline.recording() if pipeline is not None else None
        self._bar.show_status(status)
        on = status is not None
        if status is not None and status.ended:  # a full disk, say: the report tells
            self.stop()
        by_itself = self._on and not on and not self._busy
        if not self._busy:  # a press checks it, whatever comes of it
            action.setChecked(on)
        if on != self._on:
            self._on = on
            action.setChecked(on)
            action.setText("Stop &recording" if on else "&Record")
            self._draw("record", "stop" if on else "record")
        if by_itself and pipeline is not None:  # another source was opened: the report is kept
            self._busy = True
            self.jobs.do(pipeline.stop_recording, self._stopped, self._failed)

    def _stopped(self, report: RecordingReport) -> None:
        self._done()
        good = report.whole and not report.dropped_events
        self._context.say(said(report), "info" if good else "warn")

    def _failed(self, message: str) -> None:
        self._done()
        self._context.say(message, "error")

    def _done(self) -> None:
        self.look()
        self._busy = False


def _stem(pipeline: PipelineProtocol | None) -> str:
    """Return a name made of the time and what is seen."""
    name = pipeline.source.name if pipeline is not None else ""
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in Path(name).stem)[:40].strip("-.")
    return f"{datetime.now():%Y-%m-%d_%H-%M-%S}" + (f"_{kept}" if kept else "")
