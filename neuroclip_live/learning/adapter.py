"""A trained adapter: what it was made for, at work on one window or on many, saved and loaded."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from neuroclip_live.atomic import write_atomically
from neuroclip_live.bounded import parse_json
from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter_network import AdapterNetwork, Kind, normalize_windows
from neuroclip_live.lfs_pointer import refuse_pointer
from neuroclip_live.model.foreign_names import own_names

FORMAT = "neuroclip-live adapter 1"
_ANCHOR = "squeeze.2.weight"
MAX_EMBED_DIM, MAX_TIMESTEPS = 1 << 14, 1 << 10
Floats = npt.NDArray[np.float32]


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
        Raw features are multiplied by this first; see
        :func:`~neuroclip_live.learning.adapter_training.train_adapter`.
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
            When it is another format, or a field is missing or makes no sense.
        """
        stored = parse_json(text)
        if not isinstance(stored, dict) or stored.pop("format", None) != FORMAT:
            raise ValueError("not this version's format")
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in stored.items() if key in known
        }
        try:
            info = cls(**values)
        except TypeError as error:
            raise ValueError(str(error)) from error
        info._check()
        return info

    def _check(self) -> None:
        """Raise ValueError where a field is of another kind than it says, or makes no sense."""
        numbers = (self.ratio, self.dropout, self.feature_scale, *(self.timestep_weights or ()))
        sound = (
            isinstance(self.model, str)
            and type(self.embed_dim) is int
            and type(self.timesteps) is int
            and 8 <= self.embed_dim <= MAX_EMBED_DIM
            and 1 <= self.timesteps <= MAX_TIMESTEPS
            and all(isinstance(text, str) for text in (*self.labels, *self.templates))
            and isinstance(self.shots, dict)
            and isinstance(self.metrics, dict)
            and self.kind in ("snn", "ann")
            and all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
            and 0 <= self.dropout < 1
            and (self.timestep_weights is None or len(self.timestep_weights) == self.timesteps)
        )
        if not sound:
            raise ValueError("the description is damaged")


class _Folded:
    """The trained network for one window in plain NumPy, the norms folded into the weights.

    Torch spreads even this over all cores, and beside an encoder that uses them too it took 30 ms a window
    (2 cores, p99 56 ms) where this takes 0.3.
    """

    def __init__(self, network: AdapterNetwork, kind: Kind) -> None:
        state = {key: value.double().numpy() for key, value in network.state_dict().items()}
        first, second = (self._scale_and_shift(state, f"squeeze.{k}") for k in (0, 3))
        weight, bias = state["squeeze.2.weight"], state["squeeze.2.bias"]
        self._down = np.asarray(second[0][:, None] * weight * first[0], dtype=np.float32)
        self._down_bias = np.asarray(second[0] * (weight @ first[1] + bias) + second[1], dtype=np.float32)
        self._up = np.asarray(state["expand.1.weight"], dtype=np.float32)
        self._up_bias = np.asarray(state["expand.1.bias"], dtype=np.float32)
        self._ratio = np.float32(network.ratio)
        self._spiking = kind == "snn"

    @staticmethod
    def _scale_and_shift(state: dict[str, Any], norm: str) -> tuple[Any, Any]:
        scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + 1e-5)
        return scale, state[f"{norm}.bias"] - scale * state[f"{norm}.running_mean"]

    def __call__(self, features: Floats) -> tuple[Floats, Floats]:
        """Return the mix (T, C), not normalized, and the hidden activity (T, C/8)."""
        membrane = np.zeros(len(self._down_bias), dtype=np.float32)
        mixed, activity = np.empty_like(features), np.empty((len(features), len(membrane)), np.float32)
        for t, step in enumerate(features):  # row by row: so small, BLAS stays on this core
            drive = self._down @ step + self._down_bias
            if self._spiking:
                membrane = 0.25 * membrane + drive
                activity[t] = membrane >= 0.5
                membrane[membrane >= 0.5] = 0.0
            else:
                activity[t] = np.maximum(drive, 0.0)
            adapted = np.maximum(self._up @ activity[t] + self._up_bias, 0.0)
            mixed[t] = self._ratio * adapted + (1 - self._ratio) * step
        return mixed, activity


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
        self._folded = _Folded(self.network, info.kind)

    def __call__(self, features: Floats) -> Floats:
        """Adapt one window.

        Parameters
        ----------
        features : ndarray of float32, shape (T, C)
            Raw features, oldest first; fewer than T timesteps while a stream is warming up.

        Returns
        -------
        ndarray of float32, shape (T, C)
            Normalized over the window (its squares sum to T): do not normalize each timestep again.

        Raises
        ------
        ValueError
            If C is not the adapter's.
        """
        if features.ndim != 2 or features.shape[1] != self.info.embed_dim:
            raise ValueError(f"a window is (T, {self.info.embed_dim}), not {features.shape}")
        mixed, activity = self._folded(np.asarray(features * self.info.feature_scale, dtype=np.float32))
        weights = self.info.timestep_weights
        if weights is not None and len(mixed) == self.info.timesteps:
            mixed *= np.array(weights, dtype=np.float32)[:, None]
        self.last_spikes = (activity > 0).astype(np.uint8)
        norm = max(float(np.linalg.norm(mixed)), 1e-12)
        return np.asarray(mixed * (len(mixed) ** 0.5 / norm), dtype=np.float32)

    def transform(self, windows: Floats) -> Floats:
        """Adapt many windows at once: (N, T, C) to (N, T, C), each as :meth:`__call__` does."""
        with torch.inference_mode():
            block = torch.tensor(np.asarray(windows, dtype=np.float32)).transpose(0, 1)
            adapted = self._adapt(block)
        result: Floats = adapted.transpose(0, 1).contiguous().numpy()
        return result

    def _adapt(self, block: Tensor) -> Tensor:
        mixed: Tensor = self.network(block * self.info.feature_scale)
        if self.info.timestep_weights is not None and len(block) == self.info.timesteps:
            mixed = mixed * torch.tensor(self.info.timestep_weights).view(-1, 1, 1)
        return normalize_windows(mixed)

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

    refuse_pointer(path, "the adapter")
    try:
        with safe_open(str(path), framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = own_names({key: stored.get_tensor(key) for key in stored.keys()}, _ANCHOR)
        info = AdapterInfo.from_json(metadata["neuroclip_live"])
        # before anything is made of the size that the description asks for
        if tensors[_ANCHOR].shape != (info.embed_dim // 8, info.embed_dim):
            raise ValueError("the description and the weights are of different sizes")
        network = AdapterNetwork(info.embed_dim, info.ratio, info.dropout, info.kind)
        network.load_state_dict(tensors)
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
            raise ValueError("some weights are no numbers")
    except OSError as error:
        raise UserError(f"cannot read the adapter {path}: {error.strerror or error}") from error
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
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
