"""The pipeline's commands that record: begin, end, note."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclip_live.errors import UserError
from neuroclip_live.recording import jsonl
from neuroclip_live.recording.recorder import Recorder, RecordingReport, RecordingStatus

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.prompting.prompts import PromptSet
    from neuroclip_live.recognition.prediction import Prediction
    from neuroclip_live.stream.capture import Capture


class RecordingCommands:
    """What :class:`neuroclip_live.recognition.pipeline.Pipeline` does about recordings; one at a time."""

    _capture: Capture
    _recorder: Recorder | None = None
    _noted: PromptSet | None = None
    _last_report: RecordingReport | None = None

    @property
    def prompts(self) -> PromptSet:
        """The prompts last set."""
        raise NotImplementedError

    def start_recording(
        self, path: str | os.PathLike[str], *, sidecar: bool = True, replace: bool = False
    ) -> None:
        """Record what comes in from now on: events before any filter or region, and intensity frames.

        Parameters
        ----------
        path : path-like
            The aedat4 file to make.
        sidecar : bool
            Also write predictions, prompts and notes into ``<stem>.labels.jsonl``.
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
            frames=capture.source.latest_frame() is not None,
        )
        recorder.note(
            {
                "type": "header",
                "recording": recorder.path.name,
                "source": capture.source.name,
                "resolution": list(capture.source.resolution),
            }
        )
        self._noted = None
        self._recorder, capture.recorder = recorder, recorder

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

    def _note_prediction(self, prediction: Prediction) -> None:
        recorder = self._recorder
        if recorder is None:
            return
        prompts = self.prompts
        if prompts is not self._noted:
            self._noted = prompts
            recorder.note({"type": "prompts", "t_us": prediction.t_us, **jsonl.prompt_fields(prompts)})
        recorder.note(prediction.to_dict())

    def _end_recording(self, timeout_s: float = 30.0) -> bool:
        """End a recording whose source goes away; the report is kept for :meth:`stop_recording`.

        Returns whether the recorder's thread is done with it.
        """
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._last_report = recorder.close(timeout_s)
            return recorder.done
        return True


def open_recorder(path: str, source: EventSource) -> Recorder:
    """Return a recorder for a run without a pipeline; raises UserError as :class:`Recorder` does."""
    return Recorder(path, source.resolution, source.name, frames=source.latest_frame() is not None)
