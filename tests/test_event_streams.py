"""Recordings with several streams: which one is played, and that a repair keeps them all."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import dv_processing as dv
import lz4.frame
import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import SIZE, join, make_events, packet_places, same

from neuroclip_drivers.aedat4 import index_check
from neuroclip_drivers.aedat4.format import EVENTS_PREFIX, Compression, StreamInfo, parse_header
from neuroclip_drivers.aedat4.index import INDEX_DTYPE, index_payload
from neuroclip_drivers.aedat4.packing import compress
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet
from neuroclip_live.recording.repair import repair


def stream(number: int, name: str = "events", source: str = "Cam", kind: str = "EVTS") -> StreamInfo:
    return StreamInfo(number, kind, name, source, SIZE)


def recorded(
    path: Path,
    parts: list[tuple[int, Packet]],
    streams: list[StreamInfo],
    compression: Compression = Compression.LZ4,
) -> Path:
    """Write packets of several streams in turn."""
    with Aedat4Writer(path, SIZE, compression=compression, streams=streams) as writer:
        for number, events in parts:
            writer.write_events(number, events)
    return path


def halves(packets: int = 10) -> tuple[list[tuple[int, Packet]], Packet, Packet]:
    left, right = make_events(100 * packets, seed=1), make_events(100 * packets, seed=2)
    parts = []
    for start in range(0, 100 * packets, 100):
        parts += [(0, left[start : start + 100]), (1, right[start : start + 100])]
    return parts, left, right


STEREO = [stream(0, source="Left"), stream(1, name="events_1", source="Right")]


def test_the_first_stream_is_played_and_the_others_are_named(tmp_path: Path) -> None:
    parts, left, _ = halves()
    source = ReplaySource(recorded(tmp_path / "a.aedat4", parts, STEREO), speed=None)
    assert same(join(source.packets()), left)
    said = "plays event stream 0 'events' of Left, not 1 'events_1' of Right (choose with --stream)"
    assert source.status().message == said


@pytest.mark.parametrize("wanted", ["1", "events_1", "Right"])
def test_a_stream_is_chosen_by_number_name_or_camera(tmp_path: Path, wanted: str) -> None:
    parts, _, right = halves()
    source = ReplaySource(recorded(tmp_path / "a.aedat4", parts, STEREO), speed=None, stream=wanted)
    assert same(join(source.packets()), right)


def test_a_stream_without_events_gives_way_to_one_that_has_some(tmp_path: Path) -> None:
    parts, _, right = halves()
    path = recorded(tmp_path / "a.aedat4", [part for part in parts if part[0] == 1], STEREO)
    source = ReplaySource(path, speed=None)
    assert same(join(source.packets()), right)
    assert "plays event stream 1 'events_1' of Right; the others hold no events" in source.status().message


def test_a_stream_that_is_not_there_or_not_unique_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts, _, _ = halves()
    path = recorded(tmp_path / "a.aedat4", parts, [stream(0, source="L"), stream(1, source="R")])
    with pytest.raises(UserError, match=r"no event stream 'x'.*0 'events' of L; 1 'events' of R"):
        Recording(path, "x")
    with pytest.raises(UserError, match=r"several event streams called 'events'.*by its number"):
        Recording(path, "events")
    assert main(["--headless", "--replay", str(path), "--stream", "x", "-p", "a, b"]) == 2
    assert main(["--headless", "--simulate", "--stream", "1", "-p", "a, b"]) == 2
    assert "--stream is for a recording or a server" in capsys.readouterr().err


def test_a_recording_with_one_stream_says_nothing(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", [(0, make_events(300))], [stream(0)])
    assert ReplaySource(path).status().message == ""


def davis(path: Path) -> Path:
    """Have dv-processing record events, frames, inertial samples and triggers of one camera."""
    config = dv.io.MonoCameraWriter.DAVISConfig("DAVIS346_1", tuple(SIZE), dv.CompressionType.LZ4)
    writer = dv.io.MonoCameraWriter(str(path), config)
    events = make_events(2000)
    for number in range(20):
        store = dv.EventStore()
        for t, x, y, p in events[100 * number : 100 * number + 100].tolist():
            store.push_back(t, x, y, bool(p))
        writer.writeEvents(store)
        t_us = int(events["t"][100 * number])
        writer.writeFrame(dv.Frame(t_us, np.full((SIZE.height, SIZE.width), number, dtype=np.uint8)))
        # by packets: single ones are collected until there are many
        imu = dv.IMUPacket()
        imu.elements.append(dv.IMU(t_us, 20.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
        writer.writeImuPacket(imu)
        triggers = dv.TriggerPacket()
        triggers.elements.append(dv.Trigger(t_us, dv.TriggerType.EXTERNAL_SIGNAL_RISING_EDGE))
        writer.writeTriggerPacket(triggers)
    del writer
    return path


def test_a_repair_keeps_frames_inertial_samples_and_triggers(tmp_path: Path) -> None:
    path = davis(tmp_path / "a.aedat4")
    cut = int(0.7 * packet_places(path)[-1][0])
    path.write_bytes(path.read_bytes()[:cut])
    report = repair(path)
    assert report.path is not None
    reading = dv.io.MonoCameraRecording(str(report.path))
    frames = imu = triggers = 0
    while reading.getNextFrame() is not None:
        frames += 1
    while (batch := reading.getNextImuBatch()) is not None:
        imu += len(batch)
    while (batch := reading.getNextTriggerBatch()) is not None:
        triggers += len(batch)
    assert (frames, imu, triggers) == (report.frames, report.imu_samples, report.triggers)
    assert min(frames, imu, triggers) > 0
    assert "IMU samples" in str(report)


def test_a_repair_keeps_the_other_camera(tmp_path: Path) -> None:
    parts, left, right = halves()
    path = recorded(tmp_path / "a.aedat4", parts, STEREO)
    path.write_bytes(path.read_bytes()[: packet_places(path)[14][0]])  # seven packets of each
    report = repair(path)
    assert (report.events, report.event_streams) == (1400, 2)
    assert same(join(Recording(report.path, "0").read()), left[:700])
    assert same(join(Recording(report.path, "1").read()), right[:700])
    assert Recording(report.path).losses == ""


@pytest.mark.parametrize("count", [1, 2])
def test_a_stream_of_which_damage_left_nothing_gives_way(tmp_path: Path, count: int) -> None:
    """What precedes the damage lies off the sensor: there is a packet, and not one event."""
    off, good = make_events(50), make_events(100)
    off["x"] += SIZE.width
    path = recorded(tmp_path / "a.aedat4", [(0, off), (1, good)][:count], STEREO, Compression.NONE)
    position, _, _ = packet_places(path)[0]
    data = bytearray(path.read_bytes())
    data[position + 8 + 28] += 1  # it promises an event more than it holds
    path.write_bytes(data)
    if count == 2:
        assert same(join(Recording(path).read()), good)
        return
    with pytest.raises(UserError, match="is damaged: not one packet of events is left"):
        Recording(path)


# ---- random files, random damage, against a reader of the test's own


def unpack(body: bytes, compression: Compression) -> bytes:
    if compression is Compression.NONE:
        return body
    if compression in (Compression.LZ4, Compression.LZ4_HIGH):
        return lz4.frame.decompress(body)
    return zstandard.ZstdDecompressor().decompressobj().decompress(body)


def plain_reader(
    data: bytes, places: list[tuple[int, int, int]], number: int, by_index: bool
) -> list[tuple[int, Packet]]:
    """Return the events of all packets at known places that decompress and parse, with their places.

    Without an index a packet's own head has to tell its stream and size.
    """
    compression, found = parse_header(data).compression, []
    for position, told, size in places:
        if not by_index:
            told, told_size = struct.unpack_from("<ii", data.ljust(position + 8), position)
            if told_size != size:
                continue
        body = data[position + 8 : position + 8 + size]
        if told != number or len(body) < size:
            continue
        try:
            payload = unpack(body, compression)
        except (RuntimeError, EOFError, zstandard.ZstdError):
            continue
        count = struct.unpack_from("<I", payload, 28)[0] if len(payload) >= 32 else -1
        if payload[4:28] == EVENTS_PREFIX and len(payload) == 32 + 16 * count:
            found.append((position, np.frombuffer(payload, EVENT_DTYPE, count, 32)))
    return found


def check(given: Packet, intact: list[tuple[int, Packet]], damaged: int, most: int) -> None:
    """Require all events of intact packets, and between them at most what a damaged one still gives."""
    before = join(events for position, events in intact if position < damaged)
    after = join(events for position, events in intact if position >= damaged)
    assert same(given[: len(before)], before)
    assert same(given[len(given) - len(after) :], after)
    assert 0 <= len(given) - len(before) - len(after) <= most


LIES = ("lying streams", "empty", "passes over")


def lie(rows: np.ndarray, what: str, dice: random.Random) -> np.ndarray:
    """Return an index that says something else than the packets do, though it fits the file's length."""
    if what == "empty":
        return rows[:0]
    if what == "lying streams":
        for row in dice.sample(range(len(rows)), 5):
            rows["stream"][row] = (rows["stream"][row] + dice.randrange(1, 4)) % 4
        return rows
    row = dice.randrange(len(rows) - 1)
    rows["size"][row] = rows["offset"][row + 1] + rows["size"][row + 1] - rows["offset"][row]
    return np.delete(rows, row + 1)


