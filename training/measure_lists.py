"""Lists of words against real recordings, and nouns never seen: ``python -m training.measure_lists``.

Nine recordings of nine things are asked with the nine words, and each with five lists of twenty that hold the
right word (:mod:`training.word_lists`): one window of 100 ms at a time. Of simulated validation it also
tells the nouns that no picture in training had, twenty at a time, with and without a stored CLIP vector, and
things small and fast or in a hand, twenty names each.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from neuroclip_live.model.backbone import Backbone, load_backbone
from training.measure_real import read_recording, windows
from training.measuring import Array, Line, encode, share, texts, write
from training.trials import Trial, load_trials, scene_means
from training.word_lists import NINE, OTHERS

FILES = {
    "phone": "objects_dvs128/phone", "person": "dvxplorer_person", "box": "objects_dvs128/box",
    "computer mouse": "objects_dvs128/computer_mouse", "pencil": "objects_dvs128/mechanical_pencil",
    "mug": "objects_dvs128/mug", "hand": "dvs128_hand", "scissors": "objects_dvs128/scissors",
    "box cutter": "objects_dvs128/box_cutter",
}  # fmt: skip
"""Where the nine things are, below the folder of recordings, without ``.aedat4``."""

WAYS, ROUNDS = 20, 5


def recordings(backbone: Backbone, folder: Path) -> list[Line]:
    """Measure the nine words and the five lists of twenty; the mean of a line is over recordings."""
    nine, first, third, each = texts(backbone, NINE), [], [], []
    for place, name in enumerate(NINE):
        features = encode(backbone, windows(*read_recording(folder / f"{FILES[name]}.aedat4")))
        each.append(float(((features @ nine.T).argmax(1) == place).mean()))
        for others in OTHERS.values():
            words = texts(backbone, [name, *others])
            cosines = features @ words.T
            above = (cosines[:, 1:] > cosines[:, :1]).sum(1)
            first.append(float((above == 0).mean()))
            third.append(float((above < 3).mean()))
    told = ", ".join(f"{name} {value:.2f}" for name, value in zip(NINE, each, strict=True))
    return [
        _mean("real, nine words, mean over nine recordings", each, "1/9", told),
        _mean("real, five lists of 20 words, top-1", first, "0.05"),
        _mean("… top-3", third, "0.15"),
    ]


def hard(backbone: Backbone, trials: Sequence[Trial], stored: Sequence[str]) -> list[Line]:
    """Measure simulated validation's hard sets, twenty names at a time; ``backbone`` without focus."""
    lines, kept = [], {_key(name) for name in stored}
    for trial in trials:
        if not {trial.name} & {"unseen nouns", "small and fast", "held in a hand"}:
            continue
        scenes = scene_means(encode(backbone, list(trial.frames)), trial.scenes)
        right = drawn_ways(scenes @ texts(backbone, trial.labels).T, trial.truths)
        name, chance = f"simulated, {trial.name}, {WAYS} names at a time", f"{1 / WAYS:.2f}"
        lines.append(share(name, right.ravel(), chance))
        if trial.name == "unseen nouns":
            known = np.array([_key(label) in kept for label in trial.labels])[trial.truths]
            lines.append(share("… with a stored CLIP vector", right[known].ravel(), chance))
            lines.append(share("… without", right[~known].ravel(), chance))
    return lines


def drawn_ways(cosines: Array, truths: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of each scene (N, K) whether its name wins among 19 others drawn, (N, rounds)."""
    random = np.random.default_rng(0)
    right = np.zeros((len(truths), ROUNDS), bool)
    for i, truth in enumerate(truths):
        others = np.delete(np.arange(cosines.shape[1]), truth)
        for k in range(ROUNDS):
            drawn = random.choice(others, WAYS - 1, replace=False)
            right[i, k] = cosines[i, truth] > cosines[i, drawn].max()
    return right


def _mean(name: str, shares: Sequence[float], chance: str, note: str = "") -> Line:
    values = np.array(shares)
    error = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return Line(name, values.mean(), values.mean() - error, values.mean() + error, len(values), chance, note)


def _key(name: str) -> str:
    return name.replace(" ", "").replace("-", "")


_DIR = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--model", default="event-nano", show_default=True, help="A model folder, or a name.")
@click.option("--data", type=_DIR, required=True, help="Folder of real recordings.")
@click.option("--trials", "trials_path", type=_DIR, help="Simulated validation with its hard sets.")
@click.option("--stored", type=_DIR, help="stored_words.txt of the model.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(model: str, data: Path, trials_path: Path | None, stored: Path | None, out: Path) -> None:
    """Run from the command line."""
    lines = recordings(load_backbone(model), data / "recordings")
    if trials_path:
        names = stored.read_text(encoding="utf-8").splitlines() if stored else []
        lines += hard(load_backbone(model, focus=False), load_trials(trials_path), names)
    write(lines, out)
    click.echo((out / "results.md").read_text())


if __name__ == "__main__":
    main()
