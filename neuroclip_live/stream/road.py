"""The road of events from a source to slices: the same stages for what is live and for recordings read whole.

    order → filter → turn     for all who look: the ring, the picture, recognition
          → region → slices   for recognition alone

A recorder taps before all of them and gets what came. Live, the ring holds what has come as far as the turn
(:mod:`neuroclip_live.stream.capture`), and the reader cuts the region out; read whole, it goes through a
:class:`Road`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.filters import NONE, Treater, Treatment

LONGEST_SUPPORT_MS = 1000.0
TURNS = {"90": 1, "180": 2, "270": 3}
"""Degrees clockwise, and how many quarters they are."""


@dataclass(frozen=True)
class RoadSettings:
    """What is done to events before they are recognized.

    Attributes
    ----------
    treatment : Treatment
        Noise filter, flips and quarter turns.
    region : Box or None
        The part of the picture, as it is after the turns, that is recognized; None is all of it.
    """

    treatment: Treatment = NONE
    region: Box | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as the header of JSON lines has it."""
        how = self.treatment
        return {
            "noise_filter_us": how.support_us,
            "flip": [how.flip_horizontal, how.flip_vertical],
            "turn": 90 * how.quarter_turns,
            "region": None if self.region is None else list(self.region),
        }


def parse_region(text: str) -> Box:
    """Read ``--region``: "L,T,R,B" in pixels of the turned picture, right and bottom excluded.

    Raises
    ------
    UserError
        When these are not four whole numbers.
    """
    parts = text.replace(" ", "").split(",")
    if len(parts) != 4 or not all(part.lstrip("-").isdecimal() and len(part) < 7 for part in parts):
        raise UserError(f"a region of {text!r} is not understood: give LEFT,TOP,RIGHT,BOTTOM in pixels")
    return Box(*(int(part) for part in parts))


def parse_support(milliseconds: float | None) -> int:
    """Return the microseconds of ``--noise-filter``, 0 for None.

    Raises
    ------
    UserError
        For a time that makes no sense.
    """
    if milliseconds is None:
        return 0
    if not 0 < milliseconds <= LONGEST_SUPPORT_MS:
        raise UserError(
            f"a noise filter of {milliseconds:g} ms makes no sense: give more than 0, up to "
            f"{LONGEST_SUPPORT_MS:g}; cameras do well with 5 to 50"
        )
    return max(1, round(milliseconds * 1000))


class Road:
    """Order, filter and turns for one stream, packet by packet; one thread.

    Parameters
    ----------
    sensor : Resolution
        As the source has it.
    settings : RoadSettings

    Attributes
    ----------
    resolution : Resolution
        Of the picture after the turns.
    region : Box or None
        What of it is recognized.
    ordering : Ordering
        With its counters.

    Raises
    ------
    UserError
        When too little of the region lies on the picture.
    """

    def __init__(self, sensor: Resolution, settings: RoadSettings) -> None:
        # these bring Numba, which a window starts without
        from neuroclip_live.stream.ordering import Ordering
        from neuroclip_live.stream.region import fitting

        self.ordering = Ordering(*sensor)
        self.resolution = settings.treatment.resolution(sensor)
        self.region = None if settings.region is None else fitting(settings.region, self.resolution)
        self._how, self._treater = settings.treatment, Treater(sensor)

    @property
    def size(self) -> Resolution:
        """What slices are a picture of: the region, or all there is."""
        box = self.region
        return self.resolution if box is None else Resolution(box.right - box.left, box.bottom - box.top)

    def pieces(self, packet: Packet) -> list[tuple[Packet, bool]]:
        """Take a packet in; return what is decided, in pieces, each with whether an epoch begins with it."""
        return [(self._treater.treat(p, self._how), begins) for p, begins in self.ordering.pieces(packet)]

    def flush(self) -> list[tuple[Packet, bool]]:
        """Return all that was held back: nothing more will come."""
        return [(self._treater.treat(p, self._how), begins) for p, begins in self.ordering.flush()]
