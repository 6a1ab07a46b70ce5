"""The shots of live teaching: what was shown for which label, with undo. Plain data, no threads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError

Floats = npt.NDArray[np.float32]

MOST_SHOTS = 64
"""Windows kept of one lesson: more of the same scene teach little and cost training time."""


@dataclass(frozen=True)
class Lesson:
    """Windows shown at one time.

    Attributes
    ----------
    label : str or None
        None: none of the taught labels.
    features : ndarray of float32, shape (N, T, C)
        Raw.
    is_it : bool
        False for a counter-example: this is *not* the label.
    """

    label: str | None
    features: Floats
    is_it: bool = True


@dataclass(frozen=True)
class ShotBook:
    """All lessons, oldest first. Never changes; every change makes another book that remembers this one.

    Attributes
    ----------
    lessons : tuple of Lesson
    before : ShotBook or None
        For undo.
    """

    lessons: tuple[Lesson, ...] = ()
    before: ShotBook | None = field(default=None, repr=False, compare=False)

    def add(self, lesson: Lesson) -> ShotBook:
        """Return a book with one more lesson; of too many windows an even selection is kept.

        Raises
        ------
        UserError
            When it has no windows.
        """
        size = len(lesson.features)
        if not size:
            raise UserError("nothing moved, so there is nothing to learn from: move the object or the camera")
        if size > MOST_SHOTS:
            chosen = np.linspace(0, size - 1, MOST_SHOTS).round().astype(int)
            lesson = replace(lesson, features=lesson.features[chosen])
        return ShotBook((*self.lessons, lesson), self)

    def undo(self) -> ShotBook:
        """Return the book as it was before the latest change.

        Raises
        ------
        UserError
            When there is nothing to undo.
        """
        if self.before is None:
            raise UserError("nothing was taught yet, so there is nothing to undo")
        return self.before

    def forget(self, label: str) -> ShotBook:
        """Return a book without the lessons of a label, its counter-examples included.

        Raises
        ------
        UserError
            When it was never taught.
        """
        kept = tuple(lesson for lesson in self.lessons if lesson.label != label)
        if len(kept) == len(self.lessons):
            raise UserError(f"{label!r} was not taught, so it cannot be forgotten")
        return ShotBook(kept, self)

    def clear(self) -> ShotBook:
        """Return an empty book."""
        return ShotBook((), self)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels with at least one lesson that shows them, in the order they were first taught."""
        return tuple(dict.fromkeys(x.label for x in self.lessons if x.is_it and x.label is not None))

    def shots(self, label: str) -> Floats:
        """Return the windows that show a label, (N, T, C)."""
        return np.concatenate([x.features for x in self.lessons if x.is_it and x.label == label])

    def count(self, label: str) -> int:
        """Return how many windows show a label."""
        return sum(len(x.features) for x in self.lessons if x.is_it and x.label == label)

    @property
    def counter_examples(self) -> tuple[Lesson, ...]:
        """Lessons that show what a label, or all of them, is not."""
        return tuple(x for x in self.lessons if not x.is_it)

    def to_tensors(self) -> tuple[dict[str, Floats], list[dict[str, Any]]]:
        """Return the lessons' arrays by key, and a list for JSON that describes them in order."""
        arrays = {f"shots.{k}": lesson.features for k, lesson in enumerate(self.lessons)}
        told: list[dict[str, Any]] = [{"label": x.label, "is_it": x.is_it} for x in self.lessons]
        return arrays, told

    @classmethod
    def from_tensors(cls, arrays: dict[str, Any], told: list[dict[str, Any]]) -> ShotBook:
        """Read what :meth:`to_tensors` returned; raises KeyError, TypeError, ValueError on others."""
        lessons = []
        for k, x in enumerate(told):
            features = np.asarray(arrays[f"shots.{k}"], dtype=np.float32)
            if not (x["label"] is None or isinstance(x["label"], str)):
                raise TypeError("a label is no text")
            if not features.size or not np.isfinite(features).all():
                raise ValueError("a lesson has no windows, or some that are no numbers")
            lessons.append(Lesson(x["label"], features, bool(x["is_it"])))
        return cls(tuple(lessons))
