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

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING

from neuroclip_live.capture import Capture
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.frames import Box
from neuroclip_live.history import Rescored, rescore
from neuroclip_live.latency import LatencyStats
from neuroclip_live.model_change import Load, ModelChange, Progress
from neuroclip_live.outcome import Outcome
from neuroclip_live.pipeline_state import PipelineSettings, PipelineState, Rate, Status
from neuroclip_live.prompts import PromptEncoder, PromptSet, PromptTable
from neuroclip_live.reading import Reader
from neuroclip_live.recognizer import FeatureAdapter, Prediction, Recognizer
from neuroclip_live.recording_commands import RecordingCommands
from neuroclip_live.region import fitting
from neuroclip_live.slicing import Slice, SliceBy
from neuroclip_live.teaching import Teacher
from neuroclip_live.treatment import Treatment
from neuroclip_live.treatment import warm_up as warm_up_treatment

if TYPE_CHECKING:
    from drivers.source import EventSource, GrayFrame
    from neuroclip_live.backbone import Backbone, Familiarity

log = logging.getLogger(__name__)

RETRY_S = 0.2

__all__ = ["Load", "Pipeline", "PipelineSettings", "PipelineState", "Progress", "Status"]

LoadAdapter = Callable[["Backbone"], FeatureAdapter]


