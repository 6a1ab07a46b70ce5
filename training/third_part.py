"""The image tower's third part: on from a finished tower, with more to see and CLIP's words.

``python -m training.third_part --start MODEL --head HEAD --images … --icons … --fonts … --meshes … --clip DIR
--out DIR``. What is new to see: named meshes (:mod:`training.named_meshes`), things small and fast or held in
a hand (:mod:`training.shots`), better hands and heads, and Tiny-ImageNet's photographs if a folder of them is
among ``--images``. Everything is kept in ``--out``; an interrupted run goes on. ``training.export_words``
makes the model.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from torch import nn

from neuroclip_live.model.glosses import Glosses
from neuroclip_live.model.sentence_encoder import SentenceEncoder
from neuroclip_live.model.word_targets import WordTables
from training.bank import Bank, font_files, without
from training.clip_words import build_clip_words
from training.export_words import read_tower
from training.gathering import gather, name_things
from training.image_tower import build_tower, imagenet_classifier, widened
from training.joint import MANY
from training.lessons import Lesson
from training.meanings import Meanings
from training.measuring import Array, unit
from training.named_meshes import load_meshes
from training.parts_lesson import PartsLesson
from training.photographs import PhotoTargets, load_photo_targets, photo_targets
from training.processes import train_in_processes
from training.settings import HELD_OUT_CLASSES, HELD_OUT_MESHES, Settings
from training.train_image import Plan
from training.visual_prototypes import Looks, build_looks
from training.vocabulary import Vocabulary
from training.word_tables import build_tables, class_vectors, write_encoder

log = logging.getLogger("training")

SHARES = (0.36, 0.34, 0.30)
"""Of a target's squared length: words, looks, CLIP's word."""

OWN_PROTOTYPE = 0.6
"""Its own prototype's share in the looks of a name that is a class of ImageNet."""

THIRD = Plan(
    steps=2500,
    batch=48,
    stages=((1.0, 96),),
    mix=(0.36, 0.12, 0.15, 0.04, 0.02, 0.12, 0.09, 0.10),
    rate=6e-4,
    warm_up=60,
    buffer=5000,
    reuse=1.0,
    gentle=0.5,
    photo_power=0.6,
    scale=40.0,
    turns=(),
    seed=1000,
)
"""Photographs, icons, solids, digits, letters, meshes, small and fast, in a hand."""

FOURTH = replace(
    THIRD, mix=(0.34, 0.11, 0.14, 0.05, 0.02, 0.07, 0.07, 0.06, 0.09, 0.05), rate=3e-4, seed=2000
)
"""The same and, last, near (hands most) and lying flat; slower, since less is new."""

FIFTH = replace(FOURTH, mix=(0.36, 0.11, 0.13, 0.05, 0.02, 0.06, 0.08, 0.06, 0.09, 0.04), seed=5000)
"""The same kinds once more: hands are waved, what is fast smears, sensors' polarities are uneven."""

SIXTH = replace(FIFTH, mix=(0.44, 0.12, 0.13, 0.05, 0.02, 0.06, 0.06, 0.05, 0.05, 0.02), seed=6000)
"""The same with more photographs: the fifth had lost some of what it knew of them."""

SEVENTH = replace(SIXTH, mix=(0.45, 0.09, 0.10, 0.05, 0.02, 0.04, 0.07, 0.05, 0.04, 0.02, 0.07), seed=7000)
"""The same with cartons and people before a desk (:mod:`training.solids_more`) and less of what is known."""

FROZEN = {THIRD: 3, FOURTH: 3}
"""How many blocks stand still in a plan's training, where it is not :data:`LATER_FROZEN`."""

LATER_FROZEN = 2


@dataclass(frozen=True)
class PartTargets:
    """What the third part is taught against: see :class:`~training.parts_lesson.PartsLesson`."""

    sentences: npt.NDArray[np.float16]
    classes: Array
    photographs: PhotoTargets
    always: npt.NDArray[np.int64]
    widths: tuple[int, int, int]


def part_targets(
    bank: Bank,
    vocabulary: Vocabulary,
    looks: Looks,
    words: WordTables,
    of_classes: Array,
    out: Path,
    classifier: nn.Module | None = None,
) -> PartTargets:
    """Make the targets; what ImageNet's tower sees in the photographs is kept in ``out``.

    Parameters
    ----------
    of_classes : ndarray (K, A)
        CLIP's vectors of ImageNet's classes.
    """
    kept = out / "photographs.npz"
    if not kept.exists():
        photo_targets(bank.photos.images, looks, classifier).save(kept)
    names = [
        noun.replace("digit ", "the digit ").replace("letter ", "the letter ") for noun in vocabulary.names
    ]
    seen = np.concatenate([words(names[i : i + 512]) for i in range(0, len(names), 512)])
    n_words, n_looks = vocabulary.vectors.shape[1], looks.prototypes.shape[1]
    name_looks, name_clip = unit(seen[:, n_words : n_words + n_looks]), unit(seen[:, n_words + n_looks :])
    own = {name: i for i, name in enumerate(looks.classes)}
    for i, name in enumerate(vocabulary.names):
        if name in own:
            both = OWN_PROTOTYPE * looks.prototypes[own[name]] + (1 - OWN_PROTOTYPE) * name_looks[i]
            name_looks[i] = unit(both[None])[0]
    rows = np.repeat(np.arange(len(vocabulary.names)), vocabulary.count)
    index, counted = vocabulary.index(), Counter(bank.photos.nouns)
    return PartTargets(
        words.join(words.head(vocabulary.vectors), name_looks[rows], name_clip[rows]).astype(np.float16),
        words.join(words.head(looks.called), looks.prototypes, unit(of_classes)),
        load_photo_targets(kept),
        np.array(sorted(index[noun] for noun, count in counted.items() if count >= MANY), np.int64),
        (n_words, n_looks, name_clip.shape[1]),
    )


