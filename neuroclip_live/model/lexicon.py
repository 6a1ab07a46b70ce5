"""Is it a word at all, and does it name something? A list of English words answers.

An image model gives any letters a score. A text tower cannot be asked either: pieces of "zwxqk" mean
something to it. So words are looked up: ``words.txt.xz`` holds the single words of WordNet 3.0 (its license
is beside it) and the names of LVIS, OpenImages and Objects365, each marked as the name of a thing or as a
word that only describes; ``training/word_list.py`` makes it. What the list lacks, brand names and what is
newer than it, counts as a word when CLIP's tokenizer, made from what people write under pictures, has one
token for it, or when it is two words of the list.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["name", "describes", "unknown"]

FILE = Path(__file__).with_name("words.txt.xz")
_SMALL = frozenset(
    "a an the of with without and or nor not no in on at by to from for into onto over under behind beside "
    "between near off up down out is are was were be been being has have had do does did it its this that "
    "these those my your his her our their some any each every all both one two i me you he she we they them "
    "us him who what which where when something anything someone somebody thing things like as than very too "
    "so more most less least none than if then there here s t re ve ll d m".split()
)
"""Words that may stand in a label and say nothing by themselves."""
_WORD = re.compile(r"\b[^\W\d_]+\b")
_PLURALS = (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", ""))
_VERBS = (
    ("ies", "y"),
    ("ied", "y"),
    ("es", ""),
    ("s", ""),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
)
_ADJECTIVES = (("ier", "y"), ("iest", "y"), ("er", "e"), ("er", ""), ("est", "e"), ("est", ""))
_LEAST_PART = 3
"""Letters of each half of a compound: shorter ones are in anything."""


@dataclass(frozen=True)
class Judgement:
    """What a label's words are.

    Attributes
    ----------
    kind : {"name", "describes", "unknown"}
        ``unknown`` when one of them is no word that is known; ``describes`` when none of them names a thing.
    words : tuple of str
        The unknown ones, or all that describe; empty for a name.
    """

    kind: Kind
    words: tuple[str, ...] = ()


class Lexicon:
    """The words.

    Parameters
    ----------
    marks : dict
        By word: "n" for a name, "d" for a word that mostly describes, "x" for one that is no noun.
    """

    def __init__(self, marks: dict[str, str]) -> None:
        self._marks = marks

    def judge(self, label: str, is_token: Callable[[str], bool] = lambda _: False) -> Judgement:
        """Look the words of a label up.

        Parameters
        ----------
        label : str
        is_token : callable
            Whether a tokenizer knows a word as a whole.
        """
        words = [w for w in _WORD.findall(label.lower()) if w not in _SMALL and len(w) > 1]
        marks = {word: self.mark(word, is_token) for word in words}
        unknown = tuple(word for word, mark in marks.items() if not mark)
        if unknown:
            return Judgement("unknown", unknown)
        # two words that may be nouns make a name: "stop sign"
        if words and "n" not in marks.values() and (len(words) == 1 or "x" in marks.values()):
            return Judgement("describes", tuple(marks))
        return Judgement("name")

    def mark(self, word: str, is_token: Callable[[str], bool] = lambda _: False) -> str:
        """Look one word up, in lower case: its mark, or "" where it is unknown."""
        mark = self._marks.get(word) or self._inflected(word)
        if mark or (len(set(word)) > 1 and is_token(word)):
            return mark or "n"
        for cut in range(_LEAST_PART, len(word) - _LEAST_PART + 1):
            halves = word[:cut], word[cut:]
            if all(
                (self._marks.get(half) or self._inflected(half)) == "n" and is_token(half) for half in halves
            ):
                return "n"
        return ""

    def _inflected(self, word: str) -> str:
        """Return the mark of the word this is a form of; "" where there is none."""
        for ending, instead in _PLURALS:
            if self._stem(word, ending, instead) == "n":
                return "n"
        for ending, instead in (*_VERBS, *_ADJECTIVES):
            if self._stem(word, ending, instead):
                return "x"
        if word.endswith(("ed", "ing")):  # running: run
            stem = word.removesuffix("ing").removesuffix("ed")
            if len(stem) > 3 and stem[-1] == stem[-2] and stem[:-1] in self._marks:
                return "x"
        return ""

    def _stem(self, word: str, ending: str, instead: str) -> str:
        if not word.endswith(ending) or len(word) - len(ending) < 2:
            return ""
        return self._marks.get(word[: -len(ending)] + instead, "")


@cache
def lexicon() -> Lexicon:
    """Return the list that ships with the program; read once, in about a tenth of a second."""
    text = lzma.decompress(FILE.read_bytes()).decode()
    return Lexicon({line[:-1]: line[-1] for line in text.splitlines()})
