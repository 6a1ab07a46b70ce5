"""A trouble that nothing ends but time: told for a moment after it was last noticed."""

from __future__ import annotations

from time import monotonic

TOLD_S = 5.0
"""For so long a trouble is told after it was last noticed, where nothing says that it is over."""


class PassingTrouble:
    """What went wrong a moment ago; noted by one thread, read by any."""

    def __init__(self) -> None:
        self._noted: tuple[float, str] = (-TOLD_S, "")

    def note(self, text: str) -> None:
        """Tell ``text`` from now on, for a moment; in the place of what was noted before."""
        self._noted = (monotonic(), text)

    def text(self) -> str:
        """Return what was noted last, or "" when that is long ago."""
        at, text = self._noted
        return text if monotonic() - at < TOLD_S else ""
