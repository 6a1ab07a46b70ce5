"""Finding the packets of a recording whose index is missing, wrong or damaged.

A camera whose power went, a copy that was cut short, a disk with a bad block: most packets are still there.
The walk goes from packet to packet by their own lengths. Where one makes no sense, it looks for the next
place that does, and counts what lies between. A packet that is cut off gives up the events before the cut.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import lz4.frame
import numpy as np
import numpy.typing as npt
import zstandard

from neuroclip_drivers.aedat4.decompression import decompress, largest
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import (
    EVENTS,
    MAX_BODY_BYTES,
    Compression,
    Header,
    join_events,
    locate_events,
)
from neuroclip_drivers.aedat4.index import INDEX_DTYPE, parse_index
from neuroclip_drivers.aedat4.own_length import own_length
from neuroclip_drivers.portable_io import read_at
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet, empty_packet

_LZ4_MARK, _ZSTD_MARK = b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd"
_SEARCH_BYTES = 1 << 20
_LARGEST_INDEX = 1 << 28
_HEAD = 8
"""Bytes before a packet's body: its stream's number, and its length."""
_FIRST_EVENT = 32
"""Bytes that usually precede the events of a packet, the last four their number."""
_JITTER_US = 1_000
"""Cameras' packets hold events that step back by so much; a longer step inside a damaged packet is damage."""


@dataclass(frozen=True)
class Walk:
    """What a walk found.

    Attributes
    ----------
    packets : (N,) array of ``INDEX_DTYPE``
        Places of the packets, all streams, in file order; the last may be cut off (its ``size`` is what is
        there).
    lost_bytes : int
        Bytes between packets, or at the end, that belong to none.
    missing_bytes : int
        Bytes that the header promises beyond the end of the file.
    cut : bool
        True when the last packet is incomplete.
    """

    packets: npt.NDArray[Any]
    lost_bytes: int
    missing_bytes: int
    cut: bool


def walk(file: int, header: Header, size: int) -> Walk:
    """Find all packets of an open file.

    Parameters
    ----------
    file : int
        File descriptor; its position is not used.
    header : Header
    size : int
        Bytes to look at, the file's size.
    """
    # not up to where the header says that the index is: a block that is there twice moves packets beyond it
    end = size
    missing = max(0, header.index_position - size)
    numbers = {stream.number for stream in header.streams}
    trial = _Trial(file, header.compression, size)
    rows: list[tuple[int, int, int, int, int, int]] = []
    position, lost, cut = header.end, 0, False
    window = _Window(file, end)
    while position + _HEAD < end:
        stream, length = struct.unpack("<ii", window.read(position, _HEAD))
        body = position + _HEAD
        right = stream in numbers and _looks_right(window, body, header.compression)
        if right:
            length = _proved(window, body, length, numbers, header.compression)
        following = body + length
        if right and 0 < length <= MAX_BODY_BYTES:
            # Where what follows makes no sense, the length itself may be what is damaged: the body has to
            # prove it.
            sure = following == end or (
                following < end and _plausible(window, following, numbers, header.compression)
            )
            if sure:
                proved = following
            else:
                proved = trial.end_of(window, body, length, numbers) if following < end else body
            if proved > body:
                rows.append((body, stream, proved - body, -1, 0, 0))
                position = proved
                if proved == following and not sure:
                    position = _overlapping(window, following, numbers, header.compression)
                continue
            if following > end and _next_packet(window, body, numbers, header.compression) is None:
                rows.append((body, stream, end - body, -1, 0, 0))
                cut, position = True, end
                break
        later = _next_packet(window, position + 1, numbers, header.compression)
        lost += (end if later is None else later) - position
        position = end if later is None else later
    lost += end - position
    behind = rows[-1][0] + rows[-1][2] if rows else header.end
    if behind == header.index_position or (not cut and _is_index(file, behind, end, header.compression)):
        lost = max(0, lost - (end - behind))
    return Walk(np.array(rows, dtype=INDEX_DTYPE), lost, missing, cut)


