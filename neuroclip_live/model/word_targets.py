"""What the image tower was taught words to be: from tables and a sentence encoder, not from a text tower.

A text's target is up to three vectors side by side, each with its share of the squared length:

- *words*: the sentence encoder's vector, moved a little by a trained head;
- *looks*: how the thing looks in the numbers of ImageNet's classifier. A mean of the classes' prototypes,
  weighted by how alike the definitions are, and of what a linear map makes of CLIP's word;
- *CLIP's word*: the stored vector of the name, or the mean of those with like definitions.

A text tower distilled from these targets lost nine points on real objects; the targets themselves cost one
more small network and 2 MB of tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model.glosses import Glosses, plain
from neuroclip_live.model.sentence_encoder import WEIGHTS_FILE, SentenceEncoder

TABLES_FILE = "word_tables.safetensors"
NAMES_FILE = "stored_words.txt"

Array = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Array]

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT = re.compile(
    rf"(?:^|\b)(?:number|digit|numeral|handwritten)\b[^0-9a-z]*({'|'.join(_DIGITS)}|[0-9])[\"'. ]*$"
)
_LETTER = re.compile(r"\bletter\b[^0-9a-z]*([a-z])[\"'. ]*$")


class WordTables:
    """The tables and what is computed from them.

    Parameters
    ----------
    tensors : mapping
        ``head.up.weight`` … ``head.down.bias``; ``classes.looks`` (K, L) and ``classes.told``,
        ``classes.called`` (K, C); ``stored.clip`` (N, A) and ``stored.told`` (N, C); ``map`` (A + 1, L), the
        last row a constant; ``signs`` (36, L + A), what stands for the digits and letters; ``shares`` (3,);
        ``softness`` (2,), the temperatures of the means over classes and over stored names; ``mapped`` (2,),
        the map's share in the looks of stored names and of others.
    names : sequence of str
        The N stored names.
    encode : callable
        Texts → unit rows (N, C).
    glosses : Glosses
    """

    def __init__(
        self, tensors: Mapping[str, npt.NDArray[Any]], names: Sequence[str], encode: Encode, glosses: Glosses
    ) -> None:
        self._t = {name: np.asarray(value, np.float32) for name, value in tensors.items()}
        self._encode, self.glosses = encode, glosses
        self._row = {_key(name): i for i, name in reversed(list(enumerate(names)))}
        self._names = names
        if len(names) != len(self._t["stored.clip"]):
            raise ValueError(f"{len(names)} names for {len(self._t['stored.clip'])} vectors")
        self.looks_size = self._t["classes.looks"].shape[1]

    @cached_property
    def _same(self) -> dict[str, int]:
        """Rows of the stored names by what they mean; made for the first word that is none of them."""
        same = {self.glosses.exact(name): i for i, name in reversed(list(enumerate(self._names)))}
        same.pop("", None)
        return same

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return targets, (N, D) float32 of length 1."""
        nouns = [self.glosses.noun_of(text) for text in texts]
        asked = [f"{text}: {told}" if told else text for text, (_, told) in zip(texts, nouns, strict=True)]
        both = self._encode([*texts, *asked])
        vectors, told = both[: len(texts)], both[len(texts) :]
        stored = [self._stored(text, *found) for text, found in zip(texts, nouns, strict=True)]
        looks, clip = self.seen(told, np.array([bool(found) for _, found in nouns], bool), stored)
        for i, text in enumerate(texts):
            sign = sign_of(text)
            if sign is not None and len(self._t["signs"]):
                looks[i], clip[i] = np.split(self._t["signs"][sign], [self.looks_size])
        return self.join(self.head(vectors), looks, clip)

    def seen(
        self, told: Array, defined: npt.NDArray[np.bool_], stored: Sequence[int | None]
    ) -> tuple[Array, Array]:
        """Return looks (N, L) and CLIP's words (N, A), of length 1 each.

        Parameters
        ----------
        told : ndarray (N, C)
            The encoder's vectors of texts with their definitions.
        defined : ndarray (N,) bool
            Whether there was a definition.
        stored : sequence of int or None
            Rows of the stored names.
        """
        t = self._t
        looks = np.where(
            defined[:, None],
            _mean(told, t["classes.told"], t["classes.looks"], float(t["softness"][0])),
            _mean(told, t["classes.called"], t["classes.looks"], float(t["softness"][0])),
        )
        clip = _mean(told, t["stored.told"], t["stored.clip"], float(t["softness"][1]))
        share = np.full((len(told), 1), t["mapped"][1], np.float32)
        for i, row in enumerate(stored):
            if row is not None:
                clip[i], share[i] = t["stored.clip"][row], t["mapped"][0]
        mapped = _unit(clip @ t["map"][:-1] + t["map"][-1])
        return _unit(share * mapped + (1 - share) * looks), clip

    def head(self, vectors: Array) -> Array:
        """Move the encoder's vectors (N, C) as the trained head does."""
        t = self._t
        inner = vectors @ t["head.up.weight"].T + t["head.up.bias"]
        moved = vectors + _gelu(inner) @ t["head.down.weight"].T + t["head.down.bias"]
        return _unit(moved)

    def join(self, words: Array, looks: Array, clip: Array) -> Array:
        """Put the parts side by side, each with its share; a part without a share is left out."""
        parts = [
            math.sqrt(float(share)) * _unit(part)
            for share, part in zip(self._t["shares"], (words, looks, clip), strict=True)
            if share > 0
        ]
        return np.ascontiguousarray(np.concatenate(parts, 1), np.float32)

    def _stored(self, text: str, noun: str, told: str) -> int | None:
        """Return the row of the name a text says, else of the noun it ends with, else of a synonym."""
        for key in (_key(plain(text)), _key(noun)):
            if key in self._row:
                return self._row[key]
        return self._same.get(told)


