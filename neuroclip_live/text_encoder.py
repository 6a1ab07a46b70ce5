"""A model's text tower with its tokenizer, in torch: it is needed only when prompts change."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.runtimes import memory_errors

_BATCH = 64


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
