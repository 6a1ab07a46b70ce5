from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dv_processing as dv
import numpy as np
import pytest
from making import SIZE, START_US, dv_events, dv_recording, join, make_events, same

from neuroclip_drivers.aedat4.reader import MAX_PACKET_EVENTS
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import MAX_WAIT_S, EventSource, SourceState
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def events() -> Packet:
    return make_events()


@pytest.fixture
def file(tmp_path: Path, events: Packet) -> Path:
    return write_aedat4(tmp_path / "tiny.aedat4", [events], SIZE).path


def until_due(source: ReplaySource, packets: Iterator[Packet]) -> Packet:
    """Take what is due now."""
    parts = []
    while len(packet := next(packets)):
        parts.append(packet)
    return join(parts)


@pytest.mark.parametrize("compression", list(dv.CompressionType.__members__.values()), ids=lambda c: c.name)
def test_gives_what_dv_processing_wrote(
    tmp_path: Path, events: Packet, compression: dv.CompressionType
) -> None:
    path = dv_recording(tmp_path / "dv.aedat4", events, compression=compression)
    source = ReplaySource(path, speed=None)
    assert isinstance(source, EventSource)
    assert source.resolution == SIZE
    assert source.name == "dv.aedat4"
    assert not source.live
    assert same(join(source.packets()), events)
    assert source.status().state is SourceState.ENDED


def test_every_real_recording_equals_a_plain_dv_loop(data_dir: Path) -> None:
    files = sorted((data_dir / "recordings").rglob("*.aedat4"))
    assert len(files) >= 10
    for path in files:
        source = ReplaySource(path, speed=None)
        reading = dv.io.MonoCameraRecording(str(path))
        assert tuple(source.resolution) == tuple(reading.getEventResolution())
        assert same(join(source.packets()), dv_events(path)), path
        assert source.recording.losses == ""


def test_seeking_agrees_with_dv_processing(data_dir: Path) -> None:
    path = data_dir / "recordings" / "objects_dvs128" / "mug.aedat4"
    source = ReplaySource(path, speed=None, start_s=7.0, end_s=7.5)
    first = source.recording.first_us
    reading = dv.io.MonoCameraRecording(str(path)).getEventsTimeRange(first + 7_000_000, first + 7_500_001)
    assert same(join(source.packets()), reading.numpy().view(EVENT_DTYPE))


def test_packets_own_their_memory_and_are_bounded(tmp_path: Path) -> None:
    many = make_events(200_000)
    path = write_aedat4(tmp_path / "many.aedat4", [many], SIZE).path
    for speed in (None, 100.0):
        packets = list(ReplaySource(path, speed=speed).packets())
        assert same(join(packets), many)
        for packet in packets:
            assert packet.flags.owndata
            assert packet.flags.writeable
            assert packet.dtype == EVENT_DTYPE
            assert len(packet) <= MAX_PACKET_EVENTS


def test_one_huge_packet_is_cut(tmp_path: Path) -> None:
    many = make_events(70_000)
    path = tmp_path / "huge.aedat4"
    writer = dv.io.MonoCameraWriter(str(path), dv.io.MonoCameraWriter.EventOnlyConfig("X_1", tuple(SIZE)))
    reading = dv.io.MonoCameraRecording(str(write_aedat4(tmp_path / "many.aedat4", [many], SIZE).path))
    whole = reading.getEventsTimeRange(START_US, START_US + 2_000_000).toPacket()
    writer.writeEventPacket(whole)
    del writer
    packets = list(ReplaySource(path, speed=None).packets())
    assert max(map(len, packets)) <= MAX_PACKET_EVENTS
    assert same(join(packets), many)


def test_pace_follows_the_timestamps(file: Path, events: Packet) -> None:
    clock = Clock()
    source = ReplaySource(file, speed=2.0, clock=clock)
    packets = source.packets()
    until_due(source, packets)
    clock.now += 0.1  # 0.2 s of the recording
    given = until_due(source, packets)
    times = given["t"] - START_US
    assert 150_000 < times.max() <= 200_000
    # A reader that stayed away finds everything that is due, unchanged and at once.
    clock.now += 0.25
    given = join([given, until_due(source, packets)])
    assert 650_000 < (given["t"] - START_US).max() <= 700_000
    assert same(given, events[: len(given)])


def test_real_time_is_kept(file: Path) -> None:
    source = ReplaySource(file, speed=4.0)
    begin = time.monotonic()
    for packet in source.packets():
        assert len(packet) <= MAX_PACKET_EVENTS
    assert 0.24 < time.monotonic() - begin < 20.0  # a busy machine may be late, never early


