"""Two threads and what they share.

Capture moves packets into the ring; inference turns the newest slices into predictions. Latest wins after the
ring: inference takes what it has time for and counts what it passed over. Readers (window, table, JSONL) poll
:meth:`Pipeline.status`, :meth:`Pipeline.prediction` and :meth:`Pipeline.predictions`; nothing is pushed at
them.

    LOADING ──► RUNNING ──► ENDED     the recording is over; open() goes back to RUNNING
       │           │
       ▼           ▼
     FAILED      STOPPED
"""

from __future__ import annotations

import os
from dataclasses import replace
from time import monotonic, monotonic_ns
from typing import Any

from neuroclip_drivers.source import EventSource, GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.learning.teaching import Teacher
from neuroclip_live.model.backbone import Backbone, Familiarity
from neuroclip_live.prompting.prompts import PromptSet, PromptTable
from neuroclip_live.recognition.decision import DecisionSettings
from neuroclip_live.recognition.desired_state import DesiredState, LoadAdapter
from neuroclip_live.recognition.history import Rescored
from neuroclip_live.recognition.inference_loop import InferenceLoop
from neuroclip_live.recognition.model_change import Load, Progress
from neuroclip_live.recognition.news import News
from neuroclip_live.recognition.pipeline_state import PipelineSettings, PipelineState, Status
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import FeatureAdapter
from neuroclip_live.recognition.recording_control import RecordingControl
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.recognition.status_snapshots import StatusSnapshots
from neuroclip_live.recording.report import RecordingReport, RecordingStatus
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Capture, Tap
from neuroclip_live.stream.filters import Treatment
from neuroclip_live.stream.latency import LatencyStats
from neuroclip_live.stream.ring import EventRing
from neuroclip_live.stream.road import RoadSettings
from neuroclip_live.stream.slicing import SliceBy

__all__ = ["Load", "LoadAdapter", "Pipeline", "PipelineSettings", "PipelineState", "Progress", "Status"]


