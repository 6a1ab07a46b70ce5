"""Plain torch: the tower as open_clip built it, on any device of torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neuroclip_live.model.cuda_graphs import GraphedTower
from neuroclip_live.model.runtimes.runtime import Array, Plan, memory_errors

_BATCH = 32


def make(tower: Callable[[], Any], plan: Plan) -> TorchRuntime:
    """Return the tower on the device planned."""
    return TorchRuntime(tower(), plan.device)


class TorchRuntime:
    """The tower as open_clip built it, on any device of torch's.

    Parameters
    ----------
    tower : torch.nn.Module
        Maps (N, 3, S, S) to (N, C); moved to ``device``.
    device : str
        As torch names it.
    half : bool, optional
        Run in half precision under autocast. If left out: on CUDA. There batch 1 is one launch, too
        (:mod:`neuroclip_live.model.cuda_graphs`).
    """

    name = "torch"

    def __init__(self, tower: Any, device: str = "cpu", *, half: bool | None = None) -> None:
        import torch

        self.device = device
        self._cuda = device.startswith("cuda")
        self._in_half = self._cuda if half is None else half
        with memory_errors():
            self._tower = tower.to(device)
            if self._cuda:
                self._tower = self._tower.to(memory_format=torch.channels_last)
        self._half = torch.float16
        self._call = GraphedTower(self._half_features) if self._cuda else self._half_features
        self._torch = torch

    def __call__(self, batch: Array) -> Array:
        """Encode; see :class:`ImageRuntime`."""
        torch = self._torch
        parts = []
        with torch.inference_mode(), memory_errors():
            for start in range(0, len(batch), _BATCH):
                images = torch.from_numpy(batch[start : start + _BATCH])
                parts.append(self._encode_half(images) if self._in_half else self._encode(images))
        return np.concatenate(parts)

    def _encode(self, images: Any) -> Array:
        features: Array = self._tower(images.to(self.device)).float().cpu().numpy()
        return features

    def _encode_half(self, images: Any) -> Array:
        torch = self._torch
        if self._cuda:
            # from pinned memory the copy runs beside the host's work instead of holding it up
            images = images.pin_memory().to(self.device, non_blocking=True, memory_format=torch.channels_last)
        features = self._call(images)
        if self._half is torch.float16 and not bool(torch.isfinite(features).all()):
            # some towers leave float16's range; bfloat16 has float32's, with fewer digits
            self._half = torch.bfloat16
            self._call = GraphedTower(self._half_features) if self._cuda else self._half_features
            features = self._call(images)
        result: Array = features.cpu().numpy()
        return result

    def _half_features(self, images: Any) -> Any:
        with self._torch.autocast(self.device.partition(":")[0], dtype=self._half):
            return self._tower(images).float()
