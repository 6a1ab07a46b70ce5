"""Stray times, true restarts and silences are told apart, whatever the packets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stray_model import FOLLOWING, numbered, settle

from neuroclip_live.events import Packet, join_packets
from neuroclip_live.stream.ordering import JITTER_US, LOOKAHEAD, Ordering
from neuroclip_live.stream.ring import EventRing

MILLISECOND, HOUR = 1_000, 3_600_000_000


def through(
    times: list[int], sizes: list[int], anew: tuple[int, ...] = ()
) -> tuple[list[tuple[int, int]], Ordering]:
    """Return (time, epoch) of every event after a stream went in, in packets of these sizes over and over.

    ``anew``: events before which the source says that another time begins.
    """
    events, ordering = numbered(times), Ordering(1000, 1000)
    given: list[tuple[int, int]] = []
    parts: list[Packet] = []
    at = epoch = 0

    def take(pieces: list[tuple[Packet, bool]]) -> None:
        nonlocal epoch
        for piece, begins in pieces:
            epoch += begins
            parts.append(piece)
            given.extend((int(t), epoch) for t in piece["t"])

    for size in itertools.cycle(sizes):
        end = min([at + size, len(events), *(a for a in anew if a > at)])
        if at in anew:
            take(ordering.begin_anew())
            epoch += 1
        take(ordering.pieces(events[at:end]))
        assert ordering.held <= LOOKAHEAD
        at = end
        if at == len(events):
            break
    take(ordering.flush())
    assert ordering.held == 0
    if parts:
        out = join_packets(parts)
        for field in ("x", "y", "p"):  # every event is there, in its place
            assert np.array_equal(out[field], events[field])
    return given, ordering


# --- streams whose truth is known because they are made from it

STRAYS = st.tuples(
    st.just("strays"),
    st.integers(1, 30),  # of a burst
    st.sampled_from([-999, -99, -3, 3, 20, 99, 999, 3_600_000, -(1 << 22), 1 << 22]),  # ms
    st.booleans(),  # each of them elsewhere
)
RESTARTS = st.tuples(
    st.just("restart"), st.sampled_from([50 * MILLISECOND, 5_000_000, HOUR, 1 << 31, 1 << 32])
)
SILENCES = st.tuples(
    st.just("silence"), st.sampled_from([2 * MILLISECOND, 60 * MILLISECOND, 2_000_000, HOUR])
)
PARTS = st.lists(
    st.tuples(st.one_of(STRAYS, RESTARTS, SILENCES), st.integers(FOLLOWING + 1, 3 * FOLLOWING)), max_size=8
)
SIZES = st.lists(st.integers(1, 80), min_size=1, max_size=6)


def made(parts: list) -> tuple[list[int], list[tuple[int, int]], int]:  # type: ignore[type-arg]
    """Return the times of a stream, what should become of them, and how many are stray."""
    now, epoch, strays = 1 << 33, 0, 0
    times, truth = [], []

    def go_on(count: int) -> None:
        nonlocal now
        for _ in range(count):
            now += 7
            times.append(now)
            truth.append((now, epoch))

    go_on(FOLLOWING + 1)
    for (kind, *how), length in parts:
        if kind == "strays":
            for number in range(how[0]):
                times.append(
                    now
                    + how[1] * MILLISECOND
                    + (3_000 * number * (1 if how[1] > 0 else -1) if how[2] else number)
                )
                truth.append((now, epoch))
            strays += how[0]
        elif kind == "restart":
            now, epoch = now - how[0], epoch + 1
        else:
            now += how[0]
        go_on(length)
    return times, truth, strays


@settings(deadline=None, derandomize=True, max_examples=150)
@given(parts=PARTS, sizes=SIZES)
def test_strays_restarts_and_silences_among_each_other(parts, sizes) -> None:  # type: ignore[no-untyped-def]
    times, truth, strays = made(parts)
    given_out, ordering = through(times, sizes)
    assert given_out == truth  # the number of epochs, and that no event is lost, is in it
    assert (ordering.strays, ordering.clamped, ordering.outside) == (strays, 0, 0)
    assert (settle(times).events, settle(times).strays) == (truth, strays)  # the model says so too


# --- streams of which only the rule is known

STEPS = st.lists(
    st.sampled_from(
        [
            0,
            1,
            40,
            900,
            1_000,
            1_001,
            -1,
            -900,
            -1_001,
            2_000,
            -2_000,
            50_000,
            -50_000,
            99_000,
            -99_000,
            1 << 32,
            -(1 << 32),
            1 << 62,
            -(1 << 62),
        ]
    ),
    max_size=150,
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(steps=STEPS, repeats=st.integers(1, 40), sizes=SIZES, anew=st.sets(st.integers(0, 150), max_size=3))
def test_any_stream_in_any_packets_is_what_the_model_says(steps, repeats, sizes, anew) -> None:  # type: ignore[no-untyped-def]
    times, now = [], 0
    for step in steps:
        now = (now + step + (1 << 63)) % (1 << 64) - (1 << 63)
        times += [min(now + 3 * i, (1 << 63) - 1) for i in range(repeats if abs(step) > 900 else 1)]
    starts = tuple(a for a in sorted(anew) if 0 < a < len(times))
    given_out, ordering = through(times, sizes, starts)
    expected = settle(times, starts)
    assert given_out == expected.events
    assert (ordering.strays, ordering.clamped) == (expected.strays, expected.clamped)


# --- one by one


def stream(count: int, start: int = 1_000_000, step: int = 100) -> list[int]:
    return list(range(start, start + count * step, step))


def test_a_stray_is_given_out_as_soon_as_two_events_tell() -> None:
    ordering = Ordering()
    ordering.pieces(numbered(stream(10)))
    assert ordering.pieces(numbered([901_000])) == []
    assert ordering.pieces(numbered([1_001_000])) == []
    (piece, begins), *more = ordering.pieces(numbered([1_001_100]))
    assert piece["t"].tolist() == [1_000_900, 1_001_000, 1_001_100]
    assert not begins
    assert not more
    assert (ordering.strays, ordering.held) == (1, 0)


@pytest.mark.parametrize("stray", [-99_000, -3_600_000_000, 2_000, 49_000, 99_000, 3_600_000_000])
def test_a_stray_at_the_very_end_is_no_epoch(stray: int) -> None:
    times = stream(100)
    times[-1] += stray
    given_out, ordering = through(times, [30])
    assert {epoch for _, epoch in given_out} == {0}
    assert ordering.strays == (stray < 0)  # ahead it might be the end of a silence


@pytest.mark.parametrize("back", [1_500, 5_000, 10_000])
@pytest.mark.parametrize("count", [1, 40, 300])
def test_a_packet_that_was_overtaken_is_late_and_begins_no_epoch(back: int, count: int) -> None:
    times = stream(1000)
    late = [times[400] - back + i for i in range(count)]
    given_out, ordering = through([*times[:401], *late, *times[401:]], [64])
    assert {epoch for _, epoch in given_out} == {0}
    assert ordering.strays + ordering.clamped == count


def test_a_burst_just_ahead_takes_time_with_it_and_begins_no_epoch() -> None:
    burst = [1_616, 1_048, 1_718, 1_856, 1_817, 1_164, 1_090, 2_456, 1_808, 2_901, 2_265, 1_965]
    after = stream(400, start=1_000_000, step=40)
    given_out, _ = through([*stream(100, 996_000, 40), *(1_000_000 + t for t in burst), *after], [50])
    assert {epoch for _, epoch in given_out} == {0}


def test_time_that_stays_back_is_an_epoch_once_enough_say_so() -> None:
    ring = EventRing(1_000)
    ring.write(numbered(stream(100)), 1)
    ring.write(numbered(stream(LOOKAHEAD, start=0)), 2)
    assert (ring.status().epochs, ring.status().held) == (0, LOOKAHEAD)
    ring.write(numbered([LOOKAHEAD * 100]), 3)
    status = ring.status()
    assert (status.epochs, status.held, status.strays, status.written) == (1, 0, 0, 100 + LOOKAHEAD + 1)


def test_a_source_that_says_so_begins_an_epoch_at_once() -> None:
    ring = EventRing(1_000)
    for number, start in enumerate((1_000_000, 0, 20_000_000, 20_000_500)):  # back, ahead, as if nothing were
        if number:
            assert ring.begin_epoch() == number
        ring.write(numbered(stream(5, start)), 1)
    ring.write(numbered([0]), 1)  # held
    assert ring.begin_epoch() == 4
    status = ring.status()
    assert (status.epochs, status.held, status.strays, status.written) == (4, 0, 1, 21)


def test_what_comes_after_a_silence_is_held_no_longer_than_asked() -> None:
    ring = EventRing(1_000)
    ring.write(numbered(stream(100)), 1_000)
    ring.write(numbered([5_000_000, 5_000_010]), 2_000)
    ring.write(numbered([5_000_020]), 3_000)
    ring.settle_silence(1_999)
    assert (ring.status().written, ring.status().held) == (100, 3)
    ring.settle_silence(2_500)
    assert (ring.status().written, ring.status().held, ring.status().epochs) == (103, 0, 0)
    assert [ring.arrival_ns(at) for at in (99, 100, 101, 102)] == [1_000, 2_000, 2_000, 3_000]
    ring.write(numbered([1_000_000]), 4_000)  # from the past: it waits for as long as it takes
    ring.settle_silence(9_999)
    assert (ring.status().written, ring.status().held) == (103, 1)
    ring.flush()
    assert (ring.status().written, ring.status().strays) == (104, 1)


def test_events_are_known_by_when_they_came_also_those_held_back() -> None:
    ring = EventRing(1_000)
    ring.write(numbered(stream(10)), 10)
    ring.write(numbered([901_000]), 20)
    ring.write(numbered([1_001_000]), 30)
    ring.write(numbered([1_001_100, 1_001_200]), 40)
    assert [ring.arrival_ns(at) for at in (9, 10, 11, 12, 13)] == [10, 20, 30, 40, 40]


def test_jitter_either_way_is_not_doubted() -> None:
    times = [1_000_000, 1_000_000 + JITTER_US, 1_000_000, 1_000_000 + 2 * JITTER_US]
    given_out, ordering = through(times, [1])
    assert [t for t, _ in given_out] == [1_000_000, 1_001_000, 1_001_000, 1_002_000]
    assert (ordering.clamped, ordering.strays) == (1, 0)
