"""Prompts and the features they become.

A :class:`PromptEncoder` remembers the feature of every sentence it has seen, so adding one label to a running
program encodes that label's sentences and nothing else. The labels themselves are in
:mod:`neuroclip_live.prompting.prompt_set`, the sentences in :mod:`neuroclip_live.prompting.templates`;
both can be had from here.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model.checkpoint_errors import refuse_no_numbers
from neuroclip_live.model.scoring import normalized
from neuroclip_live.prompting.prompt_set import (
    MAX_PROMPTS,
    NONE_LABEL,
    Prompt,
    PromptSet,
    parse_prompts,
    read_prompts,
)
from neuroclip_live.prompting.templates import TEMPLATE_SETS, resolve_templates

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone

__all__ = [
    "MAX_PROMPTS",
    "NONE_LABEL",
    "TEMPLATE_SETS",
    "Prompt",
    "PromptEncoder",
    "PromptSet",
    "PromptTable",
    "parse_prompts",
    "read_prompts",
    "resolve_templates",
]

_CACHED_SENTENCES = 20_000  # 40 MB at 512 floats a sentence


@dataclass(frozen=True)
class PromptTable:
    """Enabled prompts, encoded: what scoring needs and nothing else.

    Attributes
    ----------
    labels : tuple of str
        K labels as typed.
    negative : ndarray of bool, shape (K,)
    features : ndarray of float32, shape (K, C)
        Rows of length 1.
    none_logit : float or None
        Logit of "none of these", where it competes.
    rivals : ndarray of float32, shape (V, C), optional
        Nouns of the model's own. Where given, :attr:`none_logit` is added to the logit of the best of them:
        a thing that some other noun names far better than any label is none of these.
    """

    labels: tuple[str, ...]
    negative: npt.NDArray[np.bool_]
    features: npt.NDArray[np.float32]
    none_logit: float | None = None
    rivals: npt.NDArray[np.float32] | None = None

    @property
    def rows(self) -> tuple[str, ...]:
        """The labels of the probabilities: ``labels`` and, where it competes, "none of these"."""
        return self.labels if self.none_logit is None else (*self.labels, NONE_LABEL)


class PromptEncoder:
    """Encodes prompt sets with one model's text tower, remembering sentences.

    May be called from any thread; calls wait for each other.

    Parameters
    ----------
    backbone : Backbone
    cached_sentences : int
        How many sentences are remembered; the one used longest ago is forgotten first.
    """

    def __init__(self, backbone: Backbone, cached_sentences: int = _CACHED_SENTENCES) -> None:
        self._backbone = backbone
        self._limit = cached_sentences
        self._cache: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def encode(self, prompts: PromptSet) -> PromptTable:
        """Return the table of the enabled prompts.

        A label's feature is the mean of its sentences' unit features, scaled to length 1.

        Raises
        ------
        UserError
            If the set is not valid (see :meth:`PromptSet.validate`), a sentence is longer than the text
            encoder's context, the model's words are no numbers, or it has no calibrated "none of these" and
            the set asks for it.
        """
        prompts.validate()
        info = self._backbone.info
        if prompts.none_of_these and info.none_logit is None:
            raise UserError(
                f"{info.name} has no calibrated {NONE_LABEL!r}; add a negative prompt instead, as -background"
            )
        enabled = prompts.enabled
        sentences = [prompts.sentences(prompt.label) for prompt in enabled]
        with self._lock:
            features = self._features(list(dict.fromkeys(s for each in sentences for s in each)))
        rows = [normalized(np.mean([features[s] for s in each], axis=0)) for each in sentences]
        none_logit, rivals = self._none(len(enabled)) if prompts.none_of_these else (None, None)
        table = PromptTable(
            tuple(prompt.label for prompt in enabled),
            np.array([prompt.negative for prompt in enabled], dtype=np.bool_),
            np.stack(rows),
            none_logit,
            rivals,
        )
        for array in (table.negative, table.features):
            array.flags.writeable = False
        return table

    def _none(self, labels: int) -> tuple[float | None, npt.NDArray[np.float32] | None]:
        """Return the logit of "none of these" for so many labels, and what it is relative to."""
        info = self._backbone.info
        rivals = None if info.none_gap is None else self._backbone.rivals()
        if rivals is None or info.none_gap is None:
            return info.none_logit, None
        gap, growth = info.none_gap
        return info.logit_scale * (gap + growth * math.log(labels / 10)), rivals

    def _features(self, sentences: list[str]) -> dict[str, npt.NDArray[np.float32]]:
        new = [sentence for sentence in sentences if sentence not in self._cache]
        if new:
            self._check_length(new)
            encoded = self._backbone.encode_texts(new)
            refuse_no_numbers(self._backbone.info.name, encoded)
            self._cache.update(zip(new, encoded, strict=True))
        found = {}
        for sentence in sentences:
            self._cache.move_to_end(sentence)
            found[sentence] = self._cache[sentence]
        while len(self._cache) > self._limit:
            self._cache.popitem(last=False)
        return found

    def _check_length(self, sentences: list[str]) -> None:
        limit = self._backbone.info.context_length
        for sentence, count in zip(sentences, self._backbone.token_counts(sentences), strict=True):
            if count > limit:
                start = sentence if len(sentence) <= 40 else sentence[:39] + "…"
                name = self._backbone.info.name
                raise UserError(f"prompt {start!r} is {count} tokens long; {name} reads {limit}: shorten it")
