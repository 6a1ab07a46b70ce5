"""A place where a recording is paused is recognized for itself, by the T timesteps that end there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeBackbone, pipelines, wait_for
from making import SIZE, START_US, dv_events, dv_recording, make_events

from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.events import Packet
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.frames import event_frame
from neuroclip_live.stream.slicing import SliceBy, Slicer, parse_slice

SILENT_FROM_US, SILENT_UNTIL_US = 7_000_000, 8_500_000
"""In the recording below nothing happens between."""


@pytest.fixture(scope="module")
def events() -> Packet:
    made = make_events(60_000, 10_000_000, seed=3)
    t = made["t"] - START_US
    return made[(t < SILENT_FROM_US) | (t >= SILENT_UNTIL_US)]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, events: Packet) -> Path:
    return dv_recording(tmp_path_factory.mktemp("place") / "a.aedat4", events, packet_events=500)


@pytest.fixture
def make():
    with pipelines() as making:
        yield making


def paused(make: Callable[..., Pipeline], file: Path, by: SliceBy, timesteps: int = 10, **others) -> Pipeline:
    """Return a pipeline whose recording is paused at its beginning."""
    source = ReplaySource(file, speed=None, hold_at_end=True)
    source.pause()
    settings = PipelineSettings(by, RecognizerSettings(timesteps, motion=0.05), wait_for_model=True)
    pipeline = make(source, FakeBackbone(**others), settings)
    wait_for(lambda: pipeline.prediction() is not None)
    return pipeline


def go_to(pipeline: Pipeline, seconds: float) -> None:
    source = pipeline.source
    number = source.jump.number
    source.seek(seconds)
    wait_for(lambda: source.jump.number > number and not pipeline.place_pending)
    assert pipeline.prediction().t_us == source.status().position_us == START_US + round(seconds * 1e6)


@pytest.mark.parametrize(
    ("text", "overlap", "timesteps"),
    [
        ("auto", 2, 10), ("auto", 1, 29), ("50ms", 2, 10), ("200ms", 2, 10), ("500ms", 2, 10),
        ("20ms", 4, 64), ("300", 2, 10), ("300", 1, 33), ("2000", 2, 12),
    ],
)  # fmt: skip
def test_all_timesteps_before_the_place_are_read_however_long_or_many(
    make, file, events, text, overlap, timesteps
):
    by = parse_slice(text, overlap)
    pipeline = paused(make, file, by, timesteps)
    for seconds in (5.5, 3.7, 6.1):
        go_to(pipeline, seconds)
        prediction = pipeline.prediction()
        assert prediction.paused
        assert prediction.state == "ok"
        assert len(prediction.frames) == timesteps
        inside = events[events["t"] < START_US + round(seconds * 1e6)]
        if by.kind == "time":
            inside = inside[inside["t"] >= prediction.t_us - by.time_us]
        elif by.kind == "count":
            inside = inside[-(by.count // overlap * overlap) :]
        else:
            continue
        assert (prediction.frames[-1] == event_frame(inside, SIZE, 0)).all()


def test_a_slow_model_takes_all_of_them_too(make, file):
    pipeline = paused(make, file, parse_slice("50ms"), 10, delay_s=0.05)
    go_to(pipeline, 4.0)
    assert len(pipeline.prediction().frames) == 10


def test_where_nothing_moves_there_is_no_label(make, file):
    for text in ("auto", "50ms", "500ms", "300"):
        pipeline = paused(make, file, parse_slice(text))
        go_to(pipeline, 6.5)
        assert pipeline.prediction().label is not None
        go_to(pipeline, 8.45)
        assert pipeline.prediction().state == "no-motion"
        assert pipeline.prediction().label is None
        assert not len(pipeline.recent_events(33_000))
        pipeline.stop()


def test_what_is_recognized_while_paused_is_no_part_of_what_was_played(make, file):
    pipeline = paused(make, file, parse_slice("50ms"))
    pipeline.source.seek(9.0)
    pipeline.source.resume()
    wait_for(lambda: pipeline.source.status().state.value == "paused" and pipeline.predictions())
    go_to(pipeline, 5.0)  # with all that was played behind it
    played = [p.number for p in pipeline.predictions()]
    status = pipeline.status()
    for seconds in (2.0, 2.5, 3.0):
        go_to(pipeline, seconds)
    assert [p.number for p in pipeline.predictions()] == played
    assert pipeline.status().windows == status.windows == status.predictions + status.skipped_windows


def test_the_place_where_it_was_paused_is_recognized_without_being_sought(make, file):
    source = ReplaySource(file, speed=1.0, hold_at_end=True)
    settings = PipelineSettings(parse_slice("50ms"), RecognizerSettings(10, motion=0.05), wait_for_model=True)
    pipeline = make(source, FakeBackbone(), settings)
    wait_for(lambda: pipeline.prediction() is not None)
    source.seek(6.0)
    source.pause()  # before there is a slice of it
    wait_for(lambda: pipeline.prediction().paused)
    prediction = pipeline.prediction()
    assert prediction.t_us == source.status().position_us
    assert START_US + 5_999_999 <= prediction.t_us <= START_US + 6_200_000
    assert len(prediction.frames) == 10


@pytest.mark.parametrize("what", ["slices", "timesteps", "region", "model", "turn"])
def test_what_is_changed_while_paused_is_recognized_anew(make, file, what):
    pipeline = paused(make, file, parse_slice("50ms"))
    go_to(pipeline, 5.0)
    before = pipeline.prediction()
    {
        "slices": lambda: pipeline.change_slicing(parse_slice("200ms")),
        "timesteps": lambda: pipeline.change_timesteps(25),
        "region": lambda: pipeline.set_region(Box(0, 0, 32, 24)),
        "model": lambda: pipeline.change_model(lambda _: FakeBackbone()),
        "turn": lambda: pipeline.treat(pipeline.treatment.__class__(quarter_turns=1)),
    }[what]()
    wait_for(lambda: pipeline.prediction().number > before.number and not pipeline.place_pending)
    after = pipeline.prediction()
    assert after.paused
    assert after.t_us == before.t_us
    assert len(after.frames) == (25 if what == "timesteps" else 10)
    shape = {"region": (24, 32), "turn": (64, 48)}.get(what, (48, 64))
    assert after.frames[-1].shape == shape


def test_playing_goes_on_from_the_place_without_a_gap(make, file, events):
    pipeline = paused(make, file, parse_slice("50ms"))
    pipeline.source.set_speed(1.0)
    go_to(pipeline, 9.0)
    number = pipeline.prediction().number
    pipeline.source.resume()
    wait_for(lambda: pipeline.predictions(after=number))
    after = pipeline.predictions(after=number)
    assert after[0].t_us == START_US + 9_025_000 + 25_000 * after[0].skipped
    assert after[0].state == "ok"  # with the timesteps of the place


def test_what_is_read_again_is_not_recorded_again(make, file, events, tmp_path):
    pipeline = paused(make, file, parse_slice("50ms"))
    pipeline.start_recording(tmp_path / "film.aedat4")
    for seconds in (2.0, 5.0, 9.0):
        go_to(pipeline, seconds)
    pipeline.source.resume()
    wait_for(lambda: pipeline.source.status().state.value == "paused" and not pipeline.place_pending)
    played = int((events["t"] >= START_US + 9_000_000).sum())
    assert pipeline.stop_recording().events == played
    assert len(dv_events(tmp_path / "film.aedat4")) == played


def test_places_sought_faster_than_they_are_recognized_end_at_the_last(make, file):
    pipeline = paused(make, file, parse_slice("50ms"), delay_s=0.01)
    for step in range(50):  # a hand on the seek bar
        pipeline.source.seek(1.0 + 0.1 * step)
    wait_for(lambda: pipeline.prediction().t_us == START_US + 5_900_000 and not pipeline.place_pending)
    assert len(pipeline.prediction().frames) == 10


# ---- its parts


@pytest.mark.parametrize("text", ["auto", "30ms", "400", "1"])
@pytest.mark.parametrize("overlap", [1, 2, 5])
def test_slices_cut_back_end_at_the_time_and_follow_each_other(events, text, overlap):
    by = parse_slice(text if text != "1" else "5", overlap)
    end_us = START_US + 4_321_987
    before = events[events["t"] < end_us]
    slices = Slicer(by, SIZE).cut_back(before, end_us, 7, len(before), 3)
    assert len(slices) == 7
    assert slices[-1].end_us == end_us
    assert (slices[-1].events == before[-len(slices[-1].events) :]).all()
    assert [s.index for s in slices] == list(range(7))
    for a, b in zip(slices, slices[overlap:], strict=False):
        assert a.end_us == b.start_us
    for s in slices:
        assert s.epoch == 3
        if by.kind != "count":
            assert s.end_us - s.start_us <= by.time_us
        if by.kind != "time":
            assert len(s.events) <= by.hop_count(SIZE) * overlap
        if by.kind == "count":
            assert len(s.events) == by.hop_count(SIZE) * overlap


def test_of_too_few_events_there_are_fewer_slices():
    few = make_events(25, 1000)
    assert Slicer(parse_slice("10", 1), SIZE).cut_back(few, START_US + 2000, 10)[0].start_us == START_US
    assert len(Slicer(parse_slice("10", 1), SIZE).cut_back(few, START_US + 2000, 10)) == 3
    assert Slicer(parse_slice("10", 1), SIZE).cut_back(few[:0], START_US, 10) == []
    assert len(Slicer(parse_slice("10ms", 2), SIZE).cut_back(few[:0], START_US, 10)) == 1
