"""What a pipeline is told and what it tells: settings and snapshots, safe to hand to any thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from neuroclip_live.events import Resolution
from neuroclip_live.objects.found import Missed
from neuroclip_live.prompting.prompts import PromptSet
from neuroclip_live.recognition.decision import DecisionSettings
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.latency import Percentiles
from neuroclip_live.stream.road import RoadSettings
from neuroclip_live.stream.slicing import SliceBy

if TYPE_CHECKING:
    from neuroclip_drivers.source import SourceStatus
    from neuroclip_live.model.backbone import Backbone


STALLED = "recognition does not answer; the picture goes on"


class PipelineState(Enum):
    """Where the pipeline stands; see the diagram in :mod:`neuroclip_live.recognition.pipeline`."""

    LOADING = "loading"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class PipelineSettings:
    """How the stream is cut and recognized."""

    slice_by: SliceBy = field(default_factory=SliceBy)
    recognizer: RecognizerSettings = field(default_factory=RecognizerSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    wait_for_model: bool = False
    """Recognize from the first event on: a recording starts only when the model is loaded; what a live source
    gives meanwhile stays in the ring."""
    model_templates: bool = True
    """Put prompts into the sentences the model does best with; off when the user chose templates."""

    road: RoadSettings = field(default_factory=RoadSettings)
    """What is done to events before they are recognized, at the beginning."""

    lessons: Path | None = None
    """Labels taught earlier, as a teacher saves them."""

    def with_model_templates(self, prompts: PromptSet, model: Backbone) -> PromptSet:
        """Return the prompts in the model's own templates, unless others were chosen."""
        return prompts.with_templates(model.info.templates) if self.model_templates else prompts


@dataclass(frozen=True)
class Status:
    """A snapshot for whoever shows it. Counters run since the current source was opened.

    ``windows`` = ``predictions`` + ``skipped_windows``, always.
    """

    state: PipelineState
    message: str
    progress: float | None
    model: str
    device: str
    runtime: str
    source_name: str
    source: SourceStatus
    resolution: Resolution
    event_rate_hz: float
    total_events: int
    dropped_events: int
    outside_events: int
    windows: int
    predictions: int
    skipped_windows: int
    prediction_rate_hz: float
    ring_fill: float
    latency: Mapping[str, Percentiles]
    removed_share: float = 0.0
    """Share of events that the noise filter took away in the last half second."""
    changing: bool = False
    """Another model is being loaded beside the one at work; ``message`` and ``progress`` tell how far."""
    stray_events: int = 0
    """Events whose time was far off while all around them went on; they were given the newest time."""
    lost: bool = False
    """The message is of something lost: slices, the source, lines of an output."""
    missed: Missed | None = None
    """What there was no time or room for of the things; None where none are looked for."""
    failure: str = ""
    """Why the source gave up, in a line; empty where it did not."""
    stalled: bool = False
    """Recognition has been at one slice for seconds: what it said last is old."""


def told_by(
    recognition: tuple[str, bool], change: str, stalled: bool, capture: str, output: str, source: SourceStatus
) -> tuple[str, bool]:
    """Return what there is to say, the most pressing first, and whether it is of something lost."""
    told = (
        recognition,
        (change, False),
        (STALLED if stalled else "", True),
        (capture, True),
        (output, True),
        (source.message, source.lost),
    )
    return next((each for each in told if each[0]), ("", False))


class Rate:
    """Events or predictions per second over about the last second."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=512)

    def update(self, total: int) -> float:
        """Take in the newest total; return the rate."""
        now = monotonic()
        if self._samples and total < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, total))
        while len(self._samples) > 2 and now - self._samples[1][0] > 1.0:
            self._samples.popleft()
        (t0, n0), (t1, n1) = self._samples[0], self._samples[-1]
        return (n1 - n0) / (t1 - t0) if t1 - t0 > 0.05 else 0.0
