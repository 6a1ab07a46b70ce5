"""What a recording holds beside the events that are played: frames, inertial samples, triggers, all else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.decompression import decompress
from neuroclip_drivers.aedat4.event_packets import EventPackets
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import Compression, StreamInfo
from neuroclip_drivers.aedat4.packet_table import PacketTable
from neuroclip_drivers.aedat4.payloads import UnknownFrameFormat, extent, parse_frame
from neuroclip_drivers.aedat4.timeline import Timeline
from neuroclip_drivers.portable_io import OpenFile
from neuroclip_drivers.side_streams import KINDS, SidePacket
from neuroclip_drivers.source import GrayFrame


class SidePackets:
    """The packets of all streams that are not of events, in the order of their places.

    Parameters
    ----------
    file : OpenFile
    compression : Compression
    table : PacketTable
        The packets of all streams.
    streams : sequence of StreamInfo
        Those that the header names and that are not of events.
    events : EventPackets
    timeline : Timeline
        Of the events.
    shown : StreamInfo or None
        The stream of frames that are shown.

    Attributes
    ----------
    streams : tuple of StreamInfo
        Those that hold anything.
    places : (N,) int64
        Place of each packet on the timeline; never less than that of the one before.
    unknown_frames : str
        Frames met so far that are stored in a way that is not known; empty when there are none.
    """

    def __init__(
        self,
        file: OpenFile,
        compression: Compression,
        table: PacketTable,
        streams: Sequence[StreamInfo],
        events: EventPackets,
        timeline: Timeline,
        shown: StreamInfo | None,
    ) -> None:
        self._file, self._compression = file, compression
        numbers = table.rows["stream"]
        self.streams = tuple(stream for stream in streams if (numbers == stream.number).any())
        self.unknown_frames = ""
        self._damaged: set[int] = set()
        self._newest: tuple[int, GrayFrame | None] = (-1, None)
        rows = table.rows[np.isin(numbers, [stream.number for stream in self.streams])]
        self._cut = int(rows["offset"][-1]) if table.ends_in(rows) else -1
        times, known = self._times(rows, table.indexed)
        packets = np.searchsorted(events.rows["offset"], rows["offset"]) - 1
        places = np.where(known, timeline.places_of(times, packets), timeline.places[np.maximum(packets, 0)])
        order = np.argsort(places, kind="stable")
        self._rows, self.places = rows[order], places[order]
        self._frames = np.flatnonzero(self._rows["stream"] == (shown.number if shown is not None else -1))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def damaged(self) -> int:
        """How many packets turned out to be damaged so far."""
        return len(self._damaged)

    def _times(
        self, rows: npt.NDArray[Any], indexed: bool
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the first time in every packet, and for which of them it could be had."""
        times, known = rows["start"].astype(np.int64), np.zeros(len(rows), dtype=np.bool_)
        for stream in self.streams:
            own = np.flatnonzero(rows["stream"] == stream.number)
            ends = own[[0, -1]]
            if indexed and [self._first_time(rows[i], stream) for i in ends] == times[ends].tolist():
                known[own] = True
                continue
            for number in own.tolist():
                first = self._first_time(rows[number], stream)
                times[number], known[number] = first or 0, first is not None
        return times, known

    def _first_time(self, row: Any, stream: StreamInfo) -> int | None:
        try:
            count, first, _ = _extent(self._payload(row), stream.type_id, row)
        except FormatError:
            return None
        return first if count else None

    def _payload(self, row: Any) -> bytes:
        return decompress(self._file.read(int(row["size"]), int(row["offset"])), self._compression)

    @property
    def has_frames(self) -> bool:
        """Whether there are frames to be shown."""
        return len(self._frames) > 0

    def number_at(self, place: int) -> int:
        """Return how many packets lie before a place."""
        return int(np.searchsorted(self.places, place))

    def packet(self, number: int) -> SidePacket | None:
        """Return a packet by its number in the order of places; None for one that is damaged, and counted."""
        row = self._rows[number]
        stream = next(i for i, s in enumerate(self.streams) if s.number == int(row["stream"]))
        try:
            payload = self._payload(row)
            found = _extent(payload, self.streams[stream].type_id, row)
        except FormatError:
            self._note_damage(number)
            return None
        return SidePacket(stream, payload, *found)

    def _note_damage(self, number: int) -> None:
        if int(self._rows["offset"][number]) != self._cut and not self._file.closed:  # a cut is told already
            self._damaged.add(number)

    # ---- the frames to be shown

    def frame_at(self, place: int) -> GrayFrame | None:
        """Return the newest frame whose place is not beyond one, or None."""
        before = int(np.searchsorted(self.places[self._frames], place, "right"))
        return self._frame(int(self._frames[before - 1])) if before else None

    def frames(self) -> Iterator[GrayFrame]:
        """Yield the frames in the order of their places; those that are damaged are counted."""
        for number in self._frames.tolist():
            frame = self._frame(number)
            if frame is not None:
                yield frame

    def _frame(self, number: int) -> GrayFrame | None:
        newest, frame = self._newest
        if newest != number:
            try:
                frame = parse_frame(self._payload(self._rows[number]))
            except UnknownFrameFormat as error:  # whole, so no damage; but said
                frame, self.unknown_frames = None, str(error)
            except (FormatError, ValueError):
                frame = None
                self._note_damage(number)
            self._newest = (number, frame)
        return frame


def _extent(payload: bytes, type_id: str, row: Any) -> tuple[int, int, int]:
    """Return (count, first time, last time); of a type that is not known, the packet is one thing."""
    if type_id in KINDS:
        return extent(payload, type_id)
    return 1, int(row["start"]), int(row["end"])
