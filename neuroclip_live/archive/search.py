"""Words against an archive: scores of rows, and the moments they make.

A word's score is the probability it has beside 256 everyday nouns, the words that must not be there, and
"none of these" where the model has it calibrated: the softmax of live recognition, with the world as the
other prompts.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from neuroclip_live.archive.index import Index
from neuroclip_live.archive.moments import Moment, merge
from neuroclip_live.archive.query import Query
from neuroclip_live.archive.recordings import as_text
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet

_AROUND = 50
"""Rows looked at before and after one that was found by its sketch: 20 s."""
_FOUND = 40
"""Rows looked for by sketches, for each moment that is asked for."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Scorer:
    """Scores rows of an index for one query.

    Attributes
    ----------
    wanted : ndarray of float32, shape (K, C)
        Features of the words that have to be seen.

    Raises
    ------
    UserError
        When a word is too long for the model, or the moment of ``like`` is not in the index.
    """

    def __init__(self, index: Index, query: Query) -> None:
        self._index, self._query = index, query
        self.wanted = self._encoded(query.words)
        self._unwanted = self._encoded(query.without)
        self._like = self._moment(query.like) if query.like is not None else None
        self._mean = _mean_of(index.rows.feature) if query.like is not None else np.zeros(0, np.float32)
        self._background = index.background if query.words or query.without else None

    def _encoded(self, words: tuple[str, ...]) -> Floats:
        backbone = self._index.backbone if words else None
        if backbone is None:
            return np.zeros((0, self._index.rows.feature.shape[1]), np.float32)
        rows = [
            PromptEncoder(backbone).encode(PromptSet.of([w], backbone.info.templates)).features for w in words
        ]
        return np.concatenate(rows)

    def _moment(self, like: tuple[str, float]) -> Floats:
        path, second = like
        index = self._index
        wanted = os.path.abspath(os.path.expanduser(path))
        named = [
            number
            for number, held in enumerate(index.recordings)
            if any(path in (p, as_text(p), os.path.basename(p)) or p == wanted for p in held.paths)
        ]
        if not named:
            raise UserError(f"{path} is not in the index {index.store.place}; index its folder first")
        rows = np.flatnonzero((index.recording == named[0]) & (index.rows.track < 0))
        middle = (index.rows.from_us[rows] + index.rows.to_us[rows]) / 2e6
        if not len(rows) or np.abs(middle - second).min() > 1.0:
            raise UserError(f"nothing moves in {path} at {second:g} s; choose another moment")
        row = rows[int(np.argmin(np.abs(middle - second)))]
        return np.asarray(index.rows.feature[row], np.float32)

    def candidates(self) -> Ints | None:
        """Return rows worth scoring, ascending, found by their sketches; None for all."""
        sketch = None if self._query.exact else self._index.sketch
        if sketch is None:
            return None
        count = _FOUND * self._query.top
        rows = self._index.rows
        found = []
        if self.wanted.size:
            scale = self._index.backbone.info.logit_scale
            less = rows.background / np.float32(scale)
            found += [sketch.nearest(word, count, less) for word in self.wanted]
        if self._like is not None:
            found.append(sketch.nearest(self._like - self._mean, count))
        hit = np.zeros(len(rows) + 1, np.int32)
        centers = np.unique(np.concatenate(found))
        np.add.at(hit, np.maximum(centers - _AROUND, 0), 1)
        np.add.at(hit, np.minimum(centers + _AROUND + 1, len(rows)), -1)
        return np.flatnonzero(np.cumsum(hit[:-1]) > 0)

    def scores(self, rows: Ints) -> Floats:
        """Return the score of each of some rows (N,), 0 to 1."""
        features = np.asarray(self._index.rows.feature[rows], np.float32)
        score = np.ones(len(rows), np.float32)
        if self._background is not None:
            info = self._index.backbone.info
            others = [np.float32(info.logit_scale) * (features @ each) for each in self._unwanted]
            if info.none_logit is not None:
                others.append(np.full(len(rows), info.none_logit, np.float32))
            background = self._index.rows.background[rows]
            for word in self.wanted:
                near = self._background.near(word)
                logit = np.float32(info.logit_scale) * (features @ word)
                share = self._background.share(features, background, near, logit, others)
                score = np.minimum(score, share)
        if self._like is not None:
            other, one = features - self._mean, self._like - self._mean
            length = np.linalg.norm(other, axis=1) * np.linalg.norm(one)
            score = np.minimum(score, np.clip(other @ one / np.maximum(length, 1e-9), 0, 1))
        return np.asarray(score, np.float32)


def _mean_of(rows: npt.NDArray[np.float16]) -> Floats:
    """Return what all moments have in common; likeness is in what differs from it."""
    return np.asarray(rows[:: max(1, len(rows) // 10_000)].astype(np.float32).mean(axis=0), np.float32)


def search(index: Index, query: Query) -> pa.Table:
    """Return moments; see :meth:`neuroclip_live.archive.index.Index.search`."""
    if not len(index):
        return _table(index, query, [], [f"there is nothing in {index.store.place} to be found yet"])
    scorer = Scorer(index, query)
    rows = scorer.candidates()
    if rows is None:
        rows = np.arange(len(index.rows))
    rows = rows[index.chosen(query)[index.recording[rows]]] if len(index.recordings) else rows[:0]
    score = scorer.scores(rows)
    held = index.rows
    moments = merge(
        rows,
        index.group[rows],
        held.from_us[rows],
        held.to_us[rows],
        score,
        query.least,
        min_us=query.min_s * 1e6,
        top=query.top,
    )
    return _table(index, query, moments, notes(index, query))


def notes(index: Index, query: Query) -> list[str]:
    """Return what the user should know of the words that are asked for."""
    told = []
    if not index.chosen(query).any():
        told.append(f"none of the {len(index.recordings):,} recordings is let in by the filters")
    for word in (*query.words, *query.without):
        known = index.backbone.familiarity(word)
        if known is not None and (known.hardly_known or known.far):
            told.append(
                f"{index.record.name} hardly knows {word!r}; what it takes it for is near "
                + ", ".join(known.nearest[:3])
            )
    return told


def _table(index: Index, query: Query, moments: list[Moment], told: list[str]) -> pa.Table:
    rows = index.rows
    best = [moment.best for moment in moments]
    files = [as_text(index.place_of(int(index.recording[b]), query)) for b in best]
    boxes: list[Any] = [None if rows.track[b] < 0 else [int(v) for v in rows.box[b]] for b in best]
    return pa.table(
        {
            "file": pa.array(files, pa.string()),
            "from_s": pa.array([round(rows.from_us[m.first] / 1e6, 3) for m in moments], pa.float64()),
            "to_s": pa.array([round(rows.to_us[m.last] / 1e6, 3) for m in moments], pa.float64()),
            "score": pa.array([round(m.score, 4) for m in moments], pa.float64()),
            "box": pa.array(boxes, pa.list_(pa.int32())),
            "track": pa.array([None if rows.track[b] < 0 else int(rows.track[b]) for b in best], pa.int32()),
        }
    ).replace_schema_metadata({"notes": "\n".join(told)})
