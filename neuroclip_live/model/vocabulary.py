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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model.lexicon import Judgement, Kind

NAMES_FILE = "vocabulary.txt"
FEATURES_FILE = "vocabulary.safetensors"
#: Below this score are the words that are none.
HARDLY_KNOWN = 0.25


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
        ``(N, C)`` their text features, any length but zero; kept as int8.
    low, high
        Cosines to the nearest name that score 0 and 1.
    """

    def __init__(
        self, names: Sequence[str], features: npt.NDArray[np.float32], *, low: float = 0.4, high: float = 0.8
    ) -> None:
        if len(names) != len(features) or features.ndim != 2 or not len(names):
            raise ValueError(f"{len(names)} names for features of shape {features.shape}")
        if not low < high:
            raise ValueError(f"low {low} must be below high {high}")
        self.names = tuple(names)
        self.low = float(low)
        self.high = float(high)
        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        scale = np.abs(unit).max(axis=1, keepdims=True) / 127
        self._codes: npt.NDArray[np.int8] = np.rint(unit / scale).astype(np.int8)
        self._unit = _unit_rows(self._codes)
        self._words = frozenset(word for name in self.names for word in _plain(name).split())
        self._rows = {_plain(name): row for row, name in reversed(list(enumerate(self.names)))}

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self.names)

    def familiarity(self, feature: npt.NDArray[np.float32], *, count: int = 3) -> Familiarity:
        """Compare one text feature, ``(C,)`` of any length, with all names; name the ``count`` nearest."""
        vector = np.asarray(feature, np.float32).reshape(-1)
        if vector.shape[0] != self._unit.shape[1]:
            raise ValueError(
                f"a feature of {vector.shape[0]} numbers for a vocabulary of {self._unit.shape[1]}"
            )
        cosines = self._unit @ (vector / max(float(np.linalg.norm(vector)), 1e-12))
        order = np.argsort(-cosines, kind="stable")[:count]
        best = float(cosines[order[0]])
        score = float(np.clip((best - self.low) / (self.high - self.low), 0.0, 1.0))
        return Familiarity(score, tuple(self.names[i] for i in order), best)

    def feature(self, text: str) -> npt.NDArray[np.float32] | None:
        """Return the feature ``text`` was trained with, ``(C,)`` of length one; ``None`` unless it is a name.

        A small text tower only comes near what the image tower was trained against; for the names themselves
        the trained features are at hand.
        """
        row = self._rows.get(_plain(text))
        return None if row is None else self._unit[row]

    def __contains__(self, word: str) -> bool:
        """Tell whether a word, in lower case, is in one of the names."""
        return word in self._words

    def save(self, folder: Path) -> None:
        """Write the two files into ``folder``."""
        from safetensors.numpy import save_file

        (folder / NAMES_FILE).write_text("\n".join(self.names) + "\n", encoding="utf-8")
        limits = np.array([self.low, self.high], np.float32)
        save_file({"features": self._codes, "limits": limits}, folder / FEATURES_FILE)
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
            return cls(names, tensors["features"].astype(np.float32), low=low, high=high)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise UserError(
                f"the vocabulary in {folder} cannot be read ({error}); reinstall the model, "
                f"or delete {FEATURES_FILE} to go without"
            ) from error


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _unit_rows(codes: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    rows = codes.astype(np.float32)
    unit: npt.NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
