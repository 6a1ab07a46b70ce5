"""What was undone to open a recording is given to one reader, once; every reader gets all events."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from event_files import evt21_file, scene
from making import SIZE, join, make_events, packet_places, same

from neuroclip_drivers.aedat4.format import Compression
from neuroclip_drivers.aedat4.reader import MAX_PACKET_EVENTS, Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.files.open_file import open_event_file
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


@pytest.mark.parametrize("count", [5_000, 600_000])
def test_a_file_without_an_index_is_read_alike_by_all_and_its_damage_is_told(
    tmp_path: Path, count: int
) -> None:
    """Also where it is so short that the first who reads gets what was decoded to open it."""
    events = scene(count=count)
    path = evt21_file(tmp_path / "scene.raw", events)
    data = bytearray(path.read_bytes())
    begin = data.index(b"% end\n") + 6
    words = np.frombuffer(data, dtype="<u8", offset=begin)
    word = int(np.flatnonzero(words[: len(words) // 3] >> 60 < 2)[-1])  # one of events
    data[begin + 8 * word + 7] |= 0x50  # becomes a word of no known kind
    path.write_bytes(data)
    file = open_event_file(path)
    assert file.losses == ""
    one, other = file.read(), file.read()
    first = next(one)
    seconds = list(other)
    firsts = [first, *one]
    assert "1 damaged part was left out" in file.losses
    third = join(file.read())
    file.close()
    lost = int(words[word] & 0xFFFFFFFF).bit_count()
    assert len(third) == len(events) - lost
    for packets in (firsts, seconds):
        assert same(join(packets), third)
        assert all(0 < len(packet) <= MAX_PACKET_EVENTS for packet in packets)
