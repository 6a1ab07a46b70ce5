"""How one step scores: frames against names through the text head, or against words and looks together.

A lesson holds what learns (``model``, whose ``"tower"`` is the image tower) and turns a batch into a loss.
The loop is :mod:`training.train_image`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.image_tower import KEEP_WEIGHT, TextHead
from training.photographs import PhotoTargets
from training.vocabulary import Vocabulary

Indices = npt.NDArray[np.int64]
Facts = dict[str, float]

SMOOTHED = 0.1
"""Share of the target that is spread over names by how alike they are."""

_SPREAD = 0.06
_RIVALS = 12


@dataclass(frozen=True)
class Batch:
    """Frames (B, 3, S, S) normalized, what they show, and of which photograph they are (-1: of none)."""

    images: Tensor
    concepts: Indices
    photographs: Indices


class Lesson(Protocol):
    """What :func:`training.train_image.train` needs."""

    model: nn.ModuleDict

    def start(self, seed: int) -> None:
        """Seed the random choices."""

    def loss(self, batch: Batch, scale: Tensor) -> tuple[Tensor, Facts]:
        """Score a batch; facts are ``loss``, ``accuracy`` and the lesson's own."""


class Candidates:
    """The names a batch is told apart from: those in it, their nearest neighbors, and others at random.

    Parameters
    ----------
    vocabulary : Vocabulary
    number : int
        Names drawn at random for each step.
    always : ndarray of int, optional
        Names that are there every time.
    """

    def __init__(self, vocabulary: Vocabulary, number: int = 1024, always: Indices | None = None) -> None:
        self._v = vocabulary
        self._always = np.empty(0, np.int64) if always is None else always
        self._number = min(number, len(vocabulary.names))
        self._rivals = _nearest(vocabulary)
        chance = np.array([0.3, 0.3, 0.1, 0.1, 0.1, 0.1])
        self._chance = np.cumsum(chance / chance.sum())
        self.start(0)

    def start(self, seed: int) -> None:
        """Seed the random choices."""
        self._random = np.random.default_rng(seed)

    def draw(self, concepts: Indices) -> tuple[Indices, Tensor, Tensor]:
        """Return the names listed (M,), each concept's column (B,), and which are no negatives (B, M)."""
        near = self._rivals[concepts][
            np.arange(len(concepts))[:, None], self._random.integers(0, _RIVALS, (len(concepts), 3))
        ]
        others = self._random.choice(len(self._v.names), self._number, replace=False)
        listed = np.unique(np.concatenate([concepts, near.ravel(), others, self._always]))
        column = torch.from_numpy(np.searchsorted(listed, concepts))
        return listed, column, torch.from_numpy(self._v.near[np.ix_(concepts, listed)])

    def sentences(self, concepts: Indices) -> Indices:
        """Draw one sentence for each concept; return rows of ``vocabulary.vectors``."""
        count = self._v.count[concepts]
        draw = self._random.random(len(concepts))
        things = np.searchsorted(self._chance, draw).clip(0, count - 1)
        return np.asarray(
            self._v.first[concepts]
            + np.where(count == len(self._chance), things, (draw * count).astype(np.int64))
        )


def _nearest(vocabulary: Vocabulary) -> Indices:
    """Return for each concept (N, 12) the most alike names that are still to be told apart."""
    plain = vocabulary.vectors[vocabulary.first]
    nearest = np.empty((len(plain), _RIVALS), np.int64)
    for start in range(0, len(plain), 1024):
        alike = plain[start : start + 1024] @ plain.T
        alike[vocabulary.near[start : start + 1024]] = -2
        alike[np.arange(len(alike)), np.arange(start, start + len(alike))] = -2
        width = min(_RIVALS, alike.shape[1] - 1)
        nearest[start : start + 1024, :width] = np.argpartition(-alike, width, axis=1)[:, :width]
        nearest[start : start + 1024, width:] = nearest[start : start + 1024, :1]
    return nearest


def scored(logits: Tensor, alike: Tensor, column: Tensor, masked: Tensor) -> tuple[Tensor, Tensor, float]:
    """Return the loss, its hard part, and the accuracy of logits (B, M)."""
    logits = logits.masked_fill(masked, -1e4)
    chances = logits.log_softmax(-1)
    hard = functional.nll_loss(chances, column)
    with torch.no_grad():
        soft = (alike / _SPREAD).masked_fill(masked, -1e4).softmax(-1)
    smooth = -(soft * chances).sum(-1).mean()
    accuracy = float((logits.argmax(-1) == column).float().mean())
    return (1 - SMOOTHED) * hard + SMOOTHED * smooth, hard, accuracy


