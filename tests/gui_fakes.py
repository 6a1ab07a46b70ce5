"""A pipeline without threads, model or clock, for the window's tests and for looking at the window."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclip_drivers.source import EventSource, GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, empty_packet
from neuroclip_live.learning.teaching_status import TeachingStatus
from neuroclip_live.prompting.prompts import PromptSet
from neuroclip_live.recognition.decision import Decider, DecisionSettings
from neuroclip_live.recognition.history import Rescored
from neuroclip_live.recognition.pipeline import PipelineSettings, PipelineState, Status
from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header
from neuroclip_live.recording.report import RecordingReport, RecordingStatus
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Tap
from neuroclip_live.stream.filters import Treatment
from neuroclip_live.stream.latency import Percentiles
from neuroclip_live.stream.region import fitting
from neuroclip_live.stream.slicing import SliceBy

if TYPE_CHECKING:
    from neuroclip_gui.panels.timeline.moments import Moment
    from neuroclip_gui.panels.timeline.timeline import Timeline

RES = Resolution(320, 240)
LATENCY = {
    "slice": Percentiles(3.1, 12.0, 900),
    "frame": Percentiles(0.4, 0.9, 900),
    "encode": Percentiles(7.8, 14.2, 900),
    "score": Percentiles(0.2, 0.5, 900),
    "total": Percentiles(11.9, 26.0, 900),
    "shown": Percentiles(21.0, 44.0, 900),
}


@dataclass
class FakeSource:
    """A source that only remembers what it was told; by default a recording of ten seconds."""

    name: str = "fake.aedat4"
    live: bool = False
    resolution: Resolution = RES
    state: SourceState = SourceState.STREAMING
    message: str = ""
    position_us: int = 1_000_000
    start_us: int = 1_000_000
    end_us: int = 11_000_000
    frame: GrayFrame | None = None
    shows: str = ""
    said: list[tuple[object, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.live:
            return
        for name in ("seek", "set_speed", "set_loop", "set_range", "step"):
            setattr(self, name, lambda *args, name=name: self.said.append((name, *args)))

    def pause(self) -> None:
        self.state = SourceState.PAUSED
        self.said.append(("pause",))

    def resume(self) -> None:
        self.state = SourceState.STREAMING
        self.said.append(("resume",))

    def rate_histogram(self, bins: int) -> SimpleNamespace:
        return SimpleNamespace(counts=(np.hanning(bins) * 1000).astype(np.int64))

    def packets(self) -> Iterator[Packet]:
        yield empty_packet()

    def status(self) -> SourceStatus:
        if self.live:
            return SourceStatus(self.state, self.message, shows=self.shows)
        return SourceStatus(self.state, self.message, self.position_us, self.start_us, self.end_us)

    def latest_frame(self) -> GrayFrame | None:
        return self.frame

    def close(self) -> None:
        self.state = SourceState.ENDED


class FakeTeacher:
    """Keeps lessons like the real teacher, without threads; three windows each."""

    def __init__(self) -> None:
        self.books: list[dict[str, int]] = [{}]
        self.against: dict[str | None, int] = {}
        self.collecting: str | None = None
        self.collected = 3
        self.training: float | None = None
        self.prepared = 0
        self.files: list[tuple[str, Path]] = []

    def prepare(self) -> None:
        self.prepared += 1

    def begin(self, label: str, is_it: bool = True) -> None:
        self.collecting = label

    def end(self) -> int:
        label, self.collecting = self.collecting, None
        assert label is not None
        return self.learn(label)

    def cancel(self) -> None:
        self.collecting = None

    def learn(self, label: str) -> int:
        if not self.collected:
            raise UserError("nothing moved, so there is nothing to learn from")
        self.books.append({**self.books[-1], label: self.books[-1].get(label, 0) + self.collected})
        return self.collected

    def learn_from(self, label: str, windows: tuple[object, ...], is_it: bool = True) -> int:
        self.collected = len(windows)
        return self.learn(label) if is_it else self.counter_example(label)

    def counter_example(self, label: str | None = None, last_s: float = 2.0) -> int:
        self.against[label] = self.collected
        return self.collected

    def undo(self) -> None:
        if len(self.books) == 1:
            raise UserError("nothing was taught yet, so there is nothing to undo")
        self.books.pop()

    @property
    def book(self) -> dict[str, int]:
        return self.books[-1]

    def restore(self, book: dict[str, int]) -> None:
        self.books.append(book)

    def clear(self) -> None:
        self.books.append({})

    def forget(self, label: str) -> None:
        if label not in self.books[-1]:
            raise UserError(f"{label!r} was not taught, so it cannot be forgotten")
        self.books.append({k: v for k, v in self.books[-1].items() if k != label})

    def save(self, path: Path) -> None:
        if not self.books[-1]:
            raise UserError("nothing was taught yet, so there is nothing to save")
        path.write_text(json.dumps(self.books[-1]))

    def load(self, path: Path) -> tuple[str, ...]:
        try:
            self.books.append(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise UserError(f"{path} holds no lessons") from error
        return tuple(self.books[-1])

    def status(self) -> TeachingStatus:
        return TeachingStatus(
            labels=tuple(self.books[-1].items()),
            counter_examples=sum(self.against.values()),
            collecting=self.collecting,
            collected=self.collected if self.collecting else 0,
            training=self.training,
            trained=bool(self.books[-1]) and self.training is None,
        )


class FakePipeline:
    """Answers like :class:`neuroclip_live.recognition.pipeline.Pipeline`; a test sets what it answers."""

    def __init__(
        self, prompts: PromptSet, source: FakeSource | None = None, none_logit: float | None = 4.0
    ) -> None:
        self.source: Any = source or FakeSource()
        self.prompts = prompts
        self.backbone: Any = SimpleNamespace(
            info=SimpleNamespace(
                name="fake", none_logit=none_logit, templates=("{}", "a {}"), logit_scale=20.0
            )
        )
        self.teacher: FakeTeacher | None = FakeTeacher()
        self.notes: list[dict[str, Any]] = []
        self.listeners: dict[Tap, object] = {}
        self.table: object | None = None
        self.film: RecordingStatus | None = None
        self.region: Box | None = None
        self.past: Rescored | None = None
        self.kinds: dict[str, str] = {}
        self.events = empty_packet()
        self.latest: Prediction | None = None
        self.log: list[Prediction] = []
        self.shown: list[Prediction] = []
        self.started = self.stopped = False
        self.seeking = self.place_pending = False
        self.settings = PipelineSettings()
        self.decider = Decider(DecisionSettings(0.0))
        self.loads: list[object] = []
        self.treatment = Treatment()
        self.make_events: Callable[[], Packet] | None = None
        self.now = Status(
            state=PipelineState.RUNNING, message="", progress=None, model="fake", device="cpu",
            runtime="torch",
            source_name=self.source.name, source=self.source.status(), resolution=self.source.resolution,
            event_rate_hz=123_456.0, total_events=1_000_000, dropped_events=0, outside_events=0, windows=900,
            predictions=890, skipped_windows=10, prediction_rate_hz=20.0, ring_fill=0.24, latency=LATENCY,
        )  # fmt: skip

    @property
    def resolution(self) -> Resolution:
        return self.treatment.resolution(self.source.resolution)

    def treat(self, treatment: Treatment) -> None:
        self.treatment = treatment

    def start(self) -> None:
        self.started = True

    def stop(self, timeout_s: float = 3.0) -> bool:
        self.stopped = True
        return True

    def open(self, source: EventSource) -> None:
        self.source, self.latest, self.log = source, None, []

    def set_prompts(self, prompts: PromptSet) -> None:
        self.prompts = prompts

    def change_model(self, load: object) -> None:
        self.loads.append(load)

    def cancel_model(self) -> None:
        self.loads.append(None)

    def change_slicing(self, slice_by: SliceBy) -> None:
        self.settings = replace(self.settings, slice_by=slice_by)

    def change_decision(self, decision: DecisionSettings) -> None:
        self.settings = replace(self.settings, decision=decision)
        self.decider.settings = replace(decision, smoothing_s=0.0)

    def change_motion(self, motion: float | None) -> None:
        recognizer = replace(self.settings.recognizer, motion=motion)
        self.settings = replace(self.settings, recognizer=recognizer)

    def change_objects(self, enabled: bool) -> None:
        recognizer = self.settings.recognizer
        objects = replace(recognizer.objects, enabled=enabled)
        self.settings = replace(self.settings, recognizer=replace(recognizer, objects=objects))

    def change_timesteps(self, timesteps: int) -> None:
        recognizer = replace(self.settings.recognizer, timesteps=timesteps)
        self.settings = replace(self.settings, recognizer=recognizer)

    def set_adapter(self, adapter: object) -> None:
        pass

    def keep_sentences(self) -> None:
        self.settings = replace(self.settings, model_templates=False)

    def set_region(self, region: Box | None) -> None:
        self.region = fitting(region, self.source.resolution) if region is not None else None

    def rescore(self) -> Rescored | None:
        return self.past

    def teach(self, label: str, last_s: float = 2.0) -> int:
        assert self.teacher is not None
        return self.teacher.learn(label)

    def start_recording(
        self, path: str | os.PathLike[str], *, sidecar: bool = True, replace: bool = False
    ) -> None:
        path = Path(path)
        if path.exists():
            raise UserError(f"{path} exists already. Choose another name.")
        path.write_bytes(b"")
        self.film = RecordingStatus(path, 0, 0.0, 0, 50_000_000_000, None)

    def stop_recording(self) -> RecordingReport:
        film, self.film = self.film, None
        assert film is not None
        lost = film.dropped_events
        return RecordingReport(
            film.path, None, film.events, film.seconds, film.bytes, lost, not (lost or film.ended),
            f"{film.path.name}: {lost} dropped" + (f", {film.warning}" if film.warning else ""),
        )  # fmt: skip

    def recording(self) -> RecordingStatus | None:
        return self.film

    def tap(self, tap: Tap) -> None:
        self.listeners[tap] = tap(self.source)

    def untap(self, tap: Tap) -> None:
        self.listeners.pop(tap, None)

    def record_next(self, path: str | os.PathLike[str]) -> None:
        self.next_recording = path

    def note(self, record: dict[str, Any]) -> None:
        self.notes.append(record)

    def status(self) -> Status:
        return replace(
            self.now,
            source=self.source.status(),
            source_name=self.source.name,
            resolution=self.resolution,
        )

    def prediction(self, *, early: bool = False) -> Prediction | None:
        return self.latest

    def predictions(self, after: int = 0) -> list[Prediction]:
        return [p for p in self.log if p.number > after]

    def recent_events(self, duration_us: int) -> Packet:
        return self.make_events() if self.make_events is not None else self.events

    def latest_frame(self) -> GrayFrame | None:
        frame: GrayFrame | None = self.source.latest_frame()
        return frame

    def familiarity(self, label: str) -> SimpleNamespace | None:
        kind = self.kinds.get(label, "name")
        far = kind == "far"
        return SimpleNamespace(
            kind="name" if far else kind, words=(label,), far=far, nearest=("seal", "beaver", "mole")
        )

    def report(self, text: str) -> None:
        self.now = replace(self.now, message=text)

    def mark_shown(self, prediction: Prediction) -> None:
        self.shown.append(prediction)

    def header(self) -> Header:
        return Header(self.source.name, self.source.resolution, None, self.prompts, self.settings)

    def predict(self, scores: Mapping[str, float], **others: object) -> Prediction:
        """Answer with these scores from now on."""
        best = max(scores, key=scores.__getitem__) if scores else None
        before = self.latest.number if self.latest is not None else 0
        values: dict[str, Any] = {
            "t_us": 2_000_000, "number": before + 1, "state": "ok", "label": best, "raw_label": best,
            "probability": scores[best] if best else 0.0, "scores": dict(scores), "labels": tuple(scores),
            "rejected": max(0.0, 1.0 - sum(scores.values())),
        }  # fmt: skip
        values.update(others)
        prediction = Prediction(**values)
        self.latest = replace(prediction, decision=self.decider.update(prediction))
        self.log.append(self.latest)
        return self.latest


def ring_of_events(t: float, count: int = 4000, resolution: Resolution = RES) -> Packet:
    """Return events on a circle that moves with time: something to look at."""
    rng = np.random.default_rng(int(t * 1000))
    angle = rng.uniform(0, 2 * math.pi, count)
    cx, cy = (
        resolution.width * (0.5 + 0.2 * math.cos(t)),
        resolution.height * (0.5 + 0.15 * math.sin(1.3 * t)),
    )
    radius = resolution.height * (0.22 + 0.015 * rng.standard_normal(count))
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = int(t * 1e6) + np.sort(rng.integers(0, 33_000, count))
    events["x"] = np.clip(cx + radius * np.cos(angle), 0, resolution.width - 1)
    events["y"] = np.clip(cy + radius * np.sin(angle), 0, resolution.height - 1)
    events["p"] = np.cos(angle) * -math.sin(t) + np.sin(angle) * math.cos(1.3 * t) > 0
    return events


def place_of(timeline: Timeline, moment: Moment) -> int:
    """Return where a moment is drawn, in pixels from the left: it wanders off with the time that passes."""
    return round(timeline.width() - 10 - (timeline._now_s - moment.at_s) * timeline._per_second())


class ShowPipeline(FakePipeline):
    """A fake that plays a little show by the clock, for looking at the window."""

    def __init__(self, prompts: PromptSet) -> None:
        super().__init__(prompts)
        self._begin = time.monotonic()
        self._frames: list[np.ndarray] = []
        self._last = 0
        self.make_events = lambda: ring_of_events(time.monotonic() - self._begin)

    def prediction(self, *, early: bool = False) -> Prediction | None:
        from neuroclip_live.stream.frames import event_frame

        t = time.monotonic() - self._begin
        if int(t * 20) != self._last:
            self._last = int(t * 20)
            self._frames = [*self._frames, event_frame(ring_of_events(t), RES)][-10:]
            labels = [p.label for p in self.prompts.enabled if not p.negative]
            waves = np.array([math.sin(t / 3 + 1.7 * i) * 2.2 for i in range(len(labels))])
            p = np.exp(waves) / np.exp(waves).sum() if labels else np.zeros(0)
            cosines = np.tile(0.2 + 0.05 * waves.astype(np.float32), (len(self._frames), 1))
            self.predict(
                dict(zip(labels, map(float, p), strict=True)), t_us=int(t * 1e6), frames=tuple(self._frames),
                step_scores=cosines, state="ok" if len(self._frames) == 10 else "warming-up",
            )  # fmt: skip
            self.source.position_us = 1_000_000 + int(t * 1e6) % 10_000_000
        return self.latest


AS_THE_REAL_ONE: Callable[[PromptSet], PipelineProtocol] = FakePipeline
"""mypy checks it: a fake that drifts from the pipeline would show the window what there is not."""
