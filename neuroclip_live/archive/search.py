"""Words against an archive: scores of rows, and the moments they make.

A word's score is the probability it has beside 256 everyday nouns, the words that must not be there, and
"none of these" where the model has it calibrated: the softmax of live recognition, with the world as the
other prompts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from neuroclip_live.archive.background import share
from neuroclip_live.archive.index import Index
from neuroclip_live.archive.moments import Moment, merge
from neuroclip_live.archive.nearest import in_blocks, products, squares
from neuroclip_live.archive.query import Query
from neuroclip_live.archive.recordings import as_text
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet

_ONE_IN = 20
"""So many times fewer rows are scored exactly than are looked at by their sketches..."""
_FOR_EACH = 200
"""... but so many at the least for each moment that is asked for."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


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
        unwanted = self._encoded(query.without)
        near = [index.background.near(word) for word in self.wanted]
        like = np.zeros((0, self.wanted.shape[1]), np.float32)
        if query.like is not None:
            _ = index.squares if index.sketch is not None else None  # once, before blocks ask for it
            like = np.stack([self._moment(query.like), _mean_of(index.rows.feature)])
        parts = [self.wanted, unwanted, *near, like]
        self._queries = np.concatenate(parts)
        self._ends = np.cumsum([len(part) for part in parts])[:-1]

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

    def candidates(self, allowed: Bools | None = None) -> Ints | None:
        """Return the rows that seem best by their sketches, and those beside them, ascending; None for all.

        ``allowed`` (N,) leaves the others out, None none.
        """
        index, query = self._index, self._query
        sketch = None if query.exact else index.sketch
        if sketch is None:
            return None
        background, score = index.rows.background, np.empty(len(index.rows), np.float32)

        def look(begin: int, end: int) -> None:
            found = sketch.products(self._queries, begin, end)
            score[begin:end] = self._combined(found, background[begin:end], lambda: index.squares[begin:end])

        in_blocks(len(score), look)
        if allowed is not None:
            score = np.where(allowed, score, np.float32(-1))
        count = max(len(score) // _ONE_IN, _FOR_EACH * query.top)
        if count >= len(score):
            return None
        kept = score >= np.partition(score, len(score) - count)[len(score) - count]
        kept[1:] |= kept[:-1]  # a moment's edges
        kept[:-1] |= kept[1:]
        return np.flatnonzero(kept)

    def scores(self, rows: Ints) -> Floats:
        """Return the score of each of some rows (N,), 0 to 1."""
        held, score = self._index.rows, np.empty(len(rows), np.float32)

        def look(begin: int, end: int) -> None:
            part = rows[begin:end]
            found = products(held.feature, self._queries, part)
            score[begin:end] = self._combined(
                found, held.background[part], lambda: squares(held.feature, part)
            )

        in_blocks(len(rows), look)
        return score

    def _combined(self, found: Floats, background: Floats, lengths: Callable[[], Floats]) -> Floats:
        """Return scores (N,) from the products (K, N) of rows with all that is looked for.

        ``background`` is that of the rows, ``lengths`` gives their squared lengths.
        """
        wanted, unwanted, *near, like = np.split(found, self._ends)
        score = np.ones(found.shape[1], np.float32)
        if len(wanted):
            info = self._index.backbone.info
            scale = np.float32(info.logit_scale)
            others = [scale * each for each in unwanted]
            if info.none_logit is not None:
                others.append(np.full(len(score), info.none_logit, np.float32))
            for word, close in zip(wanted, near, strict=True):
                score = np.minimum(score, share(background, scale * close, scale * word, others))
        if len(like):
            score = np.minimum(score, self._likeness(like, lengths()))
        return np.asarray(score, np.float32)

    def _likeness(self, like: Floats, lengths: Floats) -> Floats:
        """Return the cosines (N,) to the moment, both less what all moments have in common."""
        moment, mean = self._queries[-2:]
        one = moment - mean
        apart = lengths - 2 * like[1] + mean @ mean
        product = like[0] - like[1] - one @ mean
        length = np.sqrt(np.maximum(apart, 0)) * np.linalg.norm(one)
        return np.asarray(np.clip(product / np.maximum(length, 1e-9), 0, 1), np.float32)


def _mean_of(rows: npt.NDArray[np.float16]) -> Floats:
    """Return what all moments have in common; likeness is in what differs from it."""
    return np.asarray(rows[:: max(1, len(rows) // 10_000)].astype(np.float32).mean(axis=0), np.float32)


def search(index: Index, query: Query) -> pa.Table:
    """Return moments; see :meth:`neuroclip_live.archive.index.Index.search`."""
    if not len(index):
        return _table(index, query, [], [f"there is nothing in {index.store.place} to be found yet"])
    scorer = Scorer(index, query)
    chosen = index.chosen(query)
    allowed = None if chosen.all() else chosen[index.recording]
    rows = scorer.candidates(allowed)
    if rows is None:
        rows = np.arange(len(index.rows))
    if allowed is not None:
        rows = rows[allowed[rows]]
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
            "best_s": pa.array(
                [round((int(rows.from_us[b]) + int(rows.to_us[b])) / 2e6, 3) for b in best], pa.float64()
            ),
        }
    ).replace_schema_metadata({"notes": "\n".join(told)})
