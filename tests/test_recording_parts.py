"""Parts of recordings: what ends at a place and what begins there have every event once between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import join

from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

STEP_US = 500
COUNT = 4_000


def events_at(times: np.ndarray) -> Packet:
    """Events that are told apart by where they are."""
    packet = np.zeros(len(times), dtype=EVENT_DTYPE)
    packet["t"] = times + 10_000_000
    packet["x"], packet["y"] = np.arange(len(times)) % 100, np.arange(len(times)) // 100
    return packet


def written(path: Path, times: np.ndarray, packet: int) -> Path:
    whole = events_at(times)
    with Aedat4Writer(path, Resolution(128, 128)) as writer:
        for begin in range(0, len(whole), packet):
            writer.write(whole[begin : begin + packet])
    return path


def numbers(packet: Packet) -> list[int]:
    return (packet["x"].astype(int) + 100 * packet["y"].astype(int)).tolist()


@settings(max_examples=120, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, COUNT - 1), st.integers(1_001, 99_000), st.integers(1, 2_000)), max_size=6
    ),
    strays=st.lists(st.tuples(st.integers(1, COUNT - 70), st.integers(-900_000, 900_000)), max_size=4),
    noise=st.integers(0, 20_000),
    packet=st.integers(70, 1_500),
    at=st.floats(0.01, 0.99),
    seed=st.integers(0, 9),
)
def test_an_event_is_on_exactly_one_side_of_a_place(
    steps: list[tuple[int, int, int]],
    strays: list[tuple[int, int]],
    noise: int,
    packet: int,
    at: float,
    seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever steps back by less than 100 ms, for an event or for a second, and with strays among them."""
    dice = np.random.default_rng(seed)
    times = np.arange(COUNT, dtype=np.int64) * STEP_US
    times[1:] -= dice.integers(0, noise + 1, COUNT - 1)
    for begin, back, length in steps:
        times[begin : begin + length] -= back // len(steps)
    for number, off in strays:
        times[number] += off
    times[0] = times.min()
    path = written(tmp_path_factory.mktemp("part") / "a.aedat4", times, packet)
    first = ReplaySource(path, speed=None)
    duration_s = first.recording.duration_us / 1e6
    assert len(join(first.packets())) == COUNT
    cut_s = round(at * duration_s, 6)
    before = numbers(join(ReplaySource(path, speed=None, end_s=cut_s).packets()))
    after = numbers(join(ReplaySource(path, speed=None, start_s=cut_s).packets()))
    assert sorted(before + after) == list(range(COUNT))
    assert before == sorted(before)
    assert after == sorted(after)
    early = times[after] < times[0] + cut_s * 1e6 - 100_000
    assert strays or not early.any()


def test_a_clock_that_stays_back_a_little_counts_no_event_twice(tmp_path: Path) -> None:
    """50 ms back for good, just behind the place: 100 events were in both parts."""
    times = np.arange(COUNT, dtype=np.int64) * STEP_US
    times[2_050:] -= 50_000
    path = written(tmp_path / "a.aedat4", times, 200)
    before = numbers(join(ReplaySource(path, speed=None, end_s=1.0).packets()))
    after = numbers(join(ReplaySource(path, speed=None, start_s=1.0).packets()))
    assert sorted(before + after) == list(range(COUNT))
    assert before == list(range(2_000))
