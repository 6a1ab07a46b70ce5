"""Windows that pass by, kept for teaching: the latest seconds always, and all of what is being shown."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError

Floats = npt.NDArray[np.float32]

MOST_COLLECTED = 512
"""Windows kept between ``begin`` and ``end``: the newest, of a key held down for minutes."""
_MOST_RECENT = 512


class Collector:
    """Plain data without a lock: its owner lets one thread in at a time.

    Attributes
    ----------
    showing : (str, bool) or None
        The label being shown, and whether this is it or is not; None while nothing is.
    """

    def __init__(self) -> None:
        self.showing: tuple[str, bool] | None = None
        self._recent: deque[tuple[int, Floats]] = deque(maxlen=_MOST_RECENT)
        self._collected: deque[Floats] = deque(maxlen=MOST_COLLECTED)
        self._passed = 0

    def pass_by(self) -> None:
        """Count a window that came, whether or not anything moved in it."""
        self._passed += 1

    def add(self, t_us: int, features: Floats) -> None:
        """Keep a window, by reference."""
        if self._recent and t_us < self._recent[-1][0]:
            self._recent.clear()  # another time: a loop, a seek, another source
        self._recent.append((t_us, features))
        if self.showing is not None:
            self._collected.append(features)

    def last(self, seconds: float) -> list[Floats]:
        """Return the windows of the last seconds of the stream."""
        since = (self._recent[-1][0] if self._recent else 0) - int(seconds * 1e6)
        return [features for t_us, features in self._recent if t_us >= since]

    def begin(self, label: str, is_it: bool) -> None:
        """Collect what passes by from now on; what was being collected is dropped."""
        self.showing = (label, is_it)
        self._collected.clear()
        self._passed = 0

    def end(self) -> tuple[str, list[Floats], bool]:
        """Collect no more; return the label, the windows, and whether they show it.

        Raises
        ------
        UserError
            When nothing was begun, or nothing came by.
        """
        if self.showing is None:
            raise UserError("nothing is being shown: begin teaching a label first")
        (label, is_it), windows = self.showing, list(self._collected)
        self.cancel()
        if not self._passed:  # to say that nothing moved would be wrong
            raise UserError("nothing was recognized meanwhile: show it for longer, and not while paused")
        return label, windows, is_it

    def cancel(self) -> None:
        """Collect no more, and drop what was collected."""
        self.showing = None
        self._collected.clear()

    @property
    def collected(self) -> int:
        """How many windows were collected since :meth:`begin`."""
        return len(self._collected)
