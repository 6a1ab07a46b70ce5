"""The targets of training's second half: words and looks joined, for names, classes, photographs, texts.

Kept in one folder and passed over when they are there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from training.bank import Bank
from training.image_tower import imagenet_classifier
from training.meanings import Meanings
from training.measuring import Array
from training.photographs import PhotoTargets, load_photo_targets, photo_targets
from training.visual_prototypes import Looks, Words, build_looks, join
from training.vocabulary import Vocabulary

log = logging.getLogger("training")

MANY = 20
"""Photographs that make a name one to be told apart from in every step."""

_ROWS = 4096


class Speaker:
    """What words mean and things look like: texts → joined targets.

    Parameters
    ----------
    teacher : callable
        Sentences → unit vectors (N, C).
    through_head : callable
        The image side's text head, on such vectors.
    looks : Looks
    meanings : Meanings
    """

    def __init__(
        self, teacher: Words, through_head: Callable[[Array], Array], looks: Looks, meanings: Meanings
    ) -> None:
        self.teacher, self.through_head, self.looks, self.meanings = teacher, through_head, looks, meanings

    def looks_of(self, names: Sequence[str]) -> Array:
        """Return looks (N, 256) of names, a few thousand at a time."""
        parts = []
        for start in range(0, len(names), _ROWS):
            parts.append(self.looks.of(names[start : start + _ROWS], self.meanings, self.teacher))
            log.info("looks of %d names of %d", start + len(parts[-1]), len(names))
        return np.concatenate(parts) if parts else np.empty((0, self.looks.axes.shape[1]), np.float32)

    def __call__(self, names: Sequence[str]) -> Array:
        """Return the joined targets (N, C + 256) of names."""
        vectors = np.asarray(self.teacher(names), np.float32)
        return join(self.through_head(vectors), self.looks.of(names, self.meanings, self.teacher))


@dataclass(frozen=True)
class JointTargets:
    """What the image tower's second half is taught against.

    Attributes
    ----------
    sentences : ndarray (S, D) float16
        For each sentence of the vocabulary.
    named : ndarray (N, 256) float32
        The looks of the vocabulary's names.
    classes : ndarray (K, D) float32
        For each of the classifier's classes that is not held out.
    photographs : PhotoTargets
    always : ndarray of int
        Concepts with :data:`MANY` photographs.
    """

    sentences: npt.NDArray[np.float16]
    named: Array
    classes: Array
    photographs: PhotoTargets
    always: npt.NDArray[np.int64]


def speaker(
    teacher: Words,
    through_head: Callable[[Array], Array],
    held_out: Sequence[str],
    classifier: nn.Module | None = None,
    meanings: Meanings | None = None,
) -> Speaker:
    """Build the speaker from ImageNet's classifier, without what is held out."""
    weights = (classifier or imagenet_classifier()).classifier.weight.detach().numpy()  # type: ignore[union-attr,operator]
    return Speaker(teacher, through_head, build_looks(weights, teacher, held_out), meanings or Meanings())


def joint_targets(
    bank: Bank, vocabulary: Vocabulary, told: Speaker, folder: Path, classifier: nn.Module | None = None
) -> JointTargets:
    """Make the targets, or load them from ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    names, photographs = folder / "looks_of_names.npy", folder / "photographs.npz"
    if not names.exists():
        np.save(names, told.looks_of(vocabulary.names))
    if not photographs.exists():
        log.info("ImageNet's tower looks at the photographs")
        photo_targets(bank.photos.images, told.looks, classifier).save(photographs)
    named = np.load(names)
    words = told.through_head(vocabulary.vectors)
    own = np.repeat(np.arange(len(vocabulary.names)), vocabulary.count)  # sentences lie name by name
    index, counted = vocabulary.index(), Counter(bank.photos.nouns)
    called = np.asarray(told.teacher(told.looks.classes), np.float32)
    return JointTargets(
        join(words, named[own]).astype(np.float16),
        named,
        join(told.through_head(called), told.looks.prototypes),
        load_photo_targets(photographs),
        np.array(sorted(index[noun] for noun, count in counted.items() if count >= MANY), np.int64),
    )
