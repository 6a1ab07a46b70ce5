"""CLIP's byte-pair tokenizer without torch, so that a prompt can be encoded without importing it.

Gives the same numbers as open_clip's ``SimpleTokenizer`` (a test compares them) from the vocabulary file that
open_clip installs. The scheme is that of the CLIP paper's section 2.4: lower-cased text is cut into words, a
word is a row of bytes, and the pair of neighbors that stands highest in a list of 48,894 merges is joined
until none is left to join.
"""

from __future__ import annotations

import gzip
import html
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

_MERGES = 48_894
_SPECIAL = ("<start_of_text>", "<end_of_text>")
_WORD_END = "</w>"
_WORD = (
    r"<start_of_text>|<end_of_text>"
    r"|'(?:s|t|re|ve|m|ll|d)"  # the endings of English contractions
    r"|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"  # letters together, digits alone, the rest together
)


class ClipTokenizer:
    """Turns text into token numbers.

    Parameters
    ----------
    context_length : int
        Length of a row of tokens.
    """

    def __init__(self, context_length: int) -> None:
        import regex  # type: ignore[import-untyped]

        self.context_length = context_length
        self._bytes = _byte_letters()
        letters = list(self._bytes.values())
        pairs = _read_merges()
        self._rank = {pair: i for i, pair in enumerate(pairs)}
        tokens = [
            *letters,
            *(letter + _WORD_END for letter in letters),
            *(a + b for a, b in pairs),
            *_SPECIAL,
        ]
        self._number = {token: i for i, token in enumerate(tokens)}
        self._start, self._end = len(tokens) - 2, len(tokens) - 1
        self._words = regex.compile(_WORD, regex.IGNORECASE)
        self._join = lru_cache(maxsize=20_000)(self._join_word)

    def encode(self, text: str) -> list[int]:
        """Return the numbers of ``text``'s tokens, without start and end marks."""
        numbers: list[int] = []
        for word in self._words.findall(_clean(text)):
            numbers.extend(self._join(word))
        return numbers

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return rows of token numbers (N, context_length), with marks, cut or filled with zeros."""
        rows = np.zeros((len(texts), self.context_length), dtype=np.int64)
        for row, text in zip(rows, texts, strict=True):
            numbers = [self._start, *self.encode(text)[: self.context_length - 2], self._end]
            row[: len(numbers)] = numbers
        return rows

    def _join_word(self, word: str) -> tuple[int, ...]:
        if word in _SPECIAL:
            return (self._number[word],)
        parts = [self._bytes[byte] for byte in word.encode("utf-8")]
        parts[-1] += _WORD_END
        last = len(self._rank)
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._rank.get(pair, last))
            if best not in self._rank:
                break
            joined, i = [], 0
            while i < len(parts):
                if i + 1 < len(parts) and (parts[i], parts[i + 1]) == best:
                    joined.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    joined.append(parts[i])
                    i += 1
            parts = joined
        return tuple(self._number[part] for part in parts)


def _clean(text: str) -> str:
    import ftfy

    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()


def _byte_letters() -> dict[int, str]:
    """Give every byte a letter that can be seen: itself where it is one, else one from 256 on."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = {byte: chr(byte) for byte in visible}
    hidden = [byte for byte in range(256) if byte not in letters]
    return letters | {byte: chr(256 + i) for i, byte in enumerate(hidden)}


def _read_merges() -> list[tuple[str, str]]:
    """Read the merges from open_clip's file; finding the package does not import it."""
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("open_clip is not installed", name="open_clip_torch")
    path = Path(next(iter(spec.submodule_search_locations))) / "bpe_simple_vocab_16e6.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")[1 : _MERGES + 1]
    return [(a, b) for a, b in (line.split() for line in lines)]
