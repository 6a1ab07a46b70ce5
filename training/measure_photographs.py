"""The ceiling: what ImageNet's own tower makes of *clean photographs* of things unknown, without any events.

``python -m training.measure_photographs --images DIR --out DIR``. Two questions, twenty names each: the
classes that training holds out; and ImageNet's samples, twenty classes at a time struck from what is known
(this is what the looks' temperature and axes were chosen on). Each by the names alone, and by names with
their definitions.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from training.bank import load_photos
from training.image_tower import imagenet_classifier
from training.meanings import Meanings
from training.measuring import Array, Line, share, unit, write
from training.photographs import features_of
from training.pictures import PictureSet
from training.settings import HELD_OUT_CLASSES
from training.visual_prototypes import Looks, Words, build_looks, mean_look

WAYS = 20
DRAWS = 150


def held_out_classes(photographs: PictureSet, looks: Looks, teacher: Words, meanings: Meanings) -> list[Line]:
    """Name photographs of classes that are not known."""
    labels = sorted(set(photographs.nouns))
    truths = np.array([labels.index(noun) for noun in photographs.nouns])
    features, _ = features_of(photographs.images)
    seen = unit((features - features.mean(0)) @ looks.axes)
    chance = f"{1 / len(labels):.2f}"
    lines = []
    for how, told in (
        ("names alone", looks.by_name(np.asarray(teacher(labels), np.float32))),
        ("names and definitions", looks.of(labels, meanings, teacher)),
    ):
        right = (seen @ told.T).argmax(1) == truths
        lines.append(share(f"clean photographs of {len(labels)} classes held out, {how}", right, chance))
    return lines


def left_out(samples: PictureSet, looks: Looks, ways: int = WAYS, draws: int = DRAWS) -> list[Line]:
    """Name samples of known classes, ``ways`` of which at a time are struck from what is known."""
    place = {name: row for row, name in enumerate(looks.classes)}
    kept = [i for i, noun in enumerate(samples.nouns) if noun in place]
    if len(kept) < ways:
        return []
    truths = np.array([place[samples.nouns[i]] for i in kept])
    features, _ = features_of([samples.images[i] for i in kept])
    seen = unit((features - features.mean(0)) @ looks.axes)
    random = np.random.default_rng(0)
    drawn = [random.choice(len(kept), ways, replace=False) for _ in range(draws)]
    lines = []
    for how, keys in (("names alone", looks.called), ("names and definitions", looks.told)):
        right: list[bool] = []
        for rows in drawn:
            asked = truths[rows]
            if len(set(asked.tolist())) == ways:
                right += list((seen[rows] @ _without(looks, keys, asked).T).argmax(1) == np.arange(ways))
        name = f"clean ImageNet samples, {ways} classes at a time left out, {how}"
        lines.append(share(name, right, f"{1 / ways:.2f}"))
    return lines


def _without(looks: Looks, keys: Array, asked: np.ndarray) -> Array:
    """Return what classes would look like if none of them were known."""
    known = np.setdiff1d(np.arange(len(keys)), asked)
    return mean_look(keys[asked], keys[known], looks.prototypes[known])


_PATH = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--images", type=_PATH, multiple=True, required=True, help="Folder or zip of images by class.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(images: tuple[Path, ...], out: Path) -> None:
    """Run from the command line."""
    from training.teacher import MiniLM

    photographs, aside = load_photos(images, HELD_OUT_CLASSES)
    teacher = MiniLM(bfloat16=False)
    weights = imagenet_classifier().classifier.weight.detach().numpy()  # type: ignore[union-attr,operator]
    looks = build_looks(weights, teacher, HELD_OUT_CLASSES)
    few = {noun for noun, rows in photographs.by_noun().items() if len(rows) <= 2}
    samples = PictureSet()
    for image, noun in zip(photographs.images, photographs.nouns, strict=True):
        if noun in few:
            samples.add(image, noun)
    write([*held_out_classes(aside["classes"], looks, teacher, Meanings()), *left_out(samples, looks)], out)
    click.echo((out / "results.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
