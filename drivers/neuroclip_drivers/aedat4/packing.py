"""From events in memory to the body of a packet as it lies in a file."""

from __future__ import annotations

import struct
import zlib

import lz4.frame
import numpy as np
import numpy.typing as npt
import zstandard

from neuroclip_drivers.aedat4.format import EVENTS_PREFIX, Compression
from neuroclip_live.events import Packet, copy_packet


def plain_rows(packet: Packet) -> npt.NDArray[np.uint8]:
    """Return events as they lie in a file, (N, 16) bytes of their own: the padding is zero."""
    raw: npt.NDArray[np.uint8] = copy_packet(packet).view(np.uint8).reshape(-1, 16)
    raw[:, 13:] = 0  # it holds whatever memory held before
    return raw


def event_payload(body: bytes, count: int) -> bytes:
    """Return the payload of a packet of ``count`` events, given their bytes."""
    return struct.pack("<I", 28 + len(body)) + EVENTS_PREFIX + struct.pack("<I", count) + body


def checksum(packet: Packet, before: int = 0) -> int:
    """Return the CRC-32 of events, continued from ``before``; how they are cut into packets plays no part."""
    return zlib.crc32(plain_rows(packet).tobytes(), before)


def compress(data: bytes, compression: Compression) -> bytes:
    """Compress a packet's payload to what lies in a file."""
    if compression is Compression.NONE:
        return data
    if compression in (Compression.LZ4, Compression.LZ4_HIGH):
        level = 9 if compression is Compression.LZ4_HIGH else 0
        return bytes(lz4.frame.compress(data, compression_level=level, store_size=False))
    return zstandard.ZstdCompressor(level=19 if compression is Compression.ZSTD_HIGH else 3).compress(data)


def event_body(packet: Packet, compression: Compression) -> bytes:
    """Return events as the body of a packet."""
    return compress(event_payload(plain_rows(packet).tobytes(), len(packet)), compression)
