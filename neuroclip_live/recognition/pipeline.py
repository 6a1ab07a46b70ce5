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

import threading
from dataclasses import replace
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING

from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.learning.teaching import Teacher
from neuroclip_live.prompting.prompts import PromptSet, PromptTable
from neuroclip_live.recognition.decision import DecisionSettings
from neuroclip_live.recognition.history import Rescored, rescore
from neuroclip_live.recognition.inference_loop import Inference, LoadAdapter
from neuroclip_live.recognition.model_change import Load, ModelChange, Progress
from neuroclip_live.recognition.paused_place import PausedPlace
from neuroclip_live.recognition.pipeline_state import PipelineSettings, PipelineState, Rate, Status, told_by
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.prediction_log import Outcome
from neuroclip_live.recognition.recognizer import FeatureAdapter
from neuroclip_live.recognition.recording_commands import RecordingCommands
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Capture
from neuroclip_live.stream.filters import Treatment
from neuroclip_live.stream.latency import LatencyStats
from neuroclip_live.stream.region import fitting
from neuroclip_live.stream.slicing import SliceBy

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource, GrayFrame
    from neuroclip_live.model.backbone import Backbone, Familiarity

STALLED_S = 5.0
"""One slice that takes longer is told: the model hangs, or the machine does."""

__all__ = ["Load", "LoadAdapter", "Pipeline", "PipelineSettings", "PipelineState", "Progress", "Status"]


