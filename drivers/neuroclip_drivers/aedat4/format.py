r"""The aedat4 container: header, packets and index, read from untrusted bytes and written back.

A file is ``#!AER-DAT4.0\r\n``, a 32-bit length and that many bytes of header, packets, and at the end an
index of them. A packet is a stream number and a length (both int32), then a body that is compressed as the
header says; inside is a size-prefixed flatbuffer whose identifier tells events (EVTS), frames (FRME),
inertial samples and triggers apart. The events lie in it exactly as :data:`neuroclip_live.events.EVENT_DTYPE`
has them in memory.

Why not read with dv-processing: it believes what the file says. Twenty flipped bytes in a packet end the
process with a segmentation fault, other damage hangs it, and a file whose end is missing is refused whole. It
also keeps Python's lock while it decompresses. Here every offset and size is checked against the bytes that
are really there, and nothing is allocated on the word of a file. Rejected: the package ``aedat``, which stops
at the first bad packet, allocates what the file declares, and refuses files with streams that it does not
know.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.source import GrayFrame
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

MAGIC = b"#!AER-DAT4.0\r\n"
EVENTS, FRAMES, INDEX = b"EVTS", b"FRME", b"FTAB"

EVENTS_PREFIX = bytes.fromhex("100000004556545300000600080004000600000004000000")
"""What lies between the size and the count of events in every event packet that dv-processing writes."""

MAX_HEADER_BYTES = 1 << 20
_LARGE = 500
"""Events in a packet from which on copying costs more than the Python around it."""
MAX_BODY_BYTES = 1 << 28
"""Largest packet, after decompression, that is believed: 256 MiB, 16 million events."""
MAX_SIDE = 4096
"""Longest side of a sensor that is believed: a header of a few bytes must not make us paint gigapixels."""
_INDEX_ENTRY_BYTES = 24
"""Least room that an entry of the index takes: two offsets, its packet's place, stream and size."""

_PIXEL_TYPES: dict[int, np.dtype[Any]] = {0: np.dtype(np.uint8), 2: np.dtype("<u2")}
"""OpenCV's depths that are read; its type of a picture is ``depth + 8 * (channels - 1)``."""

INDEX_DTYPE = np.dtype(
    [
        ("offset", "<i8"),
        ("stream", "<i4"),
        ("size", "<i4"),
        ("count", "<i8"),
        ("start", "<i8"),
        ("end", "<i8"),
    ]
)
"""One packet of the index.

``offset`` of its body in the file and ``size`` of the body, in bytes; ``count`` of elements; time of the
first and the last element in microseconds. ``count`` is -1 where only the packet's place is known.
"""


class FormatError(Exception):
    """The bytes are not what the container says they are."""


class UnknownFrameFormat(FormatError):
    """A frame that is whole, in pixels that are not known here."""


class Compression(IntEnum):
    """How packet bodies are compressed; one value for a file."""

    NONE = 0
    LZ4 = 1
    LZ4_HIGH = 2
    ZSTD = 3
    ZSTD_HIGH = 4


@dataclass(frozen=True)
class StreamInfo:
    """A stream named in the header: its number, its type ("EVTS", "FRME", …), and whose it is."""

    number: int
    type_id: str
    name: str
    source: str
    resolution: Resolution | None


@dataclass(frozen=True)
class Header:
    """What precedes the packets.

    ``index_position`` is -1 in a file that was never closed; ``end`` is where the first packet begins.
    """

    compression: Compression
    index_position: int
    streams: tuple[StreamInfo, ...]
    end: int

    def first(self, type_id: str) -> StreamInfo | None:
        """Return the first stream of a type, or None."""
        return next((stream for stream in self.streams if stream.type_id == type_id), None)


class Table:
    """A flatbuffer table, read with every offset checked.

    Raises :class:`FormatError` rather than reading outside of ``data``.
    """

    __slots__ = ("data", "position", "vtable", "vtable_size")

    def __init__(self, data: bytes, position: int) -> None:
        self.data, self.position = data, position
        try:
            self.vtable = position - struct.unpack_from("<i", data, position)[0]
            if position < 0 or self.vtable < 0:
                raise FormatError("a table lies outside of its packet")
            self.vtable_size = int(struct.unpack_from("<H", data, self.vtable)[0])
        except struct.error as error:
            raise FormatError("a table lies outside of its packet") from error

    @classmethod
    def root(cls, data: bytes, *, prefixed: bool, identifier: bytes | None) -> Table:
        """Return the root table; ``identifier`` is the four bytes that must follow the root offset."""
        base = 4 if prefixed else 0
        if len(data) < base + 8:
            raise FormatError("a packet is too short")
        if identifier is not None and data[base + 4 : base + 8] != identifier:
            raise FormatError(f"a packet is of type {data[base + 4 : base + 8]!r}, not {identifier!r}")
        return cls(data, base + int(struct.unpack_from("<I", data, base)[0]))

    def place(self, field: int) -> int:
        """Return the position of a field, or 0 where it is left out."""
        slot = 4 + 2 * field
        if slot + 2 > self.vtable_size:
            return 0
        try:
            offset = int(struct.unpack_from("<H", self.data, self.vtable + slot)[0])
        except struct.error as error:
            raise FormatError("a table lies outside of its packet") from error
        return self.position + offset if offset else 0

    def number(self, field: int, form: str, default: int) -> int:
        """Return an integer field; ``form`` is its letter in :mod:`struct`."""
        place = self.place(field)
        if not place:
            return default
        try:
            return int(struct.unpack_from("<" + form, self.data, place)[0])
        except struct.error as error:
            raise FormatError("a field lies outside of its packet") from error

    def vector(self, field: int, item_size: int) -> tuple[int, int]:
        """Return (position, count) of a vector field, whole inside the data; (0, 0) where it is left out."""
        place = self.place(field)
        if not place:
            return 0, 0
        try:
            start = place + int(struct.unpack_from("<I", self.data, place)[0])
            count = int(struct.unpack_from("<I", self.data, start)[0])
        except struct.error as error:
            raise FormatError("a vector lies outside of its packet") from error
        if start + 4 + count * item_size > len(self.data):
            raise FormatError("a vector is longer than its packet")
        return start + 4, count