def started(state: dict[str, Any], size: int, dim: int) -> nn.Module:
    """Return a tower of ``dim`` outputs that goes on from a state of fewer, whose parts had half each."""
    tower = build_tower(size, imagenet=False, dim=len(state["head.proj.weight"]))
    tower.load_state_dict({name: value.float() for name, value in state.items()})
    return widened(tower, size, dim)


def third_part(
    bank: Bank,
    start: Path,
    head: Path,
    clip: Path,
    wordnet: Path | None,
    out: Path,
    plan: Plan,
    processes: int,
    frozen: int = LATER_FROZEN,
) -> Path:
    """Train; return the path of the checkpoint."""
    from safetensors.numpy import load_file

    out.mkdir(parents=True, exist_ok=True)
    write_encoder(out)
    encoder, meanings, classifier = SentenceEncoder(out), Meanings(wordnet), imagenet_classifier()
    weights: Any = classifier.classifier.weight
    looks = build_looks(weights.detach().numpy(), encoder, HELD_OUT_CLASSES)
    stored = build_clip_words(clip, encoder, meanings)
    other = clip / "imagenet1k_photo_of.npy"
    other_clip = np.load(other) if other.exists() else None
    tensors, names = build_tables(looks, stored, load_file(head), SHARES, other_clip)
    words = WordTables(tensors, names, encoder, Glosses.of(meanings.all()))
    vocabulary = name_things(bank, encoder, out)
    vectors = stored.vectors[stored.shipped]
    of_classes = class_vectors(looks, names, vectors, other_clip)
    targets = part_targets(bank, vocabulary, looks, words, of_classes, out, classifier)
    state = read_tower(start)

    def lesson() -> Lesson:
        tower = started(state, plan.size, sum(targets.widths))
        shown = (targets.widths, targets.photographs, targets.classes, targets.always)
        return PartsLesson(tower, vocabulary, targets.sentences, *shown, plan.candidates, frozen)

    train_in_processes(
        processes, plan, lesson, bank, vocabulary.index(), out / "image", "image tower, third part"
    )
    return out / "image" / "checkpoint.pt"


_PATH = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--start", type=_PATH, required=True, help="open_clip_model.safetensors to go on from.")
@click.option("--head", type=_PATH, required=True, help="text_head.safetensors of training.make.")
@click.option("--images", type=_PATH, multiple=True, required=True)
@click.option("--icons", type=_PATH)
@click.option("--fonts", type=_PATH, multiple=True)
@click.option("--meshes", type=_PATH, multiple=True, help="What training.named_meshes wrote.")
@click.option("--clip", type=_PATH, required=True, help="Folder of CLIP's vectors.")
@click.option("--wordnet", type=_PATH)
@click.option("--steps", default=THIRD.steps, show_default=True)
@click.option("--near", is_flag=True, help="The fourth part: hands and things near, and things lying flat.")
@click.option("--waved", is_flag=True, help="The fifth part: the same kinds, and more of what is fast.")
@click.option("--pictured", is_flag=True, help="The sixth part: the same kinds, and more photographs.")
@click.option("--seated", is_flag=True, help="The seventh part: cartons, and people before a desk.")
@click.option("--processes", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    start: Path,
    head: Path,
    images: Sequence[Path],
    icons: Path | None,
    fonts: Sequence[Path],
    meshes: Sequence[Path],
    clip: Path,
    wordnet: Path | None,
    steps: int,
    near: bool,
    waved: bool,
    pictured: bool,
    seated: bool,
    processes: int,
    out: Path,
) -> None:
    """Run from the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    out.mkdir(parents=True, exist_ok=True)
    packages = sorted(icons.glob("*.tgz")) if icons else []
    bank, _, _ = gather(list(images), packages, font_files(fonts), out, Settings())
    named = [pair for file in meshes for pair in load_meshes(file)]
    bank = without(replace(bank, meshes=named), (*HELD_OUT_CLASSES, *HELD_OUT_MESHES))
    plan = SEVENTH if seated else SIXTH if pictured else FIFTH if waved else FOURTH if near else THIRD
    frozen = FROZEN.get(plan, LATER_FROZEN)
    plan = replace(plan, steps=steps)
    path = third_part(bank, start, head, clip, wordnet, out, plan, processes, frozen)
    shares = " ".join(map(str, SHARES))
    click.echo(f"python -m training.export_words --image {path} --shares {shares} makes the model")


if __name__ == "__main__":
    main()
