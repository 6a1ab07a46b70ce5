"""At every tick, carries snapshots from the pipeline to the panels. Nothing is posted: the window pulls."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from neuroclip_gui.panels.playback.seek_bar import clock
from neuroclip_gui.panels.rate.rate_updates import sample
from neuroclip_gui.panels.timeline.moments import Moment
from neuroclip_gui.panels.timeline.stream_clock import StreamClock
from neuroclip_gui.style.banner import Level
from neuroclip_live.recognition.prediction import Decision

if TYPE_CHECKING:
    from neuroclip_drivers.source import SourceStatus
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_live.prompting.prompts import PromptTable
    from neuroclip_live.recognition.history import Rescored
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol
    from neuroclip_live.recognition.pipeline_state import Status
    from neuroclip_live.recognition.prediction import Prediction

log = logging.getLogger(__name__)

_STATUS_S, _HEALTH_S, _TIMELINE_S, _STRIP_S, _SCORES_S = 0.1, 0.25, 0.2, 0.06, 0.03
"""Least times between two updates of what need not follow every tick."""
_ANSWER_S = 0.05
"""The same word, a little more or less likely, is painted no oftener; another word at once. Nobody reads
faster, and painting headline and list for every prediction takes a third of the picture's paints."""
_STRIP_SHARE = 0.1
"""Fitting frames for the strip may take so much of the window's time, however fast they come."""
_PENDING_S = 0.15
"""A place sought while paused that takes longer to recognize is said to be on its way."""


_NOTHING = Decision()


def level_of(message: str, status: Status) -> Level:
    """Return how a status is told: amber for what was lost, red for what ended, else in passing."""
    of_source = message == status.source.message
    if status.state.value == "failed" or (status.state.value == "ended" and not of_source):
        return "error"
    if status.lost:
        return "warn"
    return "info" if of_source else "hint"  # why something that was asked for was not done


