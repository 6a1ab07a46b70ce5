"""What an image tower has seen: the names it was trained on, so that words far from them can say so.

An open-vocabulary model answers any word with the same straight face. This one carries the names its
*pictures* had (``vocabulary.txt``, one a line) and their text features (``vocabulary.safetensors``: int8 rows
of one scale each, since float16 would double the file for a change of cosine below 0.002). A typed word is
compared with all of them: the nearest names tell the user what the model will take the word for, and the
score tells how much it knows of it.

The score is linear in the cosine to the nearest name: 0 at ``low`` and below, 1 at ``high`` and above. Both
are measured when the model is made (see the model card) and are stored beside the features. Cosines cannot
tell a word from a typing error: that is looked up (:mod:`neuroclip_live.model.lexicon`), and
:meth:`Familiarity.judged` joins both answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model.lexicon import Judgement, Kind

NAMES_FILE = "vocabulary.txt"
FEATURES_FILE = "vocabulary.safetensors"
#: Below this score are the words that are none.
HARDLY_KNOWN = 0.25
_ROWS = 2048


@dataclass(frozen=True)
class Familiarity:
    """How well a model knows a word.

    Attributes
    ----------
    score
        0 (no picture of anything near it was trained on) … 1 (trained on it, or on a synonym).
    nearest
        The trained names closest to it, the closest first.
    cosine
        Cosine to the first of ``nearest``.
    kind, words
        As the list of words has it: "unknown" with the words it lacks, "describes" where nothing is named.
    """

    score: float
    nearest: tuple[str, ...]
    cosine: float
    kind: Kind = "name"
    words: tuple[str, ...] = ()

    @property
    def hardly_known(self) -> bool:
        """Whether the user should be told not to trust this word."""
        return self.score < HARDLY_KNOWN

    @property
    def far(self) -> bool:
        """Whether it is a word, and far from everything the model was trained on."""
        return HARDLY_KNOWN <= self.score < HARDLY_KNOWN + (1 - HARDLY_KNOWN) / 4

    def judged(self, judgement: Judgement) -> Familiarity:
        """Return it with what the list of words says: words that are none score below all that are."""
        score = 0.2 * self.score
        if judgement.kind != "unknown":
            score = HARDLY_KNOWN + (1 - HARDLY_KNOWN) * self.score
        return replace(self, score=score, kind=judgement.kind, words=judgement.words)


class Vocabulary:
    """The names a model was trained on, with their text features.

    Parameters
    ----------
    names
        ``N`` names.
    features
        ``(N, C)`` their text features, any length but zero; kept as int8, as :meth:`save` writes them, and
        taken as they are where they are that already.
    low, high
        Cosines to the nearest name that score 0 and 1.
    taught
        How many of the names, the first ones, had pictures; all by default. The others are only words that
        :meth:`nearest` may answer with.
    """

    def __init__(
        self,
        names: Sequence[str],
        features: npt.NDArray[np.float32] | npt.NDArray[np.int8],
        *,
        low: float = 0.4,
        high: float = 0.8,
        taught: int | None = None,
    ) -> None:
        if len(names) != len(features) or features.ndim != 2 or not len(names):
            raise ValueError(f"{len(names)} names for features of shape {features.shape}")
        if not low < high:
            raise ValueError(f"low {low} must be below high {high}")
        self.taught = len(names) if taught is None else int(taught)
        if not 1 <= self.taught <= len(names):
            raise ValueError(f"{taught} names with pictures among {len(names)}")
        self.names = tuple(names)
        self.low = float(low)
        self.high = float(high)
        # int8 is what is kept in memory too: ten thousand names would be 40 MB as float32
        self._codes: npt.NDArray[np.int8] = (
            features.astype(np.int8, copy=False) if features.dtype == np.int8 else _coded(features)
        )
        if not self._codes.any(axis=1).all():
            raise ValueError("a feature without a direction")

    # what typed words are held against is made when the first is: a start need not wait for it

    @cached_property
    def _lengths(self) -> npt.NDArray[np.float32]:
        return np.concatenate(
            [np.linalg.norm(part.astype(np.float32), axis=1) for part in self._parts(len(self.names))]
        )

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word for name in self.names for word in _plain(name).split())

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {_plain(name): row for row, name in reversed(list(enumerate(self.names)))}

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.names)

    def familiarity(self, feature: npt.NDArray[np.float32], *, count: int = 3) -> Familiarity:
        """Compare one text feature, ``(C,)`` of any length, with all names; name the ``count`` nearest."""
        vector = np.asarray(feature, np.float32).reshape(-1)
        cosines = self._cosines(vector, self.taught)
        order = np.argsort(-cosines, kind="stable")[:count]
        best = float(cosines[order[0]])
        score = float(np.clip((best - self.low) / (self.high - self.low), 0.0, 1.0))
        return Familiarity(score, tuple(self.names[i] for i in order), best)

    def nearest(self, feature: npt.NDArray[np.float32], count: int = 5) -> list[tuple[str, float]]:
        """Return the ``count`` words nearest to an image's feature, ``(C,)``, with their cosines.

        Raises
        ------
        ValueError
            If the feature is of another length than the words' are.
        """
        cosines = self._cosines(np.asarray(feature, np.float32).reshape(-1), len(self.names))
        order = np.argsort(-cosines, kind="stable")[: max(0, count)]
        return [(self.names[i], float(cosines[i])) for i in order]

    @cached_property
    def rivals(self) -> npt.NDArray[np.float32]:
        """The features of the names that had pictures, (taught, C) float32 of length one; read only."""
        rows = [part.astype(np.float32) for part in self._parts(self.taught)]
        found = np.asarray(np.concatenate(rows) / self._lengths[: self.taught, None], np.float32)
        found.flags.writeable = False
        return found

    def feature(self, text: str) -> npt.NDArray[np.float32] | None:
        """Return the feature ``text`` was trained with, ``(C,)`` of length one; ``None`` unless it is a name.

        A small text tower only comes near what the image tower was trained against; for the names themselves
        the trained features are at hand.
        """
        row = self._rows.get(_plain(text))
        if row is None:
            return None
        return np.asarray(self._codes[row].astype(np.float32) / self._lengths[row], np.float32)

    def _cosines(self, vector: npt.NDArray[np.float32], rows: int) -> npt.NDArray[np.float32]:
        if vector.shape[0] != self._codes.shape[1]:
            raise ValueError(
                f"a feature of {vector.shape[0]} numbers for a vocabulary of {self._codes.shape[1]}"
            )
        unit = vector / max(float(np.linalg.norm(vector)), 1e-12)
        products = np.concatenate([part.astype(np.float32) @ unit for part in self._parts(rows)])
        return np.asarray(products / self._lengths[:rows], np.float32)

    def _parts(self, rows: int) -> Iterator[npt.NDArray[np.int8]]:
        for start in range(0, rows, _ROWS):
            yield self._codes[start : min(start + _ROWS, rows)]

    def __contains__(self, word: str) -> bool:
        """Tell whether a word, in lower case, is in one of the names."""
        return word in self._words

    def save(self, folder: Path) -> None:
        """Write the two files into ``folder``."""
        from safetensors.numpy import save_file

        (folder / NAMES_FILE).write_text("\n".join(self.names) + "\n", encoding="utf-8")
        limits = np.array([self.low, self.high], np.float32)
        taught = np.array([self.taught], np.int64)
        save_file({"features": self._codes, "limits": limits, "taught": taught}, folder / FEATURES_FILE)
        (folder / FEATURES_FILE).chmod(0o644)  # safetensors leaves it readable by its owner only

    @classmethod
    def load(cls, folder: Path) -> Vocabulary | None:
        """Read a vocabulary from a model's folder; ``None`` when the model has none.

        Raises
        ------
        UserError
            If the files are there but do not fit each other or cannot be read.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = folder / FEATURES_FILE
        if not path.is_file():
            return None
        try:
            tensors = load_file(path)
            names = (folder / NAMES_FILE).read_text(encoding="utf-8").splitlines()
            low, high = (float(limit) for limit in tensors["limits"])
            taught = int(tensors["taught"][0]) if "taught" in tensors else None
            return cls(names, tensors["features"], low=low, high=high, taught=taught)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise UserError(
                f"the vocabulary in {folder} cannot be read ({error}); reinstall the model, "
                f"or delete {FEATURES_FILE} to go without"
            ) from error


def _coded(features: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Return features as int8, the largest number of each 127."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    scale = np.abs(unit).max(axis=1, keepdims=True) / 127
    return np.asarray(np.rint(unit / scale), np.int8)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
