"""Learning from a handful of shots, on features that were computed once.

The encoder is frozen, so a shot is its features; the adapter trains on them in seconds on a CPU. The schedule
is NeuroCLIP's: SGD at 0.01 with one warm-up epoch and a cosine, 250 epochs in batches of 32, label smoothing
0.2. Two decisions differ from the published code. It picks the best epoch on the test set; here the last
epoch is kept, and nothing that is tested is ever seen. And raw features are scaled to CLIP's usual norm of
10 first: the network's output does not depend on their scale, so with an encoder whose features are ten
times shorter the residual mix would be nearly all network.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from neuroclip_live.adapter import Adapter, AdapterInfo
from neuroclip_live.adapter_network import AdapterNetwork, Kind
from neuroclip_live.atomic import write_atomically
from neuroclip_live.background import on_one_core
from neuroclip_live.errors import UserError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]

CHECKPOINT_EVERY_S = 2.0


class Interrupted(Exception):
    """Training was told to stop; what was reached is in the checkpoint, where there is one."""


@dataclass(frozen=True)
class TrainSettings:
    """The reference's schedule, unless told otherwise.

    Attributes
    ----------
    epochs, batch_size : int
    lr, momentum, weight_decay : float
    warmup_epochs : int
        Epochs at ``warmup_lr`` before the cosine begins.
    smoothing : float
        Probability taken from the right label and shared by the others.
    ratio, dropout : float
    kind : {"snn", "ann"}
    seed : int
    feature_norm : float or None
        Raw features are scaled so that their mean norm is this; None leaves them as they are, as the
        reference does.
    """

    epochs: int = 250
    batch_size: int = 32
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: int = 1
    warmup_lr: float = 1e-5
    smoothing: float = 0.2
    ratio: float = 0.6
    dropout: float = 0.5
    kind: Kind = "snn"
    seed: int = 0
    feature_norm: float | None = 10.0

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if epoch < self.warmup_epochs:
            return self.warmup_lr
        done = (epoch - self.warmup_epochs) / max(1, self.epochs - self.warmup_epochs)
        return 0.5 * self.lr * (1 + math.cos(math.pi * done))


def check_shots(features: Floats, labels: Ints, names: Sequence[str]) -> None:
    """Refuse shots nothing can be learned from.

    Raises
    ------
    UserError
        For shots of one label only, fewer than one shot for a label, or features that are not finite.
    """
    counts = np.bincount(labels, minlength=len(names)) if len(labels) else np.zeros(len(names), int)
    empty = [name for name, count in zip(names, counts, strict=True) if not count]
    if empty:
        raise UserError(f"no shots of {empty[0]!r}: give at least one for every label, or leave it out")
    if len(names) < 2:
        raise UserError("shots of one label only: there is nothing to tell it from; add a second label")
    if not np.isfinite(features).all():
        raise UserError("some shots have features that are not finite: leave those samples out")


def train_adapter(
    features: Floats,
    labels: Ints,
    text_features: Floats,
    *,
    names: Sequence[str],
    model: str,
    logit_scale: float,
    templates: Sequence[str] = (),
    settings: TrainSettings | None = None,
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint: Path | None = None,
) -> Adapter:
    """Train an adapter on cached features; the encoder is not needed.

    Parameters
    ----------
    features : ndarray of float32, shape (N, T, C) or (N, A, T, C)
        Raw features; with A augmented versions of each shot, every epoch draws one.
    labels : ndarray of int, shape (N,)
        Rows of ``text_features``.
    text_features : ndarray of float32, shape (K, C)
        Unit rows, K at least 2; labels without shots compete too.
    names : sequence of str
        The K labels.
    model : str
        Name of the encoder, kept in the adapter.
    logit_scale : float
    templates : sequence of str
        Kept in the adapter.
    settings : TrainSettings, optional
    progress : callable, optional
        Called with the share done, 0 to 1.
    should_stop : callable, optional
        Asked after each epoch.
    checkpoint : Path, optional
        Where training goes on from when it was interrupted, if shots and settings are the same; removed at
        the end.

    Returns
    -------
    Adapter
        The same, bit for bit, whether it was interrupted or not.

    Raises
    ------
    UserError
        When fewer than two shots or two labels are given, or the checkpoint cannot be written.
    Interrupted
    """
    settings = settings or TrainSettings()
    if len(features) < 2 or len(text_features) < 2:
        raise UserError(
            f"{len(features)} shots, {len(text_features)} labels: an adapter needs 2 of each; add some"
        )
    if not np.isfinite(features).all():
        raise UserError("some shots have features that are not finite: leave those samples out")
    if features.ndim == 3:
        features = features[:, None]
    scale = _feature_scale(features, settings.feature_norm)
    info = AdapterInfo(
        model=model,
        embed_dim=features.shape[-1],
        timesteps=features.shape[-2],
        labels=tuple(names),
        templates=tuple(templates),
        shots={name: int((labels == k).sum()) for k, name in enumerate(names)},
        ratio=settings.ratio,
        dropout=settings.dropout,
        kind=settings.kind,
        feature_scale=scale,
    )
    begin = monotonic()
    with on_one_core():
        run = _Run(info, settings, torch.tensor(text_features), logit_scale)
        shots = torch.from_numpy(features.astype(np.float32) * np.float32(scale))
        targets = torch.from_numpy(np.asarray(labels, dtype=np.int64))
        if checkpoint is not None:
            run.resume(checkpoint, _fingerprint(features, labels, text_features, settings, logit_scale))
        saved = monotonic()
        while run.epoch < settings.epochs:
            run.train_epoch(shots, targets)
            if progress is not None:
                progress(run.epoch / settings.epochs)
            stop = should_stop is not None and should_stop()
            if checkpoint is not None and (stop or monotonic() - saved > CHECKPOINT_EVERY_S):
                run.save(checkpoint)
                saved = monotonic()
            if stop:
                raise Interrupted(f"stopped at epoch {run.epoch} of {settings.epochs}")
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    adapter = Adapter(info, run.network)
    seen = window_logits(adapter.transform(features[:, 0]), text_features, logit_scale).argmax(1)
    metrics = {"training accuracy": float((seen == labels).mean()), "training seconds": monotonic() - begin}
    adapter.info = replace(info, metrics=metrics)
    return adapter


def window_logits(adapted: Floats, text_features: Floats, logit_scale: float) -> Floats:
    """Score adapted windows, as :meth:`Adapter.transform` returns them.

    Parameters
    ----------
    adapted : ndarray of float32, shape (N, T, C)
    text_features : ndarray of float32, shape (K, C)
        Unit rows.
    logit_scale : float

    Returns
    -------
    ndarray of float32, shape (N, K)
        ``logit_scale`` times the cosine between a window's T vectors and T copies of the text.
    """
    return np.asarray(logit_scale * adapted.mean(axis=1) @ text_features.T, dtype=np.float32)


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


def _feature_scale(features: Floats, norm: float | None) -> float:
    if norm is None:
        return 1.0
    mean = float(np.linalg.norm(features, axis=-1).mean())
    return norm / mean if mean > 0 else 1.0


def _fingerprint(
    features: Floats, labels: Ints, text_features: Floats, settings: TrainSettings, logit_scale: float
) -> str:
    digest = hashlib.sha256(repr((settings, logit_scale, features.shape)).encode())
    for array in (features, np.asarray(labels, dtype=np.int64), text_features):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class _Run:
    """One training run: everything that must be kept to go on after an interruption."""

    def __init__(self, info: AdapterInfo, settings: TrainSettings, text: Tensor, logit_scale: float) -> None:
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = AdapterNetwork(
                info.embed_dim, settings.ratio, settings.dropout, settings.kind, settings.seed
            )
        self.optimiser = torch.optim.SGD(
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
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate(self.epoch)
        self.network.train()
        random = self.network.random
        versions = torch.from_numpy(random.integers(0, shots.shape[1], len(shots)))
        order = torch.from_numpy(random.permutation(len(shots)))
        for batch in _batches(order, self.settings.batch_size):
            windows = shots[batch, versions[batch]].transpose(0, 1)
            logits = self._logit_scale * window_cosines(self.network(windows), self._text)
            loss = smoothed_cross_entropy(logits, targets[batch], self.settings.smoothing)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
        self.epoch += 1

    def save(self, path: Path) -> None:
        state = {
            "fingerprint": self._fingerprint,
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
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
            self.optimiser.load_state_dict(state["optimiser"])
            self.network.random.bit_generator.state = json.loads(state["random"])
            self.epoch = int(state["epoch"])
        except Exception as error:  # torch.load fails in many ways on a damaged file
            raise UserError(f"the checkpoint {path} is damaged: delete it to train from the start") from error


def _batches(order: Tensor, size: int) -> list[Tensor]:
    """Cut in batches of ``size``; a last batch of one joins its neighbour: it has no batch statistics."""
    batches = list(torch.split(order, size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
