"""Learning from a handful of shots, on features that were computed once.

The encoder is frozen, so a shot is its features; the adapter trains on them in seconds on a CPU. The schedule
is NeuroCLIP's: SGD at 0.01 with one warm-up epoch and a cosine, 250 epochs in batches of 32, label smoothing
0.2. Two decisions differ from the published code. It picks the best epoch on the test set; here the last
epoch is kept, and nothing that is tested is ever seen. And raw features are scaled to CLIP's usual norm of
10 first: the network's output does not depend on their scale, so with an encoder whose features are ten
times shorter the residual mix would be nearly all network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import Adapter, AdapterInfo
from neuroclip_live.learning.thread_priority import on_one_core
from neuroclip_live.learning.train_settings import TrainSettings
from neuroclip_live.learning.training_run import TrainingRun, fingerprint_of

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]

CHECKPOINT_EVERY_S = 2.0


class Interrupted(Exception):
    """Training was told to stop; what was reached is in the checkpoint, where there is one."""


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
        run = TrainingRun(info, settings, torch.tensor(text_features), logit_scale)
        shots = torch.from_numpy(features.astype(np.float32) * np.float32(scale))
        targets = torch.from_numpy(np.asarray(labels, dtype=np.int64))
        if checkpoint is not None:
            run.resume(checkpoint, fingerprint_of(features, labels, text_features, settings, logit_scale))
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


def _feature_scale(features: Floats, norm: float | None) -> float:
    if norm is None:
        return 1.0
    mean = float(np.linalg.norm(features, axis=-1).mean())
    return norm / mean if mean > 0 else 1.0