def test_silence_gives_empty_packets(tmp_path: Path) -> None:
    events = make_events(2)
    path = write_aedat4(tmp_path / "gap.aedat4", [events[:1], events[1:]], SIZE).path
    clock = Clock()
    packets = ReplaySource(path, clock=clock).packets()
    sizes = [len(next(packets)) for _ in range(3)]
    assert sizes == [1, 0, 0]
    clock.now += 1.0
    assert sum(map(len, packets)) == 1


def test_position_moves_through_silence(tmp_path: Path) -> None:
    events = make_events(2)
    path = write_aedat4(tmp_path / "gap.aedat4", [events[:1], events[1:]], SIZE).path
    clock = Clock()
    source = ReplaySource(path, clock=clock)
    packets = source.packets()
    until_due(source, packets)
    clock.now += 0.5
    next(packets)
    position = source.status().position_us
    assert position is not None
    assert abs(position - START_US - 500_000) < 20_000


def test_a_gap_of_hours_is_skipped_and_said(tmp_path: Path) -> None:
    events = make_events(10)
    events["t"][5:] += 3_600_000_000
    path = write_aedat4(tmp_path / "gap.aedat4", [events[:5], events[5:]], SIZE).path
    clock = Clock()
    source = ReplaySource(path, clock=clock, hold_at_end=True)
    packets = source.packets()
    given = until_due(source, packets)
    for _ in range(30):
        clock.now += 0.1
        given = join([given, until_due(source, packets)])
    assert "skipped a gap of 3600 s" in source.status().message
    assert len(given) == 10


def test_time_that_steps_back_inside_a_recording_goes_on(tmp_path: Path) -> None:
    events = make_events(1000, 500_000)
    twice = join([events, events])
    path = write_aedat4(tmp_path / "back.aedat4", [twice], SIZE).path
    begin = time.monotonic()
    assert same(join(ReplaySource(path, speed=10.0).packets()), twice)
    assert 0.08 < time.monotonic() - begin < 20.0


def test_start_and_end(file: Path, events: Packet) -> None:
    source = ReplaySource(file, speed=None, start_s=0.25, end_s=0.5)
    times = events["t"] - START_US
    wanted = events[(times >= 250_000) & (times <= 500_000)]
    assert same(join(source.packets()), wanted)
    status = source.status()
    assert (status.start_us, status.end_us) == (START_US + 250_000, START_US + 500_000)


def test_loop_goes_back_in_time(file: Path, events: Packet) -> None:
    source = ReplaySource(file, speed=None, loop=True)
    parts, total = [], 0
    for packet in source.packets():
        parts.append(packet)
        total += len(packet)
        if total >= 3 * len(events):
            source.close()
    assert same(join(parts), join([events] * 3))


def test_loop_can_be_ended_while_it_runs(file: Path, events: Packet) -> None:
    source = ReplaySource(file, speed=None, loop=True)
    packets = source.packets()
    next(packets)
    source.set_loop(False)
    assert sum(map(len, packets)) % len(events) < len(events)
    assert source.status().state is SourceState.ENDED


def test_loop_over_silence_does_not_spin(tmp_path: Path) -> None:
    events = make_events(3)
    path = write_aedat4(tmp_path / "gap.aedat4", [events], SIZE).path
    source = ReplaySource(path, speed=None, loop=True, start_s=0.6, end_s=0.9)
    packets = source.packets()
    begin = time.monotonic()
    assert [len(next(packets)) for _ in range(3)] == [0, 0, 0]
    assert time.monotonic() - begin > 2 * MAX_WAIT_S


def test_seek_while_playing(file: Path, events: Packet) -> None:
    source = ReplaySource(file, speed=None)
    packets = source.packets()
    next(packets)
    source.seek(0.9)
    times = events["t"] - START_US
    assert same(join(packets), events[times >= 900_000])


def test_what_comes_before_a_place_is_given_though_it_was_paused_only_after_it_was_sought(file: Path) -> None:
    source = ReplaySource(file, clock=Clock())
    assert not source.revisit()  # while it plays there is nothing to look at again
    packets = source.packets()
    next(packets)
    source.seek(0.7)
    source.pause()
    assert source.revisit()  # before the thread that reads got there
    shown = until_due(source, packets)["t"] - START_US
    assert 690_000 < shown.max() < 700_000
    assert source.jump.leads
    assert source.status().position_us == START_US + 700_000


def test_pause_seek_step_resume(file: Path, events: Packet) -> None:
    clock = Clock()
    source = ReplaySource(file, clock=clock)
    packets = source.packets()
    next(packets)
    source.pause()
    assert len(until_due(source, packets)) == 0
    assert source.status().state is SourceState.PAUSED
    clock.now += 100.0  # time does not pass for one that is paused
    assert len(until_due(source, packets)) == 0

    source.seek(0.7)
    shown = until_due(source, packets)["t"] - START_US
    assert 100_000 <= shown.min()  # as much before it as a decision wants
    assert 690_000 < shown.max() < 700_000
    assert source.status().position_us == START_US + 700_000

    source.step(20_000)
    shown = until_due(source, packets)["t"] - START_US
    assert 120_000 <= shown.min()
    assert 710_000 < shown.max() < 720_000
    source.step(-20_000)
    shown = until_due(source, packets)["t"] - START_US
    assert 100_000 <= shown.min()
    assert 690_000 < shown.max() < 700_000
    assert source.status().position_us == START_US + 700_000

    source.resume()
    clock.now += 0.1
    shown = until_due(source, packets)["t"] - START_US
    assert 700_000 <= shown.min()
    assert 750_000 < shown.max() <= 800_000