class WordTargets:
    """Tables and sentence encoder as a text runtime. May be called from any thread; always on the CPU.

    Parameters
    ----------
    folder : Path
        The model's.
    threads : int, optional

    Raises
    ------
    UserError
        If a file is missing or does not fit the others.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        with ThreadPoolExecutor(1) as beside:  # unpacking needs no interpreter, nor does most of compiling
            glosses_later = beside.submit(Glosses.load, folder)
            self._encoder = SentenceEncoder(folder, threads)
            glosses = glosses_later.result()
        try:
            names = (folder / NAMES_FILE).read_text(encoding="utf-8").splitlines()
            self._tables = WordTables(load_file(folder / TABLES_FILE), names, self._encoder, glosses)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise UserError(
                f"the word tables in {folder} cannot be read ({error}); install neuroclip-live again"
            ) from error

    def move_to(self, device: str) -> None:
        """Do nothing: OpenVINO's CPU is where it stays."""

    def encode(self, texts: Sequence[str]) -> Array:
        """Return the targets (N, D) float32."""
        return self._tables(texts)

    def count(self, text: str) -> int:
        """Return how many tokens ``text`` has before any cut, start and end marks included."""
        return self._encoder.count(text)


def has_word_targets(folder: Path) -> bool:
    """Say whether a model folder brings tables for its words."""
    return (folder / TABLES_FILE).is_file() and (folder / WEIGHTS_FILE).is_file()


def sign_of(text: str) -> int | None:
    """Return which digit (0 to 9) or letter (10 to 35) a text names; None for any other."""
    lowered = text.lower().strip()
    digit = _DIGIT.search(lowered)
    if digit:
        said = digit.group(1)
        return int(said) if said.isdigit() else _DIGITS.index(said)
    if lowered in _DIGITS:
        return _DIGITS.index(lowered)
    if len(lowered) == 1 and lowered in "0123456789":
        return int(lowered)
    letter = _LETTER.search(lowered)
    return 10 + ord(letter.group(1)) - ord("a") if letter else None


def _key(name: str) -> str:
    return name.replace(" ", "").replace("-", "")


def _mean(told: Array, keys: Array, values: Array, softness: float) -> Array:
    return _unit(np.exp((told @ keys.T - 1) / softness) @ values)


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


_erf = np.frompyfunc(math.erf, 1, 1)
"""A word has two thousand numbers to be put in; SciPy's own takes a quarter of a second to be imported."""


def _gelu(x: Array) -> Array:
    return np.asarray(0.5 * x * (1 + _erf(x / math.sqrt(2)).astype(x.dtype)), np.float32)
