"""What the adapter has to beat: prototypes, a linear probe, and plain zero-shot with searched weights.

All work on raw features of windows, (N, T, C), and give logits, (N, K). A window's *summary* is the mean of
its unit features over time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.scoring import normalized

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer[Any]]


def summaries(features: Floats) -> Floats:
    """Return each window's summary, (N, T, C) to (N, C)."""
    return np.asarray(normalized(features).mean(axis=1), dtype=np.float32)


def zero_shot_logits(
    features: Floats, text_features: Floats, logit_scale: float, weights: Floats | None = None
) -> Floats:
    """Return ``logit_scale`` times the (weighted) mean over time of the cosines with each text."""
    cosines = normalized(features) @ text_features.T
    if weights is None:
        return np.asarray(logit_scale * cosines.mean(axis=1), dtype=np.float32)
    return np.asarray(
        logit_scale * np.einsum("ntk,t->nk", cosines, weights) / weights.sum(), dtype=np.float32
    )


def prototypes(features: Floats, labels: Ints, classes: int) -> Floats:
    """Return the mean summary of each class, at length 1: (classes, C)."""
    summary = summaries(features)
    return normalized(np.stack([summary[labels == k].mean(axis=0) for k in range(classes)]))


def prototype_logits(features: Floats, means: Floats, logit_scale: float) -> Floats:
    """Return ``logit_scale`` times the cosine of each window's summary with each class's mean."""
    return np.asarray(logit_scale * normalized(summaries(features)) @ means.T, dtype=np.float32)


class LinearProbe:
    """Logistic regression on standardized summaries, fitted by L-BFGS.

    Parameters
    ----------
    features : ndarray of float32, shape (N, T, C)
    labels : ndarray of int, shape (N,)
    classes : int
        K.
    decay : float
        Weight of the squared weights against the mean loss over shots.
    """

    def __init__(self, features: Floats, labels: Ints, classes: int, decay: float = 1e-2) -> None:
        import torch

        summary = summaries(features)
        self._mean, self._std = summary.mean(axis=0), np.maximum(summary.std(axis=0), 1e-6)
        data = torch.from_numpy(self._standard(summary))
        targets = torch.from_numpy(np.asarray(labels, dtype=np.int64))
        weight = torch.zeros(data.shape[1], classes, requires_grad=True)
        bias = torch.zeros(classes, requires_grad=True)
        optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

        def loss() -> torch.Tensor:
            optimizer.zero_grad()
            value = torch.nn.functional.cross_entropy(data @ weight + bias, targets)
            value = value + decay * weight.square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        self._weight, self._bias = weight.detach().numpy(), bias.detach().numpy()

    def _standard(self, summary: Floats) -> Floats:
        return np.asarray((summary - self._mean) / self._std, dtype=np.float32)

    def logits(self, features: Floats) -> Floats:
        """Return the logits of windows, (N, T, C) to (N, K)."""
        return np.asarray(self._standard(summaries(features)) @ self._weight + self._bias, dtype=np.float32)


def search_timestep_weights(
    features: Floats, labels: Ints, text_features: Floats, logit_scale: float, prior: float = 0.05
) -> Floats:
    """Find how much each timestep should count, on training shots alone.

    The reference searches a grid on the *test* features. Here the weights are a softmax whose inputs are
    fitted to the shots' labels by gradient, held near equal by ``prior``: a few shots move them little.

    Returns
    -------
    ndarray of float32, shape (T,)
        Positive, with mean 1.
    """
    import torch

    cosines = torch.from_numpy(normalized(features) @ text_features.T)
    targets = torch.from_numpy(np.asarray(labels, dtype=np.int64))
    inputs = torch.zeros(cosines.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([inputs], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = logit_scale * torch.einsum("ntk,t->nk", cosines, torch.softmax(inputs, 0))
        value = torch.nn.functional.cross_entropy(logits, targets) + prior * inputs.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    weights = torch.softmax(inputs.detach(), 0) * len(inputs)
    return np.asarray(weights.numpy(), dtype=np.float32)
