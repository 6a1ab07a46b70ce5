"""ROS messages that hold events, decoded: ``dvs_msgs``, ``prophesee_event_msgs``, ``event_camera_msgs``.

Sources: the message definitions of these packages; the wire formats of ROS 1 and of ROS 2 (CDR, OMG
DDS-RTPS); the encodings as event_camera_codecs has them. Own code because a general deserializer makes a
Python object of every event, a thousand times slower than taking the array as it lies.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files import evt_decoding as evt
from neuroclip_drivers.files.event_file import LARGEST_SIDE
from neuroclip_live.compiled import njit
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet, join_packets

EVENT_ARRAYS = ("dvs_msgs/EventArray", "prophesee_event_msgs/EventArray")
EVENT_PACKETS = ("event_camera_msgs/EventPacket", "event_array_msgs/EventArray")
ENCODINGS = ("evt3", "libcaer", "libcaer_cmp")
_DVS_ROS1 = np.dtype(
    {
        "names": ["x", "y", "s", "ns", "p"],
        "formats": ["<u2", "<u2", "<u4", "<u4", "u1"],
        "offsets": [0, 2, 4, 8, 12],
        "itemsize": 13,
    }
)
_CAER_SPAN_NS = (1 << 31) * 1000


class BadMessage(Exception):
    """A message that is shorter than it says, or otherwise none."""


def plain_type(name: str) -> str:
    """Return a message's type without what ROS 2 puts in the middle: "dvs_msgs/msg/EventArray"."""
    return name.replace("/msg/", "/")


