"""While a recording is paused, the place it stands at is what is recognized, whatever was played before.

A source that can be taken to places gives what leads up to one when it is taken there while paused
(:class:`neuroclip_drivers.source.Jump`). Here it is told how much that has to be for T timesteps, and asked
for it where it was paused without a prediction of that place, or when something changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroclip_drivers.source import Lead, SourceState
from neuroclip_live.recognition.recognizer import STALE_US
from neuroclip_live.stream.slicing import AUTO_LONGEST_US

if TYPE_CHECKING:
    from neuroclip_live.recognition.prediction import Prediction
    from neuroclip_live.stream.capture import Capture
    from neuroclip_live.stream.newest_slice_reader import Reader
    from neuroclip_live.stream.slicing import SliceBy


class PausedPlace:
    """What inference knows of the place where a recording stands; for its thread.

    Attributes
    ----------
    stale : bool
        Set where what was said last no longer holds: another model, T, slices or part of the picture. May be
        set from any thread.
    recognized : int
        Number of the jump whose place was recognized last.
    """

    def __init__(self) -> None:
        self.stale = False
        self.recognized = 0
        self._told: tuple[Any, Lead] | None = None
        self._asked_us: int | None = None

    def prepare(self, reader: Reader, by: SliceBy, timesteps: int) -> None:
        """Tell the source how much has to be given before a place."""
        source = reader.capture.source
        if not hasattr(source, "set_lead"):
            return
        time_us, events = by.lead(timesteps, reader.size)
        # timesteps older than that say nothing any more
        lead = Lead(min(time_us, STALE_US + by.time_us), events)
        if self._told is None or self._told[0] is not source or self._told[1] != lead:
            if self._told is None or self._told[0] is not source:
                self.recognized, self._asked_us = 0, None
            self._told = source, lead
            source.set_lead(lead)

    def look(self, reader: Reader, by: SliceBy, latest: Prediction | None) -> None:
        """With nothing left to read: ask for what leads up to the place where nothing is known of it."""
        source: Any = reader.capture.source
        if not hasattr(source, "revisit"):
            return
        status = source.status()
        if status.state is not SourceState.PAUSED:
            self.stale, self._asked_us = False, None
            return
        if source.jump.leads and source.jump.number != reader.moment_taken:
            return  # it is on its way
        at_us = status.position_us
        late_us = 2 * (by.hop_us() or AUTO_LONGEST_US)
        known = latest is not None and 0 <= at_us - latest.t_us <= late_us
        if (self.stale or not (known or at_us == self._asked_us)) and source.revisit():
            self.stale, self._asked_us = False, at_us

    def pending(self, capture: Capture) -> bool:
        """Return whether a place was sought while paused that is not recognized yet; from any thread."""
        jump = getattr(capture.source, "jump", None)
        return jump is not None and jump.leads and jump.number != self.recognized


def is_paused(capture: Capture) -> bool:
    """Tell whether a recording stands still: its scene has not come to rest, it is only not shown on."""
    return capture.source.status().state.value == "paused"
