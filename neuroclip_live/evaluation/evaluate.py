"""Zero-shot and few-shot tables: every method on the same shots and the same tests, side by side.

Rows go to a CSV as they are made; a run that was interrupted goes on where it stopped, and features that were
computed are kept (:mod:`neuroclip_live.learning.feature_store`). Nothing is chosen on test data: the last
epoch counts, and timestep weights come from the shots.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.metrics import report
from neuroclip_live.evaluation.results import METHODS, Row, Summary, Table
from neuroclip_live.learning.adapter_training import check_shots, train_adapter, window_logits
from neuroclip_live.learning.baselines import (
    LinearProbe,
    prototype_logits,
    prototypes,
    search_timestep_weights,
    zero_shot_logits,
)
from neuroclip_live.learning.shots import Floats, Labels, Progress, ShotSource, check_available
from neuroclip_live.learning.thread_priority import on_one_core
from neuroclip_live.learning.train_settings import TrainSettings
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet

if TYPE_CHECKING:
    from neuroclip_live.learning.adapter import Adapter
    from neuroclip_live.model.backbone import Backbone


@dataclass(frozen=True)
class EvaluateSettings:
    """What is compared and how.

    Attributes
    ----------
    shots : tuple of int
        Per label; 0 is zero-shot.
    seeds : int
        Draws of the shots, from seed 0 on.
    methods : tuple of str
        Of :data:`METHODS`.
    copies : int
        Versions of each shot the adapters train on, itself among them; see
        :mod:`neuroclip_live.learning.augment`.
    templates : tuple of str
        Sentences for the labels; several are averaged.
    reference : bool
        The paper's protocol: zero-shot logits √T larger, features at the scale they come in.
    train : TrainSettings
    """

    shots: tuple[int, ...] = (0, 1, 2, 4, 8, 16)
    seeds: int = 5
    methods: tuple[str, ...] = METHODS
    copies: int = 4
    templates: tuple[str, ...] = ("{}",)
    reference: bool = False
    train: TrainSettings = field(default_factory=TrainSettings)

    def __post_init__(self) -> None:
        unknown = [m for m in self.methods if m not in METHODS]
        if unknown:
            raise UserError(f"no method is called {unknown[0]!r}; choose from {', '.join(METHODS)}")
        if not self.shots or min(self.shots) < 0:
            raise UserError("--shots are numbers of at least 0, like 0,1,2,4,8,16")
        if self.seeds < 1 or self.copies < 1:
            raise UserError("--seeds and --copies are at least 1")


def run(
    source: ShotSource,
    backbone: Backbone,
    settings: EvaluateSettings,
    out: Path,
    *,
    about: str = "",
    progress: Progress | None = None,
) -> list[Summary]:
    """Fill the table.

    Parameters
    ----------
    source : ShotSource
    backbone : Backbone
        For the labels' text features; its name and scale.
    settings : EvaluateSettings
    out : Path
        The CSV; beside it come ``….per-class.csv`` and, for each method and number of shots, the confusion
        matrix of seed 0 as PNG.
    about : str
        What else decides the numbers (data set, slicing, …): rows made with another text are made anew.
    progress : callable, optional
        Told what is being done and the share done.

    Returns
    -------
    list of Summary
        In the order of the table.

    Raises
    ------
    UserError
        For too few samples, labels or shots, or when results cannot be written.
    """
    if len(source.labels) < 2:
        raise UserError(f"one label only, {source.labels[0]!r}: there is nothing to tell it from")
    check_available(source, max(settings.shots))  # not after an hour's work on fewer
    tell: Progress = progress or (lambda text, share: None)
    text = text_features(backbone, source.labels, settings.templates)
    table = Table(out, _key(source, backbone, settings, about))
    jobs = _jobs(settings)
    tests: tuple[Floats, Labels] | None = None
    for done, (shots, seed, method) in enumerate(jobs):
        if (method, shots, seed) in table.rows:
            continue
        if tests is None:
            tests = source.test(tell)
        tell(f"{method}, {shots} shots, seed {seed}", done / len(jobs))
        begin = monotonic()
        drawn = _draw(source, shots, seed, settings, tell) if shots else None
        with on_one_core():
            logits = _logits(method, drawn, tests[0], text, source.labels, backbone, settings, seed)
        made = report(logits, tests[1])
        taken = monotonic() - begin
        row = Row(method, shots, seed, made.accuracy, made.low, made.high, made.ece, made.count, taken)
        table.add(row, made, source.labels)
    tell("done", 1.0)
    return table.summary()


def train(
    source: ShotSource,
    backbone: Backbone,
    shots: int,
    out: Path,
    *,
    settings: EvaluateSettings | None = None,
    search_weights: bool = False,
    progress: Progress | None = None,
) -> Adapter:
    """Train an adapter on ``shots`` of every label, test it on the rest and save it.

    Interrupted, it goes on from ``….partial`` beside ``out``.

    Returns
    -------
    Adapter
        As saved; ``info.metrics`` has its test accuracy with interval.

    Raises
    ------
    UserError
    """
    settings = settings or EvaluateSettings()
    tell: Progress = progress or (lambda text, share: None)
    if shots < 1:
        raise UserError("--shots 0 is zero-shot, nothing to train: give at least 1")
    names = source.labels
    if len(names) < 2:
        raise UserError(f"one label only, {names[0]!r}: there is nothing to tell it from; add a second")
    text = text_features(backbone, names, settings.templates)
    features, labels = _draw(source, shots, settings.train.seed, settings, tell)
    adapter = train_adapter(
        features,
        labels,
        text,
        names=names,
        model=backbone.info.features,
        logit_scale=backbone.info.logit_scale,
        templates=settings.templates,
        settings=settings.train,
        progress=lambda share: tell("training", share),
        checkpoint=out.with_name(out.name + ".partial"),
    )
    if search_weights:
        weights = search_timestep_weights(
            adapter.transform(features[:, 0]), labels, text, backbone.info.logit_scale
        )
        adapter.info = replace(adapter.info, timestep_weights=tuple(float(w) for w in weights))
    tests, truth = source.test(tell)
    made = report(window_logits(adapter.transform(tests), text, backbone.info.logit_scale), truth)
    metrics = {"test accuracy": made.accuracy, "low": made.low, "high": made.high, "tests": made.count}
    adapter.info = replace(adapter.info, metrics={**adapter.info.metrics, **metrics})
    adapter.save(out)
    return adapter


def text_features(backbone: Backbone, labels: Sequence[str], templates: Sequence[str]) -> Floats:
    """Return the labels' unit text features (K, C), exactly as live prompts are encoded."""
    return PromptEncoder(backbone).encode(PromptSet.of(labels, templates)).features