@st.composite
def files(draw: st.DrawFn) -> tuple[Compression, int, int, str, str, int]:
    return (
        draw(st.sampled_from(list(Compression))),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 300)),
        draw(st.sampled_from(["right", "no counts", "lying counts", *LIES, "absent"])),
        draw(st.sampled_from(["none", "cut between", "cut", "hole", "doubled", "payload", "size", "number"])),
        draw(st.integers(0, 2**32 - 1)),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files())
def test_every_packet_that_is_intact_is_played(
    tmp_path: Path, case: tuple[Compression, int, int, str, str, int]
) -> None:
    compression, count, size, index, damage, seed = case
    rng, dice = np.random.default_rng(seed), random.Random(seed)
    parts: list[tuple[int, Packet]] = []
    for number in range(12):
        for which in range(count):
            events = make_events(size, 50_000, seed=number * 7 + which)
            events["t"] += 50_000 * number
            steps_back = rng.integers(0, size, 2)
            events["t"][steps_back] -= rng.integers(0, 500, 2)
            events["x"][rng.integers(0, size)] = SIZE.width + 3
            parts.append((which, events))
    streams = [stream(n, name=f"events_{n}") for n in range(count)]
    path = recorded(tmp_path / "a.aedat4", parts, streams, compression)
    places = packet_places(path)
    data = bytearray(path.read_bytes())
    at = parse_header(bytes(data)).index_position
    if index not in ("right", "absent"):
        rows = np.zeros(len(places), dtype=INDEX_DTYPE)
        for row, (position, number, length) in zip(rows, places, strict=True):
            row["offset"], row["stream"], row["size"] = position + 8, number, length
            row["count"] = 0 if index == "no counts" else dice.randrange(1 << 20)
        if index in LIES:
            rows = lie(rows, index, dice)
        data[at:] = compress(index_payload(rows), compression)
    elif index == "absent":
        del data[at:]
    position, _, length = places[dice.randrange(1, len(places))]
    if damage == "cut between":
        del data[position:]
    elif damage == "hole":
        data[position + 8 : position + 8 + length] = bytes(length)
    elif damage == "cut":  # in the middle of a packet: what precedes the cut in it may be had as well
        del data[position + 8 + dice.randrange(length) :]
    elif damage == "payload":
        for _ in range(dice.randrange(1, 4)):
            data[position + 8 + dice.randrange(length)] ^= dice.randrange(1, 256)
    elif damage in ("size", "number"):  # a packet's head: that packet cannot be told any more
        byte = position + (4 if damage == "size" else 0) + dice.randrange(4)
        data[byte] ^= dice.randrange(4, 256)  # never the number of another stream: nothing would tell
    elif damage == "doubled":  # a block of the disk twice: whole packets, seen twice
        block = 8 + length
        data[position:position] = data[position : position + block]
        twice = next(place for place in places if place[0] == position)
        places = [(at + block if at >= position else at, n, b) for at, n, b in places]
        places = sorted([twice, *places])
    path.write_bytes(bytes(data))
    whole = index in ("right", "no counts", "lying counts") and damage not in (
        "cut between",
        "cut",
        "doubled",
    )
    intact = [plain_reader(bytes(data), places, number, whole) for number in range(count)]
    most = size if damage in ("cut", "payload", "size", "number") else 0
    for number in range(count):
        if any(len(events) for _, events in intact[number]):
            check(join(Recording(path, str(number)).read()), intact[number], position, most)
    if damage != "none" or index == "absent":
        out = tmp_path / "out.aedat4"
        out.unlink(missing_ok=True)
        report = repair(path, out)
        if report.path is not None:
            wanted = sum(len(events) for packets in intact for _, events in packets)
            assert wanted <= report.events <= wanted + most


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("length", ["over three", "over all", "negative", "none", "short"])
def test_a_head_with_a_wrong_length_passes_over_nothing(
    tmp_path: Path, compression: Compression, length: str
) -> None:
    parts, left, right = halves()
    path = recorded(tmp_path / "a.aedat4", parts, STEREO, compression)
    data, places = bytearray(path.read_bytes()), packet_places(path)
    del data[parse_header(bytes(data)).index_position :]
    position, _, size = places[5]
    behind = places[8][0] - position - 8
    wrong = {
        "over three": behind,
        "over all": len(data) - position - 8,
        "negative": -1,
        "none": 0,
        "short": size - 3,
    }
    data[position + 4 : position + 8] = struct.pack("<i", wrong.get(length, size - 3))
    path.write_bytes(bytes(data))
    assert same(join(Recording(path, "0").read()), left)
    assert same(join(Recording(path, "1").read()), right)


