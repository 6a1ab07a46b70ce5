"""The packets of one event stream in an open file: decoded, mended where damaged, joined to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.ahead import THREADS, ahead
from neuroclip_drivers.aedat4.decompression import Decompressor
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import Compression, join_events, locate_events
from neuroclip_drivers.aedat4.packet_bodies import Body, PacketBodies
from neuroclip_drivers.aedat4.packet_runs import PacketRun, Place
from neuroclip_drivers.aedat4.salvage import rescue_events
from neuroclip_drivers.aedat4.timeline import Timeline
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS
from neuroclip_live.events import Packet, Resolution, copy_packet, empty_packet

HELD_BYTES = 1 << 25
"""Decompressed bytes held to join packets: those of a hostile file can hold one event in megabytes."""
KEPT_BYTES = 9 << 20
"""Of what was looked through on opening so much is kept decompressed, until it is read."""
_BATCH_HELD_BYTES = 1 << 23
"""A thread that has made more than this of a batch leaves the rest of it to who reads, one by one."""
_WORTH_A_THREAD = 1 << 14
"""Bodies that are smaller in the mean are undone faster than threads take turns in Python."""
_JOINED_EVENTS = MAX_PACKET_EVENTS // 2
"""Packets are joined until they hold so many events."""
_EVENTS_HEAD = 64
"""Room for what precedes the events in a packet: 32 bytes as dv-processing writes it."""

Look = TypeVar("Look")


class _Doubted(NamedTuple):
    """A packet that is to be looked at more closely: by its number, with its body."""

    number: int
    body: Body


class EventPackets:
    """The packets of one event stream.

    Parameters
    ----------
    bodies : PacketBodies
        Where they come from.
    compression : Compression
    rows : (N,) array of ``INDEX_DTYPE``
        Their places; counts that are wrong do no harm.
    cut : bool
        Whether the file ends in the middle of the last of them.
    """

    def __init__(
        self, bodies: PacketBodies, compression: Compression, rows: npt.NDArray[Any], cut: bool
    ) -> None:
        self.rows = rows
        self.resolution: Resolution | None = None
        self._bodies, self._compression = bodies, compression
        self._cut = len(rows) - 1 if cut else -1
        self._counts: list[int] = rows["count"].tolist()
        self._damaged: dict[int, int] = {}
        self._kept: dict[int, PacketRun] = {}
        self._kept_bytes = 0  # of all that was ever kept: it is only kept on opening

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

    def looks(self, look: Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], Look]) -> Iterator[Look]:
        """Yield what ``look`` makes of all packets, some at once, in order.

        It is given the times, (M,) int64, of the events of N packets, and where those of each begin and end,
        (N + 1,) int64. It is called in several threads, each time just after the packets were decompressed:
        while their bytes are near, looking costs little.
        """

        def work(batch: list[tuple[int, Body]]) -> list[tuple[PacketRun, Look] | _Doubted]:
            return [
                each if isinstance(each, _Doubted) else (each, look(each.times(), each.bounds))
                for each in self._undone(batch)
            ]

        undo = Decompressor(self._compression)
        # what is not compressed is not worth a thread
        worth = self._compression is not Compression.NONE and self.rows["size"].mean() >= _WORTH_A_THREAD
        for found in ahead(self._bodies.blocks(), work, THREADS if worth else 1):
            if isinstance(found, _Doubted):
                number, body = found
                run = self._kept.get(number)
                place = run.place(number) if run is not None else self._locate(number, body, undo)
                own = PacketRun(number, [_as_place(place)])
                if run is None and isinstance(place, tuple):
                    self._keep(own)
                yield look(own.times(), own.bounds)
            else:
                self._keep(found[0])
                yield found[1]

    def joined(self, begin: int, timeline: Timeline) -> Iterator[tuple[Packet, int]]:
        """Yield events from packet ``begin`` on, small packets joined, each with the shift of its times.

        All events of an array are of one clock of the timeline.
        """
        undo = Decompressor(self._compression)
        one_clock = not timeline.restarts and not timeline.shifts.any()
        whole = one_clock and self._bodies.sure
        places: list[Place] = []
        total = held = shift = 0
        for number, body, hidden in self._bodies.from_packet(begin, self._kept, whole):
            if self._bodies.closed:
                return
            if whole and isinstance(body, PacketRun) and number == body.first:
                if places:
                    yield join_events(places), shift
                    places, total, held = [], 0, 0
                events = self._taken(body)
                if len(events):
                    yield events, 0
                continue
            place = self._located(number, body, hidden, undo)
            if self._bodies.closed:
                return
            if not place[2]:
                continue
            begins = 0 if one_clock else int(timeline.shifts[number])
            steps = None if hidden else timeline.restarts.get(number)
            for part, its_shift in _parts(place, begins, steps) if steps else [(place, begins)]:
                if places and its_shift != shift:
                    yield join_events(places), shift
                    places, total, held = [], 0, 0
                shift = its_shift
                places.append(part)
                total += part[2]
                held += len(part[0])
                if total >= _JOINED_EVENTS or held >= HELD_BYTES:
                    yield join_events(places), shift
                    places, total, held = [], 0, 0
        if places:
            yield join_events(places), shift

    def _located(self, number: int, body: Body | PacketRun, hidden: bool, undo: Decompressor) -> Place:
        if hidden:
            assert not isinstance(body, PacketRun)
            return _as_place(self._locate_hidden(body, undo))
        if isinstance(body, PacketRun):
            if self._kept.pop(number, None) is not None:
                return body.place(number)
            body = self._bodies.body(number)  # another reader has taken meanwhile what was kept
        return _as_place(self._locate(number, body, undo))

    def _taken(self, run: PacketRun) -> Packet:
        """Return the events of a run, and keep it no longer; several readers may come to it at once."""
        numbers = range(run.first, run.stop)
        left = [self._kept.pop(number, None) is not None for number in numbers]
        if all(left):
            return run.taken()
        if any(left):
            return copy_packet(run.taken())
        undo = Decompressor(self._compression)
        return join_events([_as_place(self._locate(n, self._bodies.body(n), undo)) for n in numbers])

    def _place(self, number: int) -> Place | Packet:
        run = self._kept.get(number)
        if run is not None:
            return run.place(number)
        place = self._locate(number, self._bodies.body(number), Decompressor(self._compression))
        if isinstance(place, tuple):
            self._keep(PacketRun(number, [place]))
        return place

    def _keep(self, run: PacketRun) -> None:
        if self._kept_bytes + run.nbytes <= KEPT_BYTES:
            self._kept.update(dict.fromkeys(range(run.first, run.stop), run))
            self._kept_bytes += run.nbytes

    def _undone(self, batch: list[tuple[int, Body]]) -> Iterator[PacketRun | _Doubted]:
        """Yield packets that follow each other, alone and with its bytes one to be looked at more closely."""
        undo = Decompressor(self._compression)
        places: list[Place] = []
        total = held = 0
        for number, body in batch:
            if held < _BATCH_HELD_BYTES and number != self._cut and number not in self._kept:
                try:
                    data = self._undo(body, self._counts[number], undo)
                    position, count = locate_events(data)
                except FormatError:
                    pass
                else:
                    places.append((data, position, count))
                    total += count
                    held += len(data)
                    if total >= _JOINED_EVENTS:
                        yield PacketRun(number + 1 - len(places), places)
                        places, total = [], 0
                    continue
            if places:
                yield PacketRun(number - len(places), places)
                places, total = [], 0
            yield _Doubted(number, body)
        if places:
            yield PacketRun(number + 1 - len(places), places)

    def _locate_hidden(self, body: Body, undo: Decompressor) -> Place | Packet:
        """Return where the events are; none where it is no packet of events: then its head is damaged."""
        try:
            data = undo(body)
            return data, *locate_events(data)
        except FormatError:
            return empty_packet()

    def _locate(self, number: int, body: Body, undo: Decompressor) -> Place | Packet:
        """Return where the events of a packet are, or the events when the packet had to be mended.

        What decompresses and parses is whole, whatever the index says of it: writers exist that leave the
        index's counts at zero. Jitter and events off the sensor are no damage; they are counted downstream.
        """
        if number == self._cut:
            return rescue_events(bytes(body), self._compression)
        data = None
        try:
            data = self._undo(body, self._counts[number], undo)
            position, count = locate_events(data)
        except FormatError:
            return self._mend(number, body, data)
        return data, position, count

    def _undo(self, body: Body, count: int, undo: Decompressor) -> bytes:
        """Decompress a packet, making room for as many events as the index tells; it may be wrong."""
        if count > 0:
            try:
                return undo(body, _EVENTS_HEAD + 16 * count)
            except FormatError:
                pass
        return undo(body)

    def _mend(self, number: int, body: Body, data: bytes | None) -> Packet:
        events = rescue_events(bytes(body), self._compression, self.resolution, data)
        if not self._bodies.closed:
            self._damaged[number] = max(0, self._counts[number] - len(events))
        return events


def _as_place(place: Place | Packet) -> Place:
    return place if isinstance(place, tuple) else (place.tobytes(), 0, len(place))


def _times(place: Place | Packet) -> npt.NDArray[np.int64]:
    if not isinstance(place, tuple):
        return np.ascontiguousarray(place["t"])
    data, position, count = place
    return np.frombuffer(data, "<i8", 2 * count, position)[::2]


def _parts(place: Place, shift: int, steps: list[tuple[int, int]]) -> Iterator[tuple[Place, int]]:
    """Cut a packet where the clock begins anew."""
    data, position, count = place
    begin = 0
    for number, following in [*steps, (count, 0)]:
        if number > begin:
            yield (data, position + 16 * begin, number - begin), shift
        begin, shift = number, following
