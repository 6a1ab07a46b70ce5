"""Small files that ask for gigabytes or minutes: they get neither."""

from __future__ import annotations

import os
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fuzz.containers import event_payloads
from fuzz.server import sending
from making import SIZE, make_events, plain_header

from neuroclip_drivers.aedat4.decompression import decompress, largest
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import EVENTS_PREFIX, MAGIC, MAX_SIDE, Compression, parse_header
from neuroclip_drivers.aedat4.index import parse_index
from neuroclip_drivers.aedat4.packing import compress
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.network.source import NetworkSource
from neuroclip_drivers.source import SourceState
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution
from neuroclip_live.stream.ring import EventRing

MIB = 1 << 20


@contextmanager
def at_most(mebibytes: int) -> Iterator[None]:
    """Fail when Python and NumPy together take more memory inside than that."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mebibytes * MIB, f"{peak / MIB:.0f} MiB"


def framed(payload: bytes, compression: Compression, stream: int = 0) -> bytes:
    body = compress(payload, compression)
    return struct.pack("<ii", stream, len(body)) + body


def with_index(head: bytes, packets: bytes, index: bytes) -> bytes:
    data = bytearray(head + packets + index)
    struct.pack_into("<q", data, len(MAGIC) + 40, len(head) + len(packets))
    return bytes(data)


@pytest.mark.parametrize("compression", list(Compression))
def test_an_index_of_a_million_packets_in_a_file_of_one(tmp_path: Path, compression: Compression) -> None:
    head = plain_header("x", SIZE, compression, False)
    rows = 1_000_000
    index = struct.pack("<I4s2x3H", 16, b"FTAB", 6, 8, 4) + struct.pack("<iII", 6, 4, rows) + bytes(4 * rows)
    index = struct.pack("<I", len(index)) + index
    path = tmp_path / "index.aedat4"
    path.write_bytes(with_index(head, framed(event_payloads()[3], compression), compress(index, compression)))
    with at_most(40):
        recording = Recording(path)
        assert sum(map(len, recording.read())) == 300
        recording.close()
    with pytest.raises(FormatError, match="more tables than there can be"):
        parse_index(index)


def test_packets_that_unpack_to_megabytes_are_not_held_together(tmp_path: Path) -> None:
    one = event_payloads()[1]
    assert len(one) == 32 + 16
    path = tmp_path / "bombs.aedat4"
    bomb = framed(one + bytes(3 * MIB), Compression.ZSTD)
    path.write_bytes(plain_header("x", SIZE, Compression.ZSTD, False) + 60 * bomb)
    assert path.stat().st_size < 100_000
    with at_most(80):
        recording = Recording(path)
        assert sum(map(len, recording.read())) == 60
        recording.close()


def test_a_server_whose_packets_unpack_to_megabytes(tmp_path: Path) -> None:
    bomb = framed(event_payloads()[1] + bytes(3 * MIB), Compression.ZSTD)
    header = plain_header("x", SIZE, Compression.ZSTD, False).removeprefix(MAGIC)
    with sending(header + 60 * bomb, tmp_path / "socket") as address, at_most(80):
        source = NetworkSource(address, answer_s=20)
        events = 0
        for packet in source.packets():
            events += len(packet)
            if source.status().state is not SourceState.STREAMING:
                break
        source.close()
    assert events == 60


@pytest.mark.parametrize("compression", [Compression.ZSTD, Compression.LZ4])
def test_what_unpacks_to_more_than_any_camera_sends_is_refused(compression: Compression) -> None:
    body = compress(bytes(64 * MIB), compression)
    if compression is Compression.ZSTD:
        with at_most(40), pytest.raises(FormatError, match="larger than any camera"):
            decompress(body, compression)
    else:  # LZ4 cannot do it: 255 times at most
        assert len(decompress(body, compression)) <= largest(len(body))
    picture = bytes(
        4 * 1280 * 720
    )  # black, in four channels: shrinks to nearly nothing, and is none the worse
    assert decompress(compress(picture, compression), compression) == picture


def test_a_header_that_claims_a_gigapixel_sensor_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "wide.aedat4"
    write_aedat4(path, [make_events(500)], Resolution(32768, 32768))
    assert Recording(path).resolution == SIZE  # as large as its events need
    far = make_events(500)
    far["x"][7] = 32_000
    write_aedat4(path, [far], Resolution(32768, 32768))
    assert Recording(path).resolution == Resolution(MAX_SIDE, SIZE.height)


def test_declarations_in_another_encoding_are_seen() -> None:
    xml = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>'.encode("utf-16")
    good = plain_header("x", SIZE, Compression.NONE, False)
    body = good[len(MAGIC) + 4 : len(MAGIC) + 52] + struct.pack("<I", len(xml)) + xml
    with pytest.raises(FormatError, match="description of the streams"):
        parse_header(MAGIC + struct.pack("<I", len(body)) + body)


def test_heads_at_every_few_bytes_do_not_make_the_search_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = MIB
    head = plain_header("x", SIZE, Compression.LZ4, False)
    path = tmp_path / "dense.aedat4"
    for length in (size // 2, 2 * size):  # packets that end where none begins; that reach beyond the end
        one = struct.pack("<ii", 0, length) + b"\x04\x22\x4d\x18"
        path.write_bytes(head + one * (size // len(one)))
        read, pread = [], os.pread

        def counting(file: int, count: int, position: int, read: list[int] = read, pread=pread) -> bytes:  # type: ignore[no-untyped-def]
            data = pread(file, count, position)
            read.append(len(data))
            return bytes(data)

        monkeypatch.setattr(os, "pread", counting)
        with pytest.raises(UserError, match="damaged"):
            Recording(path)
        monkeypatch.undo()
        assert sum(read) < 12 * size


def test_times_as_far_apart_as_64_bits_allow_open_an_epoch() -> None:
    ring = EventRing(100)
    events = make_events(2 + 40)
    events["t"] = [2**63 - 2, 2**63 - 1, *range(-(2**63), -(2**63) + 40)]
    ring.write(events, 0)
    assert ring.status().epochs == 1
    assert (ring.status().clamped, ring.status().strays) == (0, 0)
    assert ring.read(0).events["t"].tolist() == [2**63 - 2, 2**63 - 1]
    assert ring.read(2).events["t"].tolist() == list(range(-(2**63), -(2**63) + 40))


def test_a_seek_bar_over_more_time_than_64_bits_hold(tmp_path: Path) -> None:
    events = make_events(40)
    events["t"][:20], events["t"][20:] = -(2**63) + 5, 2**63 - 5
    path = tmp_path / "long.aedat4"
    with Aedat4Writer(path, SIZE) as writer:
        writer.write(events[:20])
        writer.write(events[20:])
    counts = Recording(path).rate_histogram(8).counts
    assert counts.tolist() == [20, 0, 0, 0, 0, 0, 0, 20]


def test_writing_stops_no_earlier_than_reading(tmp_path: Path) -> None:
    """Identical events shrink most: what the project's own writer makes of them, its reader takes."""
    events = np.zeros(300_000, dtype=make_events(1).dtype)
    for compression in Compression:
        path = tmp_path / f"{compression.name}.aedat4"
        with Aedat4Writer(path, SIZE, compression=compression) as writer:
            writer.write(events)
        assert sum(map(len, Recording(path).read())) == len(events)
    assert EVENTS_PREFIX in event_payloads()[0]
