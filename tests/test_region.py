"""Recognizing only a part of the sensor."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import SENSOR, FakeBackbone, ScriptedSource, packet, wait_for

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Capture
from neuroclip_live.stream.frames import event_frame
from neuroclip_live.stream.newest_slice_reader import Reader
from neuroclip_live.stream.region import fitting, inside, size_of
from neuroclip_live.stream.slicing import parse_slice


@pytest.mark.parametrize(
    "region", [Box(0, 0, 32, 24), Box(5, 3, 20, 15), Box(24, 16, 32, 24), Box(0, 0, 8, 8)]
)
def test_what_is_inside_is_the_picture_cut_out(region):
    events = packet(0, 3000)
    whole = event_frame(events, SENSOR)
    part = inside(events, region)
    assert part.dtype is EVENT_DTYPE or part.dtype == EVENT_DTYPE
    assert (np.diff(part["t"]) >= 0).all()
    assert set(np.unique(part["p"])) <= {0, 1}
    frame = event_frame(part, size_of(region))
    assert (frame == whole[region.top : region.bottom, region.left : region.right]).all()


def test_events_outside_any_sensor_are_left_out():
    events = packet(0, 4)
    events["x"], events["y"] = [-1, 40, 5, 5], [5, 5, -3, 5]
    kept = inside(events, Box(0, 0, 32, 24))
    assert kept[["x", "y"]].tolist() == [(5, 5)]
    assert len(inside(events[:0], Box(0, 0, 8, 8))) == 0


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [
        (Box(4, 4, 20, 20), Box(4, 4, 20, 20)),
        (Box(20, 20, 4, 4), Box(4, 4, 20, 20)),  # drawn from the other corner
        (Box(-50, -9, 20, 20), Box(0, 0, 20, 20)),
        (Box(10, 10, 999, 999), Box(10, 10, 32, 24)),
        (Box(-5, -5, 99, 99), None),
    ],
)
def test_a_region_is_put_on_the_sensor(drawn, kept):
    assert fitting(drawn, SENSOR) == kept


@pytest.mark.parametrize(
    "drawn", [Box(4, 4, 4, 4), Box(4, 4, 30, 9), Box(40, 40, 90, 90), Box(-50, 0, -20, 24)]
)
def test_too_little_is_refused(drawn):
    with pytest.raises(UserError, match="too small"):
        fitting(drawn, SENSOR)


def test_sizes():
    assert size_of(Box(5, 3, 20, 15)) == Resolution(15, 12)


def corner(start_us: int, count: int) -> Packet:
    """Return events in the sensor's first 12 × 12 pixels only."""
    events = packet(start_us, count, step_us=50)
    events["x"] %= 12
    events["y"] %= 12
    return events


def run(by: str, *packets: Packet, region: Box | None, live: bool = False) -> list[Prediction]:
    """Read packets to the end through a pipeline, the region set from the start."""
    source = ScriptedSource(packets, live=live)
    settings = PipelineSettings(
        parse_slice(by), RecognizerSettings(timesteps=2, motion=0.05), wait_for_model=True
    )
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug"), settings)
    pipeline.set_region(region)
    pipeline.start()
    try:
        wait_for(lambda: pipeline.status().state.value == "ended")
        return [p for p in pipeline.predictions() if p.number]
    finally:
        assert pipeline.stop(60.0)


@pytest.mark.parametrize("by", ["40ms", "auto"])
def test_what_moves_outside_is_not_seen(by):
    packets = [corner(k * 20_000, 400) for k in range(40)]
    assert "ok" in {p.state for p in run(by, *packets, region=None)}
    elsewhere = run(by, *packets, region=Box(16, 12, 32, 24))
    assert elsewhere
    assert {p.state for p in elsewhere} == {"no-motion"}


def test_a_region_gives_slices_of_its_own_size():
    packets = [corner(k * 20_000, 400) for k in range(40)]
    there = run("40ms", *packets, region=Box(0, 0, 12, 10))
    seen = [p for p in there if p.state != "no-motion"]
    assert seen
    assert all(400 < p.events < 800 for p in seen)  # of 800 that a slice has everywhere


def reader_of(by: str, script: list[Packet]) -> Reader:
    capture = Capture(ScriptedSource(script))
    capture.start()
    assert capture.over.wait(60)
    return Reader(capture, parse_slice(by), from_start=True)


@pytest.mark.parametrize("by", ["40ms", "500"])
def test_silence_inside_is_rest_whatever_ends_a_slice(by):
    reader = reader_of(by, [corner(k * 20_000, 400) for k in range(40)])
    reader.restrict(Box(16, 12, 32, 24))
    slices, _ = reader.take()
    assert sum(len(piece.events) for piece in slices) == 0
    assert reader.rest_us() == 39 * 20_000 + 399 * 50
    assert reader.rest_us() is None  # told once
    reader.capture.stop()


def test_a_new_region_begins_anew_and_none_gives_everything_back():
    reader = reader_of("40ms", [packet(k * 20_000, 400, step_us=50) for k in range(40)])
    reader.restrict(Box(0, 0, 16, 12))
    assert reader.size == Resolution(16, 12)
    slices, _ = reader.take()
    assert slices
    for piece in slices:
        assert piece.events["x"].max() < 16
        assert piece.events["y"].max() < 12
    reader.restrict(None)
    assert reader.size == SENSOR
    reader.capture.stop()


def test_a_region_waits_for_its_picture():
    pipeline = Pipeline(ScriptedSource([]), lambda progress: FakeBackbone(), parse_prompts("a mug"))
    with pytest.raises(UserError, match="too small"):
        pipeline.set_region(Box(0, 0, 3, 3))
    pipeline.set_region(Box(2, 2, 20, 20))
    assert pipeline.region == Box(2, 2, 20, 20)
    pipeline.open(ScriptedSource([], resolution=Resolution(64, 48)))
    assert pipeline.region is None
    pipeline.open(ScriptedSource([]))
    assert pipeline.region == Box(2, 2, 20, 20)
    pipeline.set_region(None)
    assert pipeline.region is None
    pipeline.stop()


@pytest.mark.parametrize("by", ["40ms", "500"])
def test_rest_is_said_no_earlier_than_the_newest_slice_ended(by, monkeypatch):
    """A slice ends after its last event: by the clock of a camera up to half a second after."""
    reader = reader_of(by, [corner(k * 20_000, 500) for k in range(40)])
    slices, _ = reader.take()
    arrived = reader.ring.status().last_arrival_ns
    monkeypatch.setattr(
        "neuroclip_live.stream.newest_slice_reader.monotonic_ns", lambda: arrived + 700_000_000
    )
    slices += reader.take()[0]
    assert reader.rest_us() == slices[-1].end_us
    reader.capture.stop()
