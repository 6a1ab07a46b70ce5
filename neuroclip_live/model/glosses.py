"""What nouns mean: WordNet's definitions in one compressed file, looked up by the last words of a phrase.

A name alone ("gerenuk") tells a sentence encoder little of how the thing looks; its definition tells it much.
Of several senses the table holds the commonest that ImageNet has pictures of, else WordNet's commonest.
"""

from __future__ import annotations

import lzma
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from neuroclip_live.errors import UserError

GLOSSES_FILE = "nouns.tsv.xz"
_LARGEST = 64 << 20  # bytes, unpacked
_ARTICLES = ("a ", "an ", "the ")


class Glosses:
    """Definitions by noun.

    Parameters
    ----------
    table : bytes
        UTF-8 lines of ``noun<TAB>definition``, sorted bytewise. They stay one block: a hundred thousand
        strings would take three times the memory.
    """

    def __init__(self, table: bytes) -> None:
        self._table = table.rstrip(b"\n") + b"\n" if table else b""
        ends = np.flatnonzero(np.frombuffer(self._table, np.uint8) == ord("\n"))
        self._starts = np.concatenate([[0], ends + 1]).astype(np.int64)

    def __len__(self) -> int:
        """Return the number of nouns."""
        return len(self._starts) - 1

    def exact(self, noun: str) -> str:
        """Return the definition of exactly this noun; empty where there is none."""
        key = noun.encode("utf-8", "replace") + b"\t"
        place = bisect_left(range(len(self)), key, key=self._line)
        if place < len(self):
            line = self._line(place)
            if line.startswith(key):
                return line[len(key) :].decode()
        return ""

    def _line(self, place: int) -> bytes:
        return self._table[self._starts[place] : self._starts[place + 1] - 1]

    def noun_of(self, text: str) -> tuple[str, str]:
        """Return the noun that a text ends with, the longest there is, and its definition; else ``("", "")``.

        A plural in "s" is read as its singular.
        """
        words = plain(text).split()
        for start in range(len(words)):
            noun = " ".join(words[start:])
            found = self.exact(noun)
            if found:
                return noun, found
        if words and words[-1].endswith("s"):
            single = words[-1].removesuffix("s")
            for start in range(len(words)):
                noun = " ".join([*words[start:-1], single])
                found = self.exact(noun)
                if found:
                    return noun, found
        return "", ""

    def save(self, folder: Path) -> None:
        """Write the table into ``folder``."""
        (folder / GLOSSES_FILE).write_bytes(lzma.compress(self._table, preset=9 | lzma.PRESET_EXTREME))

    @classmethod
    def load(cls, folder: Path) -> Glosses:
        """Read the table.

        Raises
        ------
        UserError
            If it is missing or damaged.
        """
        try:
            unpacker = lzma.LZMADecompressor(memlimit=256 << 20)
            data = unpacker.decompress((folder / GLOSSES_FILE).read_bytes(), _LARGEST)
            if not unpacker.eof:
                raise ValueError("it is cut short, or too large")
            data.decode()  # raises where it is no text
            return cls(data)
        except (OSError, lzma.LZMAError, ValueError) as error:
            raise UserError(
                f"the definitions in {folder} cannot be read ({error}); install neuroclip-live again"
            ) from error

    @classmethod
    def of(cls, definitions: Mapping[str, str]) -> Glosses:
        """Make the table from noun → definition."""
        kept = {noun: " ".join(text.split()) for noun, text in definitions.items() if text.strip() and noun}
        return cls(b"\n".join(sorted(f"{noun}\t{text}".encode() for noun, text in kept.items())))


def plain(text: str) -> str:
    """Return a text as tables are asked for it: lower case, single spaces, no article, no full stop."""
    spaced = " ".join(text.lower().replace("_", " ").split()).strip(" .!?\"'")
    for article in _ARTICLES:
        spaced = spaced.removeprefix(article)
    return spaced
