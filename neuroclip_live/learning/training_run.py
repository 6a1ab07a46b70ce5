"""One training run of the adapter's network: an epoch, the loss, and what is kept to go on from."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from neuroclip_live.atomic import write_atomically
from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import AdapterInfo
from neuroclip_live.learning.adapter_network import AdapterNetwork
from neuroclip_live.learning.train_settings import TrainSettings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]


class TrainingRun:
    """One training run: everything that must be kept to go on after an interruption."""

    def __init__(self, info: AdapterInfo, settings: TrainSettings, text: Tensor, logit_scale: float) -> None:
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = AdapterNetwork(
                info.embed_dim, settings.ratio, settings.dropout, settings.kind, settings.seed
            )
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=settings.lr,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            foreach=True,
        )
        self.epoch = 0
        self._text = text
        self._logit_scale = logit_scale
        self._fingerprint = ""

    def train_epoch(self, shots: Tensor, targets: Tensor) -> None:
        """Go once through shots (N, A, T, C), one of the A versions of each drawn anew; targets are (N,)."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate(self.epoch)
        self.network.train()
        random = self.network.random
        versions = torch.from_numpy(random.integers(0, shots.shape[1], len(shots)))
        order = torch.from_numpy(random.permutation(len(shots)))
        for batch in _batches(order, self.settings.batch_size):
            windows = shots[batch, versions[batch]].transpose(0, 1)
            logits = self._logit_scale * window_cosines(self.network(windows), self._text)
            loss = smoothed_cross_entropy(logits, targets[batch], self.settings.smoothing)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        self.epoch += 1

    def save(self, path: Path) -> None:
        """Write what :meth:`resume` needs; raises UserError where that is not possible."""
        state = {
            "fingerprint": self._fingerprint,
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "optimiser": self.optimizer.state_dict(),
            "random": json.dumps(self.network.random.bit_generator.state),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(path, lambda stream: stream.write(buffer.getbuffer()))

    def resume(self, path: Path, fingerprint: str) -> None:
        """Go on from a checkpoint of the very same run; any other is ignored and will be overwritten."""
        self._fingerprint = fingerprint
        if not os.path.isfile(path):
            return
        try:
            state = torch.load(path, weights_only=True)
            if state["fingerprint"] != fingerprint:
                return
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimiser"])
            self.network.random.bit_generator.state = json.loads(state["random"])
            self.epoch = int(state["epoch"])
        except Exception as error:  # torch.load fails in many ways on a damaged file
            raise UserError(f"the checkpoint {path} is damaged: delete it to train from the start") from error


def _batches(order: Tensor, size: int) -> list[Tensor]:
    """Cut in batches of ``size``; a last batch of one joins its neighbor: it has no batch statistics."""
    batches = list(torch.split(order, size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def window_cosines(block: Tensor, text: Tensor) -> Tensor:
    """Return the cosine of each window of (T, N, C), as one long vector, with T copies of each text."""
    norm = torch.linalg.vector_norm(block, dim=(0, 2)).clamp_min(1e-12) * len(block) ** 0.5
    cosines: Tensor = (block.sum(0) / norm.unsqueeze(1)) @ text.T
    return cosines


def smoothed_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Cross entropy with ``1 − smoothing`` on the right label, ``smoothing / (K − 1)`` on each other."""
    log_p = F.log_softmax(logits, dim=1)
    right = log_p.gather(1, targets[:, None])[:, 0]
    wrong = (log_p.sum(1) - right) / (logits.shape[1] - 1)
    return -((1 - smoothing) * right + smoothing * wrong).mean()


def fingerprint_of(
    features: Floats, labels: Ints, text_features: Floats, settings: TrainSettings, logit_scale: float
) -> str:
    """Return what tells a run on these shots with these settings from any other."""
    digest = hashlib.sha256(repr((settings, logit_scale, features.shape)).encode())
    for array in (features, np.asarray(labels, dtype=np.int64), text_features):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
