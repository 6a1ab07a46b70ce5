"""Time that misbehaves: the camera's clock, in every way, and the machine's."""

from __future__ import annotations

import ast
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import SETTINGS, Endless, ScriptedSource, packets, wait_for

from neuroclip_live.events import Packet, copy_packet
from neuroclip_live.recognition.pipeline import PipelineSettings, PipelineState
from neuroclip_live.stream import slicing
from neuroclip_live.stream.slicing import MAX_SILENT_HOPS, SliceBy

ROOT = Path(__file__).resolve().parents[2]
HOUR_US = 3_600_000_000
SLICES = {
    "count": SliceBy("count", count=100, overlap=1),
    "time": SliceBy("time", time_us=10_000, overlap=2),
    "auto": SliceBy(overlap=2),
}


def at(packet: Packet, start_us: int, step_us: int = 100) -> Packet:
    """Return the packet with other times."""
    packet = copy_packet(packet)
    packet["t"] = start_us + step_us * np.arange(len(packet))
    return packet


def one_event_an_hour_ahead(script: list[Packet]) -> list[Packet]:
    script[20]["t"][25] += HOUR_US
    return script


def every_fiftieth_99_ms_early(script: list[Packet]) -> list[Packet]:
    for each in script:  # as a DAVIS346 does
        each["t"][0] -= 99_000
    return script


def bursts_far_away(script: list[Packet]) -> list[Packet]:
    off = (HOUR_US, -HOUR_US, 20_000, -20_000, 1 << 32, -(1 << 32), 99_000)
    for each, off_us in zip(script[5::5], off, strict=True):
        each["t"][20:40] += off_us
    return script


def jittering(script: list[Packet]) -> list[Packet]:
    for each in script:
        each["t"][::7] -= 800
    return script


def starting(begin: Callable[[int], int], step_us: int = 100) -> Callable[[list[Packet]], list[Packet]]:
    """Return what lets packet number i begin at ``begin(i)``."""
    return lambda script: [at(each, begin(i), step_us) for i, each in enumerate(script)]


def standing_still(script: list[Packet]) -> list[Packet]:
    return [at(each, min(i, 20) * 5_000, 100 * (i < 20)) for i, each in enumerate(script)]


