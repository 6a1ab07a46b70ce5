"""A small picture of a moment: the recording is opened there for it, away from the window's thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_gui.panels.search.found import Found
from neuroclip_gui.panels.timeline.thumbnails import shrunk
from neuroclip_gui.style.palettes import EventColors
from neuroclip_live.events import join_packets

LONGEST = 120
"""Pixels of its longer side."""
_AROUND_S = 0.2
_EVENTS_PER_PIXEL = 0.1
"""As slices are cut when nothing else is asked for: enough to see a shape by, too few to blur it."""
_LEAST_EVENTS = 500


Picture = npt.NDArray[np.uint8]


def moment_picture(found: Found, colors: EventColors) -> Picture:
    """Return what was seen in a moment where its score was reached, small, with its box.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3), H and W at most LONGEST
        Red first.

    Raises
    ------
    UserError
        When the recording cannot be read.
    """
    from neuroclip_gui.panels.picture.painting import color_table, plain_frame  # loads Numba

    start_s = max(0.0, found.best_s - _AROUND_S)
    spec = SourceSpec("replay", found.path, speed=None, start_s=start_s, end_s=found.best_s + _AROUND_S)
    source = open_source(spec)
    try:
        events = join_packets([packet for packet in source.packets() if len(packet)])
        size = source.resolution
    finally:
        source.close()
    wanted = max(_LEAST_EVENTS, round(_EVENTS_PER_PIXEL * size.area))
    first = max(0, (len(events) - wanted) // 2)
    frame = plain_frame(events[first : first + wanted], size)
    picture = color_table(colors)[shrunk(frame, LONGEST)]
    if found.box is not None:
        _draw(found.box, picture, max(size) / max(picture.shape), colors)
    return picture


def _draw(box: tuple[int, ...], picture: Picture, pixels: float, colors: EventColors) -> None:
    """Draw a box, given in pixels of the sensor, of which one of the picture has so many a side."""
    height, width = picture.shape[:2]
    left, right = (min(max(round(at / pixels), 0), width - 1) for at in (box[0], box[2] - 1))
    top, bottom = (min(max(round(at / pixels), 0), height - 1) for at in (box[1], box[3] - 1))
    line = [255 - part for part in colors.ground]
    picture[[top, bottom], left : right + 1] = line
    picture[top : bottom + 1, [left, right]] = line
