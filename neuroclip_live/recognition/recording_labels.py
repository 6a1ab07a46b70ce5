"""The file of labels beside a recording: the same lines as the JSON lines output, and what the user noted."""

from __future__ import annotations

from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary
from neuroclip_live.recording.recorder import Recorder


class RecordingLabels:
    """An output into the file of labels of a recorder, which never waits for the disk.

    Parameters
    ----------
    recorder : Recorder
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def open(self, header: Header) -> None:
        """Write a header; it holds until the next one."""
        self._recorder.note({**header.to_dict(), "recording": self._recorder.path.name})

    def write(self, prediction: Prediction) -> None:
        """Write a prediction."""
        self._recorder.note(prediction.to_dict())

    def close(self, summary: Summary | None) -> None:
        """Write the summary; the recorder closes the file."""
        if summary is not None:
            self._recorder.note(summary.to_dict())
