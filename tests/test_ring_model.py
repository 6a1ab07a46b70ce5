"""The ring against a plain list, whatever is done to both in whatever order.

What becomes of times is the matter of :mod:`stray_model`; here it is held against a ring that is written to,
read and asked in between, and holds events back.
"""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from stray_model import settle

from neuroclip_live.events import EVENT_DTYPE
from neuroclip_live.stream.ordering import JITTER_US, LOOKAHEAD
from neuroclip_live.stream.ring import EventRing

STEPS = st.lists(st.sampled_from([0, 1, 7, 300, -1, -400, -JITTER_US, -5_000, 20_000]), max_size=12)
LEAPS = st.sampled_from([-5_000, -1_000_000, 2_000, 99_000])
READERS = 3


class RingAndList(RuleBasedStateMachine):
    """The list keeps (time, x, epoch, arrival) of every event that lay on the sensor and is decided about."""

    @initialize(capacity=st.integers(1, 90), narrow=st.booleans())
    def begin(self, capacity: int, narrow: bool) -> None:
        self.width = 20 if narrow else None
        self.ring = EventRing(capacity, width=self.width, height=4 if narrow else None)
        self.came: list[tuple[int, int, int]] = []  # raw time, x, arrival
        self.clock = self.number = self.outside = 0
        self.raw = 1_000_000
        self.starts: list[int] = []  # events at which the source said that time begins anew
        self.all: list[tuple[int, int, int, int]] = []
        self.strays = 0
        self.cursors = [0] * READERS
        self.seen, self.lost = [0] * READERS, [0] * READERS

    @property
    def oldest(self) -> int:
        return max(0, len(self.all) - self.ring.capacity)

    @property
    def epoch(self) -> int:
        begun = sum(at >= len(self.all) for at in self.starts)  # without an event so far
        return (self.all[-1][2] if self.all else 0) + begun

    @rule(steps=STEPS)
    def write(self, steps: list[int]) -> None:
        self.clock += 1
        events = np.zeros(len(steps), dtype=EVENT_DTYPE)
        for i, step in enumerate(steps):
            self.raw += step
            events["t"][i] = self.raw
            events["x"][i] = self.number % 30
            self.number += 1
        self.ring.write(events, self.clock)
        for t, x in self.as_list(events):
            if self.width is not None and x >= self.width:
                self.outside += 1
            else:
                self.came.append((t, x, self.clock))
        self.decide()

    @rule(leap=LEAPS, back=st.integers(0, 1), count=st.integers(1, 50))
    def leap(self, leap: int, back: int, count: int) -> None:
        """Time goes elsewhere, for a few events or for good."""
        self.write([leap, *[5] * count, *[-leap] * back])

    @rule()
    def begin_epoch(self) -> None:
        number = self.ring.begin_epoch()
        self.starts.append(len(self.came))
        self.decide()
        assert number == self.epoch

    def decide(self) -> None:
        settled = settle([t for t, _, _ in self.came], self.starts, final=False)
        self.all = [
            (t, x, epoch, arrival)
            for (t, epoch), (_, x, arrival) in zip(settled.events, self.came, strict=False)
        ]
        self.strays = settled.strays

    @rule(reader=st.integers(0, READERS - 1), limit=st.integers(0, 30))
    def read(self, reader: int, limit: int) -> None:
        cursor = self.cursors[reader]
        chunk = self.ring.read(cursor, limit)
        assert chunk.start == max(cursor, self.oldest)
        assert chunk.lost == chunk.start - cursor
        expected = self.all[chunk.start :][:limit]
        expected = [event for event in expected if event[2] == expected[0][2]]
        assert self.as_list(chunk.events) == [event[:2] for event in expected]
        if expected:
            assert chunk.epoch == expected[0][2]
        self.cursors[reader] = chunk.end
        self.seen[reader] += len(chunk.events)
        self.lost[reader] += chunk.lost

    @rule(count=st.integers(0, 30))
    def latest_by_count(self, count: int) -> None:
        newest = self.newest_epoch()
        expected = newest[max(0, len(newest) - count) :]
        assert self.as_list(self.ring.latest(count=count)) == [event[:2] for event in expected]

    @rule(duration_us=st.integers(0, 3_000))
    def latest_by_time(self, duration_us: int) -> None:
        expected = [e for e in self.newest_epoch() if e[0] >= self.all[-1][0] - duration_us]
        assert self.as_list(self.ring.latest(duration_us=duration_us)) == [event[:2] for event in expected]
        assert self.ring.position_back(duration_us) == len(self.all) - len(expected)

    @rule(back=st.integers(1, 30))
    def arrival(self, back: int) -> None:
        position = len(self.all) - back
        if position >= 0:
            assert self.ring.arrival_ns(position) == self.all[position][3]
        assert self.ring.arrival_ns(len(self.all)) is None

    @rule(first=st.integers(0, 60), second=st.integers(0, 60))
    def span(self, first: int, second: int) -> None:
        begin, expected = max(first, self.oldest), 0
        if begin < second < len(self.all):
            parts: dict[int, list[int]] = {}
            for t, _, epoch, _ in self.all[begin : second + 1]:
                parts.setdefault(epoch, []).append(t)
            expected = sum(times[-1] - times[0] for times in parts.values())
        assert self.ring.span_us(first, second) == expected

    def newest_epoch(self) -> list[tuple[int, int, int, int]]:
        return [event for event in self.all[self.oldest :] if event[2] == self.epoch]

    @staticmethod
    def as_list(events: np.ndarray) -> list[tuple[int, int]]:
        return list(zip(events["t"].tolist(), events["x"].tolist(), strict=True))

    @invariant()
    def counters_add_up(self) -> None:
        if not hasattr(self, "ring"):
            return
        status = self.ring.status()
        assert status.written == len(self.all)
        assert status.written + status.held + status.outside == self.number
        assert status.held <= LOOKAHEAD
        assert status.strays == self.strays
        assert status.outside == self.outside
        assert status.epochs == self.epoch
        assert (self.ring.oldest(), self.ring.newest()) == (self.oldest, len(self.all))
        for reader in range(READERS):
            assert self.seen[reader] + self.lost[reader] == self.cursors[reader]


TestRingAndList = RingAndList.TestCase
TestRingAndList.settings = settings(
    derandomize=True, deadline=None, database=None, max_examples=60, stateful_step_count=30
)


def test_when_an_event_came_is_not_told_once_it_is_forgotten() -> None:
    ring = EventRing(1 << 16)
    one = np.zeros(1, dtype=EVENT_DTYPE)
    for number in range((1 << 14) + 10):
        one["t"] = number
        ring.write(one, 1_000 + number)
    assert [ring.arrival_ns(p) for p in (0, 9)] == [None, None]
    assert [ring.arrival_ns(p) for p in (10, 500)] == [1_010, 1_500]
