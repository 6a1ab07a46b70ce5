"""Turns taken by contenders, and rows that say how they compare.

A figure from a shared machine means little; a ratio of two figures from the same seconds does. So contenders
alternate: every round runs each of them once, in an order that rotates, and a ratio is the median over rounds
of *peer's time / our time in that round*, with the smallest and the largest beside it. Above 1 we are faster.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Run = Callable[[], object]
Samples = dict[str, list[float]]

REPEATS = 7
_SHORTEST_S = 0.002
"""Work shorter than this is repeated within one sample, for the clock's and the call's sake."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Attributes
    ----------
    quick : bool
        Tiny sizes and one round: proves that the work is equal, measures nothing.
    device : str
        For the encoder: ``cpu``, or ``cuda`` where there is one.
    """

    quick: bool = False
    device: str = "cpu"

    @property
    def repeats(self) -> int:
        """Rounds in which everybody runs once."""
        return 1 if self.quick else REPEATS


@dataclass(frozen=True)
class Row:
    """One comparison.

    ``ours`` and ``peers`` are medians in ``unit``; ``ratio`` is how many times better we are, with its
    smallest and largest round. ``goal`` is the least ratio wanted (None: only told), ``met`` follows from it.
    ``load`` is the machine's load average of the last minute when the row was made.
    """

    benchmark: str
    case: str
    subject: str
    peer: str
    ours: float | None
    peers: float | None
    unit: str
    ratio: float | None
    low: float | None = None
    high: float | None = None
    goal: float | None = None
    repeats: int = 0
    note: str = ""
    load: float = 0.0

    @property
    def met(self) -> str:
        """Return yes, no, or nothing where there is no goal or no figure."""
        if self.goal is None:
            return ""
        if self.ratio is None:
            return "not measured"
        return "yes" if self.ratio >= self.goal else "no"


def load() -> float:
    """Return how many processes wanted a processor over the last minute."""
    return round(os.getloadavg()[0], 2)


def alternate(runs: Mapping[str, Run], repeats: int) -> Samples:
    """Run everybody ``repeats`` times in turn, after one run each that does not count; return seconds."""
    inner: dict[str, int] = {}
    for name, run in runs.items():
        run()
        begin = time.perf_counter()
        run()
        inner[name] = max(1, round(_SHORTEST_S / max(time.perf_counter() - begin, 1e-7)))
    samples: Samples = {name: [] for name in runs}
    names = list(runs)
    gc.collect()
    for turn in range(repeats):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            run, times = runs[name], inner[name]
            begin = time.perf_counter()
            for _ in range(times):
                run()
            samples[name].append((time.perf_counter() - begin) / times)
    return samples


def compared(
    benchmark: str,
    case: str,
    samples: Samples,
    ours: str,
    peer: str,
    *,
    goal: float | None = None,
    note: str = "",
    work: float | None = None,
    unit: str = "ms",
) -> Row:
    """Make a row of two contenders' samples.

    Parameters
    ----------
    work : float, optional
        Units of work in one run, in millions: then the figures are millions of ``unit`` a second.
    """
    mine, theirs = samples[ours], samples[peer]
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]

    def figure(seconds: Sequence[float]) -> float:
        middle = statistics.median(seconds)
        return work / middle if work is not None else middle * 1e3

    return Row(
        benchmark=benchmark,
        case=case,
        subject=ours,
        peer=peer,
        ours=figure(mine),
        peers=figure(theirs),
        unit=f"M{unit}/s" if work is not None else unit,
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        goal=goal,
        repeats=len(ratios),
        note=note,
        load=load(),
    )


def absent(benchmark: str, peer: str, reason: str) -> Row:
    """Make the row of a peer that could not take part."""
    return Row(benchmark, "", "", peer, None, None, "", None, note=f"absent: {reason}", load=load())


def told(benchmark: str, case: str, value: float, unit: str, note: str = "") -> Row:
    """Make the row of a figure of ours that has no peer."""
    return Row(benchmark, case, "ours", "", value, None, unit, None, note=note, load=load())


def fastest(samples: Samples, peers: Sequence[str]) -> str:
    """Return the peer whose median time is the shortest."""
    return min(peers, key=lambda name: statistics.median(samples[name]))
