"""The inference thread: it becomes what it is asked to be, then reads, recognizes and publishes.

It must outlive what goes wrong in it: a slice, a prompt or a model that fails is told, and the thread goes on
with what it had. Only a first model that cannot be had ends it; another can then be chosen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from math import inf
from time import monotonic, monotonic_ns

from neuroclip_drivers.source import EventSource
from neuroclip_live.errors import UserError, reason_of
from neuroclip_live.recognition.desired_state import DesiredState
from neuroclip_live.recognition.model_at_work import ModelAtWork
from neuroclip_live.recognition.model_change import Load, ModelChange
from neuroclip_live.recognition.paused_place import PausedPlace, is_paused
from neuroclip_live.recognition.pipeline_state import PipelineState
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.prediction_log import Outcome
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.spare_time import SpareTime
from neuroclip_live.stream.capture import Capture, Moment
from neuroclip_live.stream.latency import LatencyStats
from neuroclip_live.stream.newest_slice_reader import Reader, is_at_rest
from neuroclip_live.stream.slicing import Slice

log = logging.getLogger(__name__)

RETRY_S = 0.2
TRYING_AGAIN = "recognition failed, trying again: "
"""So begins what is said while slices fail."""


class InferenceLoop:
    """Recognizes what its desired state says, in a thread of its own.

    Parameters
    ----------
    desired : DesiredState
    latency : LatencyStats
        Takes in how long each stage took.
    told : callable
        Called with each prediction, in order, while no other source can be opened: it must be quick.

    Attributes
    ----------
    outcome : Outcome
        What has come of the source at hand; a new one for each source.
    model : ModelAtWork
    state : PipelineState
    message : str
        What there is to say beside the state.
    progress : float or None
        Share of the loading that is done, 0 to 1, where it is known.
    failing : bool
        Whether the last slice failed.
    dropped : int
        Events that left the ring unread.
    busy_since : float or None
        When the slice at work was begun (monotonic seconds); None between slices.
    """

    def __init__(
        self, desired: DesiredState, latency: LatencyStats, told: Callable[[Prediction], None]
    ) -> None:
        self.outcome = Outcome()
        self.model = ModelAtWork(desired)
        self.state, self.message = PipelineState.LOADING, ""
        self.progress: float | None = None
        self.failing = False
        self.dropped = 0
        self.busy_since: float | None = None
        self.place, self._spare = PausedPlace(), SpareTime()
        self.change = ModelChange(desired.wake)
        self._desired, self._latency, self._told = desired, latency, told
        self._stop = threading.Event()
        self._thread = self._new_thread()

    # ---- commands: any thread

    def start(self) -> None:
        """Load the model and begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Have the thread end after what it is at."""
        self._stop.set()
        self.change.cancel()
        self._desired.wake()

    def join(self, until_s: float) -> bool:
        """Wait for the thread and the teacher until a monotonic time; return whether they ended."""
        if self._thread.is_alive():
            self._thread.join(max(0.0, until_s - monotonic()))
        teacher = self.model.teacher
        ended = teacher is None or teacher.close(max(0.0, until_s - monotonic()))
        if self.state is not PipelineState.FAILED:
            self.state = PipelineState.STOPPED
        return ended and not self._thread.is_alive()

    def follow(self, source: EventSource, leaving: Callable[[], None], ready: Callable[[], None]) -> Capture:
        """Go on with another source; counters begin anew. Return what captured the former.

        ``leaving`` is called while the former is still at hand, ``ready`` when the other one is, before it is
        read. No prediction comes in between.
        """
        desired = self._desired
        with desired.lock:
            leaving()
            before, desired.capture = desired.capture, desired.capture.successor(source)
            self.outcome = Outcome()
            ready()
            desired.capture.start()
            if self.state is PipelineState.ENDED:
                self._set(PipelineState.RUNNING)
        before.news.set()
        return before

    def change_model(self, load: Load) -> None:
        """Load another model while this one goes on; after one that could not be had, begin with it."""
        if self.state is PipelineState.FAILED:
            self._thread.join()  # having said so it ends: a model given to it now would never be taken up
            self._desired.load, self._desired.load_adapter = load, None
            self._set(PipelineState.LOADING, "loading the model")
            self._thread = self._new_thread()
            self._thread.start()
        else:
            self.change.begin(load)

    # ---- the thread

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._infer, name="inference", daemon=True)

    def _set(self, state: PipelineState, message: str = "", progress: float | None = None) -> None:
        self.state, self.message, self.progress = state, message, progress

    def _tell(self, text: str, share: float | None) -> None:
        """Show what loading is at; what a model has to say later, that it left the GPU, is a message."""
        if self.state is PipelineState.LOADING:
            self._set(PipelineState.LOADING, text, share)
        else:
            self.message = text

    def _infer(self) -> None:
        try:
            self._run()
        except UserError as error:
            self._set(PipelineState.FAILED, str(error))
        except Exception as error:
            log.exception("inference failed")
            self._set(PipelineState.FAILED, f"recognition stopped: {reason_of(error)}")

    def _run(self) -> None:
        backbone = self._desired.load(self._tell)
        self._tell("preparing recognition", None)  # the model is ready; there is no answer yet
        settings = self._desired.settings
        recognizer = Recognizer(backbone, None, settings.recognizer)
        self.model.take_up(recognizer, self.outcome.history)
        if settings.lessons is not None:
            self.model.learn_lessons(settings.lessons)
        self._set(PipelineState.RUNNING)
        if settings.wait_for_model and not self._stop.is_set():
            self._desired.capture.start()
        capture, reader = None, None
        while not self._stop.is_set():
            recognizer = self._successor(recognizer)
            if self._desired.capture is not capture:
                capture, settings = self._desired.capture, self._desired.settings
                reader = Reader(capture, settings.slice_by, from_start=settings.wait_for_model)
                recognizer.begin(reader.resolution)
                self.place.stale = False
            assert reader is not None
            if capture.ring is not reader.ring:  # the picture was turned
                self._decide(recognizer, reader)  # what is left of the old one
                taken = reader.moment_taken
                reader = Reader(capture, settings.slice_by, from_start=True, dropped=reader.dropped)
                reader.moment_taken = taken
                recognizer.begin(reader.resolution)
            if self._desired.settings.slice_by != settings.slice_by:
                settings = self._desired.settings
                reader.recut(settings.slice_by)
                recognizer.begin(reader.size, reader.region)
                self.place.stale = True
            if self._desired.region != reader.region:
                reader.restrict(self._desired.region)
                recognizer.begin(reader.size, reader.region)
                self.place.stale = True
            self.place.prepare(reader, settings.slice_by, recognizer.settings.timesteps)
            self._refresh(recognizer)
            self._decide(recognizer, reader)

    def _successor(self, recognizer: Recognizer) -> Recognizer:
        """Return the recognizer that is asked for now; the one at work where another cannot be had."""
        loaded, wanted = self.change.take(), self._desired.settings.recognizer
        if loaded is None and wanted == recognizer.settings:
            return recognizer
        other = recognizer.successor(loaded or recognizer.backbone, wanted)
        try:
            self.message = self.model.take_up(other, self.outcome.history)
        except Exception as error:
            if not isinstance(error, UserError):
                log.exception("a change failed")
            self._keep(recognizer, other, error)
            return recognizer
        self.place.stale = True
        return other

    def _refresh(self, recognizer: Recognizer) -> None:
        """Take up other prompts, another adapter, a calmer answer; score a paused place by them at once."""
        model = self.model
        before = model.prompts, recognizer.adapter, recognizer.decider.settings
        said = model.encode(recognizer)
        if said is not None:
            self.message = said
        recognizer.adapter = model.adapter
        recognizer.decider.settings = self._desired.settings.decision
        changed = (model.prompts, recognizer.adapter, recognizer.decider.settings) != before
        if changed and self.outcome.latest is not None and is_paused(self._desired.capture):
            self.outcome.latest = recognizer.rescored(self.outcome.latest)

    def _keep(self, recognizer: Recognizer, other: Recognizer, error: Exception) -> None:
        """Stay with what is at work: a successor failed before it began."""
        self._desired.settings = replace(self._desired.settings, recognizer=recognizer.settings)
        old, new = recognizer.backbone.info.name, other.backbone.info.name
        self.message = f"{new} cannot be used ({reason_of(error)}); {old} stays"

    def _decide(self, recognizer: Recognizer, reader: Reader) -> None:
        """Read what is new and turn it into predictions; wait a little when nothing is."""
        try:
            pieces, passed_over = reader.take()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self._trip("the stream could not be cut", error)
            return
        self.dropped = reader.dropped
        self.outcome.skipped += passed_over
        for index, piece in enumerate(pieces):
            if self._is_over(reader):
                return
            taken = monotonic_ns()
            prediction = self._recognize(recognizer, piece, passed_over)
            if prediction is None:
                self.outcome.skipped += len(pieces) - index
                return
            passed_over = 0
            self._publish(prediction, piece, taken, reader, recognizer)
        moment = reader.moment()
        if moment is not None:
            self._recognize_place(recognizer, reader, moment)
        elif not pieces:
            self.place.look(reader, self._desired.settings.slice_by, self.outcome.latest)
            rest_us = reader.rest_us()
            latest = self.outcome.latest
            moving = latest is not None and latest.state != "no-motion"
            if rest_us is not None and moving and not is_paused(reader.capture):
                self._add(recognizer.at_rest(rest_us), reader, recognizer)
            newest = reader.ring is reader.capture.ring  # else the picture was turned just before the end
            if reader.finished and newest and self.state is PipelineState.RUNNING:
                self._set(PipelineState.ENDED, self._desired.capture.failure)
            reader.wait()

    def _is_over(self, reader: Reader) -> bool:
        """Tell whether a stream is no longer the one at hand."""
        return self._stop.is_set() or self._desired.capture is not reader.capture

    def _recognize(self, recognizer: Recognizer, piece: Slice, skipped: int) -> Prediction | None:
        """Turn a slice into a prediction; None where that failed, which is told."""
        self.busy_since = monotonic()
        try:
            prediction = recognizer.answer(piece, skipped)
            if self.model.teacher is not None:
                self.model.teacher.observe(recognizer.features, piece.end_us, prediction.state == "ok")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self._trip("a slice could not be recognized", error)
            return None
        finally:
            self.busy_since = None
        return prediction

    def _recognize_place(self, recognizer: Recognizer, reader: Reader, moment: Moment) -> None:
        """Recognize the place where a recording is paused by all T timesteps before it, whatever they cost.

        It becomes the newest prediction, and no part of what was played.
        """
        recognizer.begin(reader.size, reader.region)
        prediction = None
        slices = reader.take_moment(moment, recognizer.settings.timesteps)
        for piece in slices:
            if self._is_over(reader) or reader.moment() is not None:
                return
            recognizer.decider.forget()  # the answer is that of the place alone
            prediction = self._recognize(recognizer, piece, 0)
            if prediction is None:
                self.place.stale = True  # it is tried again
                return
            prediction = self._with_things(recognizer, prediction)
        if prediction is None or is_at_rest(slices[-1].events, moment.t_us):
            prediction = recognizer.at_rest(moment.t_us)
        prediction = replace(prediction, paused=True)
        with self._desired.lock:
            if self._desired.capture is reader.capture:
                self.outcome.latest = prediction
                self.place.recognized = moment.number

    def _trip(self, what: str, error: Exception) -> None:
        """Say that a slice failed (a reason once in the log) and wait a little: the next may fare better."""
        message = TRYING_AGAIN + reason_of(error)
        if message != self.message and not isinstance(error, UserError):
            log.error(what, exc_info=error)
        self._set(PipelineState.RUNNING, message)
        self.failing = True
        self._stop.wait(RETRY_S)

    def _publish(
        self, prediction: Prediction, piece: Slice, taken_ns: int, reader: Reader, recognizer: Recognizer
    ) -> None:
        prediction = prediction.out(reader.ring.arrival_ns(piece.end_position - 1), taken_ns, monotonic_ns())
        if not self._is_over(reader):
            self.outcome.answered = prediction
        self._spare.begin(taken_ns / 1e9)
        prediction = self._with_things(recognizer, prediction, self._spare.answered(monotonic()))
        self._spare.end(monotonic())
        self._latency.add(prediction.latency_ms)
        reader.took_ms((monotonic_ns() - taken_ns) / 1e6)
        self._add(prediction, reader, recognizer)

    def _with_things(self, recognizer: Recognizer, answer: Prediction, spare_ms: float = inf) -> Prediction:
        """Return an answer that is out with its things; as it is where that fails, which is told."""
        self.busy_since = monotonic()
        try:
            told = recognizer.with_things(answer, spare_ms)
            self.failing, self.message = False, "" if self.failing else self.message
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self._trip("things could not be looked for", error)
            told = answer
        self.busy_since = None
        return told

    def _add(self, prediction: Prediction, reader: Reader, recognizer: Recognizer) -> None:
        """Put a prediction where it is looked for: newest, log and recording, never one of them alone."""
        with self._desired.lock:
            if self._desired.capture is reader.capture:
                self.outcome.add(prediction, recognizer.summary)
                self._told(prediction)