def parse_header(data: bytes) -> Header:
    """Read the header from the first bytes of a file (``MAX_HEADER_BYTES`` + 18 are always enough).

    Raises
    ------
    FormatError
        When the bytes are not an aedat4 header, or end before it does.
    """
    if MAGIC.startswith(data):
        raise FormatError("the header is cut off")
    if data[: len(MAGIC)] != MAGIC:
        raise FormatError("the first line is not that of an aedat4 file")
    if len(data) < len(MAGIC) + 4:
        raise FormatError("the header is cut off")
    size = int(struct.unpack_from("<I", data, len(MAGIC))[0])
    begin = len(MAGIC) + 4
    if size > MAX_HEADER_BYTES:
        raise FormatError("the header's length makes no sense")
    if len(data) < begin + size:
        raise FormatError("the header is cut off")
    body = data[begin : begin + size]
    table = Table.root(body, prefixed=False, identifier=None)
    try:
        compression = Compression(table.number(0, "i", 0))
    except ValueError as error:
        raise FormatError("the packets are compressed in a way that is not known") from error
    start, count = table.vector(2, 1)
    return Header(
        compression, table.number(1, "q", -1), _parse_streams(body[start : start + count]), begin + size
    )


def _parse_streams(xml: bytes) -> tuple[StreamInfo, ...]:
    try:
        # As UTF-8, whatever it says of itself: in another encoding a declaration would not be seen.
        text = xml.rstrip(b"\0").decode("utf-8")
        if "<!" in text:
            raise FormatError("the description of the streams holds declarations")
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise FormatError("the description of the streams is damaged") from error
    streams = []
    # DV writes <node name="outInfo"> and texts; jAER 3 wrote <outInfo> and value="" for a while
    for node in (*root.findall("./node[@name='outInfo']/node"), *root.findall("./outInfo/node")):
        name = node.get("name", "")
        if not name.strip().isdigit():
            continue  # settings that some writers keep between the streams
        attributes = {attr.get("key"): attr.get("value") or attr.text or "" for attr in node.iter("attr")}
        try:
            number = int(name)
            size = Resolution(int(attributes.get("sizeX") or 0), int(attributes.get("sizeY") or 0))
        except ValueError as error:
            raise FormatError("the description of the streams is damaged") from error
        valid = 0 < size.width <= MAX_SIDE and 0 < size.height <= MAX_SIDE
        streams.append(
            StreamInfo(
                number=number,
                type_id=attributes.get("typeIdentifier", ""),
                name=attributes.get("originalOutputName", ""),
                source=attributes.get("source", ""),
                resolution=size if valid else None,
            )
        )
    return tuple(streams)


def locate_events(data: bytes) -> tuple[int, int]:
    """Return (position, count) of the events in a decompressed packet; they are known to be whole.

    Raises
    ------
    FormatError
        When the packet is not one of events, or lies about its size.
    """
    if len(data) >= 32 and data[4:28] == EVENTS_PREFIX:
        count = int.from_bytes(data[28:32], "little")
        if 32 + count * 16 <= len(data):
            return 32, count
    return Table.root(data, prefixed=True, identifier=EVENTS).vector(0, EVENT_DTYPE.itemsize)


def join_events(places: list[tuple[bytes, int, int]]) -> Packet:
    """Copy the events of several packets, given as (data, position, count), into one new array."""
    # As bytes and not as events: then copying is plain memcpy; field by field it would be ten times slower.
    events = np.empty(sum(count for _, _, count in places), dtype=EVENT_DTYPE)
    octets = events.view(np.uint8)
    if len(events) > _LARGE * len(places):  # copied once, straight to where they belong
        filled = 0
        for data, position, count in places:
            octets[filled : filled + 16 * count] = np.frombuffer(data, np.uint8, 16 * count, position)
            filled += 16 * count
        return events
    joined = b"".join([data[position : position + 16 * count] for data, position, count in places])
    octets[:] = np.frombuffer(joined, dtype=np.uint8)
    return events