class HeadLesson:
    """Tower and text head together: a frame's vector against the head's of many names.

    The head is held near the identity, so that what the teacher knows of other words survives.
    """

    def __init__(self, tower: nn.Module, vocabulary: Vocabulary, candidates: int = 1024) -> None:
        self.model = nn.ModuleDict({"tower": tower, "head": TextHead()})
        self._vectors = vocabulary.vectors
        self._candidates = Candidates(vocabulary, candidates)
        self.start = self._candidates.start

    def loss(self, batch: Batch, scale: Tensor) -> tuple[Tensor, Facts]:
        """Score a batch; the fact ``kept`` is the head's mean cosine with the teacher."""
        images = functional.normalize(self.model["tower"](batch.images), dim=-1)
        listed, column, masked = self._candidates.draw(batch.concepts)
        vectors = torch.from_numpy(self._vectors[self._candidates.sentences(listed)])
        texts = self.model["head"](vectors)
        loss, hard, accuracy = scored(scale * images @ texts.T, vectors[column] @ vectors.T, column, masked)
        kept = (texts * vectors).sum(-1).mean()
        facts = {"loss": float(hard.detach()), "accuracy": accuracy, "kept": float(kept.detach())}
        return loss + KEEP_WEIGHT * (1 - kept), facts


class LooksLesson:
    """The tower alone, against words and looks, which stand still; photographs also against ImageNet's tower.

    Parameters
    ----------
    tower : nn.Module
        Of as many outputs as the targets have.
    vocabulary : Vocabulary
    targets : ndarray (S, D) float16
        One unit row for each sentence of the vocabulary (:func:`training.visual_prototypes.join`).
    photographs : PhotoTargets
    classes : ndarray (K, D) float32
        Targets of the classifier's classes.
    always : ndarray of int
        Concepts to be told apart from every time: those with many photographs.
    """

    CLASSES_WEIGHT = 0.6
    LOOKS_WEIGHT = 2.0

    def __init__(
        self,
        tower: nn.Module,
        vocabulary: Vocabulary,
        targets: npt.NDArray[np.float16],
        photographs: PhotoTargets,
        classes: npt.NDArray[np.float32],
        always: Indices,
        candidates: int = 1024,
    ) -> None:
        self.model = nn.ModuleDict({"tower": tower})
        self._targets, self._classes = targets, torch.from_numpy(classes)
        self._photographs, self._row = photographs, photographs.rows()
        self._candidates = Candidates(vocabulary, candidates, always)
        self.start = self._candidates.start

    def loss(self, batch: Batch, scale: Tensor) -> tuple[Tensor, Facts]:
        """Score a batch; facts ``classes`` and ``looks`` are the photographs' own losses."""
        raw = self.model["tower"](batch.images)
        images = functional.normalize(raw, dim=-1)
        listed, column, masked = self._candidates.draw(batch.concepts)
        texts = torch.from_numpy(self._targets[self._candidates.sentences(listed)].astype(np.float32))
        loss, hard, accuracy = scored(scale * images @ texts.T, texts[column] @ texts.T, column, masked)
        facts = {
            "loss": float(hard.detach()),
            "accuracy": accuracy,
            "classes": 0.0,
            "looks": 0.0,
        }
        known = [i for i, photograph in enumerate(batch.photographs) if int(photograph) in self._row]
        if known:
            rows = [self._row[int(batch.photographs[i])] for i in known]
            share = len(known) / len(batch.photographs)
            seen = torch.from_numpy(self._photographs.looks[rows].astype(np.float32))
            looks = 1 - functional.cosine_similarity(raw[known][:, -seen.shape[1] :], seen, dim=-1).mean()
            chances = torch.from_numpy(self._photographs.chances[rows].astype(np.float32))
            guesses = (scale * images[known] @ self._classes.T).log_softmax(-1)
            guesses = guesses.gather(1, torch.from_numpy(self._photographs.classes[rows].astype(np.int64)))
            classes = -(chances * guesses).sum(-1).mean()
            loss = loss + share * (self.CLASSES_WEIGHT * classes + self.LOOKS_WEIGHT * looks)
            facts |= {"classes": float(classes.detach()), "looks": float(looks.detach())}
        return loss, facts
