"""What a recording holds beside its events, handed on with the events of its place."""

from __future__ import annotations

from collections.abc import Iterator

from neuroclip_drivers.files.event_file import EventFile
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_live.events import Packet, empty_packet


class HandOn:
    """Takes side packets out of a file, in order, up to the place that a replay has come to.

    Parameters
    ----------
    recording : EventFile

    Attributes
    ----------
    side : SideStreams
        Where they are put, for whoever wants them.
    handed_on : int
        Number of the next one.
    """

    def __init__(self, recording: EventFile) -> None:
        self.side = SideStreams.of_file(recording.side.streams, recording.camera)
        self.handed_on = 0
        self._recording = recording

    def begin(self, to_us: int) -> None:
        """Go on with what stands from a place on."""
        recording = self._recording
        self.handed_on = 0 if to_us <= recording.first_us else recording.side.number_at(to_us)

    def until(self, until_us: int | None) -> Iterator[Packet]:
        """Hand on what stands beside the events up to a place, None: all that is left.

        Empty packets in between let whoever takes it keep up.
        """
        side = self._recording.side
        if self.handed_on >= len(side):
            return
        stop = len(side) if until_us is None else side.number_at(until_us + 1)
        while self.handed_on < stop:
            if not self.side.wanted:
                self.handed_on = stop
                return
            number, self.handed_on = self.handed_on, self.handed_on + 1
            if (packet := side.packet(number)) is not None:
                self.side.add(packet)
            if self.side.full:
                yield empty_packet()