# what is done to 40 packets of 50 events that cover 0.2 s, and how many times begin anew by it
FAULTS = {
    "steps back a little": (jittering, 0),
    "steps back 5 s": (starting(lambda i: 9_000_000 + i * 5_000 - 5_000_000 * (i >= 20)), 1),
    "jumps an hour": (starting(lambda i: i * 5_000 + HOUR_US * (i >= 20)), 0),
    "one event an hour ahead": (one_event_an_hour_ahead, 0),
    "one event in fifty is 99 ms early": (every_fiftieth_99_ms_early, 0),
    "bursts of twenty, far back and ahead": (bursts_far_away, 0),
    "wraps at 31 bits": (starting(lambda i: (1 << 31) - (1 << 32) * (i >= 20) + (i - 20) * 5_000), 1),
    "wraps at 32 bits": (starting(lambda i: (1 << 32) * (i < 20) + (i - 20) * 5_000), 1),
    "is negative": (starting(lambda i: -HOUR_US + i * 5_000), 0),
    "is far away": (starting(lambda i: (1 << 62) + i * 5_000), 0),
    "repeats packets": (starting(lambda i: i // 2 * 5_000), 20),
    "stands still": (standing_still, 0),
    "begins anew, as a loop does": (starting(lambda i: i % 20 * 5_000), 1),
}


@pytest.mark.parametrize("by", SLICES)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_cameras_clock(start, cut, fault: str, by: str) -> None:  # type: ignore[no-untyped-def]
    make, times = FAULTS[fault]
    script = make([copy_packet(each) for each in packets(40)])
    last_us = int(script[-1]["t"][-1])
    good = [at(each, last_us + 5_000 + i * 5_000) for i, each in enumerate(packets(40))]
    settings = PipelineSettings(SLICES[by], SETTINGS.recognizer, wait_for_model=True)
    pipeline = start(ScriptedSource([*script, *good], live=False), None, settings)
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    status = pipeline.status()
    assert (status.total_events, status.dropped_events, status.message) == (4_000, 0, "")
    assert status.windows == status.predictions + status.skipped_windows
    assert 0 < status.windows <= 4_000 / 20 + MAX_SILENT_HOPS  # an hour's gap is not 72,000 slices
    assert len(cut) >= status.predictions > 0
    for piece in cut:
        t = piece.events["t"]
        assert (t[1:] >= t[:-1]).all()
        # never two times in one slice; one cut by count may begin in the microsecond the former ended in
        assert not len(t) or piece.start_us - 1 <= t[0] <= t[-1] < piece.end_us
        assert by == "count" or piece.end_us - piece.start_us <= SLICES[by].time_us
    assert len({piece.epoch for piece in cut}) <= times + 1
    latest = pipeline.predictions()[-1]
    assert latest.label is not None  # it has recovered by itself
    assert latest.t_us > last_us + 150_000


def test_a_clock_that_stands_still_does_not_fill_the_memory(start, cut, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(slicing, "MAX_SLICE_EVENTS", 2_000)
    script = [at(each, 0, 0) for each in packets(400)]
    settings = PipelineSettings(SLICES["time"], SETTINGS.recognizer, wait_for_model=True)
    pipeline = start(ScriptedSource(script, live=False), None, settings)
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    status = pipeline.status()
    assert (status.total_events, status.dropped_events) == (20_000, 0)
    assert status.windows == 20_000 / 1_000 - 1  # overlapping by half
    assert max(len(piece.events) for piece in cut) <= 2_000


def test_the_machines_clock_may_be_set_while_it_runs(start, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    gate = threading.Event()
    pipeline = start(Endless([gate]))
    wait_for(lambda: pipeline.status().predictions > 2)
    real, calls = time.time, [0]

    def set_by_somebody() -> float:
        calls[0] += 1
        return real() + (calls[0] % 3 - 1) * 3e7  # a year ahead, a year back

    monkeypatch.setattr(time, "time", set_by_somebody)
    monkeypatch.setattr(time, "time_ns", lambda: int(set_by_somebody() * 1e9))
    before = pipeline.status().predictions
    wait_for(lambda: pipeline.status().predictions > before + 20)
    status = pipeline.status()
    assert status.state is PipelineState.RUNNING
    assert 0 <= status.latency["total"].p50_ms < 20_000
    assert 0 < status.event_rate_hz < 50 / 0.003
    assert 0 < status.prediction_rate_hz < 1_000
    pipeline.source.close()
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)


def test_only_the_names_of_files_come_from_the_machines_clock() -> None:
    """Nothing that waits, measures or expires may ask a clock that people and NTP set."""
    wall = {("time", name) for name in ("time", "time_ns", "localtime")}
    wall |= {("datetime", name) for name in ("now", "utcnow", "today")}
    users: set[str] = set()
    for room in ("neuroclip_live", "drivers", "gui"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                asked = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
                if asked and (node.value.id, node.attr) in wall:
                    users.add(str(path.relative_to(ROOT)))
                if isinstance(node, ast.ImportFrom) and node.module == "time":
                    assert not {alias.name for alias in node.names} & {"time", "time_ns"}, path
    names = {"gui/neuroclip_gui/files.py", "gui/neuroclip_gui/panels/recording/record_commands.py"}
    names.add("neuroclip_live/actions/effect.py")
    leftovers = {"neuroclip_live/archive/store.py"}  # unfinished files of an hour ago are removed
    stamps = {"neuroclip_live/outputs/ros2.py"}  # what ROS goes by; others compare it with their own clock
    assert users == names | leftovers | stamps
