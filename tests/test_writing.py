from __future__ import annotations

import time
from pathlib import Path

import dv_processing as dv
import numpy as np
import pytest
from making import SIZE, START_US, dv_events, join, make_events, same, store_of

from neuroclip_drivers.aedat4.format import Compression
from neuroclip_drivers.aedat4.packing import checksum
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.verifying import verify_aedat4, write_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution, empty_packet


@pytest.mark.parametrize("compression", list(Compression), ids=lambda c: c.name)
def test_dv_processing_reads_what_is_written(tmp_path: Path, compression: Compression) -> None:
    events = make_events(5000)
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, SIZE, 'Cam <1> & "co"', frames=True, compression=compression) as writer:
        for start in range(0, 5000, 333):
            writer.write(events[start : start + 333])
            image = np.full((SIZE.height, SIZE.width), start // 333, dtype=np.uint8)
            writer.write_frame(GrayFrame(int(events["t"][start]), image))
        written = writer.close()
    assert (written.events, written.side) == (5000, {1: 16})
    assert written.bytes == path.stat().st_size - (path.stat().st_size - written.bytes)
    verify_aedat4(written)
    assert same(dv_events(path), events)
    reading = dv.io.MonoCameraRecording(str(path))
    assert reading.getCameraName() == 'Cam <1> & "co"'
    assert tuple(reading.getEventResolution()) == tuple(reading.getFrameResolution()) == tuple(SIZE)
    assert reading.getTimeRange() == (START_US, START_US + 1_000_000)
    some = reading.getEventsTimeRange(START_US + 200_000, START_US + 300_000)
    assert some.size() == np.count_nonzero(
        (events["t"] >= START_US + 200_000) & (events["t"] < START_US + 300_000)
    )
    for number in range(16):
        frame = reading.getNextFrame()
        assert frame.timestamp == events["t"][333 * number]
        assert (frame.image == number).all()
    assert Recording(path).camera == 'Cam <1> & "co"'


def test_the_package_aedat_reads_it_too(tmp_path: Path) -> None:
    aedat = pytest.importorskip("aedat")
    events = make_events(5000)
    path = write_aedat4(tmp_path / "a.aedat4", [events], SIZE).path
    decoder = aedat.Decoder(path)
    assert decoder.id_to_stream() == {0: {"type": "events", "width": 64, "height": 48}}
    times = np.concatenate([packet["events"]["t"] for packet in decoder])
    assert (times == events["t"]).all()


def test_checksum_does_not_see_packets_or_padding() -> None:
    events = make_events(1000)
    dirty = events.copy()
    dirty.view(np.uint8).reshape(-1, 16)[:, 13:] = 0xAB
    assert checksum(dirty) == checksum(events)
    assert checksum(events[500:], checksum(events[:500])) == checksum(events)
    assert checksum(events[1:]) != checksum(events)


def test_a_file_that_changed_is_found_out(tmp_path: Path) -> None:
    written = write_aedat4(tmp_path / "a.aedat4", [make_events(1000)], SIZE)
    write_aedat4(tmp_path / "a.aedat4", [make_events(1000, seed=1)], SIZE)
    with pytest.raises(UserError, match="does not read back"):
        verify_aedat4(written)


def test_memory_that_lay_between_the_fields_is_not_written(tmp_path: Path) -> None:
    events = make_events(1000)
    events.view(np.uint8).reshape(-1, 16)[:, 13:] = 0xAB
    with Aedat4Writer(tmp_path / "a.aedat4", SIZE, compression=Compression.NONE) as writer:
        writer.write(events)
    assert b"\xab\xab\xab" not in (tmp_path / "a.aedat4").read_bytes()


def test_nothing_and_empty_packets(tmp_path: Path) -> None:
    assert write_aedat4(tmp_path / "a.aedat4", [], SIZE).events == 0
    written = write_aedat4(tmp_path / "b.aedat4", [empty_packet(), make_events(1), empty_packet()], SIZE)
    assert written.events == 1
    assert len(dv_events(tmp_path / "b.aedat4")) == 1


def test_time_that_steps_back_is_kept(tmp_path: Path) -> None:
    events = make_events(100)
    both = join([events, events])
    path = write_aedat4(tmp_path / "a.aedat4", [both], SIZE).path
    assert same(join(Recording(path).read()), both)
    assert same(dv_events(path), both)


def test_full_disk_is_a_clear_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(UserError, match=r"Writing /dev/full failed: No space left on device"):
        Aedat4Writer("/dev/full", SIZE)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Cannot write .*: No such file or directory"):
        Aedat4Writer(tmp_path / "no" / "a.aedat4", SIZE)


def test_wrong_arrays_are_refused(tmp_path: Path) -> None:
    with Aedat4Writer(tmp_path / "a.aedat4", SIZE) as writer, pytest.raises(ValueError, match="a packet is"):
        writer.write(np.zeros(3))
    with (
        Aedat4Writer(tmp_path / "a.aedat4", SIZE) as writer,
        pytest.raises(ValueError, match="without a stream of frames"),
    ):
        writer.write_frame(GrayFrame(0, np.zeros((2, 2), dtype=np.uint8)))


def test_it_is_not_slow(tmp_path: Path) -> None:
    events = make_events(1_000_000)
    begin = time.thread_time()
    store_of(events[:100_000])
    one_by_one = 10 * (time.thread_time() - begin)
    times = []
    for number in range(3):
        begin = time.thread_time()
        write_aedat4(tmp_path / f"{number}.aedat4", [events], Resolution(64, 48), verify=False)
        times.append(time.thread_time() - begin)
    assert min(times) < one_by_one / 2  # a fifteenth, in truth
