"""Threads that get in each other's way as often as can be: order kept, counts add up, nothing torn.

A second or two each; ``NEUROCLIP_STRESS_S=120`` makes it two minutes each.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fakes import SENSOR, FakeBackbone, ScriptedSource, wait_for

from neuroclip_live.events import EVENT_DTYPE, Packet
from neuroclip_live.prompting.prompts import PromptSet
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState
from neuroclip_live.stream.ring import EventRing
from neuroclip_live.stream.slicing import SliceBy

STRESS_S = float(os.environ.get("NEUROCLIP_STRESS_S", "1"))
HOP = 200


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Let Python change threads a thousand times as often as it does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def numbered(start: int, count: int) -> Packet:
    """Make events that carry their number in time and place, so that a torn one shows."""
    numbers = np.arange(start, start + count)
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"], events["x"] = numbers, numbers % SENSOR.width
    events["y"], events["p"] = numbers % SENSOR.height, numbers % 2
    return events


def check(events: Packet) -> None:
    """Fail unless events are whole, and follow one another."""
    if len(events):
        assert np.array_equal(events, numbered(int(events["t"][0]), len(events)))


class Crowd:
    """Threads that do something again and again until the end; what goes wrong in them is raised."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.errors: list[BaseException] = []
        self.threads: list[threading.Thread] = []

    def add(self, act: Callable[[], object]) -> None:
        def work() -> None:
            try:
                while not self.over.is_set():
                    act()
                    time.sleep(0)
            except BaseException as error:  # noqa: BLE001 - raised by end()
                self.errors.append(error)
                self.over.set()

        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)
        if self.errors:
            raise self.errors[0]


class Follower:
    """Reads a ring from the beginning, at most ``limit`` events at a time."""

    def __init__(self, ring: EventRing, limit: int) -> None:
        self.ring, self.limit = ring, limit
        self.cursor = self.seen = self.lost = 0

    def step(self) -> None:
        chunk = self.ring.read(self.cursor, self.limit)
        assert chunk.start == self.cursor + chunk.lost
        if len(chunk.events):
            assert int(chunk.events["t"][0]) == chunk.start
        check(chunk.events)
        self.cursor = chunk.end
        self.seen, self.lost = self.seen + len(chunk.events), self.lost + chunk.lost


def test_one_writer_and_many_readers_of_a_ring() -> None:
    ring, crowd, rng = EventRing(4_000), Crowd(), np.random.default_rng(0)
    followers = [Follower(ring, limit) for limit in (1, 97, 5_000)]
    for follower in followers:
        crowd.add(follower.step)
    crowd.add(lambda: check(ring.latest(count=700)))
    crowd.add(lambda: check(ring.latest(duration_us=900)))
    seen = [0]

    def look() -> None:
        status = ring.status()
        assert status.written >= seen[0]
        assert status.outside == status.clamped == status.epochs == 0
        assert status.last_t_us in (None, status.written - 1)
        seen[0] = status.written

    crowd.add(look)
    written, until = 0, time.monotonic() + STRESS_S
    while time.monotonic() < until and not crowd.over.is_set():
        count = int(rng.integers(1, 9_000)) if rng.integers(20) == 0 else int(rng.integers(1, 300))
        ring.write(numbered(written, count), written)
        written += count
    for follower in followers:
        wait_for(lambda f=follower: crowd.over.is_set() or f.cursor + 4_000 >= written, 60)
    crowd.end()
    assert ring.status().written == written
    for follower in followers:
        while follower.cursor < written:
            follower.step()
        assert follower.seen + follower.lost == written


class Numbered(ScriptedSource):
    """Gives numbered events as fast as they are taken, until it is told that it is over."""

    def __init__(self) -> None:
        super().__init__([], live=False)
        self.given, self.over = 0, threading.Event()

    def packets(self) -> Iterator[Packet]:
        rng = np.random.default_rng(0)
        while not (self.closed.is_set() or self.over.is_set()):
            count = int(rng.integers(1, 600))
            yield numbered(self.given, count)
            self.given += count


def test_a_pipeline_whose_commands_all_come_at_once() -> None:
    source, crowd = Numbered(), Crowd()
    by = SliceBy("count", count=HOP, overlap=1)
    settings = PipelineSettings(slice_by=by, wait_for_model=True)
    sets = [PromptSet.of(["a", "b"]), PromptSet.of(["a", "c", "d"]), PromptSet.of(["e"])]
    pipeline = Pipeline(source, lambda _: FakeBackbone(), sets[0], settings)
    last, turn, skipped, lost_lines = [0, 0], [0], [0], [0]

    def follow() -> None:
        for prediction in pipeline.predictions(after=last[0]):
            lost_lines[0] += prediction.number - last[0] - 1  # more came than are kept
            assert prediction.number > last[0]
            assert prediction.t_us >= last[1]
            assert prediction.events in (HOP, 0) or prediction.events < HOP
            last[:] = [prediction.number, prediction.t_us]
            skipped[0] += prediction.skipped

    def ask() -> None:
        turn[0] += 1
        pipeline.set_prompts(sets[turn[0] % 3])
        if turn[0] % 50 == 0:
            pipeline.change_timesteps(1 + turn[0] // 50 % 5)

    def look() -> None:
        status = pipeline.status()
        assert status.windows == status.predictions + status.skipped_windows
        assert status.dropped_events == status.outside_events == 0
        newest = pipeline.prediction()
        assert newest is None or set(newest.scores) <= set("abcde")
        pipeline.rescore()

    pipeline.start()
    try:
        for act in (follow, ask, look, lambda: check(pipeline.recent_events(500))):
            crowd.add(act)
        until = time.monotonic() + STRESS_S
        while time.monotonic() < until and not crowd.over.is_set():
            time.sleep(0.01)
        source.over.set()
        wait_for(lambda: crowd.over.is_set() or pipeline.status().state is PipelineState.ENDED, 100)
        crowd.end()
        follow()
        status = pipeline.status()
        assert status.total_events == source.given
        assert status.dropped_events == 0
        # shown, or passed over: every hop is accounted for, the last one may be short
        assert status.predictions + status.skipped_windows == -(-source.given // HOP)
        assert last[0] == status.predictions
        if not lost_lines[0]:
            assert skipped[0] == status.skipped_windows
    finally:
        crowd.over.set()
        pipeline.stop(20)
