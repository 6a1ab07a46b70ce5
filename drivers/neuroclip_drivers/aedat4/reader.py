"""A recorded ``.aedat4`` file: opened with care, indexed, read from any place.

Nothing here knows of clocks on the wall or of threads. Reads are by position (``pread``), so that several
readers, say playback and the histogram of a seek bar, can use one recording at once.

Places and times: see :mod:`neuroclip_drivers.aedat4.timeline`. They are the same in a recording whose camera
never began its clock anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np

from neuroclip_drivers.aedat4.event_packets import EventPackets
from neuroclip_drivers.aedat4.file_check import open_checked, read_header
from neuroclip_drivers.aedat4.format import MAX_BODY_BYTES, MAX_SIDE, Compression, StreamInfo
from neuroclip_drivers.aedat4.losses import left_out
from neuroclip_drivers.aedat4.packet_bodies import PacketBodies
from neuroclip_drivers.aedat4.packet_table import find_packets
from neuroclip_drivers.aedat4.side_packets import SidePackets
from neuroclip_drivers.aedat4.streams import choose, describe_choice, named
from neuroclip_drivers.aedat4.timeline import Outline, Timeline, build, outline_of, seen_of
from neuroclip_drivers.files.event_file import (
    MAX_PACKET_EVENTS,
    RateHistogram,
    StreamChoice,
    bin_places,
    from_place,
    in_packets,
)
from neuroclip_drivers.portable_io import OpenFile
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution

_LOOKED_THROUGH = 1 << 19
"""Up to so many events are looked through on opening (20 ms), whatever the index says of their times."""


class Recording:
    """A recording on disk.

    Parameters
    ----------
    path : path-like
        Any file with the contents of an aedat4, whatever it is called.
    stream : str, optional
        Number or name of the event stream, or name of its camera, where there are several; by default the
        first that has events.

    Raises
    ------
    UserError
        When there is nothing to play: no such file, a directory, empty, not aedat4, cut off in its header, no
        event stream, no such stream, no events.

    Attributes
    ----------
    path : Path
    camera : str
        Name of the camera that made it; may be empty.
    resolution : Resolution
    timeline : Timeline
        Where the events stand.
    first_us, last_us : int
        Place of the first and the last event; the first is its time.
    side : SidePackets
        Frames, inertial samples, triggers and what else there is.
    damage : str
        One line that says what is missing from the file; empty when it is whole.
    streams_note : str
        One line that says which of several event streams is read; empty where there is only one.
    choices : tuple of StreamChoice
    chosen : str
        The event streams, and which is read, as in :class:`~neuroclip_drivers.files.event_file.EventFile`.
    """

    format = "AEDAT 4"

    def __init__(self, path: str | os.PathLike[str], stream: str | None = None) -> None:
        self.path = Path(path)
        self._file = OpenFile(open_checked(self.path))
        try:
            self._file.hold()
            self._header = read_header(self.path, self._file.read)
            self._prepare(stream)
            self._file.let_go()
        except BaseException:
            self._file.close()
            raise

    def _prepare(self, wanted: str | None) -> None:
        streams = [stream for stream in self._header.streams if stream.type_id == "EVTS"]
        if not streams:
            kinds = ", ".join(sorted({s.name or s.type_id for s in self._header.streams})) or "nothing"
            raise UserError(
                f"{self.path} has no event stream (it holds {kinds}). Choose a recording with events."
            )
        self._table = find_packets(self._file, self._header)
        self.damage = self._table.damage
        numbers = {stream.number for stream in streams}
        packets = {stream.number: self._packets_of(stream, numbers - {stream.number}) for stream in streams}
        filled = [stream for stream in streams if packets[stream.number].any_events()]
        stream = choose(self.path, streams, filled, wanted)
        self.streams_note = describe_choice(streams, filled, stream)
        self.choices = tuple(StreamChoice(str(s.number), named(s), s in filled) for s in streams)
        self.chosen = str(stream.number)
        self.camera = stream.source
        self._events = packets[stream.number]
        if not self._events.any_events():
            self._refuse()
        frames = self._frames_of(stream.source)
        self.resolution = (
            stream.resolution or (frames.resolution if frames else None) or self._guess_resolution()
        )
        self._events.resolution = self.resolution
        self.timeline = self._timeline()
        self.first_us, self.last_us = self.timeline.first_us, self.timeline.last_us
        others = [other for other in self._header.streams if other.type_id != "EVTS"]
        self.side = SidePackets(
            self._file, self.compression, self._table, others, self._events, self.timeline, frames
        )
        self._events.forget_damage()

    def _packets_of(self, stream: StreamInfo, siblings: set[int]) -> EventPackets:
        rows = self._table.rows[self._table.rows["stream"] == stream.number]
        span = None if self._table.sure else (self._header.end, self._header.index_position)
        cut = self._table.ends_in(rows)
        bodies = PacketBodies(self._file, rows, stream.number, siblings, span)
        packets = EventPackets(bodies, self.compression, rows, cut)
        packets.resolution = stream.resolution  # what is off it in a damaged packet is no event
        return packets

    def _refuse(self) -> NoReturn:
        if self.damage or self._events.damaged[0] or self._header.index_position > self._file.size:
            raise UserError(
                f"{self.path} is damaged: not one packet of events is left. Use another copy of it."
            )
        raise UserError(f"{self.path} holds no events. Nothing was recorded; choose another recording.")

    def _frames_of(self, source: str) -> StreamInfo | None:
        """Return the stream of frames to be shown: the same camera's, or else the first."""
        frames = [stream for stream in self._header.streams if stream.type_id == "FRME"]
        return next((s for s in frames if s.source == source), frames[0] if frames else None)

    def _guess_resolution(self) -> Resolution:
        width = height = 1
        for number in range(len(self._events)):
            events = self._events.decode(number)
            if len(events):
                width = max(width, int(events["x"].max()) + 1)
                height = max(height, int(events["y"].max()) + 1)
        return Resolution(min(width, MAX_SIDE), min(height, MAX_SIDE))

    def _timeline(self) -> Timeline:
        """Find where events stand: by the index where it tells the truth, else by looking at all of them."""
        rows = self._events.rows
        if self.is_indexed and (rows["count"] > 0).all() and rows["count"].sum() > _LOOKED_THROUGH:
            counts, starts, ends = (rows[name].astype(np.int64) for name in ("count", "start", "end"))
            told = build(
                Outline(counts, starts, ends, np.zeros(len(rows), dtype=np.bool_)), self._events.times
            )
            if told is not None:
                return told
        outline = outline_of(self._events.looks(seen_of))
        if not outline.counts.any():  # all that damage had left lies off the sensor
            self._refuse()
        seen = build(outline, self._events.times)
        if seen is None:  # the file changes while it is read
            raise UserError(
                f"{self.path} cannot be read twice alike. The disk may be failing; copy it first."
            )
        return seen

    @property
    def duration_us(self) -> int:
        """Time from the first to the last event, while the camera ran."""
        return self.last_us - self.first_us

    @property
    def has_frames(self) -> bool:
        """True when the recording also holds intensity frames."""
        return self.side.has_frames

    @property
    def is_indexed(self) -> bool:
        """True when the file carries an index that is true to it, as a finished recording does."""
        return self._table.indexed

    @property
    def unknown_frames(self) -> str:
        """Frames met so far that are stored in a way that is not known; empty when there are none."""
        return self.side.unknown_frames

    @property
    def losses(self) -> str:
        """What is missing, with what turned out to be unreadable so far; empty when all is well."""
        parts = [self.damage] if self.damage else []
        if self.unknown_frames:
            parts.append(f"{self.unknown_frames} cannot be shown and are left out")
        packets, events = self._events.damaged
        if packets + self.side.damaged:
            parts.append(left_out(packets + self.side.damaged, events))
        return "; ".join(parts)

    @property
    def remedy(self) -> str:
        """What the user can do about the losses."""
        return f"neuroclip-live repair {self.path.name} makes a whole file of it"

    @property
    def skipped_events(self) -> int:
        """About how many events were in packets that turned out to be damaged so far."""
        return self._events.damaged[1]

    @property
    def streams(self) -> tuple[StreamInfo, ...]:
        """All streams that the header names, of every type."""
        return self._header.streams

    @property
    def compression(self) -> Compression:
        """How the bodies are compressed."""
        return self._header.compression

    def bodies(self) -> Iterator[tuple[StreamInfo | None, bytes, bool]]:
        """Yield the packets of all streams as they lie in the file.

        Yields
        ------
        stream : StreamInfo or None
            None where the header does not name it.
        body : bytes
            Still compressed.
        cut : bool
            Whether it is the packet in which the file ends.
        """
        known = {stream.number: stream for stream in self._header.streams}
        table = self._table
        if not table.sure:
            table = find_packets(self._file, self._header, thorough=True)
        rows = table.rows
        for index, row in enumerate(rows):
            cut = table.cut and index == len(rows) - 1
            yield known.get(int(row["stream"])), self._file.read(int(row["size"]), int(row["offset"])), cut

    def read(self, from_us: int | None = None) -> Iterator[Packet]:
        """Yield the events in file order, from the beginning or from a place.

        Parameters
        ----------
        from_us : int or None
            Leave out what comes before the first event whose place is at or after this one.

        Yields
        ------
        (N,) array of ``EVENT_DTYPE`` that owns its memory, 1 <= N <= ``MAX_PACKET_EVENTS``
        """
        for packet, _ in self.read_placed(from_us):
            yield packet

    def read_placed(self, from_us: int | None = None) -> Iterator[tuple[Packet, int]]:
        """Yield packets as :meth:`read` does, each with what turns its times into places when added."""
        begin = 0 if from_us is None else self.timeline.packet_before(from_us - 1)
        yield from in_packets(from_place(self._events.joined(begin, self.timeline), from_us))

    def time_at(self, place_us: int) -> int:
        """Return what the camera's clock showed at a place."""
        return self.timeline.time_at(place_us)

    def clock_start(self, place_us: int) -> int:
        """Return the place at which the clock began that runs at a place."""
        return self.timeline.clock_start(place_us)

    def place_before(self, t_us: int, place_us: int) -> int:
        """Return where a time stands; where several clocks showed it, the last such place up to another."""
        return self.timeline.place_before(t_us, place_us)

    def frame_at(self, place_us: int) -> GrayFrame | None:
        """Return the newest intensity frame that is not beyond a place, or None."""
        return self.side.frame_at(place_us)

    def frames(self) -> Iterator[GrayFrame]:
        """Yield the intensity frames in order; those that are damaged are counted as left out."""
        return self.side.frames()

    def rate_histogram(self, bins: int = 400) -> RateHistogram:
        """Count the events in ``bins`` equal spans of the recording.

        Immediate where the file's own index can be used; else the file is read through once.
        """
        end = max(self.last_us, self.first_us + 1)
        counts = np.zeros(bins, dtype=np.int64)
        rows = self._events.rows
        if self.is_indexed and (rows["count"] > 0).all() and len(rows) >= bins:
            begins = self.timeline.places
            middle = (begins + np.append(begins[1:], end)) // 2
            events = np.clip(rows["count"], 0, MAX_BODY_BYTES)
            counts += np.bincount(
                bin_places(middle, self.first_us, end, bins), weights=events, minlength=bins
            ).astype(np.int64)
        else:
            for packet, shift in self.read_placed():
                counts += np.bincount(
                    bin_places(packet["t"], self.first_us - shift, end - shift, bins), minlength=bins
                )
        return RateHistogram(self.first_us, end, counts)

    def close(self) -> None:
        """Close the file; idempotent. Readers end at their next step."""
        self._file.close()


__all__ = ["MAX_PACKET_EVENTS", "RateHistogram", "Recording"]