def _draw(
    source: ShotSource, shots: int, seed: int, settings: EvaluateSettings, progress: Progress
) -> tuple[Floats, Labels]:
    features, labels = source.draw(shots, seed, settings.copies, progress)
    check_shots(features, labels, source.labels)
    return features, labels


def _logits(
    method: str,
    drawn: tuple[Floats, Labels] | None,
    tests: Floats,
    text: Floats,
    names: tuple[str, ...],
    backbone: Backbone,
    settings: EvaluateSettings,
    seed: int,
) -> Floats:
    scale = backbone.info.logit_scale
    if drawn is None:
        sharper = tests.shape[1] ** 0.5 if settings.reference else 1.0
        return zero_shot_logits(tests, text, scale * sharper)
    features, labels = drawn
    plain = features[:, 0]
    if method == "weighted":
        return zero_shot_logits(tests, text, scale, search_timestep_weights(plain, labels, text, scale))
    if method == "prototypes":
        return prototype_logits(tests, prototypes(plain, labels, len(names)), scale)
    if method == "probe":
        return LinearProbe(plain, labels, len(names)).logits(tests)
    how = replace(settings.train, kind="snn" if method == "snn" else "ann", seed=seed)
    if settings.reference:
        how = replace(how, feature_norm=None)
    adapter = train_adapter(
        features, labels, text, names=names, model=backbone.info.features, logit_scale=scale, settings=how
    )
    return window_logits(adapter.transform(tests), text, scale)


def _jobs(settings: EvaluateSettings) -> list[tuple[int, int, str]]:
    jobs = []
    for shots in sorted(set(settings.shots)):
        if shots == 0:
            jobs.append((0, 0, "zero-shot"))
            continue
        few = [method for method in settings.methods if method != "zero-shot"]
        jobs.extend((shots, seed, method) for seed in range(settings.seeds) for method in few)
    return jobs


def _key(source: ShotSource, backbone: Backbone, settings: EvaluateSettings, about: str) -> str:
    """Return what rows must have in common to stand in one table."""
    from neuroclip_live.learning.feature_store import fingerprint

    same = replace(settings, shots=(0,), seeds=1, methods=("snn",))
    told = repr((source.labels, fingerprint(backbone), same, about))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
