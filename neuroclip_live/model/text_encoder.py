"""A model's text tower with its tokenizer, needed only when prompts change."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.runtimes.openvino_runtime import compile_network, import_openvino
from neuroclip_live.model.runtimes.runtime import memory_errors, trace_module
from neuroclip_live.model.tokenizer import ClipTokenizer

_BATCH = 64


class TextRuntime(Protocol):
    """Something that encodes sentences; may be called from any thread."""

    def move_to(self, device: str) -> None:
        """Move the weights to another of torch's devices."""
        ...

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return raw features (N, C) float32."""
        ...

    def count(self, text: str) -> int:
        """Return how many tokens ``text`` has before any cut, start and end marks included."""
        ...


class TextEncoder:
    """A model's text tower with its tokenizer.

    Parameters
    ----------
    model : torch.nn.Module
        With open_clip's ``encode_text``.
    tokenizer : callable
        open_clip's, whichever it is.
    device : str
    """

    def __init__(self, model: Any, tokenizer: Any, device: str = "cpu") -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._lock = RLock()  # tokenizers keep caches and must not be entered twice
        self.device = device

    def move_to(self, device: str) -> None:
        """Move the weights to another device."""
        with self._lock, memory_errors():
            self._model.to(device)
            self.device = device

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return raw features (N, C) float32; raise OutOfDeviceMemory where they do not fit."""
        import torch

        parts = []
        with self._lock, torch.inference_mode(), memory_errors():
            for start in range(0, len(texts), _BATCH):
                tokens = self._tokenizer(list(texts[start : start + _BATCH])).to(self.device)
                parts.append(self._model.encode_text(tokens).float().cpu().numpy())
        return np.concatenate(parts)

    def count(self, text: str) -> int:
        """Return how many tokens ``text`` has before any cut, start and end marks included."""
        tokenizer = self._tokenizer
        with self._lock:
            if hasattr(tokenizer, "encode"):
                return len(tokenizer.encode(text)) + 2
            cleaned = tokenizer.clean_fn(text) if hasattr(tokenizer, "clean_fn") else text
            return len(tokenizer.tokenizer(cleaned)["input_ids"])


class OpenVinoTextEncoder:
    """A text tower in OpenVINO with our own tokenizer: no torch.

    Parameters
    ----------
    network : openvino.Model or Path
        As :func:`convert_text_tower` makes it, or where one was saved.
    context_length : int
    threads : int, optional
    """

    def __init__(self, network: Any, context_length: int, threads: int | None = None) -> None:
        self._tokenizer = ClipTokenizer(context_length)
        self._request = compile_network(network, threads).create_infer_request()
        self._lock = RLock()

    def move_to(self, device: str) -> None:
        """Do nothing: OpenVINO's CPU is where it stays."""

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return raw features (N, C) float32."""
        parts = []
        with self._lock:
            for start in range(0, len(texts), _BATCH):
                tokens = self._tokenizer(texts[start : start + _BATCH])
                self._request.infer([tokens])
                parts.append(self._request.get_output_tensor(0).data.copy())
        return np.concatenate(parts)

    def count(self, text: str) -> int:
        """Return how many tokens ``text`` has before any cut, start and end marks included."""
        return len(self._tokenizer.encode(text)) + 2


def convert_text_tower(model: Any, context_length: int) -> Any:
    """Turn open_clip's ``encode_text`` into an OpenVINO network for any number of rows of tokens."""
    import torch

    class TextTower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: Any) -> Any:
            return self.model.encode_text(tokens)

    # two rows, so that the number of rows is not taken for a constant
    example = torch.zeros(2, context_length, dtype=torch.long)
    example[:, 0] = 1
    traced = trace_module(TextTower().eval(), example)
    return import_openvino().convert_model(traced, example_input=example, input=[-1, context_length])
