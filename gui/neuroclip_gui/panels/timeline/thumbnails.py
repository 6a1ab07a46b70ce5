"""Small pictures of the last minute, for whoever points at a moment of it. Bounded in number and size."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

KEPT = 640
"""A minute at ten a second, and a little."""
EVERY_S = 0.1
LONGEST = 96
"""Pixels of a thumbnail's longer side."""
_GRAY = 127


class Thumbnails:
    """Event frames by the time they were seen.

    Parameters
    ----------
    kept : int
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._pictures: deque[tuple[float, Picture]] = deque(maxlen=kept)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._pictures)

    def clear(self) -> None:
        """Forget everything: another source."""
        self._pictures.clear()

    def add(self, at_s: float, frame: Picture) -> None:
        """Keep a frame, (H, W) uint8, made small; too soon after the last it is left out."""
        if not self._pictures or at_s - self._pictures[-1][0] >= EVERY_S:
            self._pictures.append((at_s, shrunk(frame)))

    def near(self, at_s: float, within_s: float = 0.5) -> Picture | None:
        """Return the picture nearest to a time; None where there is none so near."""
        found = min(self._pictures, key=lambda entry: abs(entry[0] - at_s), default=None)
        return found[1] if found is not None and abs(found[0] - at_s) <= within_s else None


def shrunk(frame: Picture, longest: int = LONGEST) -> Picture:
    """Return an event frame made small so that single events stay visible.

    Each pixel is the ON or OFF that its block has more of, however few: a mean would fade thin lines to gray.

    Parameters
    ----------
    frame : ndarray of uint8, shape (H, W)
        127 nothing, 0 ON, 255 OFF.
    longest : int

    Returns
    -------
    ndarray of uint8, shape at most (longest, longest)
    """
    step = -(-max(frame.shape) // longest)
    if step <= 1:
        return frame.copy()
    height, width = frame.shape[0] // step * step, frame.shape[1] // step * step
    blocks = frame[:height, :width].reshape(height // step, step, width // step, step)
    on = (blocks < _GRAY).sum(axis=(1, 3), dtype=np.int16)
    off = (blocks > _GRAY).sum(axis=(1, 3), dtype=np.int16)
    small = np.full(on.shape, _GRAY, dtype=np.uint8)
    small[on > off] = 0
    small[off > on] = 255
    return small
