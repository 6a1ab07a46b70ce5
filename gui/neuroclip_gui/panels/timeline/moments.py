"""What the timeline keeps of the last minutes: a moment a prediction, thinned out when too many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from neuroclip_live.recognition.history import Rescored

KEPT = 2048
SPANS_S = (15.0, 30.0, 60.0, 120.0, 300.0)
"""What a timeline can show."""
_FINE_S, _STEP_S, _COARSE_STEP_S = 60.0, 0.06, 0.4
"""So far apart are moments thinned out: in the newest minute, where it is less than a pixel, and before."""


class Moment(NamedTuple):
    """One prediction as the timeline keeps it; ``label`` is "" where nothing was decided."""

    at_s: float
    t_us: int
    label: str
    scores: Mapping[str, float]
    number: int = 0


class _Row(Mapping[str, float]):
    """One row of a table of scores, without a dictionary of its own."""

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: dict[str, int], row: np.ndarray) -> None:
        self._columns, self._row = columns, row

    def __getitem__(self, label: str) -> float:
        return float(self._row[self._columns[label]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def thinned(moments: Iterable[Moment], now_s: float) -> deque[Moment]:
    """Return those of the longest span, evenly over time and far fewer than are kept at the most."""
    kept: deque[Moment] = deque(maxlen=KEPT)
    after_s = now_s - SPANS_S[-1]
    for moment in moments:
        if moment.at_s >= after_s:
            kept.append(moment)
            after_s = moment.at_s + (_STEP_S if now_s - moment.at_s < _FINE_S else _COARSE_STEP_S)
    return kept


def rescored(moments: Iterable[Moment], past: Rescored) -> deque[Moment]:
    """Return moments with the scores they have against other prompts; those it does not know keep theirs."""
    moments = list(moments)
    columns = {label: index for index, label in enumerate(past.labels)}
    numbers = np.fromiter((m.number for m in moments), dtype=np.int64, count=len(moments))
    places = np.minimum(np.searchsorted(past.numbers, numbers), len(past.numbers) - 1)
    known = past.numbers[places] == numbers
    return deque(
        (
            Moment(m.at_s, m.t_us, past.decided[i] or "", _Row(columns, past.scores[i]), m.number)
            if there
            else m
            for m, i, there in zip(moments, places.tolist(), known.tolist(), strict=True)
        ),
        maxlen=KEPT,
    )