def _is_index(file: int, start: int, end: int, compression: Compression) -> bool:
    """Return whether the last bytes of a file are its index, though not where the header says."""
    if not 0 < end - start <= _LARGEST_INDEX:
        return False
    try:
        parse_index(decompress(read_at(file, end - start, start), compression))
    except FormatError:
        return False
    return True


class _Trial:
    """Decompresses packets to see whether they are some, as long as that is no more work than reading twice.

    In a file made to be slow every few bytes look like the head of a packet that reaches to the end.
    """

    def __init__(self, file: int, compression: Compression, size: int) -> None:
        self._file, self._compression = file, compression
        self._budget = 2 * size + _SEARCH_BYTES

    def end_of(self, window: _Window, body: int, length: int, numbers: set[int]) -> int:
        """Return where a body ends, though what follows it makes no sense; its beginning where it is none.

        It ends where another packet begins in it, for it may be damaged and still decompress. What begins in
        its last bytes is the next one, of whose head some are missing.
        """
        if self._budget < length:
            return body
        self._budget -= length
        inner = _next_proved(window, body, body + length - _HEAD, numbers, self._compression)
        if inner is not None:
            return inner
        try:
            decompress(read_at(self._file, length, body), self._compression)
        except FormatError:
            return body
        return body + length


class _Window:
    """A file read by small steps, a megabyte at a time."""

    def __init__(self, file: int, end: int) -> None:
        self.file, self.end = file, end
        self.start, self.data = 0, b""

    def read(self, position: int, count: int) -> bytes:
        low = position - self.start
        if not 0 <= low <= len(self.data) - count:
            self.start = position
            self.data = read_at(self.file, min(_SEARCH_BYTES, max(self.end - position, 0)), position)
            low = 0
        return self.data[low : low + count]

    def peek(self, position: int, count: int) -> bytes:
        """Read a few bytes from anywhere, and stay where it is."""
        low = position - self.start
        if 0 <= low <= len(self.data) - count:
            return self.data[low : low + count]
        return read_at(self.file, max(0, min(count, self.end - position)), position)

    def find(self, mark: bytes, position: int) -> int | None:
        """Return where ``mark`` is found next, or None."""
        while position + len(mark) <= self.end:
            self.read(position, len(mark))
            at = self.data.find(mark, position - self.start)
            if at >= 0:
                return self.start + at
            if len(self.data) < len(mark):
                return None
            position = self.start + len(self.data) - len(mark) + 1
        return None


def _proved(window: _Window, body: int, told: int, numbers: set[int], compression: Compression) -> int:
    """Return the length of a body: its own where what follows proves it, else what its head tells.

    The head's is the damaged one then: believed, it would end the packet early or pass over intact ones.
    """
    own = own_length(window.peek, body, compression)
    if own is None or own == told or body + own > window.end:
        return told
    proves = body + own == window.end or _plausible(window, body + own, numbers, compression)
    return own if proves else told


def _looks_right(window: _Window, body: int, compression: Compression) -> bool:
    if compression in (Compression.LZ4, Compression.LZ4_HIGH):
        return window.peek(body, 4) == _LZ4_MARK
    if compression in (Compression.ZSTD, Compression.ZSTD_HIGH):
        return window.peek(body, 4) == _ZSTD_MARK
    return window.peek(body + 8, 4).isalnum()


def _plausible(window: _Window, position: int, numbers: set[int], compression: Compression) -> bool:
    head = window.peek(position, _HEAD)
    if len(head) < _HEAD:
        return False
    stream, length = struct.unpack("<ii", head)
    body = position + _HEAD
    return stream in numbers and 0 < length <= MAX_BODY_BYTES and _looks_right(window, body, compression)


def _next_packet(window: _Window, position: int, numbers: set[int], compression: Compression) -> int | None:
    """Return where the next plausible packet begins at or after ``position``, or None."""
    if compression is Compression.NONE:
        mark, back = EVENTS, 16
    else:
        mark, back = (_LZ4_MARK if compression in (Compression.LZ4, Compression.LZ4_HIGH) else _ZSTD_MARK), 8
    at = window.find(mark, position + back)
    while at is not None:
        if _plausible(window, at - back, numbers, compression):
            return at - back
        at = window.find(mark, at + 1)
    return None


