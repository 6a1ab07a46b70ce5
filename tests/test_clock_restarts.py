"""Recordings in which the camera's clock begins anew: all of it can be reached, at places along the file."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from making import SIZE, index_position, join, make_events, packet_places, same

from neuroclip_drivers.aedat4 import reader
from neuroclip_drivers.aedat4.format import Compression
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet

HALF_US = 500_000


def events_at(times: Sequence[int] | np.ndarray, seed: int = 0) -> Packet:
    events = make_events(len(times), seed=seed)
    events["t"] = times
    return events


def clock(count: int = 3000, start_us: int = 0, length_us: int = HALF_US) -> np.ndarray:
    return start_us + np.linspace(0, length_us, count).astype(np.int64)


def written(path: Path, events: Packet, packet: int = 100) -> Path:
    """Write packets of so many events, whatever their times."""
    with Aedat4Writer(path, SIZE) as writer:
        for start in range(0, len(events), packet):
            writer.write_events(0, events[start : start + packet])
    return path


def played(path: Path, start_s: float = 0.0, end_s: float | None = None) -> Packet:
    return join(ReplaySource(path, speed=None, start_s=start_s, end_s=end_s).packets())


@pytest.fixture(params=[100, 77, 1000, 6000], ids="packets of {}".format)
def restarted(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Packet]:
    """Half a second, and then half a second of a clock that began anew; also in the middle of a packet."""
    events = events_at(np.concatenate([clock(), clock()]))
    return written(tmp_path / "a.aedat4", events, request.param), events


@pytest.mark.parametrize("start_s", [0.0, 0.1, 0.4, 0.49, 0.5001, 0.6, 0.9])
def test_a_start_along_the_file_leaves_nothing_out(restarted: tuple[Path, Packet], start_s: float) -> None:
    path, events = restarted
    places = np.concatenate([clock(), clock() + HALF_US + 1])
    assert same(played(path, start_s), events[places >= round(start_s * 1e6)])


def test_an_end_along_the_file(restarted: tuple[Path, Packet]) -> None:
    path, events = restarted
    places = np.concatenate([clock(), clock() + HALF_US + 1])
    assert same(played(path, 0.4, 0.7), events[(places >= 400_000) & (places <= 700_000)])
    with pytest.raises(UserError, match=r"lasts 1\.00 s; there is nothing at 1\.1 s"):
        ReplaySource(path, start_s=1.1)


def test_what_the_index_or_its_absence_says_is_the_same(
    restarted: tuple[Path, Packet], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, events = restarted
    many = len(packet_places(path)) > 2  # a restart within the first packet of all is seen by looking only
    monkeypatch.setattr(reader, "_LOOKED_THROUGH", 0 if many else 1 << 20)
    late = np.concatenate([clock(), clock() + HALF_US + 1]) >= 600_000
    assert same(played(path, 0.6), events[late])
    at = index_position(path)
    path.write_bytes(path.read_bytes()[: at - (1 if many else 0)])  # never closed, cut off in its last packet
    assert same(played(path, 0.6)[:2000], events[late][:2000])


def test_the_seek_bar_covers_all_of_it(restarted: tuple[Path, Packet]) -> None:
    path, events = restarted
    for bins in (10, 60):
        histogram = ReplaySource(path).rate_histogram(bins)
        assert histogram.counts.sum() == len(events)
        assert (histogram.start_us, histogram.end_us) == (0, 2 * HALF_US + 1)
        if bins == 10:
            assert histogram.counts.min() > 500


def test_stepping_and_seeking_reach_every_event(restarted: tuple[Path, Packet]) -> None:
    path, events = restarted
    source = ReplaySource(path, speed=None)
    source.pause()
    packets = source.packets()
    assert len(next(packets)) == 0
    last_us = 2 * HALF_US + 1
    seen: set[str] = set()
    for place_us in [*range(40_000, last_us, 40_000), last_us]:
        source.step(40_000)
        given = [next(packets)]
        while len(given[-1]) or source.status().position_us != place_us:
            given.append(next(packets))
        seen.update(map(str, join(given).tolist()))
    source.resume()  # what lies at the very end is given once it goes on
    source.set_speed(None)
    seen.update(map(str, join(packets).tolist()))
    assert seen == set(map(str, events.tolist()))


def test_seeking_to_a_time_that_was_twice(restarted: tuple[Path, Packet]) -> None:
    path, _ = restarted
    source = ReplaySource(path, speed=None)
    source.pause()
    packets = source.packets()
    next(packets)
    source.seek(0.7)
    while source.status().position_us != 700_000:
        next(packets)
    assert source.time_place(300_000) == 300_000
    assert source.time_place(100_000) == HALF_US + 1 + 100_000  # of the two, the one that was played last


@pytest.mark.parametrize(
    "stale", [[3_600_000_000] * 30, [3_600_000_000, 100_000_000, 7_200_000_000], [900_000]]
)
def test_stale_events_before_the_first_good_one(tmp_path: Path, stale: list[int]) -> None:
    events = events_at(np.concatenate([np.array(stale), clock(6000)]))
    path = written(tmp_path / "a.aedat4", events)
    source = ReplaySource(path)
    status = source.status()
    assert status.start_us is not None
    assert status.end_us is not None
    assert 490_000 < status.end_us - status.start_us < 510_000
    late = played(path, 0.25)
    assert 0 <= len(late) - 3000 < 10 + len(stale)
    assert same(late, events[-len(late) :])
    assert same(played(path), events)


@pytest.mark.parametrize("away_us", [-99_000, -999_000, -3_600_000_000, 250_000, 3_600_000_000])
@pytest.mark.parametrize("burst", [1, 20])
def test_stray_time_stamps_move_nothing(tmp_path: Path, away_us: int, burst: int) -> None:
    times = 10_000_000_000 + clock(6000)
    events = events_at(times)
    for at in (700, 2050, 3900, 5000):
        events["t"][at : at + burst] += away_us
    source = ReplaySource(written(tmp_path / "a.aedat4", events))
    assert source.recording.duration_us == HALF_US
    good = events["t"] == times
    late = played(source.recording.path, 0.25)
    assert same(late, events[-len(late) :])
    expected = int((times >= times[0] + 250_000).sum())
    # the packet in which the start lies may give its strays too
    assert abs(len(late) - expected) <= 100 + burst
    assert int(good[-len(late) :].sum()) >= expected - 4 * burst


def test_frames_stand_where_their_clock_was(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, SIZE, frames=True) as writer:
        for turn in range(2):
            for number in range(10):
                writer.write(events_at(clock(300, 50_000 * number, 49_000)))
                writer.write_frame(
                    GrayFrame(50_000 * number, np.full((48, 64), 10 * turn + number, np.uint8))
                )
    recording = Recording(path)
    for place, value in ((0, 0), (260_000, 5), (499_001, 10), (499_001 + 260_000, 15), (999_000, 19)):
        frame = recording.frame_at(place)
        assert frame is not None
        assert (frame.image == value).all()
    assert [int(frame.image[0, 0]) for frame in recording.frames()] == list(range(20))


def test_the_writer_puts_no_two_clocks_into_a_packet(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat4"
    events = [events_at(clock(50, start, 900), seed=start) for start in (5_000_000, 5_001_000, 0, 1_000)]
    with Aedat4Writer(path, SIZE) as writer:
        for packet in events:
            writer.write(packet)
    recording = Recording(path)
    assert recording.is_indexed
    assert len(packet_places(path)) == 2
    assert same(join(recording.read()), join(events))
    assert recording.duration_us == 1_900 + 1 + 1_900


# ---- random clocks, against positions that the test works out itself


@st.composite
def clocks(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """(start, length, events) of each clock; each begins at least 0.2 s before the one before it ended."""
    made: list[tuple[int, int, int]] = []
    end = draw(st.integers(0, 1 << 31)) + 1_000_000
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(-1_000_000, max(end - 200_000, -1_000_000)))
        length = draw(st.integers(1_000, 3_000_000))
        made.append((start, length, draw(st.integers(80, 2000))))
        end = start + length
        if end - 200_000 < -1_000_000:
            break
    return made


@settings(deadline=None, max_examples=60)
@given(clocks(), st.integers(1, 400), st.sampled_from(list(Compression)), st.booleans(), st.floats(0, 1))
def test_every_place_is_reached_whatever_the_clocks(
    made: list[tuple[int, int, int]], packet: int, compression: Compression, indexed: bool, share: float
) -> None:
    times = [clock(count, start, length) for start, length, count in made]
    events = events_at(np.concatenate(times))
    places, shift = [times[0]], 0
    for part in times[1:]:
        shift = int(places[-1][-1]) + 1 - int(part[0])
        places.append(part + shift)
    place = np.concatenate(places)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.aedat4"
        with Aedat4Writer(path, SIZE, compression=compression) as writer:
            for start in range(0, len(events), packet):
                writer.write_events(0, events[start : start + packet])
        if not indexed:
            data = bytearray(path.read_bytes()[: index_position(path)])
            struct.pack_into("<q", data, 14 + 4 + 36, -1)
            path.write_bytes(data)
        recording = Recording(path)
        assert (recording.first_us, recording.last_us) == (place[0], place[-1])
        target = int(place[0] + share * (place[-1] - place[0]))
        assert same(join(recording.read(target)), events[int(np.argmax(place >= target)) :])
        assert recording.rate_histogram(20).counts.sum() == len(events)
        recording.close()