class Follower:
    """Shows in a window what its pipeline has come to.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._status: Status | None = None
        self._number = self._number_shown = self._logged = self._strip_number = 0
        self._due = {
            "status": 0.0,
            "health": 0.0,
            "timeline": 0.0,
            "strip": 0.0,
            "scores": 0.0,
            "answer": 0.0,
        }
        self._scores_s = 0.0
        self._shown = self._scored = _NOTHING
        """What the headline says, and the list: the same numbers, at the same tick."""
        self._held_s = 0.0
        self._said = self._play_shown = ""
        self._table: PromptTable | None = None
        self._clock = StreamClock()
        self._pending_s: float | None = None

    def tick(self, step_s: float) -> None:
        """Look at the pipeline; ``step_s`` is the time since the tick before."""
        window = self._window
        window.jobs.collect()
        now = time.monotonic()
        pipeline = window.pipeline
        if pipeline is None:
            window.decision.show_starting(now)
            return
        rate_hz = self._status.event_rate_hz if self._status is not None else 0.0
        # what leads up to a place that is sought is not what is there
        if not (window.isMinimized() or pipeline.seeking) and window.live.pull(
            pipeline, rate_hz, window.transport.paused
        ):
            window.pulse.painted()
        if not window.isMinimized():
            window.space_time_updates.look(pipeline, now, window.live.frozen)
        source = pipeline.source
        standing = source.status()  # asked once a tick: a recording's takes a lock
        window.waiting.look(source, standing, now)
        self._clock.tick(source, standing, now)
        if self._is_due("status", now, _STATUS_S):
            self._pull_status(pipeline, now)
        self._scores_s += step_s
        self._pull_prediction(pipeline, standing, now)
        if self._is_due("scores", now, _SCORES_S) or self._shown is not self._scored:
            self._show_scores()
        if self._is_due("timeline", now, _TIMELINE_S):
            newest = pipeline.prediction()
            place_us = newest.t_us if newest is not None and newest.paused else None
            window.timeline.refresh(self._clock.now_s, window.prompts.prompts.labels, place_us)

    def _is_due(self, what: str, now: float, every_s: float) -> bool:
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    def _show_scores(self) -> None:
        self._window.prompts.show_scores(self._shown, self._scores_s)
        self._scored, self._scores_s = self._shown, 0.0

    def _pull_prediction(self, pipeline: PipelineProtocol, standing: SourceStatus, now: float) -> None:
        window, at_s = self._window, self._clock.now_s
        for past in pipeline.predictions(after=self._logged):
            self._logged = past.number
            window.timeline.add(Moment(at_s, past.t_us, past.label or "", past.scores, past.number))
        if pipeline.table is not self._table:
            self._table = pipeline.table
            self._ask_the_past(pipeline)
        prediction = pipeline.prediction()
        status = self._status
        if status is not None and status.state.value in ("loading", "failed"):
            self._shown = _NOTHING
            if status.state.value == "loading":
                of_model = status.message if status.message != status.source.message else ""
                window.decision.show_busy(of_model or "Loading the model", status.progress, now)
            return
        if status is not None and status.stalled:  # what it said last is old
            self._shown = _NOTHING
            window.decision.show_busy("Recognition does not answer", None, now)
            return
        if standing.state.value == "waiting":  # of this tick: the pipeline's status is a moment old
            self._shown = _NOTHING
            window.decided = _NOTHING  # what was seen before is not what is seen when it is back
            self._number = self._number_shown = prediction.number if prediction is not None else self._number
            window.decision.show_busy(f"Waiting for {pipeline.source.name}", None, now)
            window.view.set_state("", still=True)
            return
        if self._is_pending(pipeline, now):
            self._shown = _NOTHING
            window.decision.show_busy("Recognising this moment", None, now)
            return
        if prediction is not None and prediction.number != self._number:
            self._number = prediction.number
            self._take(prediction, at_s)
            window.things.show_prediction(prediction)
        if self._is_other_answer() or self._is_due("answer", now, _ANSWER_S):
            self._show_decision(prediction)
            if prediction is not None and self._number != self._number_shown:
                self._number_shown = self._number
                self._show_scores()
                window.decision.paint_now(window.prompts.list, window.prompts.none)  # one answer, at once
                pipeline.mark_shown(prediction)
        changed = prediction is not None and prediction.number != self._strip_number
        if changed and now >= self._due["strip"] and not window.isMinimized():
            self._strip_number = prediction.number
            begin = time.monotonic()
            window.strip.show_prediction(prediction)
            window.raster.show_prediction(prediction)
            self._due["strip"] = now + max(_STRIP_S, (time.monotonic() - begin) / _STRIP_SHARE)

    def _is_other_answer(self) -> bool:
        """Tell whether what is decided now would be another word, or another list, than the one shown."""
        now, shown = self._window.decided, self._shown
        return (now.kind, now.label) != (shown.kind, shown.label) or now.scores.keys() != shown.scores.keys()

    def _is_pending(self, pipeline: PipelineProtocol, now: float) -> bool:
        """Tell whether the place that is shown has been waiting to be recognized for longer than a blink."""
        if not pipeline.place_pending:
            self._pending_s = None
            return False
        if self._pending_s is None:
            self._pending_s = now
        return now - self._pending_s > _PENDING_S

    def _take(self, prediction: Prediction, at_s: float) -> None:
        window = self._window
        if prediction.frames and prediction.state != "no-motion" and not prediction.paused:
            window.timeline.thumbnails.add(at_s, prediction.frames[-1])
        if window.transport.paused and prediction.state == "no-motion" and not prediction.paused:
            return  # a paused recording has not come to rest
        window.decided = prediction.decision
        self._held_s = (prediction.t_us - prediction.decision.since_us) / 1e6

    def _ask_the_past(self, pipeline: PipelineProtocol) -> None:
        """Score the last minutes against the prompts of now; a moment of computing, done elsewhere."""
        window = self._window

        def told(past: Rescored | None) -> None:
            if past is not None and pipeline is window.pipeline and pipeline.source is source:
                window.timeline.rescore(past)

        source = pipeline.source
        window.jobs.do(pipeline.rescore, told, lambda message: log.warning("the past: %s", message))

    def _show_decision(self, prediction: Prediction | None) -> None:
        window = self._window
        place = ""
        if prediction is not None and prediction.paused and window.transport.paused:
            place = f"at {clock(window.transport.seconds_of(prediction.t_us))}"
        decision = self._shown = window.decided
        hint = self._hint(decision)
        color = window.prompts.color(decision.label)
        moves = prediction is not None and prediction.camera_moves
        note = "the camera moves: things are not told apart" if moves else ""
        window.decision.show_decision(decision, color, self._held_s, hint, place, note)
        if window.teaching.badge:
            window.view.set_state(window.teaching.badge, still=False)
        elif window.live.frozen:
            window.view.set_state("Picture frozen: recognition goes on", still=False)
        elif window.transport.paused:
            window.view.set_state("Paused", still=False)
        else:
            still = decision.kind == "no-motion"
            window.view.set_state("No motion" if still else "", still)

    def _hint(self, decision: Decision) -> str:
        """Return what is said of an answer that is no word, where it can be told better than in general."""
        prompts = self._window.prompts.prompts
        if not prompts.enabled:
            return "type a word on the right"
        if decision.kind == "none" and not prompts.none_of_these:
            return "a negative fits best"
        return ""

    def _pull_status(self, pipeline: PipelineProtocol, now: float) -> None:
        window = self._window
        status = self._status = pipeline.status()
        paint_hz = window.pulse.paint_hz
        window.status_line.show_status(status, paint_hz)
        window.transport.show_status(status.source)
        window.playlist.look(status.source)
        window.show_title(status.source.shows)
        self._show_play_icon()
        sample(window.rate, pipeline, status.event_rate_hz, now)
        if self._is_due("health", now, _HEALTH_S):
            window.health.show_status(status, paint_hz, window.pulse.worst_gap_ms)
        window.teaching.look()
        window.region.look()
        window.recording.look()
        window.export.look()
        window.acting.look()
        window.actions_.by_name["serve"].setChecked(window.serving.look())
        window.search.look(pipeline.source, pipeline.backbone)
        window.cameras.look(status, now)
        window.recognition.look(pipeline)
        window.keeping.look(now)
        self._say_status(status)
        if pipeline.prompts is not window.prompts.prompts:  # the model's templates, or a set that was refused
            window.prompts.show_prompts(pipeline.prompts)
        info = getattr(pipeline.backbone, "info", None)
        preprocess = getattr(pipeline.backbone, "preprocess", None)
        window.strip.set_fit(preprocess.fitted if preprocess is not None else None)
        if info is not None:
            window.prompts.show_model(info.name, info.none_logit is not None)
            window.strangeness.look(pipeline, info.name, window.prompts.prompts.labels)

    def _say_status(self, status: Status) -> None:
        window = self._window
        message = status.message if status.state.value != "loading" and not status.changing else ""
        if status.source.state.value == "waiting" and message == status.source.message:
            message = ""  # that lies over the picture for as long as it lasts
        if status.source.at_end and window.playlist.goes_on:
            message = ""
        if message == self._said:
            return
        self._said = message
        if message:
            failed = status.state.value == "failed"
            window.banner.say(message, level_of(message, status))
            if failed:
                window.decision.show_refused()

    def _show_play_icon(self) -> None:
        name = "play" if self._window.transport.paused else "pause"
        if name != self._play_shown:
            self._play_shown = name
            self._window.actions_.draw("play", name)
