"""The simulator: deterministic, well-formed, right in the simplest cases, and a proper source."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from neuroclip_drivers.simulator.event_synthesis import EventSynthesizer, SensorModel, synthesize
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_drivers.source import EventSource, SourceState
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Resolution, join_packets

SIZE = Resolution(48, 32)
QUIET = SensorModel(threshold_spread=0, refractory_us=0, background_hz=0, hot_share=0)


def ramp(values: list[int]) -> list[tuple[int, np.ndarray]]:
    return [(1000 * i, np.full((32, 48), v, np.uint8)) for i, v in enumerate(values)]


def test_brighter_gives_on_and_darker_gives_off() -> None:
    brighter = synthesize(ramp([50, 200]), SIZE, QUIET)
    darker = synthesize(ramp([200, 50]), SIZE, QUIET)
    assert len(brighter) > 32 * 48
    assert np.all(brighter["p"] == 1)
    assert len(darker) > 32 * 48
    assert np.all(darker["p"] == 0)


def test_nothing_moves_nothing_fires() -> None:
    assert len(synthesize(ramp([90] * 20), SIZE, QUIET)) == 0


def test_number_of_events_follows_contrast_and_threshold() -> None:
    contrast = np.log(200 + 8) - np.log(50 + 8)
    events = synthesize(ramp([50, 200]), SIZE, QUIET)
    per_pixel = len(events) / SIZE.area
    assert per_pixel == pytest.approx(contrast / QUIET.threshold_on, rel=0.1)


def test_many_small_steps_make_as_many_events_as_one_large() -> None:
    smooth = synthesize(ramp(list(range(50, 201, 2))), SIZE, QUIET)
    sudden = synthesize(ramp([50, 200]), SIZE, QUIET)
    assert len(smooth) == pytest.approx(len(sudden), rel=0.01)


def test_events_are_sorted_inside_the_sensor_and_between_the_images() -> None:
    random = np.random.default_rng(1)
    images = [(t * 2000, random.integers(0, 255, (32, 48), dtype=np.uint8)) for t in range(6)]
    events = synthesize(images, SIZE, SensorModel(background_hz=200, hot_share=0.05), seed=3)
    assert events.dtype == EVENT_DTYPE
    assert events.flags.owndata
    assert np.all(np.diff(events["t"]) >= 0)
    assert events["t"].min() >= 0
    assert events["t"].max() <= 10_000
    assert events["x"].min() >= 0
    assert events["x"].max() < SIZE.width
    assert events["y"].min() >= 0
    assert events["y"].max() < SIZE.height


def test_refractory_time_is_kept() -> None:
    sensor = SensorModel(threshold_spread=0, refractory_us=400, background_hz=0, hot_share=0)
    events = synthesize(ramp([20, 250, 20, 250]), SIZE, sensor)
    for pixel in ((0, 0), (7, 30)):
        times = events["t"][(events["y"] == pixel[0]) & (events["x"] == pixel[1])]
        assert len(times) > 2
        assert np.diff(times).min() >= 400


def test_same_seed_same_events_and_another_seed_others() -> None:
    def run(seed: int) -> list[tuple[int, int, int, int]]:
        source = SimulatorSource(resolution=SIZE, duration_s=0.2, realtime=False, seed=seed)
        return join_packets(list(source.packets())).tolist()

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_noise_has_the_rate_asked_for() -> None:
    sensor = SensorModel(background_hz=50, hot_share=0)
    still = np.full((32, 48), 99, np.uint8)
    events = synthesize([(0, still), (1_000_000, still)], SIZE, sensor)
    assert len(events) == pytest.approx(50 * SIZE.area, rel=0.05)


def test_accumulating_counts_what_stepping_dates() -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (32, 48), dtype=np.uint8) for _ in range(5)]
    counts = np.zeros((2, 32, 48), np.uint16)
    quick, dated = EventSynthesizer(SIZE, QUIET, 5), EventSynthesizer(SIZE, QUIET, 5)
    packets = []
    for i, image in enumerate(images):
        quick.accumulate(image, counts)
        packets.append(dated.step(image, i * 1000))
    events = join_packets(packets)
    assert np.array_equal(counts.sum(axis=(1, 2)), np.bincount(events["p"], minlength=2))


def test_it_is_a_source_and_closes() -> None:
    source = SimulatorSource(resolution=SIZE, realtime=False)
    assert isinstance(source, EventSource)
    stream = source.packets()
    first = next(stream)
    assert len(first)
    assert source.latest_frame() is not None
    assert source.status().state is SourceState.STREAMING
    source.close()
    source.close()
    assert sum(1 for _ in stream) <= 1
    assert source.status().state is SourceState.ENDED


def test_real_time_is_neither_early_nor_endless() -> None:
    source = SimulatorSource(resolution=SIZE, duration_s=0.1, realtime=True)
    list(source.packets())
    started = time.monotonic()
    list(SimulatorSource(resolution=SIZE, duration_s=0.1, realtime=True).packets())
    assert time.monotonic() - started >= 0.095


@pytest.mark.parametrize("motion", ["shake", "orbit", "pan", "spin", "zoom"])
def test_every_motion_moves(motion: str) -> None:
    source = SimulatorSource(resolution=SIZE, motion=motion, duration_s=0.3, realtime=False)  # type: ignore[arg-type]
    assert sum(map(len, source.packets())) > 100


def test_pictures_come_from_files(tmp_path) -> None:
    picture = np.zeros((40, 60, 4), np.uint8)
    picture[10:30, 10:50] = 255
    assert cv2.imwrite(str(tmp_path / "thing.png"), picture)
    source = SimulatorSource([tmp_path / "thing.png"], resolution=SIZE, duration_s=0.1, realtime=False)
    assert source.status().shows == "thing.png"
    assert sum(map(len, source.packets())) > 50


def test_bad_pictures_and_settings_are_told_in_one_line(tmp_path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    for arguments in (
        {"pictures": [tmp_path / "absent.png"]},
        {"pictures": [tmp_path / "text.png"]},
        {"pictures": [np.zeros((3, 4, 5, 6))]},
        {"motion": "sideways"},
        {"scale": 0.0},
    ):
        with pytest.raises(UserError) as caught:
            SimulatorSource(**arguments)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_time_must_not_go_back_and_sizes_must_fit() -> None:
    synthesizer = EventSynthesizer(SIZE)
    synthesizer.step(np.zeros((32, 48), np.uint8), 10)
    with pytest.raises(ValueError, match="time goes back"):
        synthesizer.step(np.zeros((32, 48), np.uint8), 5)
    with pytest.raises(ValueError, match="the sensor"):
        synthesizer.step(np.zeros((48, 32), np.uint8), 20)
    with pytest.raises(ValueError, match="above zero"):
        SensorModel(threshold_on=0)
