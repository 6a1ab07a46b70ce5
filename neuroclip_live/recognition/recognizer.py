"""A slice in, a prediction out: the method, without threads and without a clock.

The last T encoded timesteps are kept, so a new slice costs one image encoding and never T: the other T - 1
features are as valid as they were. Scores come from the mean over those T, which is what the paper does with
a whole sample cut in T, carried over to a stream.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution, empty_packet
from neuroclip_live.model.scoring import Scores, score, summary
from neuroclip_live.objects.found import ObjectsSettings
from neuroclip_live.objects.naming import Named, Score
from neuroclip_live.objects.objects import Objects
from neuroclip_live.recognition.decision import Decider
from neuroclip_live.recognition.prediction import Prediction, State
from neuroclip_live.recognition.thing_names import calm_name
from neuroclip_live.recognition.things_beside import ThingsBeside
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.frames import in_gray
from neuroclip_live.stream.motion import MotionDetector
from neuroclip_live.stream.motion_setting import MOST_HZ
from neuroclip_live.stream.representations.registry import representation
from neuroclip_live.stream.slicing import Slice

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.prompting.prompts import PromptTable

Features = npt.NDArray[np.float32]

MAX_TIMESTEPS = 64
STALE_US = 3_000_000
"""A feature older than this says nothing about what the camera sees now."""


class FeatureAdapter(Protocol):
    """What may stand between features and scores: the spiking adapter."""

    last_spikes: npt.NDArray[Any] | None
    """(T, hidden) of the last call, for the window; None where there are none."""

    def __call__(self, features: Features) -> Features:
        """Map (T, C) raw features to (T, C) adapted ones."""
        ...


@dataclass(frozen=True)
class RecognizerSettings:
    """How slices become predictions.

    Attributes
    ----------
    timesteps : int
        T: how many of the newest slices are averaged.
    threshold : int or None
        A pixel speaks when more events than this fell on it; None is the model's own.
    motion : float or None
        What counts as motion; slices without it are not recognized. None: that events gather anywhere
        (:mod:`neuroclip_live.stream.motion`); a number: so many events per pixel and second.
    reference_logits : bool
        The paper's code multiplies logits by √T; kept for comparison only.
    objects : ObjectsSettings
        Whether several things are looked for beside the whole picture, and how.
    """

    timesteps: int = 10
    threshold: int | None = None
    motion: float | None = None
    reference_logits: bool = False
    objects: ObjectsSettings = field(default_factory=ObjectsSettings)

    def __post_init__(self) -> None:
        if not 1 <= self.timesteps <= MAX_TIMESTEPS:
            raise UserError(f"--timesteps {self.timesteps}: choose 1 to {MAX_TIMESTEPS}")
        if self.threshold is not None and not 0 <= self.threshold <= 1000:
            raise UserError(f"--threshold {self.threshold}: choose 0 to 1000 events")
        if self.motion is not None and not 0 <= self.motion <= MOST_HZ:
            raise UserError(f"--motion {self.motion:g}: choose auto, or 0 to {MOST_HZ:g} a pixel and second")


@dataclass(frozen=True)
class _Timestep:
    t_us: int
    frame: npt.NDArray[np.uint8]
    feature: Features  # (C,)


class Recognizer:
    """Holds the T newest timesteps of one stream and scores them.

    Parameters
    ----------
    backbone : Backbone
    table : PromptTable or None
        Encoded prompts; replaced at any time with :meth:`set_prompts`. None: encode only.
    settings : RecognizerSettings

    Attributes
    ----------
    summary : ndarray (C,) float32 or None
        What the newest window's score of any text is the product with; None while nothing moves.
    decider : Decider
        Makes the answer of every prediction; its settings may be replaced at any time.
    """

    def __init__(self, backbone: Backbone, table: PromptTable | None, settings: RecognizerSettings) -> None:
        self.backbone = backbone
        self.settings = settings
        self._represent = representation(backbone.info.representation)
        self.adapter: FeatureAdapter | None = None
        self.summary: Features | None = None
        self.decider = Decider()
        self._table = table
        self._steps: deque[_Timestep] = deque(maxlen=settings.timesteps)
        self._resolution = Resolution(8, 8)
        self._motion = MotionDetector(self._resolution)
        self._epoch = 0
        self._number = 0
        self._captions: tuple[tuple[str, ...], Features] = ((), np.zeros((0, 0), np.float32))
        self._newest: Scores | None = None
        self._corner = (0, 0)
        objects, timesteps = settings.objects, settings.timesteps
        self._things = ThingsBeside(Objects(backbone, objects, timesteps) if objects.enabled else None)

    def successor(self, backbone: Backbone, settings: RecognizerSettings) -> Recognizer:
        """Return a recognizer that goes on counting with another model or another T.

        With the same model the features kept so far stay good, as many as the new T has room for.
        """
        other = Recognizer(backbone, self._table if backbone is self.backbone else None, settings)
        other._resolution, other._epoch, other._number = self._resolution, self._epoch, self._number
        other._motion, other._corner = self._motion, self._corner
        other.decider = self.decider
        if backbone is self.backbone:
            other.adapter = self.adapter
            other._steps.extend(self._steps)
        other._things.begin(self._resolution, self._corner, self._things)
        return other

    def begin(self, resolution: Resolution, region: Box | None = None) -> None:
        """Forget the past: another source, or another time.

        ``region`` is the part of the picture that slices come from, of the size ``resolution``.
        """
        self._corner = (region.left, region.top) if region is not None else (0, 0)
        if resolution != self._resolution:
            self._resolution, self._motion = resolution, MotionDetector(resolution)
        self._steps.clear()
        self.decider.forget()
        self._things.begin(resolution, self._corner)

    def warm_up(self) -> None:
        """Compile and allocate now what the first slice would otherwise wait for."""
        frame = self._represent(empty_packet(), self._resolution, 0, 0, 1)
        self.backbone.encode_frames(frame[None])
        self._motion.warm_up()

    def set_prompts(self, table: PromptTable | None) -> None:
        """Score against other prompts from the next slice on; features are kept. None: nothing to score."""
        self._table = table

    @property
    def features(self) -> Features:
        """The kept features, oldest first: (≤ T, C) float32, not normalized."""
        return np.stack([s.feature for s in self._steps]) if self._steps else np.zeros((0, 0), np.float32)

    def is_quiet(self, piece: Slice) -> bool:
        """Tell whether nothing moved, so that there is nothing to recognize."""
        if self.settings.motion is None:
            return not self._motion.moves(piece)
        seconds = max(piece.end_us - piece.start_us, 1) / 1e6
        return len(piece.events) < self.settings.motion * self._resolution.area * seconds

    def update(self, piece: Slice, skipped: int = 0) -> Prediction:
        """Return :meth:`answer`, with the things of the slice where they are looked for."""
        return self.with_things(self.answer(piece, skipped))

    def with_things(self, answer: Prediction, spare_ms: float = np.inf) -> Prediction:
        """Return the newest answer with its things, ``objects`` in ``latency_ms``.

        Encoding them takes ``spare_ms`` and what the settings allow at the most.
        """
        return self._things.added_to(answer, self._scorer, spare_ms)

    def answer(self, piece: Slice, skipped: int = 0) -> Prediction:
        """Encode one new slice and score the T newest; its things are not looked for yet.

        Parameters
        ----------
        piece : Slice
        skipped : int
            Slices passed over before it; only noted.

        Returns
        -------
        Prediction
            With stages ``frame``, ``encode`` and ``score`` in ``latency_ms``.
        """
        if piece.epoch != self._epoch:
            self._epoch = piece.epoch
            self._steps.clear()
            self.decider.forget()
        begin = perf_counter()
        while self._steps and piece.end_us - self._steps[0].t_us > STALE_US:
            self._steps.popleft()
        if self.is_quiet(piece):
            return self.at_rest(piece.end_us, skipped, len(piece.events))
        threshold = self.settings.threshold
        if threshold is None:
            threshold = self.backbone.info.threshold
        frame = self._represent(piece.events, self._resolution, threshold, piece.start_us, piece.end_us)
        framed = perf_counter()
        feature = self.backbone.encode_frames(frame[None])[0]
        encoded = perf_counter()
        self._steps.append(_Timestep(piece.end_us, in_gray(frame), feature))
        scores = self._newest = self._score(self.features)
        latency = {
            "frame": (framed - begin) * 1e3,
            "encode": (encoded - framed) * 1e3,
            "score": (perf_counter() - encoded) * 1e3,
        }
        self._things.expect(piece, frame, feature)
        return self._predict(piece.end_us, len(piece.events), scores, latency, skipped)

    def rescored(self, latest: Prediction) -> Prediction:
        """Return the newest prediction by the prompts of now: no new slice will say so while paused.

        Its answer is that of this moment alone.
        """
        if not self._steps or latest.state == "no-motion":
            return latest
        self.decider.forget()
        self._newest = self._score(self.features)
        again = self._predict(latest.t_us, latest.events, self._newest, {}, 0)
        decision, before = again.decision, latest.decision
        if (decision.kind, decision.label) == (before.kind, before.label):
            decision = replace(decision, since_us=before.since_us)
        things = self._things.renamed(latest, self._scorer)
        again = replace(again, objects=things, camera_moves=latest.camera_moves)
        return replace(again, paused=latest.paused, decision=decision)

    def at_rest(self, t_us: int, skipped: int = 0, events: int = 0) -> Prediction:
        """Return the prediction for a scene in which nothing moves: no label rather than a stale one."""
        self._number += 1
        self.summary = None
        labels, cosines = self._captions
        found = self._things.at_rest(t_us, self._epoch)
        return self._decided(
            Prediction(
                t_us,
                self._number,
                "no-motion",
                skipped=skipped,
                events=events,
                frames=self._frames(),
                labels=labels,
                step_scores=cosines[max(0, len(cosines) - len(self._steps)) :],
                objects=found,
            )
        )

    def _decided(self, prediction: Prediction) -> Prediction:
        return replace(prediction, decision=self.decider.update(prediction))

    def _score(self, features: Features) -> Scores | None:
        features, weights = self._adapted(features)
        self.summary = summary(features, weights)
        return self._scores(features, weights)

    def _adapted(self, features: Features) -> tuple[Features, Features | None]:
        weights = None
        if self.adapter is not None:
            features = self.adapter(features)
            # the adapter is trained with one length for the whole window: its longer timesteps count for more
            lengths = np.linalg.norm(features, axis=1)
            weights = lengths if lengths.any() else None
        return features, weights

    @property
    def _scorer(self) -> Score | None:
        return self._name if self._table is not None else None

    def _name(self, features: Sequence[Features], t_us: int, memory: dict[str, Any]) -> Named:
        """Return label, probability and scores of one thing's features, as calm as the whole picture's."""
        if len(features) == len(self._steps) and all(map(is_, features, (s.feature for s in self._steps))):
            scores = self._newest  # all that was seen of it is the whole picture
        else:
            scores = self._scores(*self._adapted(np.stack(features)))
        if scores is None or self._table is None:
            return None, 0.0, {}
        return calm_name(scores, self._table, self.decider.settings, t_us, memory)

    def _scores(self, features: Features, weights: Features | None) -> Scores | None:
        if self._table is None or not len(self._table.labels):
            return None
        return score(
            features,
            self._table,
            self.backbone.info.logit_scale,
            weights=weights,
            reference_logits=self.settings.reference_logits,
        )

    def _frames(self) -> tuple[npt.NDArray[np.uint8], ...]:
        return tuple(step.frame for step in self._steps)

    def _predict(
        self, t_us: int, events: int, scores: Scores | None, latency: dict[str, float], skipped: int
    ) -> Prediction:
        self._number += 1
        state: State = "ok" if len(self._steps) == self.settings.timesteps else "warming-up"
        bare = Prediction(t_us, self._number, state, skipped=skipped, events=events)
        bare = replace(bare, frames=self._frames(), latency_ms=latency)
        table = self._table
        if scores is None or table is None:
            self._captions = (), np.zeros((0, 0), np.float32)
            return self._decided(bare)
        probabilities = scores.probabilities
        best = int(np.argmax(probabilities))
        self._captions = table.labels, scores.step_cosines
        newest = int(np.argmax(scores.step_cosines[-1]))
        shown = {
            label: float(p)
            for label, p, negative in zip(table.labels, probabilities, table.negative, strict=False)
            if not negative
        }
        scored = replace(
            bare,
            label=table.labels[best] if best < len(table.labels) and not table.negative[best] else None,
            probability=float(probabilities[best]),
            raw_label=None if table.negative[newest] else table.labels[newest],
            scores=shown,
            rejected=max(0.0, 1.0 - sum(shown.values())),
            labels=table.labels,
            step_scores=scores.step_cosines,
            spikes=self.adapter.last_spikes if self.adapter is not None else None,
        )
        return self._decided(scored)
