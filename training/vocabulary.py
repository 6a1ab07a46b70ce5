"""The concepts the image tower learns: their sentences' vectors, and who must not repel whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np
import numpy.typing as npt

from training.pictures import DIGIT_WORDS

TEMPLATES = (
    "{}",
    "a {}",
    "the outline of a {}",
    "an event camera image of a {}",
    "a photo of a {}",
    "a point cloud image of a {}",
)
"""Sentences for every concept that is not a character; ``{}`` and ``a {}`` are drawn most."""

SYNONYM_COSINE = 0.75
"""Concepts whose names the teacher finds this alike are not taught apart."""

Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def digit_sentences(digit: int) -> tuple[str, ...]:
    """Return ways to name a digit."""
    word = DIGIT_WORDS[digit]
    return (
        f"the number {word}", f"the digit {word}", f"the digit {digit}", f"the number {digit}", word,
        str(digit),
        f"number {digit}", f"a handwritten {word}", f"a handwritten {digit}", f"digit {word}",
        f'A black and white photo of the Arabic numeral number: "{digit}".',
        f"an event camera image of the digit {word}",
    )  # fmt: skip


def letter_sentences(letter: str) -> tuple[str, ...]:
    """Return ways to name a letter."""
    upper = letter.upper()
    return (
        f"the letter {upper}",
        f"letter {upper}",
        f"a letter {upper}",
        f"the capital letter {upper}",
        f"a handwritten letter {upper}",
    )


def thing_sentences(noun: str) -> tuple[str, ...]:
    """Return ways to name a thing, with the right article."""
    vowel = noun[:1] in tuple("aeiou")
    return tuple((t.replace("a {}", "an {}") if vowel else t).format(noun) for t in TEMPLATES)


def concepts(nouns: Sequence[str], characters: bool = True) -> dict[str, tuple[str, ...]]:
    """Return every concept's sentences, the plain name first.

    ``characters`` adds the ten digits ("digit 0" …) and the letters ("letter A" …).
    """
    found = {noun: thing_sentences(noun) for noun in nouns}
    if characters:
        found |= {f"digit {digit}": digit_sentences(digit) for digit in range(10)}
        found |= {f"letter {letter}": letter_sentences(letter) for letter in ascii_uppercase}
    return found


@dataclass(frozen=True)
class Vocabulary:
    """Concepts with their sentences' vectors.

    Attributes
    ----------
    names : tuple of str
    vectors : ndarray (S, 384) float32
        One for each sentence, from the teacher.
    first, count : ndarray (N,) int
        Where each concept's sentences lie in ``vectors``; the first is its plain name.
    near : ndarray (N, N) bool
        Pairs that must not be each other's negatives (the diagonal is False).
    """

    names: tuple[str, ...]
    vectors: npt.NDArray[np.float32]
    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    near: npt.NDArray[np.bool_]

    def index(self) -> dict[str, int]:
        """Return name → concept."""
        return {name: i for i, name in enumerate(self.names)}


def build_vocabulary(
    nouns: Sequence[str], groups: Sequence[Sequence[str]], encode: Encode, characters: bool = True
) -> Vocabulary:
    """Write every concept's sentences and have the teacher read them.

    Parameters
    ----------
    nouns : sequence of str
        Names of things, without repetitions.
    groups : sequence of sequences of str
        Names known to mean the same.
    encode : callable
        Sentences → (N, C) unit vectors.
    characters : bool
        As :func:`concepts` takes it.
    """
    sentences = concepts(nouns, characters)
    names = list(sentences)
    count = np.array([len(several) for several in sentences.values()], np.int64)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
    vectors = encode([sentence for several in sentences.values() for sentence in several])
    return Vocabulary(tuple(names), vectors, first, count, _near(names, vectors[first], groups, len(nouns)))


def _near(
    names: Sequence[str], vectors: npt.NDArray[np.float32], groups: Sequence[Sequence[str]], n_nouns: int
) -> npt.NDArray[Any]:
    near = np.zeros((len(names), len(names)), np.bool_)
    things = vectors[:n_nouns]
    near[:n_nouns, :n_nouns] = things @ things.T > SYNONYM_COSINE
    index = {name: i for i, name in enumerate(names)}
    by_last: dict[str, list[int]] = {}
    for i, name in enumerate(names[:n_nouns]):
        by_last.setdefault(name.split()[-1], []).append(i)
    for last, members in by_last.items():  # "coffee cup" is a cup
        head = index.get(last)
        if head is not None:
            near[head, members] = near[members, head] = True
    for group in groups:
        members = [index[name] for name in group if name in index]
        near[np.ix_(members, members)] = True
    np.fill_diagonal(near, False)
    return near
