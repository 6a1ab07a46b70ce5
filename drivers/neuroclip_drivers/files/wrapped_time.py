"""When a part of a file begins, where the file's clock begins anew every few seconds or hours.

The absolute time at a place depends on all clock words before it. Reading fifty gigabytes to find out would
take minutes, so short samples are read, as close together as it takes for the clock not to begin anew unseen
between two of them: how fast time goes is known at each sample. Rejected: the index file that others write
beside a recording: the folder may be read-only, and a stale one plays the wrong time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

_MOST_SAMPLES = 20_000


@dataclass(frozen=True)
class Sample:
    """What a short piece of a file tells of time.

    ``first_us`` and ``last_us`` are its clock modulo the range, ``begun`` how often that began anew within,
    ``blocks`` the length of the piece, and ``step_us`` how finely the clock words tell time.
    """

    first_us: int
    last_us: int
    begun: int
    blocks: float
    step_us: int

    def per_block(self, span_us: int) -> float:
        """Return how long a block like this lasts at most."""
        return ((self.last_us - self.first_us) % span_us + span_us * self.begun + self.step_us) / self.blocks


class WrappedTime:
    """Absolute times of the blocks of a file.

    Parameters
    ----------
    count : int
        Blocks in the file.
    span_us : int
        Range of the clock.
    sample : callable
        ``sample(block, whole)`` reads the beginning of a block, or all of it; None where it has no clock.
    """

    def __init__(self, count: int, span_us: int, sample: Callable[[int, bool], Sample | None]) -> None:
        self._span, self._sample = span_us, sample
        self._budget = _MOST_SAMPLES
        self._blocks: list[int] = []
        self._times: list[int] = []
        first = next((b for b in range(min(count, _MOST_SAMPLES)) if sample(b, False) is not None), None)
        if first is None:
            return
        start = sample(first, False)
        assert start is not None
        self._blocks, self._times = [first], [start.first_us]
        last = next(
            (b for b in range(count - 1, max(first, count - _MOST_SAMPLES), -1) if sample(b, False)), first
        )
        if last > first:
            self._bridge(first, start, last, sample(last, False))

    def _bridge(self, left: int, at_left: Sample, right: int, at_right: Sample | None) -> None:
        """Add ``right`` to the table, and what is needed between it and ``left``, which is its last entry."""
        stack = [(left, at_left, right, at_right)]
        while stack:
            left, at_left, right, at_right = stack.pop()
            if at_right is None:
                continue
            self._budget -= 1
            if right - left > 1 and self._budget > 0 and self._might_wrap(at_left, at_right, right - left):
                middle = (left + right) // 2
                at_middle = self._sample(middle, False)
                if at_middle is not None:
                    stack.append((middle, at_middle, right, at_right))
                    stack.append((left, at_left, middle, at_middle))
                    continue
            base = self._times[-1]
            whole = None
            if right - left == 1 and self._might_wrap(at_left, at_right, 1):
                whole = self._sample(left, True)
            if whole is not None:
                base += self._span * whole.begun + whole.last_us - whole.first_us
            elapsed = (at_right.first_us - base) % self._span
            if elapsed > self._span - self._span // 16:
                elapsed -= self._span  # clocks step back a little where the pieces meet
            self._blocks.append(right)
            self._times.append(base + elapsed)

    def _might_wrap(self, left: Sample, right: Sample, blocks: int) -> bool:
        """Return whether the clock may have gone a quarter of its range between two samples."""
        slowest = max(left.per_block(self._span), right.per_block(self._span))
        return slowest * blocks * 2 > self._span / 4

    @property
    def known(self) -> bool:
        """Whether any clock was found."""
        return bool(self._blocks)

    def near(self, block: int) -> int:
        """Return a time that lies less than half a range before what the clock reads at a block."""
        at = bisect_right(self._blocks, block) - 1
        return self._times[max(at, 0)] if self._times else 0

    def start_of(self, block: int) -> int | None:
        """Return the absolute time at which a block begins; None where it has no clock."""
        sample = self._sample(block, False)
        if sample is None or not self._blocks:
            return None
        near = self.near(block)
        elapsed = (sample.first_us - near) % self._span
        return near + (elapsed if elapsed < self._span - self._span // 16 else elapsed - self._span)
