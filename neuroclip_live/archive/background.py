"""What else there is in the world: everyday nouns that every word competes with in a search.

Live, a word competes with the others that were typed. A search has one word, and some moments look a little
like everything; a word's cosine alone ranks those first. So each row keeps how well the nouns together fit it
(the logarithm of the sum of their exponentiated logits), and a word's score is its share beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.backbone import Backbone
from neuroclip_live.model.model_names import MODELS_DIR
from neuroclip_live.model.scoring import normalized
from neuroclip_live.model.vocabulary import NAMES_FILE

NOUNS = 256
_TAUGHT = 2750
"""The first names of the bundled vocabulary: those that had pictures."""

Floats = npt.NDArray[np.float32]


@cache
def nouns() -> tuple[str, ...]:
    """Return the nouns, evenly taken from the bundled model's, the same for every model."""
    names = (MODELS_DIR / "event_nano" / NAMES_FILE).read_text(encoding="utf-8").splitlines()
    names = names[: min(_TAUGHT, len(names))]
    return tuple(names[i] for i in np.linspace(0, len(names) - 1, NOUNS).astype(int))


class Background:
    """The nouns by one model's text side.

    Attributes
    ----------
    features : ndarray of float32, shape (K, C)
    usual : float
        Median cosine between two of them.
    """

    def __init__(self, backbone: Backbone) -> None:
        templates = backbone.info.templates
        sentences = [template.replace("{}", noun) for noun in nouns() for template in templates]
        encoded = backbone.encode_texts(sentences).reshape(len(nouns()), len(templates), -1)
        self.features: Floats = normalized(encoded.mean(axis=1))
        self.usual = float(np.median(self.features @ self.features.T))
        self._scale = np.float32(backbone.info.logit_scale)

    def of(self, rows: npt.NDArray[np.float16]) -> Floats:
        """Return for rows (N, C) how well the nouns together fit each, as a logit (N,)."""
        logits = self._scale * (np.asarray(rows, np.float32) @ self.features.T)
        # log-sum-exp by hand: SciPy's takes a quarter of a second to import
        top = logits.max(axis=-1, initial=-np.inf)
        return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=-1)), np.float32)

    def near(self, text: Floats) -> Floats:
        """Return the nouns (K, C) that mean the same as a text (C,): nearer than half the usual way."""
        return self.features[self.features @ text > (1 + self.usual) / 2]


def share(
    background: Floats, near: Floats, logit: npt.NDArray[Any], rivals: Iterable[npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    """Return the probability (N,) of a word beside the nouns and its rivals.

    Parameters
    ----------
    background : ndarray of float32, shape (N,)
        What :meth:`Background.of` returned for the rows.
    near : ndarray of float32, shape (K, N)
        Logits of the nouns that mean the same as the word: it must not compete with itself.
    logit : ndarray, shape (N,)
        The word's.
    rivals : iterable of ndarray, shape (N,)
        Logits of what else may be seen.
    """
    rest: npt.NDArray[Any] = background
    if len(near):
        taken = np.exp(near - background).sum(axis=0)
        rest = background + np.log(np.maximum(1 - taken, np.float32(1e-3)))
    for rival in rivals:
        rest = np.logaddexp(rest, rival)
    return np.asarray(1 / (1 + np.exp(np.clip(rest - logit, -60, 60))))
