"""The inter-timestep adapter: a small spiking network that mixes what the T timesteps saw.

NeuroCLIP (arXiv 2306.12073), few-shot part. One network is shared by all timesteps and run from the first to
the last, so its membrane carries what earlier timesteps said::

    BatchNorm(C) → Dropout → Linear(C, C/8) → BatchNorm(C/8) → LIF → Dropout → Linear(C/8, C) → ReLU
    out = ratio · network(features) + (1 − ratio) · features        then one norm over all T timesteps

Step mode. SpikingJelly's multi-step mode runs forward and backward 3.5 times faster than step by step (T =
10, 32 windows, one core), so all layers see the whole ``(T, N, C)`` block. Everything else is as if the
timesteps went through one at a time: :class:`StepwiseBatchNorm` keeps the statistics of each timestep apart,
dropout draws anew for each, and the membrane begins at zero in every window.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neuroclip_live.atomic import write_atomically
from neuroclip_live.errors import UserError

FORMAT = "neuroclip-live adapter 1"
Kind = Literal["snn", "ann"]
Floats = npt.NDArray[np.float32]


class StepwiseBatchNorm(nn.BatchNorm1d):
    """Batch norm of ``(T, N, C)`` as if the T timesteps passed through it one after the other."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise over N, separately for each timestep and channel while training."""
        steps, windows, channels = input.shape
        if not self.training:
            return super().forward(input.reshape(-1, channels)).view_as(input)
        if windows < 2:
            raise ValueError("batch statistics need at least two windows")
        # T times C channels to one call; no copy where the block is a transposed (N, T, C)
        side_by_side = input.transpose(0, 1).reshape(windows, steps * channels)
        mean, var = torch.zeros(steps * channels).to(input), torch.ones(steps * channels).to(input)
        normal = F.batch_norm(
            side_by_side,
            mean,
            var,
            self.weight.repeat(steps),
            self.bias.repeat(steps),
            training=True,
            momentum=1.0,  # leaves this batch's own statistics in mean and var
            eps=self.eps,
        )
        self._remember(mean.view(steps, channels), var.view(steps, channels))
        return normal.view(windows, steps, channels).transpose(0, 1)

    def _remember(self, mean: Tensor, var: Tensor) -> None:
        """Move the running statistics as T single-step calls in a row would."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        steps = len(mean)
        keep = 1.0 - self.momentum
        share = (self.momentum * keep ** torch.arange(steps - 1, -1, -1, dtype=mean.dtype)).unsqueeze(1)
        self.running_mean.mul_(keep**steps).add_((share * mean).sum(0))
        self.running_var.mul_(keep**steps).add_((share * var).sum(0))
        self.num_batches_tracked.add_(steps)


class SeededDropout(nn.Module):
    """Dropout with a generator of its own.

    It draws ten times faster than torch's, which was a quarter of the training time, and training in a
    background thread neither takes numbers from the process's generator nor depends on who else does.
    """

    def __init__(self, p: float, random: np.random.Generator) -> None:
        super().__init__()
        self.p = p
        self.random = random

    def forward(self, input: Tensor) -> Tensor:
        """Zero a share ``p`` of the values while training, and scale up the others."""
        if not self.training or self.p == 0.0:
            return input
        kept = self.random.integers(0, 1 << 16, tuple(input.shape), dtype=np.uint16) >= self.p * (1 << 16)
        return input * torch.from_numpy(kept).to(input).mul_(1.0 / (1.0 - self.p))


def _lif() -> nn.Module:
    """Return the reference's neuron: ``v ← v/4 + x``, spike at 0.5, hard reset, rectangular surrogate."""
    from spikingjelly.activation_based import neuron, surrogate  # slow to import

    node: nn.Module = neuron.LIFNode(
        tau=4.0 / 3.0,
        decay_input=False,
        v_threshold=0.5,
        v_reset=0.0,
        surrogate_function=surrogate.Rect(alpha=1.0),
        step_mode="m",
    )
    return node


