"""Reading ahead, and slicing a whole recording without the ring."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from fakes import SENSOR, ScriptedSource, packet, wait_for

from neuroclip_live.cli.malloc_tuning import keep_memory
from neuroclip_live.events import join_packets
from neuroclip_live.recognition.replay_all import Totals, slices_of
from neuroclip_live.stream.read_ahead import read_ahead
from neuroclip_live.stream.slicing import SliceBy


def test_read_ahead_keeps_the_order() -> None:
    assert list(read_ahead(range(1000), depth=3)) == list(range(1000))


def test_what_the_items_raise_comes_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the disk is gone")

    taken = read_ahead(items())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="the disk is gone"):
        next(taken)


def test_leaving_early_ends_the_thread_and_the_items() -> None:
    ended = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            ended.set()

    taken = read_ahead(items(), depth=2)
    next(taken)
    taken.close()
    wait_for(lambda: not any(thread.name == "read-ahead" for thread in threading.enumerate()))


def test_it_does_not_read_further_ahead_than_it_may() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    taken = read_ahead(items(), depth=4)
    assert next(taken) == 0
    wait_for(lambda: len(made) >= 5)
    time.sleep(0.2)
    assert len(made) <= 7  # one taken, four waiting, one in each hand
    taken.close()


def test_slices_do_not_depend_on_packets_and_counters_add_up() -> None:
    stream = [packet(1_000 * i, 10, seed=i) for i in range(60)]
    outside = packet(60_000, 4)
    outside["x"] = SENSOR.width
    whole = join_packets([*stream, outside])
    by = SliceBy("time", time_us=10_000, overlap=2)
    seen = []
    for packets in ([*stream, outside], [whole], [whole[i : i + 7] for i in range(0, len(whole), 7)]):
        totals = Totals()
        slices = list(slices_of(ScriptedSource(packets), by, totals))
        assert totals.events == 600
        seen.append([(s.start_us, s.end_us, s.end_position, s.events.tolist()) for s in slices])
    assert seen[0] == seen[1] == seen[2]


def test_no_slice_mixes_two_times() -> None:
    first, second = packet(50_000, 100), packet(0, 100)
    by = SliceBy("time", time_us=4_000, overlap=1)
    slices = list(slices_of(ScriptedSource([join_packets([first, second])]), by, Totals()))
    assert {s.epoch for s in slices} == {0, 1}
    assert all(np.ptp(s.events["t"]) < 4_000 for s in slices)


def test_memory_is_kept_only_where_the_environment_does_not_say_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    assert not keep_memory()
    monkeypatch.delenv("MALLOC_ARENA_MAX")
    monkeypatch.setattr("sys.platform", "win32")
    assert not keep_memory()
