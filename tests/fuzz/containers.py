"""Recordings to begin with, and ones damaged from inside: the damage is compressed, framed and indexed.

A byte changed in a finished file mostly breaks the compression, and what lies behind it is never reached.
"""

from __future__ import annotations

import struct
import tempfile
from functools import cache
from pathlib import Path

import lz4.frame
import numpy as np
import zstandard

from neuroclip_drivers.aedat4.format import (
    EVENTS_PREFIX,
    MAGIC,
    Compression,
    header_of,
    parse_header,
    sensor_streams,
)
from neuroclip_drivers.aedat4.index import INDEX_DTYPE, index_payload
from neuroclip_drivers.aedat4.packing import compress
from neuroclip_drivers.aedat4.payloads import frame_payload
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.events import EVENT_DTYPE, Resolution

from .dice import Dice, mutate

SENSOR = Resolution(64, 48)
COMPRESSIONS = tuple(Compression)
TOKENS = (
    b"EVTS", b"FRME", b"FTAB", b"IOHE", MAGIC, EVENTS_PREFIX, b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd",
    b"<!DOCTYPE", b"<node", b"</node>", b"sizeX", b">99999999<", b">-1<", b"outInfo", b"&a;",
    *(struct.pack("<I", n) for n in (1 << 28, (1 << 28) - 64, 0x7FFFFFFF, 0xFFFFFFFF)),
    *(struct.pack("<q", n) for n in (1 << 28, 1 << 40, -1, 1 << 62, -(1 << 63))),
)  # fmt: skip


def some_events(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = 1_000_000 + np.sort(rng.integers(0, 100_000, count))
    events["x"], events["y"] = rng.integers(0, SENSOR.width, count), rng.integers(0, SENSOR.height, count)
    events["p"] = rng.integers(0, 2, count)
    return events


@cache
def whole_files() -> tuple[bytes, ...]:
    """Return small recordings, one of each compression, as the project writes them."""
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for compression in COMPRESSIONS:
            path = Path(folder) / "whole.aedat4"
            writer = Aedat4Writer(path, SENSOR, "seed", frames=True, compression=compression)
            writer.write(some_events(200, int(compression)))
            writer.write_frame(GrayFrame(1_050_000, np.arange(192, dtype=np.uint8).reshape(12, 16)))
            writer.close()
            files.append(path.read_bytes())
    return tuple(files)


def plain_header(name: str, size: Resolution, compression: Compression, frames: bool) -> bytes:
    return header_of(sensor_streams(name, size, frames=frames), compression)


@cache
def headers() -> tuple[bytes, ...]:
    return tuple(plain_header("seed", SENSOR, compression, True) for compression in COMPRESSIONS)


@cache
def event_payloads() -> tuple[bytes, ...]:
    made = []
    for number, count in enumerate((0, 1, 40, 300)):
        body = some_events(count, number).tobytes()
        made.append(struct.pack("<I", 28 + len(body)) + EVENTS_PREFIX + struct.pack("<I", count) + body)
    return tuple(made)


@cache
def frame_payloads() -> tuple[bytes, ...]:
    return (frame_payload(1_050_000, np.arange(192, dtype=np.uint8).reshape(12, 16)),)


@cache
def index_payloads() -> tuple[bytes, ...]:
    made = []
    for count in (0, 1, 5):
        rows = np.zeros(count, dtype=INDEX_DTYPE)
        rows["offset"], rows["size"], rows["count"] = 700 + 400 * np.arange(count), 392, 20
        made.append(index_payload(rows))
    return tuple(made)


@cache
def bomb(compression: Compression, mebibytes: int) -> bytes:
    """Return a small body that grows by a thousand and more."""
    zeros = bytes(mebibytes << 20)
    if compression in (Compression.LZ4, Compression.LZ4_HIGH):
        return bytes(lz4.frame.compress(zeros))
    return zstandard.ZstdCompressor().compress(zeros)


def recording(dice: Dice) -> bytes:
    """Return a recording that is damaged somewhere, or everywhere."""
    if dice.one_in(4):
        return mutate(dice.choose(whole_files()), dice, TOKENS, whole_files())
    compression = dice.choose(COMPRESSIONS)
    parts = [plain_header("seed", SENSOR, compression, True)]
    if dice.one_in(4):
        parts = [_bad_header(parts[0], dice)]
    position = len(parts[0])
    rows = []
    for _ in range(1 + dice.small(6)):
        stream, payload, count = 0, dice.choose(event_payloads()), 0
        if dice.one_in(4):
            stream, payload = 1, dice.choose(frame_payloads())
        count = int.from_bytes(payload[28:32], "little") if stream == 0 else 1
        if dice.one_in(2):
            payload = mutate(payload, dice, TOKENS, event_payloads())
        body = compress(payload, compression)
        if compression and dice.one_in(400):
            body = bomb(compression, 1 << dice.below(6))
        if dice.one_in(12):
            body = mutate(body, dice, TOKENS)
        size = dice.odd_number() % (1 << 31) if dice.one_in(20) else len(body)
        stream = dice.odd_number() % (1 << 31) if dice.one_in(40) else stream
        parts.append(struct.pack("<iI", stream % (1 << 31), size) + body)
        rows.append((position + 8, stream % (1 << 31), len(body), count, 1_000_000, 1_100_000))
        position += 8 + len(body)
    if dice.one_in(3):
        return b"".join(parts)[: dice.below(position + 1) if dice.one_in(2) else position]
    index = np.array(rows, dtype=INDEX_DTYPE)
    while dice.one_in(3):
        field = dice.choose(INDEX_DTYPE.names)
        value = dice.odd_number()
        index[field][dice.below(len(index))] = (
            value if INDEX_DTYPE[field].itemsize == 8 else value % (1 << 31)
        )
    data = index_payload(index)
    if dice.one_in(4):
        data = mutate(data, dice, TOKENS, index_payloads())
    parts.append(compress(data, compression))
    whole = bytearray(b"".join(parts))
    if len(parts[0]) > len(MAGIC) + 48:
        place = dice.odd_number() if dice.one_in(20) else position
        struct.pack_into("<q", whole, len(MAGIC) + 40, place)
    return bytes(whole)


def _bad_header(good: bytes, dice: Dice) -> bytes:
    body = mutate(good[len(MAGIC) + 4 :], dice, TOKENS, headers())
    return MAGIC + struct.pack("<I", len(body)) + body


def stream(dice: Dice) -> bytes:
    """Return what a server might send: a header without its first line, then packets without an index."""
    data = recording(dice)
    data = data.removeprefix(MAGIC) if not dice.one_in(8) else data
    try:
        end = parse_header(MAGIC + data).index_position - len(MAGIC)
    except Exception:  # noqa: BLE001 - anything at all may be wrong with it
        end = -1
    return data[:end] if 0 < end < len(data) and not dice.one_in(8) else data
