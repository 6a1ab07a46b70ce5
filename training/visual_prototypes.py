"""How things look, as ImageNet's classifier knows it: a second space beside the sentence encoder's.

Each class of the classifier has a weight vector: a picture of the class in the numbers the image tower starts
from. Projected on their first principal axes these are the *prototypes*. What a name without pictures looks
like is a mean of them, weighted by how alike the *definitions* are (softmax of cosines over
:data:`TEMPERATURE`): a gerenuk looks like a hartebeest and an impala. A photograph's own look is the
classifier's penultimate features on the same axes.

Classes whose name contains a name that is held out are struck from all of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.meanings import Meanings, imagenet_classes
from training.measuring import Array, unit

Words = Callable[[Sequence[str]], Array]

LOOKS = 256
"""How many principal axes of the classifier's weights are kept: two thirds of their variance."""

TEMPERATURE = 0.07
"""Chosen, as :data:`LOOKS` was, by leaving classes of ImageNet out, twenty at a time."""

SHARE = 0.5
"""The looks' share of a target's squared length; the rest is the sentence encoder's."""


@dataclass(frozen=True)
class Looks:
    """Prototypes, and what they are found by.

    Attributes
    ----------
    classes : tuple of str
        First names of the K classes that are not held out.
    columns : ndarray (K,) int
        Their places in the classifier.
    axes : ndarray (1280, 256)
    prototypes : ndarray (K, 256)
        Unit rows.
    told, called : ndarray (K, C)
        The sentence encoder's vectors of "names: definition", and of the first name alone.
    """

    classes: tuple[str, ...]
    columns: npt.NDArray[np.int64]
    axes: Array
    prototypes: Array
    told: Array
    called: Array

    def by_definition(self, vectors: Array) -> Array:
        """Return looks (N, 256) for the sentence encoder's vectors of definitions."""
        return self._mean(vectors, self.told)

    def by_name(self, vectors: Array) -> Array:
        """Return looks (N, 256) for its vectors of any other text."""
        return self._mean(vectors, self.called)

    def of(self, names: Sequence[str], meanings: Meanings, teacher: Words) -> Array:
        """Return looks (N, 256) of names, by their definitions where those are known."""
        defined = [meanings.of(name) for name in names]
        looks = np.empty((len(names), self.prototypes.shape[1]), np.float32)
        known = np.array([bool(text) for text in defined], bool)
        if known.any():
            asked = [f"{name}: {text}" for name, text in zip(names, defined, strict=True) if text]
            looks[known] = self.by_definition(np.asarray(teacher(asked), np.float32))
        if not known.all():
            bare = [name for name, text in zip(names, defined, strict=True) if not text]
            looks[~known] = self.by_name(np.asarray(teacher(bare), np.float32))
        return looks

    def _mean(self, vectors: Array, keys: Array) -> Array:
        return mean_look(vectors, keys, self.prototypes)


def mean_look(vectors: Array, keys: Array, prototypes: Array) -> Array:
    """Return the mean (N, 256) of prototypes (K, 256), weighted by how alike vectors and keys (K, C) are."""
    return unit(np.exp((vectors @ keys.T - 1) / TEMPERATURE) @ prototypes)


def build_looks(weights: Array, teacher: Words, held_out: Sequence[str] = ()) -> Looks:
    """Find the prototypes.

    Parameters
    ----------
    weights : ndarray (1000, 1280)
        The classifier's.
    teacher : callable
        Sentences → unit vectors.
    held_out : sequence of str
        Names not to be known.
    """
    classes = imagenet_classes()
    kept = np.array([not _shows(names, held_out) for names, _ in classes], bool)
    columns = np.flatnonzero(kept)
    centerd = weights[columns] - weights[columns].mean(0)
    axes = np.linalg.svd(centerd, full_matrices=False)[2][:LOOKS].T
    asked = [f"{', '.join(classes[i][0][:2])}: {classes[i][1]}" for i in columns]
    first = tuple(classes[i][0][0] for i in columns)
    told, called = np.asarray(teacher(asked), np.float32), np.asarray(teacher(first), np.float32)
    return Looks(first, columns, np.asarray(axes, np.float32), unit(centerd @ axes), told, called)


def join(words: npt.NDArray[Any], looks: npt.NDArray[Any]) -> Array:
    """Return unit vectors (N, C + 256) whose first C numbers are the words, the others the looks."""
    return np.concatenate([math.sqrt(1 - SHARE) * unit(words), math.sqrt(SHARE) * unit(looks)], 1)


def _shows(names: Sequence[str], held_out: Sequence[str]) -> bool:
    return any(f" {held} " in f" {name} " for held in held_out for name in names)