class AdapterNetwork(nn.Module):
    """The trainable part, on blocks of ``(T, N, C)`` features.

    Parameters
    ----------
    embed_dim : int
        C, the encoder's width; at least 8.
    ratio : float
        Share of the network's output in the mix; 0.6 in the reference.
    dropout : float
    kind : {"snn", "ann"}
        ``ann`` has ReLU in place of the LIF neurons and is there for comparison only.
    seed : int
        Of the dropout; the initial weights come from torch's generator.
    """

    def __init__(
        self, embed_dim: int, ratio: float = 0.6, dropout: float = 0.5, kind: Kind = "snn", seed: int = 0
    ) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        if embed_dim < 8:
            raise ValueError(f"the adapter needs at least 8 channels, not {embed_dim}")
        hidden = embed_dim // 8
        self.ratio = ratio
        self.squeeze = nn.Sequential(
            StepwiseBatchNorm(embed_dim),
            SeededDropout(dropout, self.random),
            nn.Linear(embed_dim, hidden),
            StepwiseBatchNorm(hidden),
        )
        self.neurons = _lif() if kind == "snn" else nn.ReLU()
        self.expand = nn.Sequential(
            SeededDropout(dropout, self.random), nn.Linear(hidden, embed_dim), nn.ReLU()
        )

    def activity(self, features: Tensor) -> Tensor:
        """Return the hidden activity (T, N, C/8) of windows (T, N, C): spikes where the kind is snn."""
        reset = getattr(self.neurons, "reset", None)
        if reset is not None:
            reset()
        activity: Tensor = self.neurons(self.squeeze(features))
        return activity

    def mix(self, features: Tensor, activity: Tensor) -> Tensor:
        """Return ``ratio · network + (1 − ratio) · features``, both (T, N, C), not normalised."""
        adapted: Tensor = self.expand(activity)
        return torch.lerp(features, adapted, self.ratio)

    def forward(self, features: Tensor) -> Tensor:
        """Adapt windows (T, N, C); every window begins with its membrane at zero."""
        return self.mix(features, self.activity(features))


def normalise_windows(features: Tensor) -> Tensor:
    """Scale each window of ``(T, N, C)`` to a norm of √T over all its timesteps together.

    The mean over T of the products with a unit text vector is then the cosine of the concatenations, as in
    the reference; unlike a norm per timestep it lets a timestep with more to say weigh more.
    """
    steps = features.shape[0]
    norm = features.square().sum(dim=(0, 2), keepdim=True).sqrt().clamp_min(1e-12)
    scale: Tensor = steps**0.5 / norm
    return features * scale


