"""What live teaching says of itself, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TeachingStatus:
    """A snapshot for whoever shows it.

    Attributes
    ----------
    labels : tuple of (str, int)
        Taught labels and how many windows show each.
    counter_examples : int
        Windows that show what a label is not.
    collecting : str or None
        The label being shown now, between ``begin`` and ``end``.
    collected : int
        Windows of it so far.
    training : float or None
        Share done; None while nothing is being trained.
    trained : bool
        Whether the spiking network in use knows all lessons.
    message : str
        One line when something went wrong; else empty.
    """

    labels: tuple[tuple[str, int], ...] = ()
    counter_examples: int = 0
    collecting: str | None = None
    collected: int = 0
    training: float | None = None
    trained: bool = False
    message: str = ""
