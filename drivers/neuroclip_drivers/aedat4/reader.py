"""A recorded ``.aedat4`` file: opened with care, indexed, read from any time.

Nothing here knows of clocks or threads. Reads are by position (``pread``), so that several readers, say
playback and the histogram of a seek bar, can use one recording at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.decompression import Decompressor, decompress
from neuroclip_drivers.aedat4.file_check import open_checked, read_header
from neuroclip_drivers.aedat4.format import (
    MAX_BODY_BYTES,
    MAX_SIDE,
    Compression,
    FormatError,
    StreamInfo,
    UnknownFrameFormat,
    join_events,
    locate_events,
    parse_frame,
    parse_index,
)
from neuroclip_drivers.aedat4.losses import describe, left_out
from neuroclip_drivers.aedat4.salvage import rescue_events, walk
from neuroclip_drivers.aedat4.streams import choose, describe_choice
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS, RateHistogram, bin_places
from neuroclip_drivers.portable_io import read_at
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, copy_packet, empty_packet

_READ_BYTES = 1 << 20
HELD_BYTES = 1 << 25
"""Decompressed bytes held to join packets: those of a hostile file can hold one event in megabytes."""
_EVENTS_HEAD = 64
"""Room for what precedes the events in a packet: 32 bytes as dv-processing writes it."""


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
    first_us, last_us : int
        Time of the first and the last event.
    damage : str
        One line that says what is missing from the file; empty when it is whole.
    streams_note : str
        One line that says which of several event streams is read; empty where there is only one.
    unknown_frames : str
        Frames met so far that are stored in a way that is not known; empty when there are none.
    """

    format = "AEDAT 4"

    def __init__(self, path: str | os.PathLike[str], stream: str | None = None) -> None:
        self.path = Path(path)
        self._file = open_checked(self.path)
        self._lock = threading.Lock()
        try:
            self._size = os.fstat(self._file).st_size
            self._header = read_header(self.path, self._file)
            self._prepare(stream)
        except BaseException:
            os.close(self._file)
            self._file = -1
            raise

    def _prepare(self, wanted: str | None) -> None:
        streams = [stream for stream in self._header.streams if stream.type_id == "EVTS"]
        if not streams:
            kinds = ", ".join(sorted({s.name or s.type_id for s in self._header.streams})) or "nothing"
            raise UserError(
                f"{self.path} has no event stream (it holds {kinds}). Choose a recording with events."
            )
        self._cut = False
        self._skipped_packets = self._skipped_events = 0
        self.unknown_frames = ""
        rows = self._own_index()
        self._indexed = rows is not None
        self.damage = ""
        if rows is None:
            found = walk(self._file, self._header, self._size)
            rows, self._cut = found.packets, found.cut
            self.damage = describe(found.lost_bytes, found.missing_bytes, self._size, found.cut)
        self._rows = rows
        self._frame_cache: tuple[int, GrayFrame | None] = (-1, None)
        self._starts: dict[int, int | None] = {}
        filled = [stream for stream in streams if self._take_up(stream)]
        stream = choose(self.path, streams, filled, wanted)
        self.streams_note = describe_choice(streams, filled, stream)
        self._take_up(stream)
        self.camera = stream.source
        frames = next(
            (f for f in self._header.streams if f.type_id == "FRME" and f.source == stream.source), None
        )
        frames = frames or self._header.first("FRME")
        self._frames = rows[rows["stream"] == frames.number] if frames else rows[:0]
        self.resolution = (
            stream.resolution or (frames.resolution if frames else None) or self._guess_resolution()
        )
        self._skipped_packets = self._skipped_events = 0
        self._settle_times()

    def _take_up(self, stream: StreamInfo) -> bool:
        """Read this event stream from now on; return whether it holds any events."""
        self._events = self._rows[self._rows["stream"] == stream.number]
        self._counts: list[int] = self._events["count"].tolist()
        self._cut_here = (
            self._cut
            and len(self._events) > 0
            and int(self._events["offset"][-1]) == int(self._rows["offset"][-1])
        )
        return any(len(self._decode(index)) for index in range(len(self._events)))

    def _own_index(self) -> npt.NDArray[Any] | None:
        """Return the index that the file carries, if it is there and true to the file."""
        position = self._header.index_position
        if not self._header.end <= position < self._size:
            return None
        try:
            # More than an index can need for the bytes before it is not believed.
            data = read_at(self._file, min(self._size - position, 1 << 28), position)
            room = (position - self._header.end) // 9  # a head of 8 bytes, and a body
            rows = parse_index(decompress(data, self._header.compression), room)
        except FormatError:
            return None
        bodies = rows["offset"] - 8
        ends = rows["offset"] + rows["size"]
        contiguous = len(rows) == 0 or (
            bodies[0] == self._header.end and ends[-1] == position and bool((bodies[1:] == ends[:-1]).all())
        )
        return rows if contiguous and bool((rows["size"] > 0).all()) else None

    def _settle_times(self) -> None:
        """Find the first and the last event; distrust the index's times where they differ from them."""
        number, first = next(
            ((i, e) for i in range(len(self._events)) if len(e := self._decode(i))), (-1, empty_packet())
        )
        if number < 0 and (self.damage or self._header.index_position > self._size):
            raise UserError(
                f"{self.path} is damaged: not one packet of events is left. Use another copy of it."
            )
        if number < 0:
            raise UserError(f"{self.path} holds no events. Nothing was recorded; choose another recording.")
        backwards = range(len(self._events) - 1, number, -1)
        last = next((e for i in backwards if len(e := self._decode(i))), first)
        self.first_us, self.last_us = int(first["t"][0]), int(last["t"].max())
        self._skipped_packets = self._skipped_events = 0
        rows = self._events[self._events["count"] > 0]
        self._timed = (
            self._indexed
            and len(rows) > 0
            and int(rows["start"][0]) == self.first_us
            and int(rows["end"][-1]) == int(last["t"][-1])
            and bool((rows["start"][1:] >= rows["start"][:-1]).all())
        )
        if self.last_us < self.first_us:
            self.last_us = self.first_us

    def _guess_resolution(self) -> Resolution:
        width = height = 1
        for index in range(len(self._events)):
            events = self._decode(index)
            if len(events):
                width, height = (
                    max(width, int(events["x"].max()) + 1),
                    max(height, int(events["y"].max()) + 1),
                )
        return Resolution(min(width, MAX_SIDE), min(height, MAX_SIDE))

    @property
    def duration_us(self) -> int:
        """Time from the first to the last event."""
        return self.last_us - self.first_us

    @property
    def has_frames(self) -> bool:
        """True when the recording also holds intensity frames."""
        return len(self._frames) > 0

    @property
    def is_indexed(self) -> bool:
        """True when the file carries an index that is true to it, as a finished recording does."""
        return self._indexed

    @property
    def losses(self) -> str:
        """What is missing, with what turned out to be unreadable so far; empty when all is well."""
        parts = [self.damage] if self.damage else []
        if self.unknown_frames:
            parts.append(f"{self.unknown_frames} cannot be shown and are left out")
        if self._skipped_packets:
            parts.append(left_out(self._skipped_packets, self._skipped_events))
        return "; ".join(parts)

    @property
    def remedy(self) -> str:
        """What the user can do about the losses."""
        return f"neuroclip-live repair {self.path.name} makes a whole file of it"

    @property
    def skipped_events(self) -> int:
        """About how many events were in packets that turned out to be damaged so far."""
        return self._skipped_events

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
        for index, number in enumerate(self._rows["stream"].tolist()):
            cut = self._cut and index == len(self._rows) - 1
            yield known.get(number), self._body(self._rows, index), cut

    @property
    def streams(self) -> tuple[StreamInfo, ...]:
        """All streams that the header names, of every type."""
        return self._header.streams

    @property
    def compression(self) -> Compression:
        """How the bodies are compressed."""
        return self._header.compression

    def _body(self, rows: npt.NDArray[Any], index: int) -> bytes:
        return self._pread(int(rows["size"][index]), int(rows["offset"][index]))

    def _pread(self, size: int, position: int) -> bytes:
        """Read from the file; short, or nothing, where it was closed, cut meanwhile, or the disk fails."""
        with self._lock:
            if self._file < 0:
                return b""
            try:
                return read_at(self._file, size, position)
            except OSError:
                return b""  # the packets that lie here are counted as damaged

    def _decode(self, index: int) -> Packet:
        """Return the events of a packet, or what can be had of it."""
        body = self._body(self._events, index)
        if self._cut_here and index == len(self._events) - 1:
            return rescue_events(body, self._header.compression)
        place = self._locate(index, body, Decompressor(self._header.compression))
        return join_events([place]) if isinstance(place, tuple) else place

    def _resolution_or_none(self) -> Resolution | None:
        return getattr(self, "resolution", None)

    def _locate(self, index: int, body: bytes, undo: Decompressor) -> tuple[bytes, int, int] | Packet:
        """Return where the events of a packet are, or the events when the packet had to be mended.

        What decompresses and parses is whole, whatever the index says of it: writers exist that leave the
        index's counts at zero. Jitter and events off the sensor are no damage; they are counted downstream.
        """
        data = None
        try:
            data = self._undo(body, self._counts[index], undo)
            position, count = locate_events(data)
        except FormatError:
            return self._mend(index, body, data)
        return data, position, count

    def _undo(self, body: bytes, count: int, undo: Decompressor) -> bytes:
        """Decompress a packet, making room for as many events as the index tells; it may be wrong."""
        if count > 0:
            try:
                return undo(body, _EVENTS_HEAD + 16 * count)
            except FormatError:
                pass
        return undo(body)

    def _mend(self, index: int, body: bytes, data: bytes | None) -> Packet:
        events = rescue_events(body, self._header.compression, self._resolution_or_none(), data)
        with self._lock:
            self._skipped_packets += 1
            self._skipped_events += max(0, int(self._events["count"][index]) - len(events))
        return events

    def _start_of(self, index: int) -> int | None:
        """Return the time of a packet's first event; None when it has none."""
        if self._timed:
            return int(self._events["start"][index]) if self._events["count"][index] else None
        if index not in self._starts:
            events = self._decode(index)
            self._starts[index] = int(events["t"][0]) if len(events) else None
        return self._starts[index]

    def _packet_before(self, t_us: int) -> int:
        """Return the last packet that begins at or before ``t_us``; the first one when there is none."""
        low, high = 0, len(self._events)
        while high - low > 1:
            middle = (low + high) // 2
            probe = middle
            while probe < high and (start := self._start_of(probe)) is None:
                probe += 1
            if probe == high or start is None or start > t_us:
                high = middle
            else:
                low = probe
        return low

    def read(self, from_us: int | None = None) -> Iterator[Packet]:
        """Yield the events in file order, from the beginning or from a time.

        Parameters
        ----------
        from_us : int or None
            Leave out what comes before the first event at or after this time.

        Yields
        ------
        (N,) array of ``EVENT_DTYPE`` that owns its memory, 1 <= N <= ``MAX_PACKET_EVENTS``
        """
        begin = 0 if from_us is None else max(0, self._packet_before(from_us - 1))
        skipping = from_us is not None
        for events in self._groups(begin):
            if skipping:
                assert from_us is not None
                late = events["t"] >= from_us
                if not late.any():
                    continue
                events, skipping = events[int(np.argmax(late)) :], False
            if events.base is None and len(events) <= MAX_PACKET_EVENTS:
                yield events
                continue
            for start in range(0, len(events), MAX_PACKET_EVENTS):
                part = events[start : start + MAX_PACKET_EVENTS]
                yield copy_packet(part)

    def _groups(self, begin: int) -> Iterator[Packet]:
        """Yield the events of packets from number ``begin`` on, small packets joined."""
        offsets, sizes = self._events["offset"].tolist(), self._events["size"].tolist()
        undo = Decompressor(self._header.compression)
        index = begin
        while index < len(offsets) and self._file >= 0:
            base, stop = offsets[index], index + 1
            while stop < len(offsets) and offsets[stop] + sizes[stop] - base <= _READ_BYTES:
                stop += 1
            span = offsets[stop - 1] + sizes[stop - 1] - base
            block = self._pread(span, base)
            if self._file < 0:
                return
            whole = len(block) == span
            places: list[tuple[bytes, int, int]] = []
            total = held = 0
            for number in range(index, stop):
                low = offsets[number] - base
                if self._cut_here and number == len(offsets) - 1:
                    place: tuple[bytes, int, int] | Packet = self._decode(number)
                else:
                    body = block[low : low + sizes[number]] if whole else self._body(self._events, number)
                    place = self._locate(number, body, undo)
                if not isinstance(place, tuple):
                    place = (place.tobytes(), 0, len(place))
                if self._file < 0:
                    return
                if place[2] == 0:
                    continue
                places.append(place)
                total += place[2]
                held += len(place[0])
                if total >= MAX_PACKET_EVENTS // 2 or held >= HELD_BYTES:
                    yield join_events(places)
                    places, total, held = [], 0, 0
            if places:
                yield join_events(places)
            index = stop

    def frame_at(self, t_us: int) -> GrayFrame | None:
        """Return the newest intensity frame that is not younger than ``t_us``, or None."""
        low, high = 0, len(self._frames)
        starts = self._frames["start"]
        while low < high:
            middle = (low + high) // 2
            begin = int(starts[middle]) if self._timed else self._frame_time(middle)
            if begin <= t_us:
                low = middle + 1
            else:
                high = middle
        return self._frame(low - 1) if low else None

    def frames(self) -> Iterator[GrayFrame]:
        """Yield the intensity frames in file order; those that are damaged are counted as left out."""
        for index in range(len(self._frames)):
            frame = self._frame(index)
            if frame is not None:
                yield frame
            elif not self.unknown_frames:
                with self._lock:
                    self._skipped_packets += 1

    def _frame_time(self, index: int) -> int:
        frame = self._frame(index)
        return frame.t_us if frame else self.last_us + 1

    def _frame(self, index: int) -> GrayFrame | None:
        number, frame = self._frame_cache
        if number != index:
            try:
                frame = parse_frame(decompress(self._body(self._frames, index), self._header.compression))
            except UnknownFrameFormat as error:  # whole, so no damage; but said
                frame, self.unknown_frames = None, str(error)
            except (FormatError, ValueError):
                frame = None
            self._frame_cache = (index, frame)
        return frame

    def rate_histogram(self, bins: int = 400) -> RateHistogram:
        """Count the events in ``bins`` equal spans of the recording.

        Immediate where the file's own index can be used; else the file is read through once.
        """
        end = max(self.last_us, self.first_us + 1)
        counts = np.zeros(bins, dtype=np.int64)
        if self._timed and len(self._events) >= bins:
            rows = self._events
            middle = (rows["start"] + rows["end"]) // 2
            counts += np.bincount(
                bin_places(middle, self.first_us, end, bins),
                weights=np.clip(rows["count"], 0, MAX_BODY_BYTES),
                minlength=bins,
            ).astype(np.int64)
        else:
            for events in self.read():
                place = bin_places(events["t"], self.first_us, end, bins)
                counts += np.bincount(place, minlength=bins)
        return RateHistogram(self.first_us, end, counts)

    def close(self) -> None:
        """Close the file; idempotent. Readers end at their next step."""
        with self._lock:
            file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


__all__ = ["MAX_PACKET_EVENTS", "RateHistogram", "Recording"]
