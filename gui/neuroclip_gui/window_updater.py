"""At every tick, carries snapshots from the pipeline to the panels. Nothing is posted: the window pulls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from neuroclip_gui.panel_spec import Due, Snapshot
from neuroclip_gui.panels.playback.seek_bar import clock
from neuroclip_gui.panels.timeline.stream_clock import StreamClock
from neuroclip_gui.style.banner import Level
from neuroclip_live.recognition.prediction import Decision

if TYPE_CHECKING:
    from neuroclip_drivers.source import SourceStatus
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol
    from neuroclip_live.recognition.pipeline_state import Status
    from neuroclip_live.recognition.prediction import Prediction

_STATUS_S = 0.1
"""What need not follow every tick is looked at no oftener."""
_ANSWER_S = 0.05
"""The same word, a little more or less likely, is painted no oftener; another word at once. Nobody reads
faster, and painting headline and list for every prediction takes a third of the picture's paints."""
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
        self._answering = [panel for panel in window.panels.values() if panel.answers]
        self._others = [panel for panel in window.panels.values() if not panel.answers]
        self._status: Status | None = None
        self._number = self._number_shown = self._number_things = self._logged = 0
        self._camera_moves = False
        self._status_due, self._answer_due = Due(_STATUS_S), Due(_ANSWER_S)
        self._shown = _NOTHING
        """What the headline says."""
        self._held_s = self._paint_hz = self._worst_gap_ms = 0.0
        self._said = self._play_shown = ""
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
        minimized = window.isMinimized()
        rate_hz = self._status.event_rate_hz if self._status is not None else 0.0
        # what leads up to a place that is sought is not what is there
        if not (minimized or pipeline.seeking) and window.live.pull(
            pipeline, rate_hz, window.transport.paused
        ):
            window.pulse.painted()
        source = pipeline.source
        standing = source.status()  # asked once a tick: a recording's takes a lock
        window.waiting.look(source, standing, now)
        self._clock.tick(source, standing, now)
        if self._status_due(now):
            self._pull_status(pipeline, now)
        past = pipeline.predictions(after=self._logged)
        if past:
            self._logged = past[-1].number
        prediction = pipeline.prediction(early=True)
        before = self._number
        answered = self._answer(pipeline, standing, prediction, now)
        snapshot = Snapshot(
            now_s=now,
            clock_s=self._clock.now_s,
            pipeline=pipeline,
            standing=standing,
            status=self._status,
            prediction=prediction,
            past=past,
            taken=prediction if self._number != before and not self._is_away(standing) else None,
            shown=self._shown,
            answered=answered,
            minimized=minimized,
            frozen=window.live.frozen,
            paint_hz=self._paint_hz,
            worst_gap_ms=self._worst_gap_ms,
        )
        self._update_panels(snapshot)

    def _update_panels(self, snapshot: Snapshot) -> None:
        """Have every panel show what there is; those that show the answer first, and with the headline."""
        for panel in self._answering:
            panel.update(snapshot)
        if snapshot.answered and snapshot.prediction is not None:
            self._window.decision.paint_now(*(part for panel in self._answering for part in panel.answers))
            snapshot.pipeline.mark_shown(snapshot.prediction)
        for panel in self._others:
            panel.update(snapshot)

    def _answer(
        self, pipeline: PipelineProtocol, standing: SourceStatus, prediction: Prediction | None, now: float
    ) -> bool:
        """Say in the headline what is decided; return whether it took up another prediction."""
        window, status = self._window, self._status
        if status is not None and status.state.value in ("loading", "failed"):
            self._shown = _NOTHING
            if status.state.value == "loading":
                of_model = status.message if status.message != status.source.message else ""
                window.decision.show_busy(of_model or "Loading the model", status.progress, now)
            return False
        if status is not None and status.stalled:  # what it said last is old
            self._shown = _NOTHING
            window.decision.show_busy("Recognition does not answer", None, now)
            return False
        if self._is_away(standing):
            self._shown = _NOTHING
            window.decided = _NOTHING  # what was seen before is not what is seen when it is back
            self._number = self._number_shown = prediction.number if prediction is not None else self._number
            window.decision.show_busy(f"Waiting for {pipeline.source.name}", None, now)
            window.view.set_state("", still=True)
            return False
        if self._is_pending(pipeline, now):
            self._shown = _NOTHING
            window.decision.show_busy("Recognizing this moment", None, now)
            return False
        if prediction is not None and prediction.number != self._number:
            self._number = prediction.number
            self._take(prediction)
        with_things = pipeline.prediction()
        if with_things is not None and with_things.number != self._number_things:
            self._number_things = with_things.number
            self._camera_moves = with_things.camera_moves
            window.things.show_prediction(with_things)
        if not (self._is_other_answer() or self._answer_due(now)):
            return False
        self._show_decision(prediction)
        answered = prediction is not None and self._number != self._number_shown
        self._number_shown = self._number
        return answered

    @staticmethod
    def _is_away(standing: SourceStatus) -> bool:
        """Tell whether nothing comes from the source, as of this tick: the pipeline's status is older."""
        return standing.state.value == "waiting"

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

    def _take(self, prediction: Prediction) -> None:
        window = self._window
        if window.transport.paused and prediction.state == "no-motion" and not prediction.paused:
            return  # a paused recording has not come to rest
        window.decided = prediction.decision
        self._held_s = (prediction.t_us - prediction.decision.since_us) / 1e6

    def _show_decision(self, prediction: Prediction | None) -> None:
        window = self._window
        place = ""
        if prediction is not None and prediction.paused and window.transport.paused:
            place = f"at {clock(window.transport.seconds_of(prediction.t_us))}"
        decision = self._shown = window.decided
        hint = self._hint(decision)
        color = window.prompts.color(decision.label)
        note = "the camera moves: things are not told apart" if self._camera_moves else ""
        window.decision.show_decision(decision, color, self._held_s, hint, place, note)
        if badge := next((panel.badge for panel in window.panels.values() if panel.badge), ""):
            window.view.set_state(badge, still=False)
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
        self._paint_hz, self._worst_gap_ms = window.pulse.paint_hz, window.pulse.worst_gap_ms
        window.status_line.show_status(status, self._paint_hz)
        window.transport.show_status(status.source)
        window.playlist.look(status.source)
        window.show_title(status.source.shows)
        self._show_play_icon()
        window.region.look()
        window.recording.look()
        window.export.look()
        window.actions_.by_name["serve"].setChecked(window.serving.look())
        window.recognition.look(pipeline)
        window.keeping.look(now)
        self._say_status(status)

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
