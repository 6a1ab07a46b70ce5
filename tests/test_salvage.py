from __future__ import annotations

import random
import struct
import threading
from pathlib import Path

import dv_processing as dv
import numpy as np
import pytest
from making import SIZE, dv_recording, index_position, join, make_events, packet_places, same

from neuroclip_drivers.aedat4.decompression import Decompressor, decompress
from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import MAX_BODY_BYTES, Compression, parse_header
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet

aedat = pytest.importorskip("aedat")

COMPRESSIONS = list(dv.CompressionType.__members__.values())


@pytest.fixture
def events() -> Packet:
    return make_events(3000)


def play(path: Path) -> tuple[Packet, str]:
    source = ReplaySource(path, speed=None)
    given = join(source.packets())
    return given, source.status().message


def damaged(path: Path, contents: bytes) -> Path:
    other = path.with_name("damaged.aedat4")
    other.write_bytes(contents)
    return other


def aedat_count(path: Path) -> int:
    count = 0
    try:
        for packet in aedat.Decoder(path):
            count += len(packet.get("events", ()))
    except RuntimeError:
        pass  # its way of saying that the file ends here
    return count


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda c: c.name)
def test_cut_anywhere_every_whole_packet_is_played(
    tmp_path: Path, events: Packet, compression: dv.CompressionType
) -> None:
    path = dv_recording(tmp_path / "whole.aedat4", events, compression=compression)
    whole = path.read_bytes()
    places = packet_places(path)
    assert len(places) == 30
    ends = [position + 8 + size for position, _, size in places]
    cuts = [end + change for end in (ends[1], ends[17], ends[-1]) for change in (-1, 0, 1, 4, 8, 9)]
    for cut in (*cuts, index_position(path) + 10, len(whole) - 1):
        given, message = play(damaged(path, whole[:cut]))
        intact = 100 * sum(end <= cut for end in ends)
        assert len(given) >= max(intact, aedat_count(path.with_name("damaged.aedat4")))
        assert len(given) <= intact + 100 or cut >= ends[-1]
        assert same(given, events[: len(given)])
        assert bool(message) == (cut < ends[-1])