class Pipeline(RecordingCommands):
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
        self._dropped = 0
        self._backbone: Backbone | None = None
        self._adapter: FeatureAdapter | None = None
        self._adapter_untaught: FeatureAdapter | None = None
        self._teacher: Teacher | None = None
        self._state = PipelineState.LOADING
        self._message = ""
        self._progress: float | None = None
        self._failing = False
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._table: PromptTable | None = None
        self._region: tuple[Box | None, Resolution] = (None, source.resolution)
        self._event_rate, self._prediction_rate = Rate(), Rate()
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
            before, self._capture = self._capture, Capture(source, treatment=self._capture.treatment)
            self._outcome = Outcome()
            self._capture.start()
            if self._state is PipelineState.ENDED:
                self._set(PipelineState.RUNNING)
        before.news.set()
        before.stop()
        self._end_recording()

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
        self._adapter = adapter if adapter is not None else self._adapter_untaught

    def change_model(self, load: Load) -> None:
        """Load another model while this one goes on; it takes over between two predictions.

        An adapter stays only where it was made for the new model and T. After a model that could not be
        loaded, recognition begins with the new one.
        """
        if self._state is PipelineState.FAILED and not self._thread.is_alive():
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

    def change_slicing(self, slice_by: SliceBy) -> None:
        """Cut the stream otherwise from the next event on; the timesteps kept so far are forgotten."""
        self.settings = replace(self.settings, slice_by=slice_by)
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
        """Return a copy of the newest events, for display."""
        return self._capture.ring.latest(duration_us=duration_us)

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame of a sensor that has them, turned as the events are."""
        frame, how = self.source.latest_frame(), self._capture.treatment
        return frame if frame is None or not how.turns else replace(frame, image=how.image(frame.image))

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
        ring = capture.ring.status()
        info = self._backbone.info if self._backbone is not None else None
        return Status(
            state=self._state,
            message=self._message
            or self._change.message
            or capture.failure
            or capture.source.status().message,
            progress=self._change.progress if self._change.loading else self._progress,
            changing=self._change.loading,
            model=info.name if info else "",
            device=info.device if info else "",
            runtime=info.runtime if info else "",
            source_name=capture.source.name,
            source=capture.source.status(),
            resolution=capture.resolution,
            removed_share=capture.treater.removed_share,
            event_rate_hz=self._event_rate.update(ring.written),
            total_events=ring.written,
            dropped_events=self._dropped,
            outside_events=ring.outside,
            windows=counts.predictions + counts.skipped,
            predictions=counts.predictions,
            skipped_windows=counts.skipped,
            prediction_rate_hz=self._prediction_rate.update(counts.predictions),
            ring_fill=ring.fill,
            latency=self.latency.percentiles(),
        )

    # ---- the inference thread

    def _set(self, state: PipelineState, message: str = "", progress: float | None = None) -> None:
        self._state, self._message, self._progress = state, message, progress

    def _infer(self) -> None:
        try:
            self._run()
        except UserError as error:
            self._set(PipelineState.FAILED, str(error))
        except Exception as error:
            log.exception("inference failed")
            self._set(PipelineState.FAILED, f"recognition stopped: {error}")

    def _run(self) -> None:
        backbone = self._load(lambda text, share: self._set(PipelineState.LOADING, text, share))
        settings = self.settings
        recognizer = Recognizer(backbone, None, settings.recognizer)
        encoder, table_of = self._take_up(recognizer)
        if settings.lessons is not None and self._teacher is not None:
            for label in self._teacher.load(settings.lessons):
                if label not in self._prompts.labels:
                    self._prompts = self._prompts.add(label)
        self._set(PipelineState.RUNNING)
        if settings.wait_for_model and not self._stop.is_set():
            self._capture.start()
        capture, reader = None, None
        while not self._stop.is_set():
            loaded = self._change.take()
            if loaded is not None or self.settings.recognizer != recognizer.settings:
                recognizer = recognizer.successor(loaded or recognizer.backbone, self.settings.recognizer)
                encoder, table_of = self._take_up(recognizer)
            if self._capture is not capture:
                capture, settings = self._capture, self.settings
                reader = Reader(capture, settings.slice_by, from_start=settings.wait_for_model)
                recognizer.begin(reader.resolution)
            assert reader is not None
            if capture.ring is not reader.ring:  # the picture was turned
                reader = Reader(capture, settings.slice_by, from_start=True)
                recognizer.begin(reader.resolution)
            if self.settings.slice_by != settings.slice_by:
                settings = self.settings
                reader.recut(settings.slice_by)
                recognizer.begin(reader.size)
            if self.region != reader.region:
                reader.restrict(self.region)
                recognizer.begin(reader.size)
            table_of = self._encode(encoder, recognizer, table_of)
            recognizer.adapter = self._adapter
            self._decide(recognizer, reader)

    def _take_up(self, recognizer: Recognizer) -> tuple[PromptEncoder, PromptSet]:
        """Put a recognizer to work: its sentences, adapter and teacher; return what encodes for it."""
        backbone, timesteps = recognizer.backbone, recognizer.settings.timesteps
        before, info, teacher, said = self._backbone, backbone.info, self._teacher, ""
        if before is None:
            self._prompts = self.settings.with_model_templates(self._prompts, backbone)
        elif self._prompts.templates == before.info.templates:
            self._prompts = self._prompts.with_templates(info.templates)
        if teacher is None or (teacher.model, teacher.timesteps) != (info.name, timesteps):
            if teacher is not None:
                teacher.close()
            said = self._bring_adapter(backbone, timesteps, bool(teacher and teacher.status().labels))
            self._teacher = Teacher(info.name, info.embed_dim, timesteps, info.logit_scale, self.set_adapter)
        if before is not backbone:
            self._outcome.history.clear()
        encoder = PromptEncoder(backbone)
        table_of = self._encode(encoder, recognizer, None)
        recognizer.warm_up()
        warm_up_treatment()
        self._backbone = backbone
        self._message = said
        return encoder, table_of

    def _bring_adapter(self, backbone: Backbone, timesteps: int, taught: bool) -> str:
        """Load the adapter asked for where it fits this model and T; return a line on what does not."""
        first, adapter, lost = self._backbone is None, None, ["what was taught"] if taught else []
        if self._load_adapter is not None:
            try:
                adapter = self._load_adapter(backbone)
                info = getattr(adapter, "info", None)
                if info is not None and info.timesteps != timesteps:
                    adapter = None
            except UserError:
                if first:
                    raise
            if adapter is None:
                lost.append("the adapter")
        self._adapter = self._adapter_untaught = adapter
        return f"Put aside, as made for another model or T: {' and '.join(lost)}" if lost else ""

    def _encode(self, encoder: PromptEncoder, recognizer: Recognizer, before: PromptSet | None) -> PromptSet:
        """Encode the prompts when they changed; what cannot be encoded is said and the old ones stay."""
        prompts = self._prompts
        if prompts is before:
            return prompts
        try:
            table = encoder.encode(prompts) if prompts.enabled else None
        except UserError as error:
            if before is None:
                raise
            self._prompts = before
            self._message = str(error)
            return before
        recognizer.set_prompts(table)
        self._table = table
        if self._teacher is not None and table is not None:
            self._teacher.set_labels(table.labels, table.features)
        self._message = ""
        return prompts

    def _decide(self, recognizer: Recognizer, reader: Reader) -> None:
        """Read what is new and turn it into predictions; wait a little when nothing is."""
        pieces, passed_over = reader.take()
        self._dropped = reader.dropped
        self._outcome.skipped += passed_over
        for index, piece in enumerate(pieces):
            if self._stop.is_set() or self._capture is not reader.capture:
                return
            taken = monotonic_ns()
            try:
                prediction = recognizer.update(piece, passed_over)
            except Exception as error:
                # The next slice may fare better: say so and go on, the video never stopped.
                log.exception("a slice could not be recognised")
                self._set(PipelineState.RUNNING, f"recognition failed, trying again: {error}")
                self._failing = True
                self._outcome.skipped += len(pieces) - index
                self._stop.wait(RETRY_S)
                return
            if self._failing:
                self._failing = False
                self._message = ""
            passed_over = 0
            if self._teacher is not None:
                self._teacher.observe(recognizer.features, piece.end_us, prediction.state == "ok")
            self._publish(prediction, piece, taken, reader, recognizer)
        if not pieces:
            rest_us = reader.rest_us()
            latest = self._outcome.latest
            if rest_us is not None and latest is not None and latest.state != "no-motion":
                self._outcome.latest = recognizer.at_rest(rest_us)
            if reader.finished and self._state is PipelineState.RUNNING:
                self._set(PipelineState.ENDED, self._capture.failure)
            reader.wait()

    def _publish(
        self, prediction: Prediction, piece: Slice, taken_ns: int, reader: Reader, recognizer: Recognizer
    ) -> None:
        arrival = reader.ring.arrival_ns(piece.end_position - 1)
        latency = dict(prediction.latency_ms)
        if arrival is not None and latency:
            latency["slice"] = (taken_ns - arrival) / 1e6
            latency["total"] = (monotonic_ns() - arrival) / 1e6
        prediction = replace(prediction, latency_ms=latency, arrival_ns=arrival)
        self.latency.add(latency)
        reader.took_ms((monotonic_ns() - taken_ns) / 1e6)
        with self._lock:
            if self._capture is reader.capture:
                self._outcome.add(prediction, recognizer.summary)
                self._note_prediction(prediction)
