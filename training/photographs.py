"""What ImageNet's own tower sees in the photographs themselves, for the event tower to see in their events.

Two things of each photograph: its look (the penultimate features on the axes of
:mod:`training.visual_prototypes`), and what the classifier takes it for, over the classes that are not held
out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.calibrate import softmax
from training.image_tower import imagenet_classifier
from training.measuring import unit
from training.pictures import Image
from training.visual_prototypes import Looks

SIDE = 128
SMALLEST = 40
"""Photographs of no more pixels than this on their shorter side tell the classifier nothing."""

TOP = 16
SOFTNESS = 0.8
"""Factor on the classifier's logits."""


@dataclass(frozen=True)
class PhotoTargets:
    """What is known of N of the photographs.

    Attributes
    ----------
    index : ndarray (N,) int
        Which photographs.
    looks : ndarray (N, 256) float16
        Unit rows.
    classes : ndarray (N, 16) int
        The likeliest of the classes that :class:`~training.visual_prototypes.Looks` keeps.
    chances : ndarray (N, 16) float16
        Their probabilities, which sum to one.
    """

    index: npt.NDArray[np.int64]
    looks: npt.NDArray[np.float16]
    classes: npt.NDArray[np.int64]
    chances: npt.NDArray[np.float16]

    def rows(self) -> dict[int, int]:
        """Return photograph → row."""
        return {int(photograph): row for row, photograph in enumerate(self.index)}

    def save(self, path: Path) -> None:
        """Write them, whole or not at all."""
        beside = path.with_suffix(".tmp")
        with beside.open("wb") as file:
            np.savez(file, index=self.index, looks=self.looks, classes=self.classes, chances=self.chances)
        beside.replace(path)


def load_photo_targets(path: Path) -> PhotoTargets:
    """Read what :meth:`PhotoTargets.save` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return PhotoTargets(**{name: stored[name] for name in stored.files})


def photo_targets(
    photographs: Sequence[Image],
    looks: Looks,
    classifier: nn.Module | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PhotoTargets:
    """Have ImageNet's classifier look at photographs (gray, uint8), those that are large enough.

    Parameters
    ----------
    classifier : nn.Module, optional
        timm's, with ``forward_features``, ``forward_head`` and ``classifier``; ImageNet's by default.
    progress : callable, optional
        Gets the number of photographs seen and the number there are.
    """
    index = [i for i, photograph in enumerate(photographs) if min(photograph.shape) > SMALLEST]
    if not index:
        empty = np.empty((0, TOP))
        return PhotoTargets(
            np.empty(0, np.int64), np.empty((0, looks.axes.shape[1]), np.float16), empty.astype(np.int64),
            empty.astype(np.float16),
        )  # fmt: skip
    features, logits = features_of([photographs[i] for i in index], classifier, progress)
    chances = softmax(logits[:, looks.columns] * SOFTNESS)
    top = np.argsort(-chances, axis=1)[:, :TOP]
    kept = np.take_along_axis(chances, top, 1)
    return PhotoTargets(
        np.array(index),
        unit((features - features.mean(0)) @ looks.axes).astype(np.float16),
        top,
        (kept / kept.sum(1, keepdims=True)).astype(np.float16),
    )


def features_of(
    photographs: Sequence[Image],
    classifier: nn.Module | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the classifier's penultimate features (N, 1280) and its logits (N, 1000) of photographs."""
    classifier = (classifier or imagenet_classifier()).eval()
    features, logits = [], []
    for start in range(0, len(photographs), 32):
        part = np.stack([_fitted(photograph) for photograph in photographs[start : start + 32]])
        gray = torch.from_numpy(part).float()[:, None].expand(-1, 3, -1, -1) / 127.5 - 1
        with torch.inference_mode():
            seen = classifier.forward_head(classifier.forward_features(gray), pre_logits=True)  # type: ignore[operator]
            logits.append(classifier.classifier(seen).numpy())  # type: ignore[operator]
            features.append(seen.numpy())
        if progress is not None:
            progress(start + len(part), len(photographs))
    return np.concatenate(features), np.concatenate(logits)


def _fitted(photograph: Image) -> Image:
    """Scale the shorter side to :data:`SIDE` and cut the middle out."""
    height, width = photograph.shape
    scale = SIDE / min(height, width)
    size = (max(SIDE, round(width * scale)), max(SIDE, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(photograph, size, interpolation=how)
    top, left = (resized.shape[0] - SIDE) // 2, (resized.shape[1] - SIDE) // 2
    return np.asarray(resized[top : top + SIDE, left : left + SIDE], np.uint8)