class Pipeline:
    """Capture and inference around one source at a time.

    Parameters
    ----------
    source : EventSource
    load : callable
        Called in the inference thread with a progress call-back; returns the backbone. It may be slow.
    prompts : PromptSet
    settings : PipelineSettings, optional
    load_adapter : callable, optional
        Called with the loaded backbone; returns the adapter to begin with.
    """

    def __init__(
        self,
        source: EventSource,
        load: Load,
        prompts: PromptSet,
        settings: PipelineSettings | None = None,
        load_adapter: LoadAdapter | None = None,
    ) -> None:
        capture = Capture(source)
        self.latency = LatencyStats()
        self._desired = DesiredState(capture, prompts, settings or PipelineSettings(), load, load_adapter)
        self._recording = RecordingControl(
            lambda: self._desired.capture, self.header, self.status, self.report
        )
        self.news = News(self._recording.note_prediction)
        self._loop = InferenceLoop(self._desired, self.latency, self.news.tell)
        self._snapshots = StatusSnapshots(self._desired, self._loop, self.latency)

    # ---- commands: any thread

    def start(self) -> None:
        """Start inference, and capture too unless a recording is to wait for the model."""
        self._loop.start()
        if self.source.live or not self.settings.wait_for_model:
            self._desired.capture.start()

    def stop(self, timeout_s: float = 3.0) -> bool:
        """Stop both threads and close the source; return whether they ended in time. Idempotent."""
        until = monotonic() + timeout_s
        self._loop.ask_to_stop()
        ended = self._desired.capture.stop(timeout_s / 2)
        ended &= self._recording.end(max(0.1, until - monotonic()))
        return self._loop.join(until) and ended

    def open(self, source: EventSource) -> None:
        """Change to another source; counters begin anew, model and prompts stay."""
        before = self._loop.follow(source, self._recording.leave, self._recording.begin_next)
        before.stop()
        self._recording.end(of=before)

    def set_prompts(self, prompts: PromptSet) -> None:
        """Score against other prompts; they take effect with the next slice, video and features go on."""
        self._desired.set_prompts(prompts)

    def keep_sentences(self) -> None:
        """Leave the prompts in the sentences they are in, whatever model is loaded: the user chose them."""
        self._desired.keep_sentences()

    def set_region(self, region: Box | None) -> None:
        """Recognize only a part of the picture, None: all of it; recordings keep everything.

        Where a picture of another size comes in, the region waits until the former is back.

        Raises
        ------
        UserError
            When too little of it lies on the picture.
        """
        self._desired.set_region(region)

    def set_adapter(self, adapter: FeatureAdapter | None) -> None:
        """Put an adapter between features and scores between two predictions; None: the one begun with."""
        self._loop.model.adapt(adapter)

    def change_model(self, load: Load) -> None:
        """Load another model while this one goes on; it takes over between two predictions.

        An adapter stays only where it fits the new model and T. After one that failed, this one begins anew.
        """
        self._loop.change_model(load)

    def cancel_model(self) -> None:
        """Keep the model at work; one that is being loaded is thrown away when it comes."""
        self._loop.change.cancel()

    def treat(self, treatment: Treatment) -> None:
        """Filter noise, flip or turn from the next packet on; recordings keep everything as it came."""
        self._desired.treat(treatment)
        self._loop.place.stale = True

    def change_slicing(self, slice_by: SliceBy) -> None:
        """Cut the stream otherwise from the next event on; the timesteps kept so far are forgotten."""
        self._desired.set_slicing(slice_by)

    def change_decision(self, decision: DecisionSettings) -> None:
        """Make calmer or quicker answers from the next prediction on; scores stay as they are."""
        self._desired.set_decision(decision)

    def change_timesteps(self, timesteps: int) -> None:
        """Average over another number of timesteps from the next slice on.

        Raises
        ------
        UserError
            For a number out of range.
        """
        self._desired.set_recognizer(replace(self.settings.recognizer, timesteps=timesteps))

    def change_motion(self, motion: float | None) -> None:
        """Have motion judged otherwise: by a rate per pixel and second, or (None) by where events gather.

        Raises
        ------
        UserError
            For a number out of range.
        """
        self._desired.set_recognizer(replace(self.settings.recognizer, motion=motion))

    def change_objects(self, enabled: bool) -> None:
        """Look for several things beside the whole picture's answer from the next slice on, or no longer."""
        objects = replace(self.settings.recognizer.objects, enabled=enabled)
        self._desired.set_recognizer(replace(self.settings.recognizer, objects=objects))

    def start_recording(
        self, path: str | os.PathLike[str], *, sidecar: bool = True, replace: bool = False
    ) -> None:
        """Record all that comes in from now on, as :meth:`RecordingControl.start` does."""
        self._recording.start(path, sidecar=sidecar, replace=replace)

    def record_next(self, path: str | os.PathLike[str]) -> None:
        """Record the source that is opened next, from its first packet on; see the status for a failure."""
        self._recording.record_next(path)

    def stop_recording(self) -> RecordingReport:
        """End the recording and report, as :meth:`RecordingControl.stop` does."""
        return self._recording.stop()

    def tap(self, tap: Tap) -> None:
        """Let somebody listen to all that comes in from now on, as a recording gets it, whatever is opened.

        Parameters
        ----------
        tap : callable
            Called with the source, now and whenever another is opened; returns what gets its packets.
        """
        self._desired.tap(tap)

    def untap(self, tap: Tap) -> None:
        """Let somebody listen no more."""
        self._desired.untap(tap)

    def note(self, record: dict[str, Any]) -> None:
        """Write an object into the recording's file of labels; ignored when none is made."""
        self._recording.note(record)

    def teach(self, label: str, last_s: float = 2.0) -> int:
        """Learn that the last seconds showed ``label``; return how many windows that were.

        The label becomes a prompt where it is none yet. Predictions go on while it is learned; undo, forget,
        counter-examples, save and load are commands of :attr:`teacher`.

        Raises
        ------
        UserError
            When nothing moved in that time, or the model is not loaded yet.
        """
        teacher = self.teacher
        if teacher is None:
            raise UserError("the model is still loading: teach when there are predictions")
        if label not in self.prompts.labels:
            self.set_prompts(self.prompts.add(label))
        return teacher.teach(label, last_s)

    def report(self, text: str) -> None:
        """Have the status say what went wrong beside recognition: an output that cannot be written."""
        self._snapshots.reported = text

    def mark_shown(self, prediction: Prediction) -> None:
        """Note that a prediction was painted just now: the ``shown`` stage of the latency."""
        if prediction.arrival_ns is not None:
            self.latency.add({"shown": (monotonic_ns() - prediction.arrival_ns) / 1e6})

    # ---- snapshots: any thread

    @property
    def settings(self) -> PipelineSettings:
        """How the stream is cut and recognized."""
        return self._desired.settings

    @property
    def source(self) -> EventSource:
        """The source being read."""
        return self._desired.capture.source

    @property
    def treatment(self) -> Treatment:
        """What is done to events before anybody looks."""
        return self._desired.capture.treatment

    @property
    def resolution(self) -> Resolution:
        """Size of the picture: the sensor's, or turned."""
        return self._desired.capture.resolution

    @property
    def picture(self) -> tuple[EventRing, Resolution]:
        """The ring and the size of the picture in it: for whoever reads events with a cursor of its own.

        Replaced by another pair when another source is opened, or the picture is turned to another size.
        """
        return self._desired.capture.picture

    @property
    def region(self) -> Box | None:
        """The part of the picture that is recognized; None for all of it."""
        return self._desired.region

    @property
    def prompts(self) -> PromptSet:
        """The prompts last set."""
        return self._desired.prompts

    @property
    def backbone(self) -> Backbone | None:
        """The model, once it is loaded."""
        return self._loop.model.backbone

    @property
    def teacher(self) -> Teacher | None:
        """What learns labels while the stream runs; None until the model is loaded."""
        return self._loop.model.teacher

    def prediction(self, *, early: bool = False) -> Prediction | None:
        """Return the newest prediction; ``early`` also while its things (None then) are being looked for."""
        return self._loop.outcome.answer() if early else self._loop.outcome.latest

    @property
    def seeking(self) -> bool:
        """Whether what leads up to the place where a recording is paused is still being read."""
        jump = getattr(self.source, "jump", None)
        return jump is not None and not jump.given

    @property
    def place_pending(self) -> bool:
        """Whether a recording was taken to a place while paused that is not recognized yet."""
        return self._loop.place.pending(self._desired.capture)

    def predictions(self, after: int = 0, *, framed: bool = False) -> list[Prediction]:
        """Return the predictions numbered above ``after``, oldest first, without frames.

        At most the newest :data:`KEPT_PREDICTIONS` are kept. ``framed``: the newest few have their last.
        """
        return self._loop.outcome.after(after, framed=framed)

    @property
    def table(self) -> PromptTable | None:
        """The prompts being scored, encoded; another object whenever they changed."""
        return self._loop.model.table

    def rescore(self) -> Rescored | None:
        """Score the last minutes against the prompts of now; None where there is nothing to score.

        Milliseconds for a few prompts, more for hundreds: do it away from a thread that paints.
        """
        return self._loop.model.rescored(self._loop.outcome.history)

    def recent_events(self, duration_us: int) -> Packet:
        """Return a copy of the newest events, for display: up to the place where a recording is paused."""
        capture = self._desired.capture
        moment = capture.moments[-1] if capture.moments else None
        there = moment is not None and moment.ring is capture.ring and moment.end == capture.ring.newest()
        now_us = moment.t_us if moment is not None and there else None
        return capture.ring.latest(duration_us=duration_us, now_us=now_us)

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame of a sensor that has them, turned as the events are."""
        frame, how = self.source.latest_frame(), self._desired.capture.treatment
        return frame if frame is None or not how.turns else replace(frame, image=how.image(frame.image))

    def familiarity(self, label: str) -> Familiarity | None:
        """Tell how near a label is to words the model has seen pictures of; None when it cannot say."""
        return self._loop.model.backbone.familiarity(label) if self._loop.model.backbone is not None else None

    def header(self) -> Header:
        """Return what has to be known of the run to understand its predictions, or to make them again."""
        info = self.backbone.info if self.backbone is not None else None
        settings = replace(self.settings, road=RoadSettings(self.treatment, self.region))
        return Header(self.source.name, self.source.resolution, info, self.prompts, settings)

    def recording(self) -> RecordingStatus | None:
        """Return how the recording stands; None when there is none."""
        return self._recording.status()

    def status(self) -> Status:
        """Return a snapshot of everything that is counted."""
        return self._snapshots.take()
