"""What waits for an output's own thread: bounded, and what is lost for it is counted."""

from __future__ import annotations

from collections import deque

from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header

Line = Header | Prediction


class LineQueue:
    """Headers and predictions in order; whoever uses it holds a lock.

    Parameters
    ----------
    most : int
        More lines than that do not wait: the oldest prediction goes. A header never does, as it tells what
        those that follow mean.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: deque[Line] = deque()

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: Line) -> int:
        """Add a line; return how many predictions were lost for it."""
        lost = 0
        if len(self._lines) >= self._most:
            place = next((i for i, each in enumerate(self._lines) if isinstance(each, Prediction)), None)
            if place is not None:
                del self._lines[place]
                lost = 1
        self._lines.append(line)
        return lost

    def take(self) -> Line | None:
        """Return the oldest line; None where there is none."""
        return self._lines.popleft() if self._lines else None

    def drop_all(self) -> int:
        """Let go of all lines; return how many of them were predictions."""
        lost = sum(isinstance(line, Prediction) for line in self._lines)
        self._lines.clear()
        return lost
