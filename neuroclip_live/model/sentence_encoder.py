"""A sentence encoder of BERT's layout in OpenVINO, built from plain int8 weights: no torch, no transformers.

The bundled model's words are read by all-MiniLM-L6-v2 (Apache-2.0): six layers of 384 numbers over WordPiece
tokens; a text's vector is the mean of its tokens' last ones, at length 1. The file holds each matrix as int8
rows with one scale a row, which moves a vector by a cosine of less than 0.002 and halves float16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model.runtimes.openvino_runtime import compile_network, import_openvino

WEIGHTS_FILE = "sentence_encoder.safetensors"
PIECES_FILE = "sentence_encoder_pieces.txt"
MOST_TOKENS = 64
"""Tokens read of a text, its two marks included."""

_BATCH = 64
_HEAD = 32  # numbers of an attention head
_EPSILON = 1e-12

Array = npt.NDArray[np.float32]


class SentenceEncoder:
    """Texts → unit vectors. May be called from any thread.

    Parameters
    ----------
    folder : Path
        Holds :data:`WEIGHTS_FILE` and :data:`PIECES_FILE`.
    threads : int, optional
        Of OpenVINO; its own choice by default.

    Raises
    ------
    UserError
        If a file is missing or is not what it should be.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
        from tokenizers import BertWordPieceTokenizer

        try:
            pieces = (folder / PIECES_FILE).read_text(encoding="utf-8").splitlines()
            vocabulary = {piece: number for number, piece in enumerate(pieces)}
            self._tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
            weights = load_file(folder / WEIGHTS_FILE)
            network = sentence_network(weights)
        except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise UserError(
                f"the sentence encoder in {folder} cannot be read ({error}); install neuroclip-live again"
            ) from error
        self._request = compile_network(network, threads).create_infer_request()
        self._lock = RLock()

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return one row of length 1 for each text, (N, 384) float32."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        tokens = [ids if len(ids) <= MOST_TOKENS else [*ids[: MOST_TOKENS - 1], ids[-1]] for ids in tokens]
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))  # little padding in a batch
        rows: list[Array] = [np.empty(0, np.float32)] * len(tokens)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            width = max(len(tokens[i]) for i in chosen)
            ids = np.zeros((len(chosen), width), np.int64)
            mask = np.zeros((len(chosen), width), np.float32)
            for row, i in enumerate(chosen):
                ids[row, : len(tokens[i])] = tokens[i]
                mask[row, : len(tokens[i])] = 1
            with self._lock:
                self._request.infer([ids, np.arange(width), mask])
                found = self._request.get_output_tensor(0).data.copy()
            for row, i in enumerate(chosen):
                rows[i] = found[row] / max(float(np.linalg.norm(found[row])), 1e-9)
        return np.stack(rows)

    def count(self, text: str) -> int:
        """Return how many tokens ``text`` has before any cut, start and end marks included."""
        return len(self._tokenizer.encode(text).ids)


def quantized(weights: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return weights with every matrix as int8 rows (``name``) and float32 scales (``name.scale``)."""
    kept: dict[str, npt.NDArray[Any]] = {}
    for name, value in weights.items():
        if value.ndim != 2:
            kept[name] = value.astype(np.float32)
            continue
        scale = np.abs(value).max(1, keepdims=True).astype(np.float32) / 127
        kept[name] = np.rint(value / np.maximum(scale, 1e-12)).astype(np.int8)
        kept[f"{name}.scale"] = scale
    return kept


def sentence_network(weights: Mapping[str, npt.NDArray[Any]]) -> Any:
    """Build BERT's encoder with mean pooling from quantized weights under Hugging Face's names.

    Inputs: tokens (N, L) int64, positions (L,) int64, mask (N, L) float32; output (N, 384) float32.

    Raises
    ------
    KeyError
        If a tensor is missing.
    """
    openvino = import_openvino()
    ops = openvino.opset13

    def number(value: Any) -> Any:
        return ops.constant(np.asarray(value))

    def matrix(name: str) -> Any:
        return ops.multiply(
            ops.convert(ops.constant(weights[name]), np.float32), ops.constant(weights[f"{name}.scale"])
        )

    def looked_up(name: str, index: Any) -> Any:
        codes = ops.gather(ops.constant(weights[name]), index, number(0))
        scales = ops.gather(ops.constant(weights[f"{name}.scale"]), index, number(0))
        return ops.multiply(ops.convert(codes, np.float32), scales)

    def dense(x: Any, name: str) -> Any:
        product = ops.matmul(x, matrix(f"{name}.weight"), False, True)
        return ops.add(product, ops.constant(weights[f"{name}.bias"]))

    def normed(x: Any, name: str) -> Any:
        even = ops.mvn(x, number(np.array([-1])), True, _EPSILON, "inside_sqrt")
        scaled = ops.multiply(even, ops.constant(weights[f"{name}.weight"]))
        return ops.add(scaled, ops.constant(weights[f"{name}.bias"]))

    width = weights["embeddings.word_embeddings.weight"].shape[1]
    tokens = ops.parameter([-1, -1], np.int64)
    positions = ops.parameter([-1], np.int64)
    mask = ops.parameter([-1, -1], np.float32)
    hidden = ops.add(
        looked_up("embeddings.word_embeddings.weight", tokens),
        looked_up("embeddings.position_embeddings.weight", positions),
    )
    hidden = ops.add(hidden, looked_up("embeddings.token_type_embeddings.weight", number(0)))
    hidden = normed(hidden, "embeddings.LayerNorm")
    hides = ops.multiply(
        ops.subtract(number(np.float32(1)), ops.unsqueeze(mask, number(np.array([1, 2])))),
        number(np.float32(-1e4)),
    )
    split = number(np.array([0, 0, width // _HEAD, _HEAD]))
    swap = number(np.array([0, 2, 1, 3]))
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in weights:
        name = f"encoder.layer.{layer}"
        query, key, value = (
            ops.transpose(ops.reshape(dense(hidden, f"{name}.attention.self.{part}"), split, True), swap)
            for part in ("query", "key", "value")
        )
        alike = ops.multiply(ops.matmul(query, key, False, True), number(np.float32(_HEAD**-0.5)))
        seen = ops.matmul(ops.softmax(ops.add(alike, hides), -1), value, False, False)
        joined = ops.reshape(ops.transpose(seen, swap), number(np.array([0, 0, width])), True)
        attended = ops.add(dense(joined, f"{name}.attention.output.dense"), hidden)
        hidden = normed(attended, f"{name}.attention.output.LayerNorm")
        wide = ops.gelu(dense(hidden, f"{name}.intermediate.dense"), "erf")
        hidden = normed(ops.add(dense(wide, f"{name}.output.dense"), hidden), f"{name}.output.LayerNorm")
        layer += 1
    if not layer:
        raise KeyError("encoder.layer.0")
    weight = ops.unsqueeze(mask, number(2))
    total = ops.reduce_sum(ops.multiply(hidden, weight), number(1), False)
    mean = ops.divide(total, ops.reduce_sum(weight, number(1), False))
    return openvino.Model([mean], [tokens, positions, mask], "sentence encoder")
