"""Calibrate "none of these" against the model's own nouns: another noun that fits far better says none.

``python -m training.none_of_these --model DIR --trials TRIALS [--data DIR] [--write]`` fits, on simulated
validation alone, how far the best label may lie below the nearest noun: so that :data:`KEPT_SHARE` of scenes
whose label is listed stay, for 3 to 20 labels. It prints balanced accuracies, of this and of one cosine for
all, and what becomes of the real objects with and without their word; ``--write`` puts it into the model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.model.model_config import CONFIG_FILE, FACTS_KEY
from neuroclip_live.model.vocabulary import Vocabulary
from training.calibrate import KEPT_SHARE
from training.measure_real import read_recording, windows
from training.measure_simulated import encode_trials
from training.measuring import Array, encode
from training.trials import Trial, load_trials, scene_means

WAYS = (3, 5, 10, 20)


@dataclass(frozen=True)
class Questions:
    """Scenes asked with and without their label: number of labels, best label's and nearest noun's cosine."""

    ways: npt.NDArray[np.int64]
    listed: npt.NDArray[np.bool_]
    best: Array
    noun: Array


def ask(backbone: Backbone, trials: Sequence[Trial], encoded: Sequence[Array], nouns: Array) -> Questions:
    """Cut trials (those that are fitted on; digits have no nouns) into questions of :data:`WAYS` labels."""
    random = np.random.default_rng(0)
    rows: list[tuple[int, bool, float, float]] = []
    for trial, features in zip(trials, encoded, strict=True):
        if trial.name == "digits" or trial.extra:
            continue
        scenes = scene_means(features, trial.scenes)
        cosines = scenes @ backbone.encode_texts(trial.labels).T
        top = (scenes @ nouns.T).max(1)
        for i, truth in enumerate(trial.truths):
            others = np.delete(np.arange(len(trial.labels)), truth)
            for ways in (w for w in WAYS if w <= len(others)):
                drawn = random.permutation(others)[:ways]
                rows.append((ways, True, cosines[i, [truth, *drawn[1:]]].max(), top[i]))
                rows.append((ways, False, cosines[i, drawn].max(), top[i]))
    ways, listed, best, noun = zip(*rows, strict=True)
    return Questions(np.array(ways), np.array(listed), np.array(best), np.array(noun))


def fit(asked: Questions) -> tuple[float, float]:
    """Return the gap for ten labels and its growth with the logarithm of their number."""
    gaps = asked.best - asked.noun
    ways = np.unique(asked.ways)
    limits = [np.quantile(gaps[(asked.ways == w) & asked.listed], 1 - KEPT_SHARE) for w in ways]
    growth, gap = np.polyfit(np.log(ways / 10), limits, 1)
    return float(gap), float(growth)


def balanced(score: Any, limit: Any, listed: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share kept of those listed, and the share rejected of the others."""
    return float((score >= limit)[listed].mean()), float((score < limit)[~listed].mean())


def report(asked: Questions, gap: float, growth: float) -> list[str]:
    """Return lines that compare the gap with one cosine for all."""
    limit = np.quantile(asked.best[asked.listed], 1 - KEPT_SHARE)
    lines = []
    for ways in np.unique(asked.ways):
        mine = asked.ways == ways
        old = balanced(asked.best[mine], limit, asked.listed[mine])
        new = balanced((asked.best - asked.noun)[mine], gap + growth * np.log(ways / 10), asked.listed[mine])
        lines.append(
            f"{ways} labels: kept {new[0]:.3f}, rejected {new[1]:.3f}, balanced {np.mean(new):.3f}; "
            f"one cosine: {old[0]:.3f}, {old[1]:.3f}, {np.mean(old):.3f}"
        )
    return lines


def real(backbone: Backbone, folder: Path, nouns: Array, gap: float, growth: float) -> list[str]:
    """Return lines about the real objects among the names of all, with and without their own."""
    files = sorted(folder.glob("*.aedat4"))
    names = [file.stem.replace("_", " ") for file in files]
    words = backbone.encode_texts(names)
    lines, kept, rejected = [], [], []
    for i, file in enumerate(files):
        features = encode(backbone, windows(*read_recording(file)))
        top = (features @ nouns.T).max(1)
        limits = [gap + growth * np.log(n / 10) for n in (len(names), len(names) - 1)]
        kept.append((features @ words.T).max(1) - top >= limits[0])
        rejected.append((features @ np.delete(words, i, 0).T).max(1) - top < limits[1])
        lines.append(f"{names[i]}: kept {kept[-1].mean():.2f}, rejected {rejected[-1].mean():.2f}")
    keeps, rejects = np.concatenate(kept).mean(), np.concatenate(rejected).mean()
    return [*lines, f"real objects, all windows: kept {keeps:.3f}, rejected {rejects:.3f}"]


_PATH = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--model", type=_PATH, required=True, help="A model's folder.")
@click.option("--trials", "trials_path", type=_PATH, required=True, help="Simulated validation.")
@click.option("--data", type=_PATH, help="Folder of real recordings.")
@click.option("--write", is_flag=True, help="Put the calibration into the model's configuration.")
def main(model: Path, trials_path: Path, data: Path | None, write: bool) -> None:
    """Run from the command line."""
    vocabulary = Vocabulary.load(model)
    if vocabulary is None:
        raise click.ClickException(f"{model} brings no nouns to compare with")
    nouns = vocabulary.rivals
    plain = load_backbone(f"local-dir:{model}", focus=False)
    trials = [trial for trial in load_trials(trials_path) if not trial.extra]
    asked = ask(plain, trials, encode_trials(plain, trials), nouns)
    gap, growth = fit(asked)
    click.echo(f"gap {gap:.4f}, growth {growth:.4f}")
    for line in report(asked, gap, growth):
        click.echo(line)
    if data:
        focused = load_backbone(f"local-dir:{model}")
        for line in real(focused, data / "recordings" / "objects_dvs128", nouns, gap, growth):
            click.echo(line)
    if write:
        path = model / CONFIG_FILE
        config = json.loads(path.read_text(encoding="utf-8"))
        config[FACTS_KEY]["none_gap"] = [round(gap, 4), round(growth, 4)]
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
