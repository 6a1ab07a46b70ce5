"""Simulated validation: photographs, classes, solids and characters that training never saw.

Beside the model's own words each set can be asked with *stand-ins* for the text tower, such as its teacher,
and by the images alone: what is lost, and where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.backbone import Backbone
from training.calibrate import ROUNDS, Calibration, expected_calibration_error, label_sets, softmax
from training.measuring import ENSEMBLE, Array, Line, encode, resampled, share, texts, unit
from training.trials import Trial, scene_means

StandIns = Mapping[str, Callable[[Sequence[str]], Array]]
"""Name → texts to (N, C) unit vectors, in place of the model's text tower."""


def encode_trials(backbone: Backbone, trials: Sequence[Trial]) -> list[Array]:
    """Return unit features of trials' frames, which are focused and fitted already.

    ``backbone`` must have been loaded with ``focus=False``, or they would be cropped twice.
    """
    return [encode(backbone, list(trial.frames)) for trial in trials]


def simulated(
    backbone: Backbone,
    trials: Sequence[Trial],
    encoded: Sequence[Array],
    scale: float,
    stand_ins: StandIns | None = None,
) -> tuple[list[Line], list[tuple[Any, Any]]]:
    """Measure simulated validation, ``encoded`` by :func:`encode_trials`.

    Returns rows of the table, and each trial's (cosines, truths) for calibration.
    """
    lines, cosines = [], []
    for trial, features in zip(trials, encoded, strict=True):
        words = texts(backbone, trial.labels)
        scenes = scene_means(features, trial.scenes)
        means = scenes @ words.T
        each = (features @ words.T).argmax(1) == trial.truths[trial.scenes]
        ways, chance = len(trial.labels), f"{1 / len(trial.labels):.3f}"
        lines.append(share(f"simulated, {trial.name}: {ways}-way, one slice", each, chance))
        lines.append(share("… mean of 3 slices", means.argmax(1) == trial.truths, chance))
        if trial.name != "digits":
            right = (scenes @ texts(backbone, trial.labels, ENSEMBLE).T).argmax(1) == trial.truths
            lines.append(share("… mean of 3 slices, template ensemble", right, chance))
        for name, stand_in in (stand_ins or {}).items():
            right = (scenes @ unit(stand_in(trial.labels)).T).argmax(1) == trial.truths
            lines.append(share(f"… mean of 3 slices, with {name} for the text tower", right, chance))
        if stand_ins:
            right = nearest_centroids(unit(scenes), trial.truths, ways) == trial.truths
            lines.append(
                share("… mean of 3 slices, no words: nearest mean of the other scenes", right, chance)
            )
        lines.append(_ece("… ECE", softmax(scale * means), trial.truths))
        cosines.append((means, trial.truths))
        if trial.name.startswith("cifar10") and "dog" in trial.labels:
            dogs = means_for(backbone, features, trial, "dog", ("dog", "puppy", "car"))
            above = (dogs[:, :2] > dogs[:, 2:]).all(1)
            lines.append(share('… dogs: "dog" and "puppy" both above "car"', above, "1/3"))
    return lines, cosines


def calibration_lines(cosines: Sequence[tuple[Any, Any]], found: Calibration) -> list[Line]:
    """Measure the calibration on the scenes it was fitted on, over random sets of ten labels."""
    listed, inside, outside = label_sets(cosines)
    probabilities = softmax(found.logit_scale * listed)
    asked, before = [], 0
    for _, truths in cosines:  # which scene each question is about: each is asked several times
        asked.append(np.tile(np.arange(len(truths)) + before, ROUNDS))
        before += len(truths)
    order = np.argsort(np.concatenate(asked), kind="stable").reshape(-1, ROUNDS)
    first = np.zeros(len(listed), int)

    def ece(scenes: npt.NDArray[np.int64]) -> float:
        rows = order[scenes].ravel()
        return expected_calibration_error(probabilities[rows], first[rows])

    def balanced(scenes: npt.NDArray[np.int64]) -> float:
        rows = order[scenes].ravel()
        kept, rejected = inside[rows] >= found.none_cosine, outside[rows] < found.none_cosine
        return 0.5 * float(kept.mean()) + 0.5 * float(rejected.mean())

    facts = f"logit scale {found.logit_scale:.2f}, NLL {found.nll:.3f}"
    name = "'none of these', balanced accuracy, simulated"
    return [
        resampled("ECE, ten-way label sets of simulated validation", ece, before, "", facts),
        resampled(name, balanced, before, "0.50", f"cosine {found.none_cosine:.3f}"),
    ]


def means_for(backbone: Backbone, features: Array, trial: Trial, label: str, names: Sequence[str]) -> Array:
    """Return the cosines of one label's scenes with other names."""
    mine = trial.truths == trial.labels.index(label)
    return np.asarray((scene_means(features, trial.scenes) @ texts(backbone, names).T)[mine])


def nearest_centroids(scenes: Array, truths: npt.NDArray[np.int64], ways: int) -> npt.NDArray[np.int64]:
    """Name each scene (N, C) by the nearest mean of its class's *other* scenes and of the other classes'."""
    sums = np.eye(ways, dtype=np.float32)[truths].T @ scenes
    found = np.empty(len(scenes), np.int64)
    for i, scene in enumerate(scenes):
        others = sums.copy()
        others[truths[i]] -= scene
        found[i] = int((unit(others) @ scene).argmax())
    return found


def _ece(name: str, probabilities: Any, truths: Any) -> Line:
    def statistic(scenes: npt.NDArray[np.int64]) -> float:
        return expected_calibration_error(probabilities[scenes], truths[scenes])

    return resampled(name, statistic, len(truths))
