"""Recordings of what comes in, one at a time: begin, end, note."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neuroclip_drivers.side_streams import side_streams_of
from neuroclip_drivers.source import EventSource
from neuroclip_live.errors import UserError
from neuroclip_live.recognition.pipeline_state import Status
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recording_labels import RecordingLabels
from neuroclip_live.recognition.run_facts import Header, Summary
from neuroclip_live.recording.recorder import Recorder
from neuroclip_live.recording.report import RecordingReport, RecordingStatus
from neuroclip_live.stream.capture import Capture


class RecordingControl:
    """Records a stream, and beside it what is recognized in it.

    Parameters
    ----------
    capture : callable
        Returns the stream at hand.
    header, status : callable
        Return what is said of a run before its predictions, and what is counted; for the file of labels.
    report : callable
        Told what cannot be recorded where nobody is there to be told otherwise.
    """

    def __init__(
        self,
        capture: Callable[[], Capture],
        header: Callable[[], Header],
        status: Callable[[], Status],
        report: Callable[[str], None],
    ) -> None:
        self._capture, self._header_now, self._status, self._report = capture, header, status, report
        self._next: str | os.PathLike[str] | None = None
        self._recorder: Recorder | None = None
        self._labels: RecordingLabels | None = None
        self._header: Header | None = None
        self._before: Status | None = None
        self._left: Status | None = None
        self._last_report: RecordingReport | None = None

    def start(self, path: str | os.PathLike[str], *, sidecar: bool = True, replace: bool = False) -> None:
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
        capture = self._capture()
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
        self._labels, self._header, self._before = RecordingLabels(recorder), None, self._status()
        self._left = None
        self._open_labels()
        self._recorder, capture.recorder = recorder, recorder

    def record_next(self, path: str | os.PathLike[str]) -> None:
        """Record the source that is opened next, from its first packet on.

        Where the file cannot be made then, it is reported.
        """
        self._next = path

    def begin_next(self) -> None:
        """Begin the recording that was asked for ahead, if one was, before the source at hand is read."""
        path, self._next = self._next, None
        if path is not None:
            self.end()
            try:
                self.start(path)
            except UserError as error:
                self._report(str(error))

    def stop(self) -> RecordingReport:
        """End the recording, compare it with what came in, and report; may take seconds on a slow disk.

        A recording that ended because another source was opened is reported too.

        Raises
        ------
        UserError
            When nothing was recorded.
        """
        self._capture().recorder = None
        self.end()
        report, self._last_report = self._last_report, None
        if report is None:
            raise UserError("nothing is being recorded")
        return report

    def status(self) -> RecordingStatus | None:
        """Return how the recording stands; None when there is none."""
        recorder = self._recorder
        return recorder.status() if recorder is not None else None

    def note(self, record: dict[str, Any]) -> None:
        """Write an object into the recording's file of labels; ignored when none is made."""
        recorder = self._recorder
        if recorder is not None:
            recorder.note(record)

    def leave(self) -> None:
        """Count no further: another source is taken up, whose predictions are not of this recording."""
        self._left = self._status()

    def note_prediction(self, prediction: Prediction) -> None:
        """Write a prediction into the file of labels; ignored when none is made."""
        if self._recorder is not None and self._labels is not None and self._left is None:
            self._open_labels()
            self._labels.write(prediction)

    def _open_labels(self) -> None:
        """Write a header into the file of labels where what it says has changed."""
        header = self._header_now()
        if header != self._header and self._labels is not None:
            self._header = header
            self._labels.open(header)

    def _counted(self, recording: RecordingStatus) -> Summary:
        """Return what was counted since the recording began."""
        before, now = self._before, self._left or self._status()
        assert before is not None, "counted only while a recording runs"
        return Summary(
            events=recording.events,
            windows=now.windows - before.windows,
            predictions=now.predictions - before.predictions,
            skipped_windows=now.skipped_windows - before.skipped_windows,
            dropped_events=recording.dropped_events,
            outside_events=now.outside_events - before.outside_events,
            stray_events=now.stray_events - before.stray_events,
            missed=None if now.missed is None else now.missed.less(before.missed),
            total=now.latency.get("total"),
            wall_s=recording.seconds,
        )

    def end(self, timeout_s: float = 30.0, of: Capture | None = None) -> bool:
        """End a recording, with its counts in the file of labels; the report is kept for :meth:`stop`.

        With ``of``, only if it is the recording of that source. Returns whether the recorder's thread is done
        with it.
        """
        if of is not None and of.recorder is not self._recorder:
            return True
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            if self._labels is not None:
                self._labels.close(self._counted(recorder.status()))
            self._last_report = recorder.close(timeout_s)
            return recorder.done
        return True


def open_recorder(path: str, source: EventSource) -> Recorder:
    """Return a recorder for a run without a pipeline; raises UserError as :class:`Recorder` does."""
    return Recorder(path, source.resolution, source.name, side=side_streams_of(source))
