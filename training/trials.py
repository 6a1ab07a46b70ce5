"""Simulated validation: scenes of pictures and classes that training never saw, with fixed seeds.

``python -m training.trials --images DIR --fonts DIR --out DIR`` films it without training anything, as
``training.make`` does after training with the same pictures and fonts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from training.bank import Bank, font_files, load_glyphs, load_photos, split_fonts
from training.mesh import Mesh
from training.named_meshes import load_meshes
from training.pictures import DIGIT_WORDS, PictureSet
from training.settings import HELD_OUT_MESHES, Settings
from training.solids import CATALOG
from training.studio import Studio

SEED = 7_654_321
SLICES = 3
SMALL_AND_FAST = (
    "mug", "bottle", "book", "phone", "scissors", "hammer", "key", "banana", "shoe", "hat", "chair", "car",
    "bus",
    "airplane", "boat", "person", "hand", "dog", "guitar", "umbrella",
)  # fmt: skip
"""Keys of the solids that are shown small and fast."""

IN_HAND = (
    "scissors", "box_cutter", "pliers", "knife", "screwdriver", "hammer", "pen", "pencil", "phone", "remote",
    "mug", "bottle", "can", "spoon", "banana", "apple", "ball", "book", "key", "toothbrush",
)  # fmt: skip
"""Keys of those that are shown in a hand."""


@dataclass(frozen=True)
class Trial:
    """A labeled set of simulated scenes.

    Attributes
    ----------
    name : str
    frames : ndarray of uint8, shape (N, S, S)
        All event frames, already fitted to the encoder's input.
    scenes : ndarray of int, shape (N,)
        Which scene each frame is a slice of.
    truths : ndarray of int, shape (scenes,)
    labels : tuple of str
        What is typed, one for each class.
    extra : bool
        Whether it is measured only, and nothing is fitted on it.
    """

    name: str
    frames: npt.NDArray[np.uint8]
    scenes: npt.NDArray[np.int64]
    truths: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    extra: bool = False


def _studio(bank: Bank, mix: Sequence[float], seed: int, size: int) -> Studio:
    return Studio(bank, mix, seed, size, SLICES, as_first=True)


def film_trial(
    name: str,
    studio: Studio,
    wanted: Sequence[tuple[str, str | None, int]],
    labels: Sequence[str],
    seed: int = SEED,
) -> Trial:
    """Film one scene for each of ``wanted`` (kind, key, truth)."""
    frames, scenes, truths = [], [], []
    for kind, key, truth in wanted:
        made, _ = studio.scene(kind, key)
        if not made:
            continue  # nothing moved enough to be seen
        frames += made
        scenes += [len(truths)] * len(made)
        truths.append(truth)
    return Trial(name, np.stack(frames), np.array(scenes), np.array(truths), tuple(labels))


def simulated_trials(
    aside: dict[str, PictureSet],
    glyphs: PictureSet,
    size: int,
    scenes: int = 1000,
    seed: int = SEED,
    solids: bool = True,
) -> list[Trial]:
    """Film the validation sets; photographs also before sensors with hardly any noise.

    Parameters
    ----------
    aside : dict
        As :func:`training.bank.load_photos` returns it.
    glyphs : PictureSet
        Characters in fonts that training did not use.
    size : int
        The encoder's input side.
    scenes : int
        Scenes for each set.
    solids : bool
        Whether the run knows solids at all.
    """
    trials = []
    for name, pictures in aside.items():
        labels = sorted(set(pictures.nouns))
        if len(labels) < 2:
            continue  # nothing to tell apart
        studio = Studio(
            Bank(photos=pictures, solids=False), (1, 0, 0, 0, 0), seed, size, SLICES, as_first=True
        )
        wanted = [("photo", label, k) for k, label in enumerate(labels)] * -(-scenes // len(labels))
        trials.append(film_trial(name, studio, wanted, labels))
        quiet = Studio(
            Bank(photos=pictures, solids=False), (1, 0, 0, 0, 0), seed, size, SLICES, as_first=True
        )
        quiet.take_photographs(gentle=1.0)
        trials.append(replace(film_trial(f"{name}, little noise", quiet, wanted, labels), extra=True))
    if solids:
        keys = sorted(CATALOG)
        studio = _studio(Bank(), (0, 0, 1, 0, 0), seed, size)
        labels = [CATALOG[key][1][0] for key in keys]
        wanted = [("solid", key, i) for i, key in enumerate(keys)] * -(-scenes // len(keys))
        trials.append(film_trial("solids", studio, wanted, labels))
    studio = _studio(Bank(glyphs=glyphs), (0, 0, 0, 1, 0), seed, size)
    labels = [f"the number {word}" for word in DIGIT_WORDS]
    trials.append(
        film_trial("digits", studio, [("digit", str(d), d) for d in range(10)] * -(-scenes // 10), labels)
    )
    return trials


def hard_trials(
    meshes: Sequence[tuple[str, Mesh]], size: int, scenes: int = 400, seed: int = SEED
) -> list[Trial]:
    """Film what the other sets lack: nouns never seen, things small and fast, things in a hand.

    Parameters
    ----------
    meshes : sequence of (str, Mesh)
        As :func:`training.named_meshes.load_meshes` returns them; those of held-out nouns are shown.
    """
    trials = []
    kept = [(noun, mesh) for noun, mesh in meshes if noun in HELD_OUT_MESHES]
    if kept:
        nouns = sorted({noun for noun, _ in kept})
        studio = Studio(
            Bank(solids=False, meshes=kept), (0, 0, 0, 0, 0, 1), seed, size, SLICES, as_first=True
        )
        wanted = [("mesh", noun, i) for i, noun in enumerate(nouns)] * -(-scenes // len(nouns))
        trials.append(replace(film_trial("unseen nouns", studio, wanted, nouns), extra=True))
    for name, kind, keys in (
        ("small and fast", "swift", SMALL_AND_FAST),
        ("held in a hand", "held", IN_HAND),
    ):
        studio = _studio(Bank(), (0, 0, 1, 0, 0), seed, size)
        labels = [CATALOG[key][1][0] for key in keys]
        wanted = [(kind, key, i) for i, key in enumerate(keys)] * -(-scenes // len(keys))
        trials.append(replace(film_trial(name, studio, wanted, labels), extra=True))
    return trials


def save_trials(trials: Sequence[Trial], folder: Path) -> None:
    """Keep trials, so that every evaluation sees the same."""
    folder.mkdir(parents=True, exist_ok=True)
    for trial in trials:
        np.savez_compressed(
            folder / f"{trial.name}.npz",
            frames=trial.frames,
            scenes=trial.scenes,
            truths=trial.truths,
            labels=trial.labels,
            extra=trial.extra,
        )


def load_trials(folder: Path) -> list[Trial]:
    """Load what :func:`save_trials` kept."""
    trials = []
    for file in sorted(folder.glob("*.npz")):
        data = np.load(file)
        trials.append(
            Trial(
                file.stem,
                data["frames"],
                data["scenes"],
                data["truths"],
                tuple(str(x) for x in data["labels"]),
                bool(data["extra"]) if "extra" in data else False,
            )
        )
    return trials


def scene_means(vectors: npt.NDArray[np.float32], scenes: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Average unit vectors (N, C) over each scene's slices, as the product does over timesteps."""
    total = np.zeros((int(scenes.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(total, scenes, vectors)
    return total / np.bincount(scenes)[:, None].astype(np.float32)


_PATH = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--images", type=_PATH, multiple=True, required=True, help="Folder or zip of images by class.")
@click.option("--fonts", type=_PATH, multiple=True, help="Folder of fonts (.ttf, .otf, .woff).")
@click.option("--meshes", type=_PATH, multiple=True, help="What training.named_meshes wrote.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--scenes", default=Settings().trial_scenes, show_default=True, help="Scenes of each set.")
def main(
    images: tuple[Path, ...], fonts: tuple[Path, ...], meshes: tuple[Path, ...], out: Path, scenes: int
) -> None:
    """Run from the command line."""
    settings = Settings()
    _, aside = load_photos(images, settings.held_out)
    _, spare = split_fonts(font_files(fonts))
    trials = simulated_trials(aside, load_glyphs(spare), settings.plan.size, scenes)
    named = [pair for file in meshes for pair in load_meshes(file)]
    trials += hard_trials(named, settings.plan.size, scenes)
    save_trials(trials, out)
    for trial in trials:
        click.echo(f"{trial.name}: {len(trial.truths)} scenes, {len(trial.frames)} frames")


if __name__ == "__main__":
    main()
