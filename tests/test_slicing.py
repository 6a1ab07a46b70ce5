from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.stream.slicing import MAX_SILENT_HOPS, Slice, SliceBy, Slicer, parse_slice

SENSOR = Resolution(10, 10)


def packet(times: list[int]) -> Packet:
    events = np.zeros(len(times), dtype=EVENT_DTYPE)
    events["t"] = times
    return events


def cut(by: SliceBy, *packets: Packet) -> list[Slice]:
    slicer = Slicer(by, SENSOR)
    position, made = 0, []
    for p in packets:
        made += slicer.push(p, position)
        position += len(p)
    return made + slicer.flush()


def times(slices: list[Slice]) -> list[list[int]]:
    return [s.events["t"].tolist() for s in slices]


def test_by_time() -> None:
    slices = cut(SliceBy("time", time_us=10, overlap=1), packet([0, 4, 9, 10, 19, 25]))
    assert times(slices) == [[0, 4, 9], [10, 19], [25]]
    assert [(s.start_us, s.end_us) for s in slices[:2]] == [(0, 10), (10, 20)]
    assert [s.end_position for s in slices] == [3, 5, 6]


def test_by_count() -> None:
    assert times(cut(SliceBy("count", count=2, overlap=1), packet([0, 1, 2, 3, 4]))) == [[0, 1], [2, 3], [4]]


def test_overlap_gives_one_slice_a_hop() -> None:
    slices = cut(SliceBy("count", count=4, overlap=2), packet(list(range(8))))
    assert times(slices) == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
    assert [s.index for s in slices] == [0, 1, 2]


def test_auto_ends_at_the_count_or_at_the_longest_time() -> None:
    by = SliceBy("auto", time_us=100, overlap=1)  # 10 x 10 pixels: 10 events
    fast, slow = list(range(20)), [40, 80, 150]
    assert times(cut(by, packet(fast + slow))) == [list(range(10)), list(range(10, 20)), [40, 80], [150]]


def test_a_new_epoch_forgets_the_open_hop() -> None:
    slicer = Slicer(SliceBy("count", count=3, overlap=1), SENSOR)
    assert slicer.push(packet([100, 101]), 0, epoch=0) == []
    (made,) = slicer.push(packet([5, 6, 7]), 2, epoch=1)
    assert made.events["t"].tolist() == [5, 6, 7]
    assert made.epoch == 1


def test_a_scene_at_rest_closes_its_slices_by_the_clock() -> None:
    slicer = Slicer(SliceBy("time", time_us=10, overlap=1), SENSOR)
    slicer.push(packet([0, 3]))
    assert [len(s.events) for s in slicer.advance(35)] == [2, 0, 0]
    late = slicer.push(packet([28, 41]), 2)
    assert times(late) == [[28]], "an event that comes late belongs to the open hop"


def test_silence_is_shown_but_an_hours_gap_is_jumped() -> None:
    by = SliceBy("time", time_us=10_000, overlap=1)
    assert [len(s.events) for s in cut(by, packet([0, 35_000]))] == [1, 0, 0, 1]
    assert len(cut(by, packet([0, 3_600_000_000]))) == 2 + MAX_SILENT_HOPS


@pytest.mark.parametrize("apart", [False, True], ids=["in one packet", "in two"])
def test_no_slice_reaches_back_over_a_long_silence(apart: bool) -> None:
    before, after = [0, 3, 7, 12], [3_600_000_000 + t for t in (0, 4, 9, 13, 19)]
    packets = [packet(before), packet(after)] if apart else [packet(before + after)]
    slices = cut(SliceBy("time", time_us=10, overlap=2), *packets)
    assert all(s.end_us - s.start_us <= 10 for s in slices)
    assert times(slices)[-1] == [after[-2], after[-1]]


@settings(deadline=None)
@given(
    steps=st.lists(st.integers(0, 30), min_size=1, max_size=200),
    cuts=st.lists(st.integers(0, 200), max_size=10),
    by=st.sampled_from(
        [
            SliceBy("time", time_us=20, overlap=2),
            SliceBy("count", count=6, overlap=3),
            SliceBy("auto", time_us=60, overlap=1),
            SliceBy("auto", time_us=60, overlap=2),
        ]
    ),
)
def test_slices_do_not_depend_on_packets(steps: list[int], cuts: list[int], by: SliceBy) -> None:
    events = packet(list(np.cumsum(steps)))
    bounds = [0, *sorted(min(c, len(events)) for c in cuts), len(events)]
    whole = cut(by, events)
    parts = cut(by, *(events[a:b] for a, b in itertools.pairwise(bounds)))
    assert times(parts) == times(whole)
    if by.overlap == 1:
        assert sum(len(s.events) for s in whole) == len(events)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", SliceBy()),
        ("50ms", SliceBy("time", time_us=50_000)),
        ("0.1s", SliceBy("time", time_us=100_000)),
        ("20000us", SliceBy("time", time_us=20_000)),
        ("5000", SliceBy("count", count=5_000)),
    ],
)
def test_parse(text: str, expected: SliceBy) -> None:
    assert parse_slice(text) == expected
    assert parse_slice(expected.describe()) == expected


@pytest.mark.parametrize("text", ["0", "0ms", "-5", "-3ms", "soon", "", "1h"])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(UserError):
        parse_slice(text)