def parse_frame(data: bytes) -> GrayFrame:
    """Return the picture of a decompressed frame packet: colors averaged, of 16 bits the upper 8.

    Raises
    ------
    UnknownFrameFormat
        When the pixels are stored in a way that is not known.
    FormatError
        When the packet is not a frame, or its size and its pixels disagree.
    """
    table = Table.root(data, prefixed=True, identifier=FRAMES)
    code = table.number(5, "b", 0)
    depth, dtype = (code >> 3) + 1, _PIXEL_TYPES.get(code & 7)
    width, height = table.number(6, "h", 0), table.number(7, "h", 0)
    start, count = table.vector(10, 1)
    if dtype is None or depth not in (1, 3, 4):
        raise UnknownFrameFormat(f"frames of OpenCV's type {code}")
    if width <= 0 or height <= 0 or count != width * height * depth * dtype.itemsize:
        raise FormatError("a frame's size and its pixels disagree")
    pixels = np.frombuffer(data, dtype=dtype, count=count // dtype.itemsize, offset=start)
    pixels = pixels.reshape(height, width, depth)
    if dtype.itemsize == 2:
        pixels = (pixels >> 8).astype(np.uint8)
    gray = pixels[:, :, 0].copy() if depth == 1 else pixels[:, :, :3].mean(axis=2).astype(np.uint8)
    return GrayFrame(table.number(0, "q", 0), gray)


def extent(data: bytes, type_id: str) -> tuple[int, int, int]:
    """Return (count, first time, last time) of what a decompressed packet of any stream holds.

    Times in microseconds; of a type that is not known the count is 0.

    Raises
    ------
    FormatError
        When the packet is not of this type, or its parts do not lie inside it.
    """
    if type_id == "EVTS":
        position, count = locate_events(data)
        if not count:
            return 0, 0, 0
        first, last = (struct.unpack_from("<q", data, position + 16 * i)[0] for i in (0, count - 1))
        return count, int(first), int(last)
    table = Table.root(data, prefixed=True, identifier=type_id.encode("ascii", "replace"))
    if type_id == "FRME":
        table.vector(10, 1)
        t_us = table.number(0, "q", 0)
        return 1, t_us, t_us
    if type_id not in ("IMUS", "TRIG"):
        return 0, 0, 0
    position, count = table.vector(0, 4)
    if not count:
        return 0, 0, 0
    places = (position, position + 4 * (count - 1))
    first, last = (
        Table(data, at + int(struct.unpack_from("<I", data, at)[0])).number(0, "q", 0) for at in places
    )
    return count, first, last


def parse_index(data: bytes, most: int = MAX_BODY_BYTES) -> npt.NDArray[Any]:
    """Return the file's own index as an array of ``INDEX_DTYPE``, in the order in which it is stored.

    Parameters
    ----------
    data : bytes
    most : int
        Packets for which there is room in the file.

    Raises
    ------
    FormatError
        When it is not an index, points outside of itself, or names more packets than there can be.
    """
    position, count = Table.root(data, prefixed=True, identifier=INDEX).vector(0, 4)
    if count > most or count * _INDEX_ENTRY_BYTES > len(data):
        raise FormatError("the index names more packets than there can be")
    rows = np.zeros(count, dtype=INDEX_DTYPE)
    # An hour of recording has 360,000 packets: all entries are read at once, not one by one.
    places = position + 4 * np.arange(count, dtype=np.int64)
    tables = places + _gather(data, places, "<u4")
    vtables = tables - _gather(data, tables, "<i4")
    sizes = _gather(data, vtables, "<u2")

    def where(field: int) -> npt.NDArray[np.int64]:
        offsets = np.zeros(count, dtype=np.int64)
        there = sizes >= 6 + 2 * field
        offsets[there] = _gather(data, vtables[there] + 4 + 2 * field, "<u2")
        return np.where(offsets > 0, tables + offsets, -1)

    info = where(1)
    rows["stream"], rows["size"] = _gather(data, info, "<i4"), _gather(data, info + 4, "<i4")
    for name, field in (("offset", 0), ("count", 2), ("start", 3), ("end", 4)):
        found = where(field)
        rows[name][found >= 0] = _gather(data, found[found >= 0], "<i8")
    return rows


def _gather(data: bytes, positions: npt.NDArray[np.int64], form: str) -> npt.NDArray[np.int64]:
    """Read numbers at many positions; raises FormatError when one lies outside of ``data``."""
    size = np.dtype(form).itemsize
    if len(positions) and not (0 <= positions.min() and positions.max() + size <= len(data)):
        raise FormatError("an entry of the index lies outside of it")
    octets = np.frombuffer(data, dtype=np.uint8)[positions[:, None] + np.arange(size)]
    return np.ascontiguousarray(octets).view(form).reshape(-1).astype(np.int64)