@dataclass
class MessageDecoder:
    """Turns the messages of one topic into events, one after the other.

    Attributes
    ----------
    kind : str
        Type of the messages, as :func:`plain_type` gives it.
    cdr : bool
        True for ROS 2.
    size : Resolution or None
        As the newest message tells it.
    encoding : str
        Of the newest packet; empty for arrays of events.
    fresh : bool
        Whether no message has come yet.
    """

    kind: str
    cdr: bool
    size: Resolution | None = None
    encoding: str = ""
    state: npt.NDArray[np.int64] = field(default_factory=evt.new_state)
    fresh: bool = True

    def expect(self, t_us: int) -> None:
        """Begin anew at about this time: a clock of 24 bits tells only its part of it."""
        self.state = evt.new_state(t_us)

    def decode(self, message: bytes | memoryview) -> Packet:
        """Return the events of a message.

        Raises
        ------
        BadMessage
        """
        reader = _Reader(message, self.cdr)
        try:
            reader.header()
            height, width = reader.u32(), reader.u32()
            if 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE:
                self.size = Resolution(width, height)
            if self.kind in EVENT_ARRAYS:
                return _event_array(reader)
            reader.u64()  # sequence number
            base_ns = reader.u64()
            encoding = reader.string()
            big = reader.u8()
            payload = reader.octets()
        except (struct.error, ValueError) as error:
            raise BadMessage(str(error)) from None
        if encoding not in ENCODINGS or big:
            raise BadMessage(f"events encoded as {encoding[:40]!r}{', big-endian' if big else ''}")
        self.encoding = encoding
        if encoding == "evt3":
            return self._evt3(payload)
        if encoding == "libcaer":
            return _libcaer(payload, base_ns)
        return _libcaer_cmp(payload, base_ns)

    def _evt3(self, payload: memoryview) -> Packet:
        words = np.frombuffer(payload[: len(payload) // 2 * 2], dtype="<u2")
        out = np.empty(1 << 15, dtype=EVENT_DTYPE)
        parts: list[Packet] = []
        while len(words):
            used, events = evt.decode_evt3(words, len(words), self.state, out.view(np.int64))
            words = words[used:]
            parts.append(copy_packet(out[:events]))
        return join_packets(parts) if parts else out[:0]


class _Reader:
    """Reads the fields of a message one after the other; ROS 2 aligns them, ROS 1 does not."""

    def __init__(self, data: bytes | memoryview, cdr: bool) -> None:
        self.data = memoryview(data)
        self.cdr = cdr
        if cdr:
            if len(data) < 4 or data[0] or data[1] not in (0, 1):
                raise BadMessage("no message in CDR")
            if data[1] == 0:
                raise BadMessage("a big-endian message")
            self.data = self.data[4:]
        self.at = 0

    def _take(self, form: str, size: int) -> int:
        if self.cdr:
            self.at += -self.at % size
        value: int = struct.unpack_from(form, self.data, self.at)[0]
        self.at += size
        return value

    def u8(self) -> int:
        return self._take("<B", 1)

    def u32(self) -> int:
        return self._take("<I", 4)

    def u64(self) -> int:
        return self._take("<Q", 8)

    def string(self) -> str:
        return bytes(self.octets()).rstrip(b"\0").decode("latin-1")

    def octets(self) -> memoryview:
        length = self.u32()
        if length > len(self.data) - self.at:
            raise ValueError("shorter than it says")
        part = self.data[self.at : self.at + length]
        self.at += length
        return part

    def header(self) -> None:
        if not self.cdr:
            self.u32()  # sequence number
        self.u32(), self.u32()  # time
        self.string()


def _event_array(reader: _Reader) -> Packet:
    count = reader.u32()
    if reader.cdr:
        reader.at += -reader.at % 2
        return _cdr_events(reader.data[reader.at :], reader.at, count)
    if count * _DVS_ROS1.itemsize > len(reader.data) - reader.at:
        raise ValueError("shorter than it says")
    octets = np.frombuffer(reader.data, np.uint8, count * _DVS_ROS1.itemsize, reader.at)
    packet = np.empty(count, dtype=EVENT_DTYPE)
    _decode_dvs_ros1(octets, packet.view(np.int64).reshape(-1, 2))
    return packet


def _cdr_events(data: memoryview, place: int, count: int) -> Packet:
    """Return events that lie in CDR: two u16, two u32 on multiples of four, a byte; sixteen bytes apart.

    Only the first, which begins on a multiple of four, has column and row two bytes later than the others.
    """
    if not count:
        return np.empty(0, dtype=EVENT_DTYPE)
    if place % 4:
        raise ValueError("events that are not aligned")
    if 16 * (count - 1) + 13 > len(data):
        raise ValueError("shorter than it says")
    octets = np.frombuffer(bytes(data[: 16 * (count - 1) + 13]) + bytes(3), dtype=np.uint8).reshape(count, 16)
    first = octets[0, :4].view("<u2")
    times = np.ascontiguousarray(octets[:, 4:12]).view("<u4")
    x = np.empty(count, dtype="<u2")
    y = np.empty(count, dtype="<u2")
    x[0], y[0] = first
    x[1:] = np.ascontiguousarray(octets[:-1, 14:16]).view("<u2")[:, 0]
    y[1:] = np.ascontiguousarray(octets[1:, 0:2]).view("<u2")[:, 0]
    return _packet(x, y, times[:, 0], times[:, 1], octets[:, 12])


def _packet(x: Any, y: Any, seconds: Any, nanoseconds: Any, polarity: Any) -> Packet:
    packet = np.empty(len(x), dtype=EVENT_DTYPE)
    packet.view("<i8").reshape(-1, 2)[:, 0] = seconds.astype(np.int64) * 1_000_000 + nanoseconds // 1000
    shorts = packet.view("<u2").reshape(-1, 8)
    shorts[:, 4], shorts[:, 5] = x, y
    packet.view("<i4").reshape(-1, 4)[:, 3] = polarity > 0  # with the padding after it
    return packet


def _libcaer(payload: memoryview, base_ns: int) -> Packet:
    """Decode libcaer's polarity events, eight bytes each, whose time is 31 bits after a base."""
    words = np.frombuffer(payload[: len(payload) // 8 * 8], dtype="<u4").reshape(-1, 2)
    address = words[:, 0].astype(np.int64)
    low = words[:, 1].astype(np.int64) & 0x7FFFFFFF
    begun = np.cumsum(np.diff(low, prepend=low[:1]) < 0)
    packet = np.empty(len(words), dtype=EVENT_DTYPE)
    pairs = packet.view(np.int64).reshape(-1, 2)
    pairs[:, 0] = (base_ns % (1 << 63)) // 1000 + low + begun * (_CAER_SPAN_NS // 1000)
    pairs[:, 1] = (address >> 17) | (((address >> 2) & 0x7FFF) << 16) | (((address >> 1) & 1) << 32)
    return packet


def _libcaer_cmp(payload: memoryview, base_ns: int) -> Packet:
    words = np.frombuffer(payload[: len(payload) // 2 * 2], dtype="<u2")
    out = np.empty((8 * len(words) + 1, 2), dtype=np.int64)
    events = _decode_libcaer_cmp(words, (base_ns % (1 << 63)) // 1000, out)
    return copy_packet(out[:events].view(EVENT_DTYPE).reshape(-1))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _decode_dvs_ros1(octets: Any, out: Any) -> None:
    """Decode rows of :data:`_DVS_ROS1`, thirteen bytes each, in one pass; NumPy needs one for each field."""
    for i in range(out.shape[0]):
        at = 13 * i
        pixel = np.int64(0)
        for byte in range(4):
            pixel |= np.int64(octets[at + byte]) << (8 * byte)
        seconds = nanoseconds = np.int64(0)
        for byte in range(4):
            seconds |= np.int64(octets[at + 4 + byte]) << (8 * byte)
            nanoseconds |= np.int64(octets[at + 8 + byte]) << (8 * byte)
        out[i, 0] = seconds * 1_000_000 + nanoseconds // 1000
        out[i, 1] = pixel | (np.int64(octets[at + 12] != 0) << 32)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _decode_libcaer_cmp(words: Any, base_us: int, out: Any) -> int:
    """Decode the compact form of libcaer's events: as EVT3, but columns first and rows in vectors."""
    high = low = x = base_y = polarity = np.int64(0)
    n = 0
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        kind = word >> 12
        if kind == 0:
            high = (word & 0xFFF) << 12
        elif kind == 1:
            low = word & 0xFFF
        elif kind == 2:
            x = word & 0x7FF
        elif kind == 3:
            out[n, 0] = base_us + (high | low)
            out[n, 1] = x | ((word & 0x7FF) << 16) | (((word >> 11) & 1) << 32)
            n += 1
        elif kind == 4:
            base_y = word & 0x7FF
            polarity = (word >> 11) & 1
        elif kind == 5:
            for bit in range(8):
                if word & (1 << bit):
                    out[n, 0] = base_us + (high | low)
                    out[n, 1] = x | (((base_y + bit) & 0x7FFF) << 16) | (polarity << 32)
                    n += 1
            base_y += 8
    return n