def test_speed_changes_take_effect_from_here(file: Path) -> None:
    clock = Clock()
    source = ReplaySource(file, speed=1.0, clock=clock)
    packets = source.packets()
    until_due(source, packets)
    clock.now += 0.1
    until_due(source, packets)
    source.set_speed(0.1)
    clock.now += 1.0
    shown = until_due(source, packets)["t"] - START_US
    assert 170_000 < shown.max() <= 200_000
    source.set_speed(None)
    assert (join(packets)["t"] - START_US).max() == 1_000_000


def test_a_window_can_hold_at_the_end(file: Path, events: Packet) -> None:
    source = ReplaySource(file, speed=None, hold_at_end=True)
    packets = source.packets()
    assert same(until_due(source, packets), events)
    assert source.status().state is SourceState.PAUSED
    assert "end of the recording" in source.status().message
    source.seek(0.99)
    assert len(until_due(source, packets)) > 0
    source.resume()
    assert len(until_due(source, packets)) > 0
    while source.status().state is not SourceState.PAUSED:
        next(packets)
    source.resume()
    assert same(until_due(source, packets), events)
    source.close()
    assert list(packets) == []


def test_range_can_be_changed(file: Path) -> None:
    source = ReplaySource(file, speed=None, loop=True)
    packets = source.packets()
    next(packets)
    source.set_range(0.2, 0.3)
    times = join([next(packets) for _ in range(4)])["t"] - START_US
    assert times.min() >= 200_000
    assert times.max() <= 300_000
    with pytest.raises(UserError, match="there is nothing at"):
        source.set_range(5.0, None)


def test_commands_from_other_threads(file: Path) -> None:
    source = ReplaySource(file, speed=20.0, loop=True)
    stop = threading.Event()

    def meddle() -> None:
        rng = np.random.default_rng(1)
        while not stop.is_set():
            source.seek(float(rng.random()))
            source.pause()
            source.set_speed(float(rng.uniform(0.1, 100)))
            source.status()
            source.resume()
            source.step(1000)
            source.resume()
            # Locks are not fair: a thread that only takes and gives one back starves the reader.
            stop.wait(0.001)

    thread = threading.Thread(target=meddle, daemon=True)
    thread.start()
    begin, last = time.monotonic(), time.monotonic()
    try:
        for packet in source.packets():
            assert time.monotonic() - last < 20.0
            last = time.monotonic()
            assert len(packet) == 0 or packet["t"].min() >= START_US
            if last - begin > 0.5:
                source.close()
    finally:
        stop.set()
    thread.join(timeout=20.0)
    assert not thread.is_alive()


def test_closing_wakes_a_sleeping_reader(file: Path) -> None:
    source = ReplaySource(file)
    source.pause()
    thread = threading.Thread(target=lambda: list(source.packets()), daemon=True)
    thread.start()
    time.sleep(0.05)
    source.close()
    source.close()
    thread.join(60.0)
    assert not thread.is_alive()


def test_frames_follow_the_position(tmp_path: Path, events: Packet) -> None:
    frames = [
        (START_US + 100_000 * k, np.full((SIZE.height, SIZE.width), 10 * k, dtype=np.uint8))
        for k in range(10)
    ]
    path = dv_recording(tmp_path / "davis.aedat4", events, frames=frames)
    clock = Clock()
    source = ReplaySource(path, clock=clock)
    packets = source.packets()
    until_due(source, packets)
    clock.now += 0.35
    until_due(source, packets)
    frame = source.latest_frame()
    assert frame is not None
    assert frame.t_us == START_US + 300_000
    assert (frame.image == 30).all()
    source.seek(0.05)
    until_due(source, packets)
    frame = source.latest_frame()
    assert frame is not None
    assert (frame.image == 0).all()


def test_color_frames_become_gray(tmp_path: Path, events: Packet) -> None:
    color = np.zeros((SIZE.height, SIZE.width, 3), dtype=np.uint8)
    color[:, :, 0], color[:, :, 1], color[:, :, 2] = 30, 60, 90
    path = dv_recording(tmp_path / "color.aedat4", events, frames=[(START_US, color)])
    frame = ReplaySource(path).latest_frame()
    assert frame is not None
    assert frame.image.shape == (SIZE.height, SIZE.width)
    assert (frame.image == 60).all()


