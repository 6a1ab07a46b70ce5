"""How long what is shown has been seen, in the stream's own time.

At ten times the speed a minute of the stream passes in six seconds, and none passes while it is paused: what
is said of the past counts that, not the time on the wall. Where a recording is taken elsewhere none passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource, SourceStatus

_LEAST_S, _MOST_S = 0.25, 60.0
"""A recording that goes on by more between two looks, and faster than it plays, was taken elsewhere."""


class StreamClock:
    """Seconds that only grow.

    Attributes
    ----------
    now_s : float
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self._source: EventSource | None = None
        self._wall_s = 0.0
        self._position_us: int | None = None

    def tick(self, source: EventSource, status: SourceStatus, wall_s: float) -> float:
        """Go on to where a source stands at the time ``wall_s`` (monotonic); return :attr:`now_s`."""
        step_s = max(0.0, wall_s - self._wall_s) if source is self._source else 0.0
        before = self._position_us if source is self._source else None
        self._source, self._wall_s, self._position_us = source, wall_s, status.position_us
        if status.state.value == "paused":
            return self.now_s
        if status.position_us is None or not hasattr(source, "jump"):  # live: its time is the wall's
            self.now_s += step_s
        elif before is not None:
            speed = getattr(source, "speed", None)
            most_s = _LEAST_S + 3 * speed * step_s if speed is not None else _MOST_S
            went_s = (status.position_us - before) / 1e6
            self.now_s += went_s if 0 < went_s <= most_s else 0.0
        return self.now_s