def test_says_how_much_is_lost(tmp_path: Path, events: Packet) -> None:
    path = dv_recording(tmp_path / "whole.aedat4", events)
    size = index_position(path)
    given, message = play(damaged(path, path.read_bytes()[: size // 2]))
    assert 1300 < len(given) < 1600
    assert message.startswith("the recording is damaged: ")
    assert "50.0 %, is lost; the rest is played" in message


def test_cut_before_the_first_packet(tmp_path: Path, events: Packet) -> None:
    path = dv_recording(tmp_path / "whole.aedat4", events)
    whole = path.read_bytes()
    for cut in (parse_header(whole).end, parse_header(whole).end + 20):
        with pytest.raises(UserError, match="is damaged: not one packet of events is left"):
            ReplaySource(damaged(path, whole[:cut]))


def test_real_recordings_cut_short_beat_the_package_aedat(tmp_path: Path, data_dir: Path) -> None:
    for path in sorted((data_dir / "recordings").rglob("*.aedat4")):
        whole = path.read_bytes()
        for share in (0.1, 0.6):
            cut = damaged(tmp_path / path.name, whole[: int(share * len(whole))])
            with pytest.raises(RuntimeError):
                dv.io.MonoCameraRecording(str(cut))
            given, message = play(cut)
            assert len(given) >= aedat_count(cut), path.name
            assert len(given) > 0
            assert "is lost" in message


def test_one_huge_packet_gives_what_precedes_the_cut(tmp_path: Path, data_dir: Path) -> None:
    path = data_dir / "recordings" / "davis346_wheel_cropped.aedat4"  # all of its events are in one packet
    cut = damaged(tmp_path / "wheel", path.read_bytes()[:700_000])
    given, _ = play(cut)
    assert aedat_count(cut) == 0
    assert 90_000 < len(given) < 193_472
    assert same(given, join(Recording(path).read())[: len(given)])


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda c: c.name)
@pytest.mark.parametrize("size", [0, -5, 1, 0x7FFFFFFF])
def test_a_wrong_size_costs_nothing(
    tmp_path: Path, events: Packet, compression: dv.CompressionType, size: int
) -> None:
    path = dv_recording(tmp_path / "whole.aedat4", events, compression=compression)
    data = bytearray(
        path.read_bytes()[: index_position(path)]
    )  # without the index, the walk must find its way
    struct.pack_into("<i", data, packet_places(path)[7][0] + 4, size)
    given, _ = play(damaged(path, bytes(data)))
    assert same(given, events)  # a packet's body tells its length as well


def test_an_unknown_stream_number_costs_one_packet(tmp_path: Path, events: Packet) -> None:
    path = dv_recording(tmp_path / "whole.aedat4", events)
    data = bytearray(path.read_bytes()[: index_position(path)])
    struct.pack_into("<i", data, packet_places(path)[7][0], 77)
    given, _ = play(damaged(path, bytes(data)))
    assert len(given) == 2900


def test_a_hole_costs_what_lies_in_it(tmp_path: Path, events: Packet) -> None:
    path = dv_recording(tmp_path / "whole.aedat4", events)
    data = bytearray(path.read_bytes())
    places = packet_places(path)
    first, last = places[10][0] + 50, places[15][0] + 50  # five whole packets, and two in part
    data[first:last] = bytes(last - first)
    for contents in (bytes(data), bytes(data[: index_position(path)])):
        given, message = play(damaged(path, contents))
        assert 2400 <= len(given) <= 2600
        assert set(given["t"]) <= set(events["t"])
        assert message


def test_flipped_bytes_that_kill_dv_processing_cost_one_packet(tmp_path: Path, data_dir: Path) -> None:
    path = data_dir / "recordings" / "objects_dvs128" / "mug.aedat4"
    data = bytearray(path.read_bytes())
    for position in range(1_000_000, 1_000_020):
        data[position] ^= 0x5A
    given, message = play(damaged(tmp_path / "mug", bytes(data)))
    assert len(given) == 351_078
    assert message.startswith("1 damaged packet was left out (about 139 events) (neuroclip-live repair ")


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda c: c.name)
def test_random_damage_never_breaks_out(
    tmp_path: Path, events: Packet, compression: dv.CompressionType
) -> None:
    path = dv_recording(tmp_path / "whole.aedat4", events[:1000], compression=compression)
    whole = path.read_bytes()
    rnd = random.Random(compression.value)
    for _ in range(150):
        data = bytearray(whole[: rnd.choice((len(whole), rnd.randrange(len(whole)) + 1))])
        low = rnd.choice((0, parse_header(whole).end, index_position(path)))
        for _ in range(rnd.choice((1, 4, 50))):
            data[rnd.randrange(min(low, len(data) - 1), len(data))] = rnd.randrange(256)
        try:
            recording = Recording(damaged(path, bytes(data)))
        except UserError:
            continue
        assert sum(map(len, recording.read())) <= 20_000
        recording.rate_histogram(10)
        sum(map(len, recording.read((recording.first_us + recording.last_us) // 2)))
        recording.close()


def test_a_body_that_swells_is_refused() -> None:
    import lz4.frame
    import zstandard

    nothing = bytes(MAX_BODY_BYTES + 1)
    for body, compression in (
        (lz4.frame.compress(nothing, store_size=True), Compression.LZ4),
        (lz4.frame.compress(nothing, store_size=False), Compression.LZ4),
        (zstandard.compress(nothing), Compression.ZSTD),
    ):
        assert len(body) < 2_000_000
        with pytest.raises(FormatError, match="larger than any camera makes"):
            decompress(body, compression)
        with pytest.raises(FormatError):
            Decompressor(compression)(body, expected=1000)


def test_a_reader_goes_on_after_damage() -> None:
    import lz4.frame

    undo = Decompressor(Compression.LZ4)
    good = lz4.frame.compress(b"abc" * 1000, store_size=False)
    for bad in (good[:-8], b"\0" * 50, good[:20] + b"\xff" * 20 + good[40:]):
        with pytest.raises(FormatError):
            undo(bad, 3000)
        assert undo(good, 3000) == b"abc" * 1000


def test_a_recording_that_was_never_closed(tmp_path: Path, events: Packet) -> None:
    path = tmp_path / "killed.aedat4"
    writer = Aedat4Writer(path, SIZE)
    writer.write(events)
    writer.flush()
    given, message = play(path)
    assert same(given, events)
    assert message == ""
    assert dv.io.MonoCameraRecording(str(path)).getEventResolution() == tuple(SIZE)
    writer.close()


@pytest.mark.parametrize("compression", [Compression.LZ4, Compression.ZSTD])
def test_several_threads_look_through_it_as_one_does(
    tmp_path: Path, compression: Compression, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = make_events(120_000)
    path = tmp_path / "long.aedat4"
    with Aedat4Writer(path, SIZE, compression=compression) as writer:
        for start in range(0, len(events), 2000):
            writer.write(events[start : start + 2000].copy())
            writer.flush()  # makes a packet of it
    places = packet_places(path)
    assert len(places) == 60
    data = bytearray(path.read_bytes()[: places[58][0] + 100])  # no index, and cut in the middle of a packet
    for position, _, size in (places[0], places[31]):
        data[position + 8 : position + 8 + size] = bytes(size)
    seen = []
    for threads in (1, 2, 4):
        monkeypatch.setattr("neuroclip_drivers.aedat4.event_packets.THREADS", threads)
        seen.append(play(damaged(path, bytes(data))))
    given, message = seen[0]
    whole = np.concatenate([events[2000:62_000], events[64_000:116_000]])
    assert same(given[: len(whole)], whole)
    assert message
    assert all(same(given, other) and message == said for other, said in seen[1:])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("undo")]


def test_a_file_that_shrinks_while_it_plays(tmp_path: Path) -> None:
    events = make_events(1_000_000)  # more than is kept from looking through it
    path = tmp_path / "shrinks.aedat4"
    with Aedat4Writer(path, SIZE) as writer:
        writer.write(events)
    source = ReplaySource(path, speed=None)
    packets = source.packets()
    first = next(packets)
    with path.open("r+b") as file:
        file.truncate(100_000)
    assert len(first) + len(join(packets)) < 1_000_000
    assert "left out" in source.status().message
