"""What was undone to open a recording is given to one reader, once; every reader gets all events."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from making import SIZE, join, make_events, packet_places, same

from neuroclip_drivers.aedat4.format import Compression
from neuroclip_drivers.aedat4.reader import MAX_PACKET_EVENTS, Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_live.events import Packet

BROKEN = 200


def of_small_packets(path: Path, compression: Compression) -> tuple[Path, list[Packet]]:
    """Write 400 packets of 0 to 600 events, some of which jitter."""
    rng = np.random.default_rng(5)
    events = make_events(120_000)
    jitters = rng.integers(1, len(events), 500)
    events["t"][jitters] -= 15
    cuts = np.sort(rng.integers(0, len(events), 399))
    parts = [part for part in np.split(events, cuts)]
    with Aedat4Writer(path, SIZE, compression=compression) as writer:
        for part in parts:
            if len(part):
                writer.write_events(0, part)
    return path, [part for part in parts if len(part)]


@pytest.mark.parametrize("compression", [Compression.LZ4, Compression.ZSTD, Compression.NONE])
@pytest.mark.parametrize("damaged", [False, True])
def test_every_reader_gets_all_events(tmp_path: Path, compression: Compression, damaged: bool) -> None:
    path, parts = of_small_packets(tmp_path / "small.aedat4", compression)
    if damaged:
        position, _, size = packet_places(path)[BROKEN]
        data = bytearray(path.read_bytes())
        data[position + 8 : position + 8 + size] = b"\xff" * size
        path.write_bytes(data)
        del parts[BROKEN]
    recording = Recording(path)
    one, other = recording.read(), recording.read()
    first = list(itertools.islice(one, 1))
    second = list(itertools.islice(other, 2))  # goes through what the first has, and ahead of it
    late = recording.read(int(parts[150]["t"][0]))
    third = list(itertools.islice(late, 1))
    readers = [[*first, *one], [*second, *other], list(recording.read())]
    after = join([*third, *late])
    recording.close()
    whole = join(parts)
    for packets in readers:
        assert same(join(packets), whole)
        assert all(0 < len(packet) <= MAX_PACKET_EVENTS for packet in packets)
        assert all(packet.base is None for packet in packets)
    assert same(after, whole[len(whole) - len(after) :])
    assert after["t"][0] >= parts[150]["t"][0]
    assert bool(recording.losses) is damaged


def test_what_one_reader_does_to_its_packets_no_other_sees(tmp_path: Path) -> None:
    path, parts = of_small_packets(tmp_path / "small.aedat4", Compression.LZ4)
    recording = Recording(path)
    for packet in recording.read():
        packet["t"] = 0
    assert same(join(recording.read()), join(parts))
    recording.close()


@pytest.mark.parametrize("length", [40_000, 70_000, 900_000])
def test_a_header_may_be_long(tmp_path: Path, length: int) -> None:
    events = make_events(20_000)
    path = tmp_path / "long.aedat4"
    with Aedat4Writer(path, SIZE, "C" * length) as writer:
        writer.write(events)
    recording = Recording(path)
    assert recording.camera == "C" * length
    assert same(join(recording.read()), events)
    recording.close()
