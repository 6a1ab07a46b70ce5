"""The packets of one event stream in an open file: decoded, mended where damaged, joined to be read."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.ahead import THREADS, ahead
from neuroclip_drivers.aedat4.between import Block, told_by_heads
from neuroclip_drivers.aedat4.decompression import Decompressor
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import Compression, join_events, locate_events
from neuroclip_drivers.aedat4.salvage import rescue_events
from neuroclip_drivers.aedat4.timeline import Timeline
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS
from neuroclip_drivers.portable_io import OpenFile
from neuroclip_live.events import Packet, Resolution, empty_packet

HELD_BYTES = 1 << 25
"""Decompressed bytes held to join packets: those of a hostile file can hold one event in megabytes."""
KEPT_BYTES = 9 << 20
"""Of what was looked through on opening so much is kept decompressed, until it is read."""
_READ_BYTES = 1 << 20
_BATCH_BYTES = 1 << 20
"""So many bytes are decompressed at once by a thread; less costs more in all, as threads share caches."""
_BATCH_HELD_BYTES = 1 << 23
"""A thread that has made more than this of a batch leaves the rest of it to who reads, one by one."""
_EVENTS_HEAD = 64
"""Room for what precedes the events in a packet: 32 bytes as dv-processing writes it."""

Look = TypeVar("Look")
_Place = tuple[bytes, int, int]
"""Decompressed bytes, and where in them how many events lie."""


class EventPackets:
    """The packets of one event stream.

    Parameters
    ----------
    file : OpenFile
    compression : Compression
    rows : (N,) array of ``INDEX_DTYPE``
        Their places; counts that are wrong do no harm.
    cut : bool
        Whether the file ends in the middle of the last of them.
    stream : int
        Its number.
    siblings : container of int
        Numbers of the other event streams.
    unsure : (int, int), optional
        Where the packets of all streams begin and end in the file, in bytes, when the rows were not held
        against their own heads. That is done then when they are read.
    """

    def __init__(
        self,
        file: OpenFile,
        compression: Compression,
        rows: npt.NDArray[Any],
        cut: bool,
        stream: int,
        siblings: Container[int] = (),
        unsure: tuple[int, int] | None = None,
    ) -> None:
        self.rows = rows
        self.stream, self.siblings = stream, siblings
        self._unsure = unsure
        self.resolution: Resolution | None = None
        self._file, self._compression, self._cut = file, compression, cut
        self._counts: list[int] = rows["count"].tolist()
        self._damaged: dict[int, int] = {}
        self._kept: dict[int, _Place] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def damaged(self) -> tuple[int, int]:
        """How many packets turned out to be damaged so far, and about how many events they have lost."""
        return len(self._damaged), sum(self._damaged.values())

    def forget_damage(self) -> None:
        """Count damage anew."""
        self._damaged = {}

    def any_events(self) -> bool:
        """Return whether there is an event in them."""
        for number in range(len(self.rows)):
            place = self._place(number)
            if place[2] if isinstance(place, tuple) else len(place):
                return True
        return False

    def decode(self, number: int) -> Packet:
        """Return the events of a packet, or what can be had of it."""
        place = self._place(number)
        return join_events([place]) if isinstance(place, tuple) else place

    def times(self, number: int) -> npt.NDArray[np.int64]:
        """Return the times of a packet's events."""
        return _times(self._place(number))

    def looks(self, look: Callable[[npt.NDArray[np.int64]], Look]) -> Iterator[Look]:
        """Yield what ``look`` makes of the times, (M,) int64, of every packet's events, in order.

        It is called in several threads, each time just after the packet was decompressed: while its bytes are
        near, looking costs little.
        """

        def work(batch: list[tuple[int, bytes]]) -> list[tuple[int, bytes, _Place | None, Look | None]]:
            return [
                (number, body, place, look(_times(place)) if place is not None else None)
                for number, body, place in self._undo_batch(batch)
            ]

        undo = Decompressor(self._compression)
        # what is not compressed is not worth a thread
        threads = 1 if self._compression is Compression.NONE else THREADS
        for number, body, found, looked in ahead(self._batches(), work, threads):
            place = found or self._kept.get(number) or self._locate(number, body, undo)
            if isinstance(place, tuple):
                self._keep(number, place)
            yield looked if looked is not None else look(_times(place))

    def joined(self, begin: int, timeline: Timeline) -> Iterator[tuple[Packet, int]]:
        """Yield events from packet ``begin`` on, small packets joined, each with the shift of its times.

        All events of an array are of one clock of the timeline.
        """
        undo = Decompressor(self._compression)
        places: list[_Place] = []
        total = held = shift = 0
        for number, body, hidden in self._own_bodies(begin):
            if hidden:
                place: _Place | Packet = self._locate_hidden(body, undo)
            else:  # another reader may have taken meanwhile what was kept
                place = self._taken(number) or self._locate(number, body or self._body(number), undo)
            if self._file.closed:
                return
            if not isinstance(place, tuple):
                place = (place.tobytes(), 0, len(place))
            begins, steps = int(timeline.shifts[number]), timeline.restarts.get(number, [])
            for part, its_shift in _parts(place, begins, [] if hidden else steps):
                if places and its_shift != shift:
                    yield join_events(places), shift
                    places, total, held = [], 0, 0
                shift = its_shift
                places.append(part)
                total += part[2]
                held += len(part[0])
                if total >= MAX_PACKET_EVENTS // 2 or held >= HELD_BYTES:
                    yield join_events(places), shift
                    places, total, held = [], 0, 0
        if places:
            yield join_events(places), shift

    def _place(self, number: int) -> _Place | Packet:
        place: _Place | Packet | None = self._kept.get(number)
        if place is None:
            place = self._locate(number, self._body(number), Decompressor(self._compression))
            if isinstance(place, tuple):
                self._keep(number, place)
        return place

    def _keep(self, number: int, place: _Place) -> None:
        if number not in self._kept and self._kept_bytes + len(place[0]) <= KEPT_BYTES:
            self._kept[number] = place
            self._kept_bytes += len(place[0])

    def _taken(self, number: int) -> _Place | None:
        """Return a packet that was kept, and keep it no longer; several readers may ask at once."""
        place = self._kept.pop(number, None)
        if place is not None:
            self._kept_bytes -= len(place[0])
        return place

    def _batches(self) -> Iterator[list[tuple[int, bytes]]]:
        batch: list[tuple[int, bytes]] = []
        held = 0
        for number, body in self._bodies(0):
            batch.append((number, body))
            held += len(body)
            if held >= _BATCH_BYTES:
                yield batch
                batch, held = [], 0
        if batch:
            yield batch

    def _undo_batch(self, batch: list[tuple[int, bytes]]) -> list[tuple[int, bytes, _Place | None]]:
        """Return where the events of packets are, None for one that is to be looked at more closely."""
        undo = Decompressor(self._compression)
        done: list[tuple[int, bytes, _Place | None]] = []
        held = 0
        for number, body in batch:
            place = None
            if held < _BATCH_HELD_BYTES and number not in self._kept and not self._is_cut(number):
                try:
                    data = self._undo(body, self._counts[number], undo)
                    place = (data, *locate_events(data))
                    held += len(data)
                except FormatError:
                    pass
            done.append((number, body, place))
        return done

    def _is_cut(self, number: int) -> bool:
        return self._cut and number == len(self.rows) - 1

    def _own_bodies(self, begin: int) -> Iterator[tuple[int, bytes, bool]]:
        """Yield the packets from number ``begin`` on, without bytes where they are kept.

        Where the rows are not sure, those that the index hides come as well, with the number of the row that
        follows, or of the last, and True; those that it takes from another event stream are left out.
        """
        if self._unsure is None:
            yield from ((number, body, False) for number, body in self._bodies(begin, self._kept))
            return
        at, end = self._unsure
        number, block = begin, Block(self._file.read)
        if begin:
            at = int(self.rows["offset"][begin - 1] + self.rows["size"][begin - 1])
        for number, body in self._bodies(begin, self._kept, block):
            offset, size = int(self.rows["offset"][number]), int(self.rows["size"][number])
            yield from ((number, found, True) for found in self._hidden(block, at, offset - 8))
            at = offset + size
            told = told_by_heads(block.peek, offset - 8, at)
            if told is None or told[0] == (self.stream, offset, size):
                yield number, body, False
            elif len(told) > 1:
                yield from ((number, found, True) for found in self._hidden(block, offset - 8, at))
            elif told[0][0] not in self.siblings:  # else it is theirs
                yield number, body, False
        yield from ((number, found, True) for found in self._hidden(block, at, end))

    def _hidden(self, block: Block, begin: int, end: int) -> Iterator[bytes]:
        """Yield the packets of this stream that lie where the index has none of it."""
        for stream, offset, size in told_by_heads(block.peek, begin, end) or ():
            if stream == self.stream:
                yield self._file.read(size, offset)

    def _locate_hidden(self, body: bytes, undo: Decompressor) -> _Place | Packet:
        """Return where the events are; none where it is no packet of events: then its head is damaged."""
        try:
            data = undo(body)
            return data, *locate_events(data)
        except FormatError:
            return empty_packet()

    def _bodies(
        self, begin: int, known: Container[int] = (), held: Block | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield the packets from number ``begin`` on as they lie in the file, read by large blocks.

        Those that are ``known`` are not read, and come without bytes. ``held`` is told what was read.
        """
        offsets, sizes = self.rows["offset"].tolist(), self.rows["size"].tolist()
        start = begin
        while start < len(offsets):
            if start in known:
                yield start, b""
                start += 1
                continue
            base, stop = offsets[start] - 8, start + 1
            while (
                stop < len(offsets)
                and offsets[stop] + sizes[stop] - base <= _READ_BYTES
                and stop not in known
            ):
                stop += 1
            span = offsets[stop - 1] + sizes[stop - 1] - base
            block = self._file.read(span, base)
            whole = len(block) == span
            if held is not None:
                held.start, held.data = base, block
            for number in range(start, stop):
                if self._file.closed:
                    return
                low = offsets[number] - base
                yield number, block[low : low + sizes[number]] if whole else self._body(number)
            start = stop

    def _body(self, number: int) -> bytes:
        row = self.rows[number]
        return self._file.read(int(row["size"]), int(row["offset"]))

    def _locate(self, number: int, body: bytes, undo: Decompressor) -> _Place | Packet:
        """Return where the events of a packet are, or the events when the packet had to be mended.

        What decompresses and parses is whole, whatever the index says of it: writers exist that leave the
        index's counts at zero. Jitter and events off the sensor are no damage; they are counted downstream.
        """
        if self._is_cut(number):
            return rescue_events(body, self._compression)
        data = None
        try:
            data = self._undo(body, self._counts[number], undo)
            position, count = locate_events(data)
        except FormatError:
            return self._mend(number, body, data)
        return data, position, count

    def _undo(self, body: bytes, count: int, undo: Decompressor) -> bytes:
        """Decompress a packet, making room for as many events as the index tells; it may be wrong."""
        if count > 0:
            try:
                return undo(body, _EVENTS_HEAD + 16 * count)
            except FormatError:
                pass
        return undo(body)

    def _mend(self, number: int, body: bytes, data: bytes | None) -> Packet:
        events = rescue_events(body, self._compression, self.resolution, data)
        if not self._file.closed:
            self._damaged[number] = max(0, self._counts[number] - len(events))
        return events


def _times(place: _Place | Packet) -> npt.NDArray[np.int64]:
    if not isinstance(place, tuple):
        return np.ascontiguousarray(place["t"])
    data, position, count = place
    return np.frombuffer(data, "<i8", 2 * count, position)[::2]


def _parts(place: _Place, shift: int, steps: list[tuple[int, int]]) -> Iterator[tuple[_Place, int]]:
    """Cut a packet where the clock begins anew."""
    data, position, count = place
    begin = 0
    for number, following in [*steps, (count, 0)]:
        if number > begin:
            yield (data, position + 16 * begin, number - begin), shift
        begin, shift = number, following
