"""How much time a live run has left for looking at things, so that doing so holds up no answer.

Whoever recognizes says when a slice is begun, when its answer is out and when its things were looked at. Time
that passes idle, and what looking took itself, is to spare; where slices come without a pause there is none.
"""

from __future__ import annotations

_LEARNS = 0.2
_USED = 0.7
"""So much of what is to spare may be used: the next slice may come early."""
_ALWAYS = 0.08
"""So much of all time is for things whatever waits: each has its turn also where the encoder is slow."""
_MOST_SAVED_MS = 2_000.0


class SpareTime:
    """Learns from the times of slices; all are seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._spare_ms = 0.0
        self._saved_ms = 0.0
        self._begun_s: float | None = None
        self._answered_s: float | None = None
        self._ended_s: float | None = None

    def begin(self, now_s: float) -> None:
        """Take note that a slice is begun."""
        if self._begun_s is not None and self._answered_s is not None and self._ended_s is not None:
            looked_ms = (self._ended_s - self._answered_s) * 1e3
            idle_ms = (now_s - self._ended_s) * 1e3
            self._spare_ms += _LEARNS * (_USED * (looked_ms + idle_ms) - self._spare_ms)
            self._saved_ms += _ALWAYS * (now_s - self._begun_s) * 1e3 - looked_ms
            self._saved_ms = min(max(self._saved_ms, 0.0), _MOST_SAVED_MS)
        self._begun_s, self._answered_s, self._ended_s = now_s, None, None

    def answered(self, now_s: float) -> float:
        """Take note that the slice's answer is out; return the milliseconds that looking may take."""
        self._answered_s = now_s
        return max(self._spare_ms, self._saved_ms)

    def end(self, now_s: float) -> None:
        """Take note that the slice's things were looked at."""
        self._ended_s = now_s
