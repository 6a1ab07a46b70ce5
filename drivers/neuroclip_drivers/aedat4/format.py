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
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np

from neuroclip_drivers.aedat4.flatbuffer import FormatError, Table
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

MAGIC = b"#!AER-DAT4.0\r\n"
EVENTS = b"EVTS"

EVENTS_PREFIX = bytes.fromhex("100000004556545300000600080004000600000004000000")
"""What lies between the size and the count of events in every event packet that dv-processing writes."""

INDEX_POSITION_AT = len(MAGIC) + 4 + 36
"""Where in a file that is written here its index's place is told."""

MAX_HEADER_BYTES = 1 << 20
_LARGE = 500
"""Events in a packet from which on copying costs more than the Python around it."""
MAX_BODY_BYTES = 1 << 28
"""Largest packet, after decompression, that is believed: 256 MiB, 16 million events."""
MAX_SIDE = 4096
"""Longest side of a sensor that is believed: a header of a few bytes must not make us paint gigapixels."""


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
    if data.startswith(EVENTS_PREFIX, 4):
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


def sensor_streams(name: str, resolution: Resolution, *, frames: bool = False) -> list[StreamInfo]:
    """Return the streams of a camera's recording: events, number 0, and frames where they are wanted."""
    kinds = [("events", "EVTS"), ("frames", "FRME")][: 1 + frames]
    return [StreamInfo(number, kind, output, name, resolution) for number, (output, kind) in enumerate(kinds)]


def header_of(streams: Sequence[StreamInfo], compression: Compression) -> bytes:
    """Return the header of a file with these streams, as long as it has no index."""
    xml = _description(streams, compression).encode()
    # A table of three fields: compression, position of the index (-1: none yet), description.
    body = (
        struct.pack("<I4s6x5H", 24, b"IOHE", 10, 24, 4, 12, 8)
        + struct.pack("<iiIq4x", 10, int(compression), 16, -1)
        + struct.pack("<I", len(xml))
        + xml
    )
    body += b"\0" * (4 - len(body) % 4)
    return MAGIC + struct.pack("<I", len(body)) + body


def _description(streams: Sequence[StreamInfo], compression: Compression) -> str:
    nodes = []
    for stream in streams:
        path = f"/outInfo/{stream.number}/"
        attributes = {
            "compression": compression.name,
            "originalModuleName": "neuroclip-live",
            "originalOutputName": stream.name,
            "typeDescription": f"Stream of {stream.name}.",
            "typeIdentifier": stream.type_id,
        }
        lines = [f'<attr key="{k}" type="string">{escape(v)}</attr>' for k, v in attributes.items()]
        size = stream.resolution
        sides = (("sizeX", size.width), ("sizeY", size.height)) if size is not None else ()
        info = (
            f'<node name="info" path="{path}info/">'
            + "".join(f'<attr key="{side}" type="int">{pixels}</attr>' for side, pixels in sides)
            + f'<attr key="source" type="string">{escape(stream.source)}</attr></node>'
        )
        nodes.append(f'<node name="{stream.number}" path="{path}">' + "".join(lines) + info + "</node>")
    return '<dv version="2.0"><node name="outInfo" path="/outInfo/">' + "".join(nodes) + "</node></dv>\n"
