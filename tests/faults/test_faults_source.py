"""A source that misbehaves: what is shown, what is counted, and that it all goes on afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fakes import SENSOR, SETTINGS, Endless, FakeBackbone, ScriptedSource, packets, wait_for

from neuroclip_live.events import EVENT_DTYPE, Packet, copy_packet, empty_packet
from neuroclip_live.recognition.pipeline import Pipeline, PipelineState
from neuroclip_live.stream.filters import Treatment
from neuroclip_live.stream.slicing import SliceBy


def labeled(pipeline, after_us: int) -> None:  # type: ignore[no-untyped-def]
    """Wait for a label that is about what came after a time."""

    # among all of them: the newest loses its label when the scene has been at rest for half a second
    wait_for(lambda: any(p.label is not None and p.t_us > after_us for p in pipeline.predictions()))


def test_a_source_that_stalls_shows_no_motion_and_goes_on(start) -> None:  # type: ignore[no-untyped-def]
    gate = threading.Event()
    pipeline = start(ScriptedSource([*packets(20), gate, *packets(20, first=20), threading.Event()]))
    labeled(pipeline, 0)
    wait_for(lambda: pipeline.prediction().state == "no-motion")  # no stale label while it stalls
    status = pipeline.status()
    assert (status.state, status.total_events, status.dropped_events) == (PipelineState.RUNNING, 1_000, 0)
    wait_for(lambda: pipeline.status().event_rate_hz == 0)
    gate.set()
    labeled(pipeline, 20 * 5_000)
    wait_for(lambda: pipeline.status().total_events == 2_000)
    assert pipeline.status().dropped_events == 0


def test_a_burst_of_100_times_the_rate_is_counted_and_passes(start, memory_within) -> None:  # type: ignore[no-untyped-def]
    burst, after = threading.Event(), threading.Event()
    flood = [copy_packet(each) for each in packets(60, size=5_000, first=1)]
    for number, each in enumerate(flood):  # 5,000 events in the time of 50
        each["t"] = 20 * 5_000 + number * 5_000 + np.arange(5_000)
    script = [*packets(20), burst, *flood, after, *packets(20, first=100), threading.Event()]
    pipeline = start(ScriptedSource(script), FakeBackbone(delay_s=0.005))
    labeled(pipeline, 0)
    with memory_within(40):  # the ring was there before
        burst.set()
        wait_for(lambda: pipeline.status().total_events == 1_000 + 300_000)
        labeled(pipeline, 70 * 5_000)  # the newest of it, not where it was when it began
    after.set()
    labeled(pipeline, 110 * 5_000)
    status = pipeline.status()
    assert (status.total_events, status.dropped_events, status.ring_fill <= 1) == (302_000, 0, True)
    assert status.skipped_windows > 1_000
    assert status.windows == status.predictions + status.skipped_windows <= 3_020


def rests(pipeline: Pipeline) -> int:
    """Count what says that the scene came to rest, as after half a busy second: no slice is that."""
    return sum(p.events == 0 for p in pipeline.predictions())


@pytest.mark.parametrize("by", [SETTINGS.slice_by, SliceBy("time", time_us=10_000, overlap=1)], ids=str)
def test_a_flood_while_recognition_hangs_is_accounted_for(start, hanging, by: SliceBy) -> None:  # type: ignore[no-untyped-def]
    flood, after = threading.Event(), threading.Event()
    big = packets(1, size=100_000)[0]
    script = [*packets(8), flood, *[big] * 50, after, *packets(40, first=3_000), threading.Event()]
    for number, each in enumerate(script[9:59]):
        script[9 + number] = other = copy_packet(each)
        other["t"] = 40_000 + number * 100_000 + np.arange(100_000)  # a million a second
    pipeline = start(ScriptedSource(script), hanging, replace(SETTINGS, slice_by=by))
    wait_for(lambda: pipeline.status().predictions >= 2)
    hanging.go_on.clear()
    flood.set()
    wait_for(lambda: pipeline.status().total_events == 5_000_400)  # more than the ring has room for
    wait_for(hanging.entered.is_set)
    assert pipeline.status().ring_fill == 1.0
    hanging.go_on.set()
    # with or without a label: cut by time, the newest slice is an empty one where recognition comes back late
    wait_for(lambda: any(p.t_us > 4_900_000 for p in pipeline.predictions()))
    after.set()
    wait_for(lambda: any(p.t_us > 3_000 * 5_000 for p in pipeline.predictions()))
    wait_for(lambda: pipeline.status().total_events == 5_002_400)
    status = pipeline.status()
    each = 100 if by.kind == "count" else 10_000
    assert 4_900_000 < status.windows * each + status.dropped_events
    if by.kind == "count":  # by time, windows in which nothing came are counted too
        assert (status.windows - rests(pipeline)) * each + status.dropped_events <= 5_002_400


@pytest.mark.parametrize("live", [False, True])
def test_empty_packets_change_nothing(start, live: bool) -> None:  # type: ignore[no-untyped-def]
    script = [each for one in packets(20) for each in (empty_packet(), empty_packet(), one)]
    pipeline = start(ScriptedSource([*script, *[empty_packet()] * 1_000], live=live))
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    status = pipeline.status()
    assert (status.total_events, status.dropped_events, status.message) == (1_000, 0, "")
    slices = status.windows - rests(pipeline)
    assert slices <= 10 if live else slices == 10  # live, what is leapt over is not cut
    assert status.predictions > 0


@pytest.mark.parametrize(
    "how",
    [
        Treatment(),
        Treatment(flip_horizontal=True, flip_vertical=True, quarter_turns=1),
        Treatment(support_us=1_000_000),
    ],
    ids=["as it is", "turned", "filtered"],
)
def test_events_outside_the_sensor_are_left_out_and_counted(start, cut, how: Treatment) -> None:  # type: ignore[no-untyped-def]
    def bad(t_us: int) -> Packet:
        near = [(-1, 3), (SENSOR.width, 3), (3, SENSOR.height), (3, -1)]
        places = [*near, (32_767, 32_767), (-32_768, -32_768)]
        events = np.zeros(len(places), dtype=EVENT_DTYPE)
        events["t"] = t_us
        events["x"], events["y"] = np.array(places).T
        return events

    gate = threading.Event()
    script = [each for i, one in enumerate(packets(40)) for each in (one, bad(i * 5_000 + 4_950))]
    pipeline = start(ScriptedSource([gate, *script], live=False))
    pipeline.treat(how)
    gate.set()
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    status = pipeline.status()
    assert status.outside_events == 6 * 40
    assert status.dropped_events == 0
    assert status.predictions > 0
    assert status.total_events == 2_000 or how.support_us  # the filter takes some of the others away
    width, height = how.resolution(SENSOR)
    for piece in cut:
        assert (piece.events["x"] >= 0).all()
        assert (piece.events["x"] < width).all()
        assert (piece.events["y"] >= 0).all()
        assert (piece.events["y"] < height).all()


def test_turning_the_picture_loses_no_count(start) -> None:  # type: ignore[no-untyped-def]
    first, second = threading.Event(), threading.Event()
    script = [*packets(20), first, *packets(20, first=20), second, *packets(20, first=40), threading.Event()]
    pipeline = start(ScriptedSource(script))
    labeled(pipeline, 0)
    pipeline.treat(Treatment(quarter_turns=1))
    first.set()
    wait_for(lambda: pipeline.status().total_events == 2_000)
    pipeline.treat(Treatment())
    second.set()
    wait_for(lambda: pipeline.status().total_events == 3_000)
    labeled(pipeline, 40 * 5_000)
    status = pipeline.status()
    assert (status.outside_events, status.dropped_events) == (0, 0)
    assert status.windows <= 30


def test_a_source_that_throws_is_said_and_another_can_be_opened(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(ScriptedSource([*packets(4), RuntimeError("cable chewed")], name="first"))
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    assert pipeline.status().message == "first: cable chewed"
    assert pipeline.status().total_events == 200
    pipeline.open(Endless([], name="second"))
    labeled(pipeline, 0)
    status = pipeline.status()
    assert (status.state, status.message, status.source_name) == (PipelineState.RUNNING, "", "second")


class Stuck(ScriptedSource):
    """Blocks deep in a driver, and does not hear that it is closed."""

    def __init__(self) -> None:
        super().__init__([], name="stuck")
        self.free = threading.Event()

    def packets(self) -> Iterator[Packet]:
        yield packets(1)[0]
        self.free.wait(100)


def test_a_source_stuck_for_good_holds_nobody_up(start) -> None:  # type: ignore[no-untyped-def]
    stuck = Stuck()
    try:
        pipeline = start(stuck)
        wait_for(lambda: pipeline.status().total_events == 50)
        pipeline.open(Endless([], name="other"))
        labeled(pipeline, 0)
        assert pipeline.status().source_name == "other"
    finally:
        stuck.free.set()


class Clinging(Endless):
    def close(self) -> None:
        super().close()
        raise RuntimeError("device is busy")


def test_a_source_whose_close_fails_is_left_behind(start) -> None:  # type: ignore[no-untyped-def]
    pipeline = start(Clinging([]))
    labeled(pipeline, 0)
    pipeline.open(Endless([], name="other"))
    assert pipeline.status().source_name == "other"
    wait_for(lambda: pipeline.status().predictions > 2)