@dataclass(frozen=True)
class AdapterInfo:
    """What an adapter was made for and from.

    Attributes
    ----------
    model : str
        Name of the encoder whose features it reads.
    embed_dim, timesteps : int
        C and T.
    labels, templates : tuple of str
        What it was trained to tell apart, and the sentences the labels stood in.
    shots : dict of str to int
        Windows per label.
    metrics : dict of str to float
    ratio, dropout : float
    kind : {"snn", "ann"}
    feature_scale : float
        Raw features are multiplied by this first; see :func:`neuroclip_live.fewshot.train_adapter`.
    timestep_weights : tuple of float or None
        Weights of the T timesteps, mean 1, where they were searched.
    """

    model: str
    embed_dim: int
    timesteps: int
    labels: tuple[str, ...]
    templates: tuple[str, ...] = ()
    shots: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    ratio: float = 0.6
    dropout: float = 0.5
    kind: Kind = "snn"
    feature_scale: float = 1.0
    timestep_weights: tuple[float, ...] | None = None

    def to_json(self) -> str:
        """Return the text that :meth:`from_json` reads."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> AdapterInfo:
        """Read :meth:`to_json`'s text.

        Raises
        ------
        ValueError
            When it is another format or a field is missing.
        """
        stored: dict[str, Any] = json.loads(text)
        if stored.pop("format", None) != FORMAT:
            raise ValueError("not this version's format")
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in stored.items() if key in known
        }
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(str(error)) from error


class Adapter:
    """A trained adapter at work. Call it from one thread at a time; swap whole objects between predictions.

    Attributes
    ----------
    info : AdapterInfo
    last_spikes : ndarray of uint8 (T, C/8) or None
        Spikes of the latest window; for the ``ann`` kind, where its activity was positive.
    """

    def __init__(self, info: AdapterInfo, network: AdapterNetwork) -> None:
        self.info = info
        self.network = network.eval().requires_grad_(False)
        self.last_spikes: npt.NDArray[np.uint8] | None = None

    def __call__(self, features: Floats) -> Floats:
        """Adapt one window.

        Parameters
        ----------
        features : ndarray of float32, shape (T, C)
            Raw features, oldest first; fewer than T timesteps while a stream is warming up.

        Returns
        -------
        ndarray of float32, shape (T, C)
            Normalised over the window (its squares sum to T): do not normalise each timestep again.

        Raises
        ------
        ValueError
            If C is not the adapter's.
        """
        if features.ndim != 2 or features.shape[1] != self.info.embed_dim:
            raise ValueError(f"a window is (T, {self.info.embed_dim}), not {features.shape}")
        with torch.inference_mode():
            block = torch.tensor(np.asarray(features, dtype=np.float32)).unsqueeze(1)
            adapted, activity = self._adapt(block)
        self.last_spikes = (activity[:, 0] > 0).numpy().astype(np.uint8)
        result: Floats = adapted[:, 0].numpy()
        return result

    def transform(self, windows: Floats) -> Floats:
        """Adapt many windows at once: (N, T, C) to (N, T, C), each as :meth:`__call__` does."""
        with torch.inference_mode():
            block = torch.tensor(np.asarray(windows, dtype=np.float32)).transpose(0, 1)
            adapted, _ = self._adapt(block)
        result: Floats = adapted.transpose(0, 1).contiguous().numpy()
        return result

    def _adapt(self, block: Tensor) -> tuple[Tensor, Tensor]:
        block = block * self.info.feature_scale
        activity = self.network.activity(block)
        mixed = self.network.mix(block, activity)
        if self.info.timestep_weights is not None and len(block) == self.info.timesteps:
            mixed = mixed * torch.tensor(self.info.timestep_weights).view(-1, 1, 1)
        return normalise_windows(mixed), activity

    def firing_rates(self) -> npt.NDArray[np.float32] | None:
        """Return the share of neurons that fired in each timestep (T,) of the latest window."""
        spikes = self.last_spikes
        return None if spikes is None else spikes.mean(axis=1, dtype=np.float32)

    def check(self, model: str, embed_dim: int, timesteps: int) -> None:
        """Refuse to work for another encoder or T.

        Raises
        ------
        UserError
        """
        _check(self.info, "this adapter", model, embed_dim, timesteps)

    def save(self, path: Path) -> None:
        """Write ``path`` (safetensors, the description in its header) and a readable copy ``path.json``.

        Raises
        ------
        UserError
            When the disk is full or not writable; a file that was there stays as it was.
        """
        from safetensors.torch import save

        tensors = {k: v.contiguous() for k, v in self.network.state_dict().items()}
        data = save(tensors, metadata={"neuroclip_live": self.info.to_json()})
        write_atomically(path, lambda stream: stream.write(data))
        text = self.info.to_json().encode()
        write_atomically(path.with_name(path.name + ".json"), lambda stream: stream.write(text))


def load_adapter(
    path: Path, *, model: str | None = None, embed_dim: int | None = None, timesteps: int | None = None
) -> Adapter:
    """Read an adapter, and check that it fits where the caller says what it must fit.

    Raises
    ------
    UserError
        When the file is missing, is no adapter, is damaged, or was made for another model, C or T.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {key: stored.get_tensor(key) for key in stored.keys()}
        info = AdapterInfo.from_json(metadata["neuroclip_live"])
        network = AdapterNetwork(info.embed_dim, info.ratio, info.dropout, info.kind)
        network.load_state_dict(tensors)
    except OSError as error:
        raise UserError(f"cannot read the adapter {path}: {error.strerror or error}") from error
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{path} is not an adapter of neuroclip-live, or it is damaged; "
            "make one with `neuroclip-live train` or by teaching live"
        ) from error
    _check(info, str(path), model, embed_dim, timesteps)
    return Adapter(info, network)


def _check(
    info: AdapterInfo, name: str, model: str | None, embed_dim: int | None, timesteps: int | None
) -> None:
    if model is not None and model != info.model:
        raise UserError(
            f"{name} was made for the model {info.model!r}, not for {model!r}: take that one, or train anew"
        )
    if embed_dim is not None and embed_dim != info.embed_dim:
        raise UserError(
            f"{name} reads features of width {info.embed_dim}, the model makes {embed_dim}: train anew"
        )
    if timesteps is not None and timesteps != info.timesteps:
        raise UserError(
            f"{name} was made for {info.timesteps} timesteps, not {timesteps}: "
            f"use --timesteps {info.timesteps}, or train anew"
        )
