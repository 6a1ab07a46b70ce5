from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroclip_live.events import EVENT_DTYPE, Packet
from neuroclip_live.stream.ordering import JITTER_US, LOOKAHEAD
from neuroclip_live.stream.ring import EventRing


def packet(times: list[int] | np.ndarray, first_x: int = 0) -> Packet:
    events = np.zeros(len(times), dtype=EVENT_DTYPE)
    events["t"] = times
    events["x"] = (first_x + np.arange(len(times))) % 30_000
    return events


def test_read_gives_what_was_written_in_order() -> None:
    ring = EventRing(100)
    ring.write(packet([1, 2, 3]), 10)
    ring.write(packet([3, 4]), 20)
    chunk = ring.read(0)
    assert chunk.events["t"].tolist() == [1, 2, 3, 3, 4]
    assert (chunk.start, chunk.end, chunk.epoch, chunk.lost) == (0, 5, 0, 0)
    assert len(ring.read(5).events) == 0


def test_a_lapped_reader_is_told_how_many_it_lost() -> None:
    ring = EventRing(10)
    ring.write(packet(range(7)), 0)
    ring.write(packet(range(7, 25)), 0)
    chunk = ring.read(3)
    assert chunk.lost == 12
    assert chunk.events["t"].tolist() == list(range(15, 25))


def test_packet_larger_than_the_ring_keeps_its_newest_events() -> None:
    ring = EventRing(4)
    ring.write(packet(range(11)), 0)
    assert ring.read(0).events["t"].tolist() == [7, 8, 9, 10]
    assert ring.status().written == 11


def test_time_going_back_opens_an_epoch_that_no_read_crosses() -> None:
    ring = EventRing(100)
    ring.write(packet([50_000, 51_000, 52_000]), 0)
    ring.write(packet(range(10, 10 + LOOKAHEAD)), 0)  # so many have to stay back
    assert ring.status().epochs == 0
    ring.write(packet([100]), 0)
    first = ring.read(0)
    second = ring.read(first.end)
    assert (first.epoch, first.events["t"].tolist()) == (0, [50_000, 51_000, 52_000])
    assert (second.epoch, second.events["t"].tolist()) == (1, [*range(10, 10 + LOOKAHEAD), 100])
    assert ring.latest(duration_us=10**9)["t"].tolist() == [*range(10, 10 + LOOKAHEAD), 100]


def test_step_back_inside_a_packet_opens_an_epoch_there() -> None:
    ring = EventRing(100)
    ring.write(packet([49_500, 50_000, *range(100, 101 + LOOKAHEAD)]), 0)
    assert [ring.read(c).epoch for c in (0, 2)] == [0, 1]


def test_jitter_keeps_the_events_and_counts_them() -> None:
    ring = EventRing(100)
    ring.write(packet([5_000, 5_000 - JITTER_US // 2, 5_100]), 0)
    ring.write(packet([5_050, 5_200]), 0)
    assert ring.read(0).events["t"].tolist() == [5_000, 5_000, 5_100, 5_100, 5_200]
    assert ring.status().clamped == 2
    assert ring.status().epochs == 0


def test_events_outside_the_sensor_are_dropped_and_counted() -> None:
    ring = EventRing(100, width=2, height=5)
    ring.write(packet([1, 2, 3, 4]), 0)
    assert ring.status().written == 2
    assert ring.status().outside == 2


def test_latest_by_duration_and_by_count() -> None:
    ring = EventRing(8)
    ring.write(packet(range(0, 200, 10)), 0)
    assert ring.latest(duration_us=25)["t"].tolist() == [170, 180, 190]
    assert ring.latest(count=2)["t"].tolist() == [180, 190]
    assert ring.latest(duration_us=10**9)["t"].tolist() == list(range(120, 200, 10))


def test_arrival_of_an_event_is_its_packets() -> None:
    ring = EventRing(100)
    assert ring.arrival_ns(0) is None
    for i in range(5):
        ring.write(packet([i * 10, i * 10 + 1]), 1_000 + i)
    assert [ring.arrival_ns(p) for p in (0, 1, 4, 9)] == [1_000, 1_000, 1_002, 1_004]
    assert ring.arrival_ns(10) is None


def test_a_ring_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        EventRing(0)


@settings(deadline=None)
@given(
    capacity=st.integers(1, 50),
    steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=20),
)
def test_counters_add_up_whatever_the_interleaving(capacity: int, steps: list[tuple[int, int]]) -> None:
    ring = EventRing(capacity)
    cursor = given_out = lost = written = 0
    for size, limit in steps:
        ring.write(packet(np.arange(written, written + size)), 0)
        written += size
        chunk = ring.read(cursor, limit)
        assert chunk.events["t"].tolist() == list(range(chunk.start, chunk.end))
        cursor, given_out, lost = chunk.end, given_out + len(chunk.events), lost + chunk.lost
    assert ring.status().written == written
    assert given_out + lost + (written - cursor) == written


def test_nothing_is_torn_while_writer_and_reader_race() -> None:
    ring, total, stop = EventRing(5_000), 400_000, threading.Event()

    def write() -> None:
        for start in range(0, total, 1_000):
            ring.write(packet(np.arange(start, start + 1_000), first_x=start), start)
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    cursor = seen = lost = 0
    while not stop.is_set() or cursor < total:
        chunk = ring.read(cursor)
        cursor, seen, lost = chunk.end, seen + len(chunk.events), lost + chunk.lost
        assert np.array_equal(chunk.events["t"], np.arange(chunk.start, chunk.end))
        assert np.array_equal(chunk.events["x"], chunk.events["t"] % 30_000)
    writer.join()
    assert seen + lost == total