@pytest.mark.parametrize("what", ["other streams", "unknown streams", "passes over"])
def test_an_index_of_many_packets_is_no_authority_either(tmp_path: Path, what: str) -> None:
    """So many that not all heads are read on opening: what the index says wrong is met when it is read."""
    pairs, lies = 9_000, 40
    events = make_events(4 * pairs)
    parts = [(n % 2, events[2 * n : 2 * n + 2]) for n in range(2 * pairs)]
    path = recorded(tmp_path / "a.aedat4", parts, STEREO, Compression.NONE)
    places = packet_places(path)
    if len(places) < 2 * pairs:
        pytest.fail("the writer joins packets")
    rows = np.zeros(len(places), dtype=INDEX_DTYPE)
    for row, (position, number, length) in zip(rows, places, strict=True):
        row["offset"], row["stream"], row["size"], row["count"] = position + 8, number, length, 2
    left = len(rows) - (lies if what == "passes over" else 0)
    # never one that is looked at on opening
    seen = set(np.linspace(0, left - 1, index_check._LOOKED_AT).astype(int).tolist())
    hidden = [n for n in range(1, left - 2) if n not in seen and n + 1 in seen][:lies]
    assert len(hidden) == lies
    if what == "passes over":
        longer = [n + before for before, n in enumerate(hidden)]
        for n in longer:
            rows["size"][n] += 8 + rows["size"][n + 1]
        rows = np.delete(rows, [n + 1 for n in longer])
    elif what == "unknown streams":
        rows["stream"][hidden] = 77
    else:
        rows["stream"][hidden] ^= 1
    data = bytearray(path.read_bytes())
    data[parse_header(bytes(data)).index_position :] = index_payload(rows)
    path.write_bytes(bytes(data))
    wanted = [join(part for number, part in parts if number == which) for which in (0, 1)]
    for number in (0, 1):
        recording = Recording(path, str(number))
        assert same(join(recording.read()), wanted[number])
        assert recording.losses == ""
        middle = recording.first_us + recording.duration_us // 2
        later = join(Recording(path, str(number)).read(middle))
        assert same(later, wanted[number][wanted[number]["t"] >= middle])


