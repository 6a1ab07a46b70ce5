"""The pipeline's inference thread: what it does between two looks at what it is asked to be.

It must outlive what goes wrong in it: a slice, a prompt or a model that fails is told, and the thread goes on
with what it had. Only a first model that cannot be had ends it; another can then be chosen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING

from neuroclip_live.errors import UserError, reason_of
from neuroclip_live.learning.teaching import Teacher
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet, PromptTable
from neuroclip_live.recognition.model_change import Load, ModelChange
from neuroclip_live.recognition.paused_place import PausedPlace, is_paused
from neuroclip_live.recognition.pipeline_state import PipelineSettings, PipelineState
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import FeatureAdapter, Recognizer
from neuroclip_live.stream.filters import warm_up as warm_up_treatment
from neuroclip_live.stream.newest_slice_reader import Reader, is_at_rest

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.recognition.prediction_log import Outcome
    from neuroclip_live.stream.box import Box
    from neuroclip_live.stream.capture import Capture, Moment
    from neuroclip_live.stream.latency import LatencyStats
    from neuroclip_live.stream.slicing import Slice

log = logging.getLogger(__name__)

RETRY_S = 0.2

LoadAdapter = Callable[["Backbone"], FeatureAdapter]


class Inference:
    """What :class:`neuroclip_live.recognition.pipeline.Pipeline` does in its inference thread."""

    settings: PipelineSettings
    latency: LatencyStats
    _load: Load
    _load_adapter: LoadAdapter | None
    _prompts: PromptSet
    _capture: Capture
    _outcome: Outcome
    _change: ModelChange
    _place: PausedPlace
    _stop: threading.Event
    _lock: threading.Lock
    _dropped: int = 0
    _backbone: Backbone | None = None
    _adapter: FeatureAdapter | None = None
    _adapter_untaught: FeatureAdapter | None = None
    _teacher: Teacher | None = None
    _table: PromptTable | None = None
    _state: PipelineState = PipelineState.LOADING
    _message: str = ""
    _progress: float | None = None
    _failing: bool = False
    _busy_since: float | None = None
    """When the slice at work was begun (monotonic seconds); None between slices."""

    @property
    def region(self) -> Box | None:
        """The part of the picture that is recognised; None for all of it."""
        raise NotImplementedError

    def _note_prediction(self, prediction: Prediction) -> None:
        raise NotImplementedError

    def _set(self, state: PipelineState, message: str = "", progress: float | None = None) -> None:
        self._state, self._message, self._progress = state, message, progress

    def _tell(self, text: str, share: float | None) -> None:
        """Show what loading is at; what a model has to say later, that it left the GPU, is a message."""
        if self._state is PipelineState.LOADING:
            self._set(PipelineState.LOADING, text, share)
        else:
            self._message = text

    def _infer(self) -> None:
        try:
            self._run()
        except UserError as error:
            self._set(PipelineState.FAILED, str(error))
        except Exception as error:
            log.exception("inference failed")
            self._set(PipelineState.FAILED, f"recognition stopped: {reason_of(error)}")

    def _run(self) -> None:
        backbone = self._load(self._tell)
        settings = self.settings
        recognizer = Recognizer(backbone, None, settings.recognizer)
        encoder, table_of = self._take_up(recognizer)
        if settings.lessons is not None and self._teacher is not None:
            try:
                taught = self._teacher.load(settings.lessons)
            except UserError as error:
                raise UserError(f"--taught: {error}") from error
            for label in taught:
                if label not in self._prompts.labels:
                    self._prompts = self._prompts.add(label)
        self._set(PipelineState.RUNNING)
        if settings.wait_for_model and not self._stop.is_set():
            self._capture.start()
        capture, reader = None, None
        while not self._stop.is_set():
            loaded = self._change.take()
            if loaded is not None or self.settings.recognizer != recognizer.settings:
                other = recognizer.successor(loaded or recognizer.backbone, self.settings.recognizer)
                try:
                    encoder, table_of = self._take_up(other)
                    recognizer = other
                    self._place.stale = True
                except UserError as error:
                    self._keep(recognizer, other, error)
                except Exception as error:
                    log.exception("a change failed")
                    self._keep(recognizer, other, error)
            if self._capture is not capture:
                capture, settings = self._capture, self.settings
                reader = Reader(capture, settings.slice_by, from_start=settings.wait_for_model)
                recognizer.begin(reader.resolution)
                self._place.stale = False
            assert reader is not None
            if capture.ring is not reader.ring:  # the picture was turned
                self._decide(recognizer, reader)  # what is left of the old one
                taken = reader.moment_taken
                reader = Reader(capture, settings.slice_by, from_start=True, dropped=reader.dropped)
                reader.moment_taken = taken
                recognizer.begin(reader.resolution)
            if self.settings.slice_by != settings.slice_by:
                settings = self.settings
                reader.recut(settings.slice_by)
                recognizer.begin(reader.size, reader.region)
                self._place.stale = True
            if self.region != reader.region:
                reader.restrict(self.region)
                recognizer.begin(reader.size, reader.region)
                self._place.stale = True
            self._place.prepare(reader, settings.slice_by, recognizer.settings.timesteps)
            scored = table_of, recognizer.adapter, recognizer.decider.settings
            table_of = self._encode(encoder, recognizer, table_of)
            recognizer.adapter = self._adapter
            recognizer.decider.settings = self.settings.decision
            asked_anew = (table_of, recognizer.adapter, recognizer.decider.settings) != scored
            if asked_anew and self._outcome.latest is not None and is_paused(capture):
                self._outcome.latest = recognizer.rescored(self._outcome.latest)
            self._decide(recognizer, reader)

    def _take_up(self, recognizer: Recognizer) -> tuple[PromptEncoder, PromptSet]:
        """Put a recognizer to work: its sentences, adapter and teacher; return what encodes for it.

        What may fail comes first: until all of that has gone well nothing is changed.
        """
        backbone, timesteps = recognizer.backbone, recognizer.settings.timesteps
        info, teacher, said = backbone.info, self._teacher, ""
        asked = self._prompts
        prompts = self._in_templates(asked, backbone)
        encoder = PromptEncoder(backbone)
        table = encoder.encode(prompts) if prompts.enabled else None
        recognizer.warm_up()
        warm_up_treatment()
        if teacher is None or (teacher.model, teacher.timesteps) != (info.features, timesteps):
            if teacher is not None:
                teacher.close()
            said = self._bring_adapter(backbone, timesteps, bool(teacher and teacher.status().labels))
            self._teacher = Teacher(info.features, info.embed_dim, timesteps, info.logit_scale, self._adapt)
        if self._backbone is not backbone:
            self._outcome.history.clear()
        # others may have been asked for meanwhile: those are encoded at the next look
        self._prompts = prompts if self._prompts is asked else self._in_templates(self._prompts, backbone)
        self._score_against(table, recognizer)
        self._backbone = backbone
        self._message = said
        return encoder, prompts

    def _in_templates(self, prompts: PromptSet, backbone: Backbone) -> PromptSet:
        """Return the prompts in the sentences of a model, unless the user chose others."""
        before = self._backbone
        if before is None:
            return self.settings.with_model_templates(prompts, backbone)
        own = prompts.templates == before.info.templates
        return prompts.with_templates(backbone.info.templates) if own else prompts

    def _keep(self, recognizer: Recognizer, other: Recognizer, error: Exception) -> None:
        """Stay with what is at work: a successor failed before it began."""
        self.settings = replace(self.settings, recognizer=recognizer.settings)
        old, new = recognizer.backbone.info.name, other.backbone.info.name
        self._message = f"{new} cannot be used ({reason_of(error)}); {old} stays"

    def _adapt(self, adapter: FeatureAdapter | None) -> None:
        """Put an adapter between features and scores between two predictions; None: the one begun with."""
        self._adapter = adapter if adapter is not None else self._adapter_untaught

    def _bring_adapter(self, backbone: Backbone, timesteps: int, taught: bool) -> str:
        """Load the adapter asked for where it fits this model and T; return a line on what does not."""
        first, adapter, lost = self._backbone is None, None, ["what was taught"] if taught else []
        if self._load_adapter is not None:
            try:
                adapter = self._load_adapter(backbone)
                info = getattr(adapter, "info", None)
                if info is not None and info.timesteps != timesteps:
                    adapter = None
            except Exception as error:
                if first:
                    raise
                log.info("the adapter is put aside: %s", error)
            if adapter is None:
                lost.append("the adapter")
        self._adapter = self._adapter_untaught = adapter
        return f"Put aside, as made for another model or T: {' and '.join(lost)}" if lost else ""

    def _encode(self, encoder: PromptEncoder, recognizer: Recognizer, before: PromptSet) -> PromptSet:
        """Encode the prompts when they changed; what cannot be encoded is said and the old ones stay."""
        prompts = self._prompts
        if prompts is before:
            return prompts
        try:
            table = encoder.encode(prompts) if prompts.enabled else None
        except Exception as error:
            if not isinstance(error, UserError):
                log.error("prompts could not be encoded", exc_info=error)
            if self._prompts is prompts:
                self._prompts = before
            told = isinstance(error, UserError)
            self._message = str(error) if told else f"the prompts stay as they were: {reason_of(error)}"
            return before
        self._score_against(table, recognizer)
        self._message = ""
        return prompts

    def _score_against(self, table: PromptTable | None, recognizer: Recognizer) -> None:
        recognizer.set_prompts(table)
        self._table = table
        if self._teacher is not None and table is not None:
            self._teacher.set_labels(table.labels, table.features)

    def _decide(self, recognizer: Recognizer, reader: Reader) -> None:
        """Read what is new and turn it into predictions; wait a little when nothing is."""
        try:
            pieces, passed_over = reader.take()
        except Exception as error:
            log.exception("the stream could not be cut")
            self._trip(error)
            return
        self._dropped = reader.dropped
        self._outcome.skipped += passed_over
        for index, piece in enumerate(pieces):
            if self._stop.is_set() or self._capture is not reader.capture:
                return
            taken = monotonic_ns()
            prediction = self._recognise(recognizer, piece, passed_over)
            if prediction is None:
                self._outcome.skipped += len(pieces) - index
                return
            passed_over = 0
            self._publish(prediction, piece, taken, reader, recognizer)
        moment = reader.moment()
        if moment is not None:
            self._recognise_place(recognizer, reader, moment)
        elif not pieces:
            self._place.look(reader, self.settings.slice_by, self._outcome.latest)
            rest_us = reader.rest_us()
            latest = self._outcome.latest
            moving = latest is not None and latest.state != "no-motion"
            if rest_us is not None and moving and not is_paused(reader.capture):
                self._add(recognizer.at_rest(rest_us), reader, recognizer)
            newest = reader.ring is reader.capture.ring  # else the picture was turned just before the end
            if reader.finished and newest and self._state is PipelineState.RUNNING:
                self._set(PipelineState.ENDED, self._capture.failure)
            reader.wait()

    def _recognise(self, recognizer: Recognizer, piece: Slice, skipped: int) -> Prediction | None:
        """Turn a slice into a prediction; None where that failed, which is told."""
        self._busy_since = monotonic()
        try:
            prediction = recognizer.update(piece, skipped)
            if self._teacher is not None:
                self._teacher.observe(recognizer.features, piece.end_us, prediction.state == "ok")
        except Exception as error:
            log.exception("a slice could not be recognised")
            self._trip(error)
            return None
        finally:
            self._busy_since = None
        if self._failing:
            self._failing = False
            self._message = ""
        return prediction

    def _recognise_place(self, recognizer: Recognizer, reader: Reader, moment: Moment) -> None:
        """Recognise the place where a recording is paused by all T timesteps before it, whatever they cost.

        It becomes the newest prediction, and no part of what was played.
        """
        recognizer.begin(reader.size, reader.region)
        prediction = None
        slices = reader.take_moment(moment, recognizer.settings.timesteps)
        for piece in slices:
            if self._stop.is_set() or reader.capture is not self._capture or reader.moment() is not None:
                return
            recognizer.decider.forget()  # the answer is that of the place alone
            prediction = self._recognise(recognizer, piece, 0)
            if prediction is None:
                self._place.stale = True  # it is tried again
                return
        if prediction is None or is_at_rest(slices[-1].events, moment.t_us):
            prediction = recognizer.at_rest(moment.t_us)
        prediction = replace(prediction, paused=True)
        with self._lock:
            if self._capture is reader.capture:
                self._outcome.latest = prediction
                self._place.recognised = moment.number

    def _trip(self, error: Exception) -> None:
        """Say that a slice failed and wait a little: the next may fare better, the video never stopped."""
        self._set(PipelineState.RUNNING, f"recognition failed, trying again: {reason_of(error)}")
        self._failing = True
        self._stop.wait(RETRY_S)

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
        self._add(prediction, reader, recognizer)

    def _add(self, prediction: Prediction, reader: Reader, recognizer: Recognizer) -> None:
        """Put a prediction where it is looked for: newest, log and recording, never one of them alone."""
        with self._lock:
            if self._capture is reader.capture:
                self._outcome.add(prediction, recognizer.summary)
                self._note_prediction(prediction)
