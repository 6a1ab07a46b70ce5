"""A rectangle of pixels, apart from what counts events in it: that brings a compiler."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle of pixels: columns ``left`` to ``right``, rows ``top`` to ``bottom``, ends excluded."""

    left: int
    top: int
    right: int
    bottom: int
