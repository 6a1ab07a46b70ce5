"""What a search found, as the panel shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroclip_gui.panels.playback.seek_bar import clock


@dataclass(frozen=True)
class Found:
    """A moment of a recording.

    Attributes
    ----------
    path : str
    from_s, to_s, best_s : float
        Seconds from the recording's first event: the moment, and where in it the score was reached.
    score : float
        0 to 1.
    box : tuple of int or None
        Left, top, right and bottom in pixels; None for the whole picture.
    """

    path: str
    from_s: float
    to_s: float
    best_s: float
    score: float
    box: tuple[int, ...] | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any], places: Mapping[str, str]) -> Found:
        """Return a row of a search's table; ``places`` has the paths by what the table calls them."""
        box = tuple(row["box"]) if row["box"] is not None else None
        path = places[row["file"]]
        return cls(path, row["from_s"], row["to_s"], row["best_s"], row["score"], box)

    @property
    def name(self) -> str:
        """The recording's name."""
        return Path(self.path).name

    @property
    def when(self) -> str:
        """From when to when."""
        return f"{clock(self.from_s)} – {clock(self.to_s)}"