class Pipeline(RecordingCommands, Inference):
    """Capture and inference around one source at a time.

    Parameters
    ----------
    source : EventSource
    load : callable
        Called in the inference thread with a progress call-back; returns the backbone. Slow: nothing
        waits for it.
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
        self.settings = settings or PipelineSettings()
        self.latency = LatencyStats()
        self._load = load
        self._load_adapter = load_adapter
        self._prompts = prompts
        self._capture = Capture(source)
        self._outcome = Outcome()
        self._reported = ""
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._region: tuple[Box | None, Resolution] = (None, source.resolution)
        self._event_rate, self._prediction_rate = Rate(), Rate()
        self._place = PausedPlace()
        self._change = ModelChange(lambda: self._capture.news.set())
        self._thread = threading.Thread(target=self._infer, name="inference", daemon=True)

    # ---- commands: any thread

    def start(self) -> None:
        """Start inference, and capture too unless a recording is to wait for the model."""
        self._thread.start()
        if self._capture.source.live or not self.settings.wait_for_model:
            self._capture.start()

    def stop(self, timeout_s: float = 3.0) -> bool:
        """Stop both threads and close the source; return whether they ended in time. Idempotent."""
        self._stop.set()
        self._change.cancel()
        capture = self._capture
        capture.news.set()
        until = monotonic() + timeout_s
        ended = capture.stop(timeout_s / 2)
        ended &= self._end_recording(max(0.1, until - monotonic()))
        if self._thread.is_alive():
            self._thread.join(max(0.0, until - monotonic()))
        if self._teacher is not None:
            ended &= self._teacher.close(max(0.0, until - monotonic()))
        if self._state is not PipelineState.FAILED:
            self._state = PipelineState.STOPPED
        return ended and not self._thread.is_alive()

    def open(self, source: EventSource) -> None:
        """Change to another source; counters begin anew, model and prompts stay."""
        with self._lock:
            before, self._capture = self._capture, self._capture.successor(source)
            self._outcome = Outcome()
            self._begin_capture()
            if self._state is PipelineState.ENDED:
                self._set(PipelineState.RUNNING)
        before.news.set()
        before.stop()
        self._end_recording(of=before)

    def set_prompts(self, prompts: PromptSet) -> None:
        """Score against other prompts; they take effect with the next slice, video and features go on."""
        self._prompts = prompts
        self._capture.news.set()

    def set_region(self, region: Box | None) -> None:
        """Recognise only what happens in a part of the picture, None: all of it; recordings keep everything.

        Where a picture of another size comes in, the region waits until the former is back.

        Raises
        ------
        UserError
            When too little of it lies on the picture.
        """
        resolution = self.resolution
        fits = fitting(region, resolution) if region is not None else None
        self._region = (fits, resolution)
        self._capture.news.set()

    def set_adapter(self, adapter: FeatureAdapter | None) -> None:
        """Put an adapter between features and scores between two predictions; None: the one begun with."""
        self._adapt(adapter)

    def change_model(self, load: Load) -> None:
        """Load another model while this one goes on; it takes over between two predictions.

        An adapter stays only where it was made for the new model and T. After a model that could not be
        loaded, recognition begins with the new one.
        """
        if self._state is PipelineState.FAILED:
            self._thread.join()  # having said so it ends: a model given to it now would never be taken up
            self._load, self._load_adapter = load, None
            self._set(PipelineState.LOADING, "loading the model")
            self._thread = threading.Thread(target=self._infer, name="inference", daemon=True)
            self._thread.start()
        else:
            self._change.begin(load)

    def cancel_model(self) -> None:
        """Keep the model at work; one that is being loaded is thrown away when it comes."""
        self._change.cancel()

    def treat(self, treatment: Treatment) -> None:
        """Filter noise, flip or turn from the next packet on; recordings keep everything as it came."""
        self._capture.treatment = treatment
        self._place.stale = True

    def change_slicing(self, slice_by: SliceBy) -> None:
        """Cut the stream otherwise from the next event on; the timesteps kept so far are forgotten."""
        self.settings = replace(self.settings, slice_by=slice_by)
        self._capture.news.set()

    def change_decision(self, decision: DecisionSettings) -> None:
        """Make calmer or quicker answers from the next prediction on; scores stay as they are."""
        self.settings = replace(self.settings, decision=decision)
        self._capture.news.set()

    def change_timesteps(self, timesteps: int) -> None:
        """Average over another number of timesteps from the next slice on.

        Raises
        ------
        UserError
            For a number out of range.
        """
        recognizer = replace(self.settings.recognizer, timesteps=timesteps)
        self.settings = replace(self.settings, recognizer=recognizer)
        self._capture.news.set()

    def change_motion(self, motion: float | None) -> None:
        """Have motion judged otherwise: by a rate per pixel and second, or (None) by where events gather.

        Raises
        ------
        UserError
            For a number out of range.
        """
        recognizer = replace(self.settings.recognizer, motion=motion)
        self.settings = replace(self.settings, recognizer=recognizer)
        self._capture.news.set()

    def teach(self, label: str, last_s: float = 2.0) -> int:
        """Learn that the last seconds showed ``label``; return how many windows that were.

        The label becomes a prompt where it is none yet. Predictions go on while it is learnt; undo, forget,
        counter-examples, save and load are commands of :attr:`teacher`.

        Raises
        ------
        UserError
            When nothing moved in that time, or the model is not loaded yet.
        """
        if self._teacher is None:
            raise UserError("the model is still loading: teach when there are predictions")
        if label not in self._prompts.labels:
            self.set_prompts(self._prompts.add(label))
        return self._teacher.teach(label, last_s)

    # ---- snapshots: any thread

    @property
    def source(self) -> EventSource:
        """The source being read."""
        return self._capture.source

    @property
    def treatment(self) -> Treatment:
        """What is done to events before anybody looks."""
        return self._capture.treatment

    @property
    def resolution(self) -> Resolution:
        """Size of the picture: the sensor's, or turned."""
        return self._capture.resolution

    @property
    def region(self) -> Box | None:
        """The part of the picture that is recognised; None for all of it."""
        region, resolution = self._region
        return region if resolution == self.resolution else None

    @property
    def prompts(self) -> PromptSet:
        """The prompts last set."""
        return self._prompts

    @property
    def backbone(self) -> Backbone | None:
        """The model, once it is loaded."""
        return self._backbone

    @property
    def teacher(self) -> Teacher | None:
        """What learns labels while the stream runs; None until the model is loaded."""
        return self._teacher

    def prediction(self) -> Prediction | None:
        """Return the newest prediction."""
        return self._outcome.latest

    @property
    def seeking(self) -> bool:
        """Whether what leads up to the place where a recording is paused is still being read."""
        jump = getattr(self.source, "jump", None)
        return jump is not None and not jump.given

    @property
    def place_pending(self) -> bool:
        """Whether a recording was taken to a place while paused that is not recognised yet."""
        return self._place.pending(self._capture)

    def predictions(self, after: int = 0) -> list[Prediction]:
        """Return the predictions numbered above ``after``, oldest first, without frames.

        At most the newest :data:`KEPT_PREDICTIONS` are kept.
        """
        return self._outcome.after(after)

    @property
    def table(self) -> PromptTable | None:
        """The prompts being scored, encoded; another object whenever they changed."""
        return self._table

    def rescore(self) -> Rescored | None:
        """Score the last minutes against the prompts of now; None where there is nothing to score.

        Milliseconds for a few prompts, more for hundreds: do it away from a thread that paints.
        """
        table, backbone, past = self._table, self._backbone, self._outcome.history.past()
        if (
            table is None
            or backbone is None
            or not len(past.numbers)
            or past.vectors.shape[1] != table.features.shape[1]
        ):
            return None  # nothing yet, or the model is being changed
        reference = self.settings.recognizer.reference_logits
        return rescore(past, table, backbone.info.logit_scale, reference_logits=reference)

    def recent_events(self, duration_us: int) -> Packet:
        """Return a copy of the newest events, for display: up to the place where a recording is paused."""
        capture = self._capture
        moment = capture.moments[-1] if capture.moments else None
        there = moment is not None and moment.ring is capture.ring and moment.end == capture.ring.newest()
        now_us = moment.t_us if moment is not None and there else None
        return capture.ring.latest(duration_us=duration_us, now_us=now_us)

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame of a sensor that has them, turned as the events are."""
        frame, how = self.source.latest_frame(), self._capture.treatment
        return frame if frame is None or not how.turns else replace(frame, image=how.image(frame.image))

    def report(self, text: str) -> None:
        """Have the status say what went wrong beside recognition: an output that cannot be written."""
        self._reported = text

    def familiarity(self, label: str) -> Familiarity | None:
        """Tell how near a label is to words the model has seen pictures of; None when it cannot say."""
        return self._backbone.familiarity(label) if self._backbone is not None else None

    def mark_shown(self, prediction: Prediction) -> None:
        """Note that a prediction was painted just now: the ``shown`` stage of the latency."""
        if prediction.arrival_ns is not None:
            self.latency.add({"shown": (monotonic_ns() - prediction.arrival_ns) / 1e6})

    def status(self) -> Status:
        """Return a snapshot of everything that is counted."""
        capture, counts = self._capture, self._outcome
        predictions, skipped = counts.predictions, counts.skipped  # once each, so that windows are their sum
        ring, source = capture.ring.status(), capture.source.status()
        totals = capture.totals()
        info = self._backbone.info if self._backbone is not None else None
        busy_since = self._busy_since
        stalled = busy_since is not None and monotonic() - busy_since > STALLED_S
        recognition = self._message, self._failing
        message, lost = told_by(
            recognition, self._change.message, stalled, capture.failure, self._reported, source
        )
        return Status(
            state=self._state,
            message=message,
            lost=lost,
            progress=self._change.progress if self._change.loading else self._progress,
            changing=self._change.loading,
            stalled=stalled,
            model=info.name if info else "",
            device=info.device if info else "",
            runtime=info.runtime if info else "",
            source_name=capture.source.name,
            source=source,
            resolution=capture.resolution,
            removed_share=capture.treater.removed_share,
            event_rate_hz=self._event_rate.update(totals.entered),
            total_events=totals.entered,
            dropped_events=self._dropped,
            outside_events=totals.outside,
            stray_events=totals.strays,
            windows=predictions + skipped,
            predictions=predictions,
            skipped_windows=skipped,
            prediction_rate_hz=self._prediction_rate.update(predictions),
            ring_fill=ring.fill,
            latency=self.latency.percentiles(),
        )
