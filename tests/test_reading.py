"""Which slices inference takes when there are more than it has time for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from fakes import ScriptedSource, packet

from neuroclip_live.stream.capture import Capture
from neuroclip_live.stream.newest_slice_reader import BACKLOG_MS, Reader
from neuroclip_live.stream.slicing import MAX_SILENT_HOPS, SliceBy

BY_COUNT = SliceBy("count", count=200, overlap=2)
BY_TIME = SliceBy("time", time_us=2_000, overlap=2)


@pytest.fixture
def capture() -> Iterator[Capture]:
    made = Capture(ScriptedSource([]))
    yield made
    made.stop()


def busy_reader(capture: Capture, by: SliceBy, affordable: int) -> Reader:
    reader = Reader(capture, by, from_start=True)
    for _ in range(200):
        reader.took_ms(BACKLOG_MS / (affordable + 0.5))
    return reader


@pytest.mark.parametrize("by", [BY_COUNT, BY_TIME])
def test_a_flood_is_leapt_over_and_counted(capture: Capture, by: SliceBy) -> None:
    reader = busy_reader(capture, by, affordable=3)
    for number in range(500):  # one hop of 100 events, or ten of 1 ms, a packet
        capture.ring.write(packet(10_000 * number, 100, seed=number), 0)
    taken, passed_over = reader.take()
    hops = 500 if by is BY_COUNT else 5_000
    assert len(taken) == 3
    assert abs(len(taken) + passed_over - hops) <= 4
    newest = taken[-1]
    # the newest slice ends at the newest event, or one hop before it where time has not closed it
    assert newest.end_us > 500 * 10_000 - 2_000 - 100
    assert [b.index - a.index for a, b in itertools.pairwise(taken)] == [1, 1]


@pytest.mark.parametrize("by", [BY_COUNT, BY_TIME])
def test_what_was_overwritten_before_a_leap_is_dropped_and_counted(by: SliceBy) -> None:
    capture = Capture(ScriptedSource([]), capacity=10_000)
    reader = busy_reader(capture, by, affordable=3)
    for number in range(500):
        capture.ring.write(packet(10_000 * number, 100, seed=number), 0)
    taken, passed_over = reader.take()
    assert reader.dropped == 40_000
    hops = 100 if by is BY_COUNT else 1_000
    assert abs(len(taken) + passed_over - hops) <= 4


def test_a_leap_over_time_that_goes_back_counts_both_times(capture: Capture) -> None:
    reader = busy_reader(capture, BY_TIME, affordable=3)
    for number in [*range(200), *range(200)]:
        capture.ring.write(packet(10_000 * number, 100, seed=number), 0)
    taken, passed_over = reader.take()
    assert abs(len(taken) + passed_over - 4_000) <= 4
    assert reader.dropped == 0


def test_a_leap_over_an_hour_of_nothing_is_not_a_million_slices(capture: Capture) -> None:
    reader = busy_reader(capture, BY_TIME, affordable=3)
    for number in range(200):
        capture.ring.write(packet(10_000 * number + 3_600_000_000 * (number >= 100), 100, seed=number), 0)
    _, passed_over = reader.take()
    assert passed_over <= 20_000 + MAX_SILENT_HOPS


def test_a_leap_reads_little_of_what_it_passes_over(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = busy_reader(capture, BY_COUNT, affordable=3)
    for number in range(500):
        capture.ring.write(packet(10_000 * number, 100, seed=number), 0)
    read, copied = capture.ring.read, []

    def counting(cursor: int, limit: int):  # type: ignore[no-untyped-def]
        chunk = read(cursor, limit)
        copied.append(len(chunk.events))
        return chunk

    monkeypatch.setattr(capture.ring, "read", counting)
    reader.take()
    assert sum(copied) <= 1_000


def test_a_recording_is_never_leapt_over() -> None:
    capture = Capture(ScriptedSource([], live=False))
    reader = busy_reader(capture, BY_COUNT, affordable=3)
    for number in range(500):
        capture.ring.write(packet(10_000 * number, 100, seed=number), 0)
    taken, passed_over = reader.take()
    assert len(taken) + passed_over == 499  # every hop but the first brings a slice, no estimate
    capture.stop()


def test_what_there_is_time_for_is_taken_whole(capture: Capture) -> None:
    reader = busy_reader(capture, BY_COUNT, affordable=8)
    for number in range(8):
        capture.ring.write(packet(10_000 * number, 100, seed=number), 0)
    taken, passed_over = reader.take()
    assert (len(taken), passed_over) == (7, 0)