def test_no_frames_where_there_are_none(file: Path) -> None:
    assert ReplaySource(file).latest_frame() is None


def test_events_of_a_crop_keep_the_sensor_size(data_dir: Path) -> None:
    source = ReplaySource(data_dir / "recordings" / "davis346_wheel_cropped.aedat4", speed=None)
    assert source.resolution == Resolution(346, 260)
    events = join(source.packets())
    assert np.ptp(events["x"]) < 100
    assert len(events) == 193_472


def test_rate_histogram(tmp_path: Path) -> None:
    events = make_events(20_000)
    path = write_aedat4(tmp_path / "a.aedat4", [events], SIZE).path
    source = ReplaySource(path)
    exact = source.rate_histogram(10)
    assert exact.counts.sum() == len(events)
    assert (np.abs(exact.counts - 2000) <= 1).all()
    from_index = source.rate_histogram(90)
    assert from_index.counts.sum() == len(events)
    assert (exact.start_us, exact.end_us) == (START_US, START_US + 1_000_000)


@pytest.mark.parametrize("field", ["start", "end", "both"])
def test_wrong_times_in_the_index_do_not_matter(tmp_path: Path, events: Packet, field: str) -> None:
    path = tmp_path / "wrong.aedat4"
    with Aedat4Writer(path, SIZE) as writer:
        writer.write(events)
        writer.flush()
        for number in range(0, len(writer._rows), 6):
            for column in {"start": (4,), "end": (5,), "both": (4, 5)}[field]:
                writer._rows[number + column] = 0
    source = ReplaySource(path, speed=None, start_s=0.5)
    times = events["t"] - START_US
    assert same(join(source.packets()), events[times >= 500_000])
    assert source.status().end_us == START_US + 1_000_000
    assert source.rate_histogram(10).counts.sum() == len(events)


def test_a_name_without_the_ending_plays(file: Path, events: Packet) -> None:
    other = file.rename(file.with_suffix(".bin"))
    assert same(join(ReplaySource(other, speed=None).packets()), events)


@pytest.mark.parametrize("speed", [0.0, 0.05, 101.0, -1.0, float("nan"), float("inf")])
def test_senseless_speed(file: Path, speed: float) -> None:
    with pytest.raises(UserError, match="speed"):
        ReplaySource(file, speed=speed)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (2.0, None, "lasts 1.00 s; there is nothing at 2 s"),
        (-1.0, None, "makes no sense"),
        (float("nan"), None, "makes no sense"),
        (0.5, 0.5, "not after the start"),
        (0.5, 0.1, "not after the start"),
    ],
)
def test_senseless_range(file: Path, start: float, end: float | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        ReplaySource(file, start_s=start, end_s=end)


def test_bad_files_are_told_apart(tmp_path: Path, events: Packet) -> None:
    def refused(path: Path, words: str) -> None:
        with pytest.raises(UserError) as caught:
            ReplaySource(path)
        message = str(caught.value)
        assert words in message
        assert str(path) in message
        assert "\n" not in message

    refused(tmp_path / "none.aedat4", "No such file")
    refused(tmp_path, "is a directory")
    for name, contents, words in (
        ("empty.aedat4", b"", "is empty (0 bytes)"),
        ("text.aedat4", b"hello, world\n" * 50, "is not a recording that is known here"),
        ("old.aedat4", b"#!AER-DAT1.0\r\n" + b"\0" * 100, "is an AEDAT 1.0 file"),
        ("zeros.aedat4", bytes(10_000), "is not a recording that is known here"),
    ):
        (tmp_path / name).write_bytes(contents)
        refused(tmp_path / name, words)
    whole = write_aedat4(tmp_path / "whole.aedat4", [events], SIZE).path.read_bytes()
    for cut in (1, 5, 14, 17, 18, 40, 300):
        (tmp_path / "cut.aedat4").write_bytes(whole[:cut])
        refused(tmp_path / "cut.aedat4", "is damaged: the header is cut off")
    with Aedat4Writer(tmp_path / "nothing.aedat4", SIZE):
        pass
    refused(tmp_path / "nothing.aedat4", "holds no events")
    config = dv.io.MonoCameraWriter.FrameOnlyConfig("TESTCAM_1", tuple(SIZE))
    writer = dv.io.MonoCameraWriter(str(tmp_path / "frames.aedat4"), config)
    writer.writeFrame(dv.Frame(START_US, np.zeros((SIZE.height, SIZE.width), dtype=np.uint8)))
    del writer
    refused(tmp_path / "frames.aedat4", "has no event stream (it holds frames)")


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("neuroclip_drivers.aedat4.file_check.os.open", refuse)
    with pytest.raises(UserError, match="permission denied"):
        ReplaySource(file)