def _next_proved(
    window: _Window, begin: int, end: int, numbers: set[int], compression: Compression
) -> int | None:
    """Return where in a stretch a packet begins that is one beyond doubt, or None.

    Another one or the file's end follows it, or it says itself how long it is.
    """
    place = _next_packet(window, begin, numbers, compression)
    while place is not None and place < end:
        body = place + _HEAD
        length = int.from_bytes(window.peek(place + 4, 4), "little")
        if compression is Compression.NONE:
            count = int.from_bytes(window.peek(body + _FIRST_EVENT - 4, 4), "little")
            own: int | None = _FIRST_EVENT + count * EVENT_DTYPE.itemsize
        else:
            own = own_length(window.peek, body, compression)
        behind = body + length
        if length == own or behind == window.end or _plausible(window, behind, numbers, compression):
            return place
        place = _next_packet(window, place + 1, numbers, compression)
    return None


def _overlapping(window: _Window, following: int, numbers: set[int], compression: Compression) -> int:
    """Return where what follows begins: a little earlier, where a body has bytes of the next head."""
    earlier = range(following - 1, following - _HEAD, -1)
    return next((at for at in earlier if _plausible(window, at, numbers, compression)), following)


def rescue_events(
    body: bytes, compression: Compression, resolution: Resolution | None = None, data: bytes | None = None
) -> Packet:
    """Return the events at the start of a packet that is cut off or damaged, as far as they make sense.

    Without a resolution all that can be decompressed is believed, as befits a packet that merely ends early.
    With one, an event makes sense when it lies on the sensor, has polarity 0 or 1, and is not older than the
    one before it by more than clocks jitter. ``data`` is the body decompressed, where that went well.
    """
    if data is None:
        try:
            data = decompress(body, compression)
        except FormatError:
            data = _decompress_prefix(body, compression)
    try:
        position, count = locate_events(data)
    except FormatError:
        # The usual 32 bytes precede the events; their count promises more than is there.
        if data[8:12] != EVENTS or len(data) < _FIRST_EVENT:
            return empty_packet()
        position, count = _FIRST_EVENT, int.from_bytes(data[_FIRST_EVENT - 4 : _FIRST_EVENT], "little")
        try:
            locate_events(data[:28] + b"\0\0\0\0")
        except FormatError:
            return empty_packet()
    count = min(count, (len(data) - position) // EVENT_DTYPE.itemsize)
    events = join_events([(data, position, count)]) if count > 0 else empty_packet()
    return copy_packet(events if resolution is None else events[: sensible(events, resolution)])


def sensible(events: Packet, resolution: Resolution) -> int:
    """Return how many events at the start of a packet make sense."""
    if not len(events):
        return 0
    width, height = resolution
    x, y = events["x"].view(), events["y"].view()
    good = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (events["p"] >= 0) & (events["p"] <= 1)
    good[1:] &= events["t"][1:] >= events["t"][:-1] - _JITTER_US
    good &= events["t"] >= 0
    return int(len(events) if good.all() else np.argmin(good))


def _decompress_prefix(body: bytes, compression: Compression) -> bytes:
    """Return what comes out of a body before it breaks."""
    if compression is Compression.NONE:
        return body
    if compression in (Compression.ZSTD, Compression.ZSTD_HIGH):
        parts: list[bytes] = []
        most = largest(len(body)) >> 16
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body) as reader:
            try:
                while len(parts) < most and (part := reader.read(1 << 16)):
                    parts.append(part)
            except zstandard.ZstdError:
                pass  # what came before the damage is what is wanted
        return b"".join(parts)
    context = lz4.frame.LZ4FrameDecompressor()
    out: list[bytes] = []
    total = 0
    # In small bites: the decoder gives nothing back from a call in which it meets damage.
    for start in range(0, len(body), 4096):
        try:
            out.append(context.decompress(body[start : start + 4096]))
        except (RuntimeError, EOFError):
            break  # what came before the damage is what is wanted
        total += len(out[-1])
        if context.eof or total > MAX_BODY_BYTES:
            break
    return b"".join(out)
