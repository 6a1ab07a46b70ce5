"""The pipeline's commands that record, and let others listen to what comes in."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclip_drivers.side_streams import side_streams_of
from neuroclip_live.errors import UserError
from neuroclip_live.recognition.pipeline_state import PipelineSettings, Status
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recording_labels import RecordingLabels
from neuroclip_live.recognition.run_facts import Header, Summary, settings_now
from neuroclip_live.recording.recorder import Recorder
from neuroclip_live.recording.report import RecordingReport, RecordingStatus

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.events import Resolution
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.prompting.prompts import PromptSet
    from neuroclip_live.stream.capture import Capture, Tap
    from neuroclip_live.stream.ring import EventRing


class RecordingCommands:
    """What :class:`neuroclip_live.recognition.pipeline.Pipeline` does about recordings; one at a time."""

    settings: PipelineSettings
    _capture: Capture
    _lock: threading.Lock
    _backbone: Backbone | None = None
    _recorder: Recorder | None = None
    _labels: RecordingLabels | None = None
    _header: Header | None = None
    _before: Status
    _last_report: RecordingReport | None = None
    _record_next: str | os.PathLike[str] | None = None

    @property
    def prompts(self) -> PromptSet:
        """The prompts last set."""
        raise NotImplementedError

    def status(self) -> Status:
        """Return a snapshot of everything that is counted."""
        raise NotImplementedError

    def report(self, text: str) -> None:
        """Have the status say what went wrong beside recognition."""
        raise NotImplementedError

    @property
    def picture(self) -> tuple[EventRing, Resolution]:
        """The ring and the size of the picture in it: for whoever reads events with a cursor of its own.

        Replaced by another pair when another source is opened, or the picture is turned to another size.
        """
        return self._capture.picture

    def start_recording(
        self, path: str | os.PathLike[str], *, sidecar: bool = True, replace: bool = False
    ) -> None:
        """Record all that comes in from now on, events before any filter or region.

        Parameters
        ----------
        path : path-like
            The aedat4 file to make.
        sidecar : bool
            Also write predictions and notes into ``<stem>.labels.jsonl``.
        replace : bool
            Overwrite files that are there; never the recording that is being played.

        Raises
        ------
        UserError
            When the file cannot be made, or a recording is running already.
        """
        if self._recorder is not None:
            raise UserError(f"{self._recorder.path} is being recorded already. End that recording first.")
        capture = self._capture
        played = getattr(getattr(capture.source, "recording", None), "path", None)
        if played is not None and Path(path).exists() and Path(path).samefile(played):
            raise UserError(f"{path} is the recording that is being played. Choose another name.")
        recorder = Recorder(
            path,
            capture.source.resolution,
            capture.source.name,
            sidecar=sidecar,
            replace=replace,
            side=side_streams_of(capture.source),
        )
        self._labels, self._header, self._before = RecordingLabels(recorder), None, self.status()
        self._open_labels()
        self._recorder, capture.recorder = recorder, recorder

    def record_next(self, path: str | os.PathLike[str]) -> None:
        """Record the source that is opened next, from its first packet on.

        Where the file cannot be made then, the status says why.
        """
        self._record_next = path

    def stop_recording(self) -> RecordingReport:
        """End the recording, compare it with what came in, and report; may take seconds on a slow disk.

        A recording that ended because another source was opened is reported too.

        Raises
        ------
        UserError
            When nothing was recorded.
        """
        recorder, self._recorder = self._recorder, None
        self._capture.recorder = None
        if recorder is not None:
            if self._labels is not None:
                self._labels.close(self._counted(recorder.status()))
            self._last_report = recorder.close()
        report, self._last_report = self._last_report, None
        if report is None:
            raise UserError("nothing is being recorded")
        return report

    def recording(self) -> RecordingStatus | None:
        """Return how the recording stands; None when there is none."""
        recorder = self._recorder
        return recorder.status() if recorder is not None else None

    def note(self, record: dict[str, Any]) -> None:
        """Write an object into the recording's file of labels; ignored when none is made."""
        recorder = self._recorder
        if recorder is not None:
            recorder.note(record)

    def tap(self, tap: Tap) -> None:
        """Let somebody listen to all that comes in from now on, as a recording gets it, whatever is opened.

        Parameters
        ----------
        tap : callable
            Called with the source, now and whenever another is opened; returns what gets its packets.
        """
        with self._lock:
            self._capture.tap(tap)

    def untap(self, tap: Tap) -> None:
        """Let somebody listen no more."""
        with self._lock:
            self._capture.untap(tap)

    def _note_prediction(self, prediction: Prediction) -> None:
        if self._recorder is not None and self._labels is not None:
            self._open_labels()
            self._labels.write(prediction)

    def _open_labels(self) -> None:
        """Write a header into the file of labels where what it says has changed."""
        info = self._backbone.info if self._backbone is not None else None
        header = Header.of(self._capture.source, info, self.prompts, settings_now(self))
        if header != self._header and self._labels is not None:
            self._header = header
            self._labels.open(header)

    def _counted(self, recording: RecordingStatus) -> Summary:
        """Return what was counted since the recording began."""
        before, now = self._before, self.status()
        return Summary(
            events=recording.events,
            windows=now.windows - before.windows,
            predictions=now.predictions - before.predictions,
            skipped_windows=now.skipped_windows - before.skipped_windows,
            dropped_events=recording.dropped_events,
            outside_events=now.outside_events - before.outside_events,
            stray_events=now.stray_events - before.stray_events,
            total=now.latency.get("total"),
            wall_s=recording.seconds,
        )

    def _begin_capture(self) -> None:
        """Begin to read the source that is open now, and to record it where that was asked for."""
        path, self._record_next = self._record_next, None
        if path is not None:
            self._end_recording()
            try:
                self.start_recording(path)
            except UserError as error:
                self.report(str(error))
        self._capture.start()

    def _end_recording(self, timeout_s: float = 30.0, of: Capture | None = None) -> bool:
        """End a recording whose source goes away; the report is kept for :meth:`stop_recording`.

        With ``of``, only if it is the recording of that source. Returns whether the recorder's thread is done
        with it.
        """
        if of is not None and of.recorder is not self._recorder:
            return True
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._last_report = recorder.close(timeout_s)
            return recorder.done
        return True


def open_recorder(path: str, source: EventSource) -> Recorder:
    """Return a recorder for a run without a pipeline; raises UserError as :class:`Recorder` does."""
    return Recorder(path, source.resolution, source.name, side=side_streams_of(source))
