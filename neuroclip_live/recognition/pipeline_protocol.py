"""What the window asks of a pipeline, so that its tests can show it one without threads or a model.

:class:`neuroclip_live.recognition.pipeline.Pipeline` is the one there is; what each member does in full, and
what it raises, stands there. mypy holds the tests' fake against this.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from neuroclip_drivers.source import EventSource, GrayFrame
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.learning.teaching_status import TeachingStatus
from neuroclip_live.prompting.prompts import PromptSet
from neuroclip_live.recognition.decision import DecisionSettings
from neuroclip_live.recognition.history import Rescored
from neuroclip_live.recognition.model_change import Load
from neuroclip_live.recognition.pipeline_state import PipelineSettings, Status
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import FeatureAdapter
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.recording.report import RecordingReport, RecordingStatus
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Tap
from neuroclip_live.stream.filters import Treatment
from neuroclip_live.stream.slicing import SliceBy


class TeacherProtocol(Protocol):
    """The commands of :class:`neuroclip_live.learning.teaching.Teacher`, from any thread."""

    def prepare(self) -> None:
        """Load what teaching needs, ahead of the first lesson."""

    def begin(self, label: str, is_it: bool = True) -> None:
        """Collect windows for a label until :meth:`end`."""

    def end(self) -> int:
        """Learn from what was collected; return how many windows that were."""

    def cancel(self) -> None:
        """Forget what was collected."""

    def counter_example(self, label: str | None = None, last_s: float = 2.0) -> int:
        """Learn that the last seconds were not ``label``; return how many windows that were."""

    def undo(self) -> None:
        """Take back the last lesson."""

    def forget(self, label: str) -> None:
        """Unlearn a label."""

    @property
    def book(self) -> Any:
        """All lessons; :meth:`restore` takes it back."""

    def restore(self, book: Any) -> None:
        """Go back to lessons as :attr:`book` gave them."""

    def clear(self) -> None:
        """Unlearn everything."""

    def save(self, path: Path) -> None:
        """Write the lessons into a file."""

    def load(self, path: Path) -> tuple[str, ...]:
        """Take lessons from a file; return their labels."""

    def status(self) -> TeachingStatus:
        """Return a snapshot."""


class PipelineProtocol(Protocol):
    """Commands and snapshots, all from any thread."""

    # ---- commands: any thread

    def start(self) -> None:
        """Start inference, and capture too unless a recording is to wait for the model."""

    def stop(self, timeout_s: float = 3.0) -> bool:
        """Stop both threads and close the source; return whether they ended in time. Idempotent."""

    def open(self, source: EventSource) -> None:
        """Change to another source; counters begin anew, model and prompts stay."""

    def set_prompts(self, prompts: PromptSet) -> None:
        """Score against other prompts; they take effect with the next slice, video and features go on."""

    def keep_sentences(self) -> None:
        """Leave the prompts in the sentences they are in, whatever model is loaded: the user chose them."""

    def set_region(self, region: Box | None) -> None:
        """Recognize only a part of the picture, None: all of it; recordings keep everything."""

    def set_adapter(self, adapter: FeatureAdapter | None) -> None:
        """Put an adapter between features and scores between two predictions; None: the one begun with."""

    def change_model(self, load: Load) -> None:
        """Load another model while this one goes on; it takes over between two predictions."""

    def cancel_model(self) -> None:
        """Keep the model at work; one that is being loaded is thrown away when it comes."""

    def treat(self, treatment: Treatment) -> None:
        """Filter noise, flip or turn from the next packet on; recordings keep everything as it came."""

    def change_slicing(self, slice_by: SliceBy) -> None:
        """Cut the stream otherwise from the next event on; the timesteps kept so far are forgotten."""

    def change_decision(self, decision: DecisionSettings) -> None:
        """Make calmer or quicker answers from the next prediction on; scores stay as they are."""

    def change_timesteps(self, timesteps: int) -> None:
        """Average over another number of timesteps from the next slice on."""

    def change_motion(self, motion: float | None) -> None:
        """Have motion judged otherwise: by a rate per pixel and second, or (None) by where events gather."""

    def change_objects(self, enabled: bool) -> None:
        """Look for several things beside the whole picture's answer from the next slice on, or no longer."""

    def start_recording(
        self, path: str | os.PathLike[str], *, sidecar: bool = True, replace: bool = False
    ) -> None:
        """Record all that comes in from now on, events before any filter or region."""

    def record_next(self, path: str | os.PathLike[str]) -> None:
        """Record the source that is opened next, from its first packet on."""

    def stop_recording(self) -> RecordingReport:
        """End the recording and report, as one line and in numbers."""

    def tap(self, tap: Tap) -> None:
        """Let somebody listen to all that comes in from now on, whatever is opened."""

    def untap(self, tap: Tap) -> None:
        """Let somebody listen no more."""

    def note(self, record: dict[str, Any]) -> None:
        """Write an object into the recording's file of labels; ignored when none is made."""

    def teach(self, label: str, last_s: float = 2.0) -> int:
        """Learn that the last seconds showed ``label``; return how many windows that were."""

    def report(self, text: str) -> None:
        """Have the status say what went wrong beside recognition: an output that cannot be written."""

    def mark_shown(self, prediction: Prediction) -> None:
        """Note that a prediction was painted just now: the ``shown`` stage of the latency."""

    # ---- snapshots: any thread

    @property
    def settings(self) -> PipelineSettings:
        """How the stream is cut and recognized."""

    @property
    def source(self) -> EventSource:
        """The source being read."""

    @property
    def treatment(self) -> Treatment:
        """What is done to events before anybody looks."""

    @property
    def resolution(self) -> Resolution:
        """Size of the picture: the sensor's, or turned."""

    @property
    def region(self) -> Box | None:
        """The part of the picture that is recognized; None for all of it."""

    @property
    def prompts(self) -> PromptSet:
        """The prompts last set."""

    @property
    def backbone(self) -> Any:
        """The model, once it is loaded; its ``info`` tells what it is."""

    @property
    def teacher(self) -> TeacherProtocol | None:
        """What learns labels while the stream runs; None until the model is loaded."""

    def prediction(self, *, early: bool = False) -> Prediction | None:
        """Return the newest prediction; ``early`` also while its things (None then) are being looked for."""

    @property
    def seeking(self) -> bool:
        """Whether what leads up to the place where a recording is paused is still being read."""

    @property
    def place_pending(self) -> bool:
        """Whether a recording was taken to a place while paused that is not recognized yet."""

    def predictions(self, after: int = 0) -> list[Prediction]:
        """Return the predictions numbered above ``after``, oldest first, without frames."""

    @property
    def table(self) -> object:
        """The prompts being scored, encoded; another object whenever they changed."""

    def rescore(self) -> Rescored | None:
        """Score the last minutes against the prompts of now; None where there is nothing to score."""

    def recent_events(self, duration_us: int) -> Packet:
        """Return a copy of the newest events, for display: up to the place where a recording is paused."""

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame of a sensor that has them, turned as the events are."""

    def familiarity(self, label: str) -> Any:
        """Tell how near a label is to words the model has seen pictures of; None when it cannot say."""

    def header(self) -> Header:
        """Return what has to be known of the run to understand its predictions, or to make them again."""

    def recording(self) -> RecordingStatus | None:
        """Return how the recording stands; None when there is none."""

    def status(self) -> Status:
        """Return a snapshot of everything that is counted."""