def test_frames_of_an_index_of_many_packets_are_held_against_their_heads(tmp_path: Path) -> None:
    """Packets of events are met when they are read; frames are looked for by the index alone."""
    total, every = 17_000, 500
    events = make_events(total)
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, SIZE, frames=True, compression=Compression.NONE) as writer:
        for n in range(total):
            writer.write_events(0, events[n : n + 1])
            if n % every == every // 2:
                picture = np.full((SIZE.height, SIZE.width), n // every, np.uint8)
                writer.write_frame(GrayFrame(int(events["t"][n]), picture))
    places = packet_places(path)
    frame_stream = next(s.number for s in parse_header(path.read_bytes()).streams if s.type_id == "FRME")
    rows = np.zeros(len(places), dtype=INDEX_DTYPE)
    for row, (position, number, length) in zip(rows, places, strict=True):
        row["offset"], row["stream"], row["size"], row["count"] = position + 8, number, length, 1
    seen = set(np.linspace(0, len(rows) - 1, index_check._LOOKED_AT).astype(int).tolist())
    frames = rows["stream"] == frame_stream
    hidden = [n for n in range(1, len(rows) - 1) if n not in seen and not frames[n]]
    rows["stream"][hidden[:50]] = frame_stream
    data = bytearray(path.read_bytes())
    data[parse_header(bytes(data)).index_position :] = index_payload(rows)
    path.write_bytes(bytes(data))
    recording = Recording(path)
    assert [int(f.image[0, 0]) for f in recording.frames()] == list(range(total // every))
    assert same(join(recording.read()), events)
    assert recording.losses == ""
