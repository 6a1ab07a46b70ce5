"""Whether something moves, from noise alone to a hand before a large sensor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import FakeBackbone

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.stream.motion import MotionDetector
from neuroclip_live.stream.motion_setting import describe_motion, parse_motion
from neuroclip_live.stream.slicing import Slice, SliceBy, Slicer

SENSORS = [Resolution(128, 128), Resolution(346, 260), Resolution(640, 480), Resolution(1280, 720)]
VGA = SENSORS[2]


def noise(size: Resolution, rate_hz: float, duration_us: int, seed: int = 0, kind: str = "even") -> Packet:
    """Return noise of a mean rate per pixel: even, with hot pixels, or five times as strong in a corner."""
    rng = np.random.default_rng(seed)
    weights = np.ones((size.height, size.width))
    if kind == "hot":
        weights.flat[rng.choice(size.area, size.area // 2_000, replace=False)] = 500
    if kind == "corner":
        weights[: size.height // 3, : size.width // 2] = 5
    if kind == "uneven":
        weights = rng.lognormal(0, 0.6, weights.shape)
    count = rng.poisson(rate_hz * size.area * duration_us / 1e6)
    at = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(count))
    events = np.zeros(len(at), dtype=EVENT_DTYPE)
    events["t"] = np.sort(rng.integers(0, duration_us, len(at)))
    events["x"], events["y"] = at % size.width, at // size.width
    return events


def hand(rate_hz: float, duration_us: int, seed: int = 0) -> Packet:
    """Return an outline of 60 x 40 pixels that moves sideways, a pixel every 10 ms, on a VGA sensor."""
    rng = np.random.default_rng(seed)
    count = round(rate_hz * duration_us / 1e6)
    t = np.sort(rng.integers(0, duration_us, count))
    round_it = rng.random(count) * 2 * np.pi
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = t
    events["x"] = 300 + 30 * np.cos(round_it) + t / 10_000 + rng.normal(0, 0.7, count)
    events["y"] = 200 + 20 * np.sin(round_it) + rng.normal(0, 0.7, count)
    return events


def both(one: Packet, other: Packet) -> Packet:
    events = np.concatenate([one, other]).astype(EVENT_DTYPE)
    return events[np.argsort(events["t"], kind="stable")]


def moving(events: Packet, size: Resolution, by: SliceBy | None = None) -> list[bool]:
    slicer, detector = Slicer(by or SliceBy(), size), MotionDetector(size)
    return [detector.moves(piece) for piece in slicer.push(events)]


@pytest.mark.parametrize("kind", ["even", "hot", "corner", "uneven"])
@pytest.mark.parametrize("rate_hz", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("size", SENSORS, ids=str)
def test_noise_is_no_motion(size: Resolution, rate_hz: float, kind: str) -> None:
    duration_us = 1_000_000 if size.area < 200_000 else 400_000
    seen = moving(noise(size, rate_hz, duration_us, kind=kind), size)
    assert len(seen) >= 6
    assert not any(seen)


@pytest.mark.parametrize("slices", ["20ms", "500ms", "2000", "200000"])
def test_noise_is_no_motion_however_it_is_cut(slices: str) -> None:
    from neuroclip_live.stream.slicing import parse_slice

    assert not any(moving(noise(VGA, 1.0, 1_500_000), VGA, parse_slice(slices)))


@pytest.mark.parametrize("rate_hz", [0.1, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("shape", ["window", "shifted", "disc", "half", "stripes"])
def test_noise_that_ends_somewhere_on_the_sensor_is_no_motion(shape: str, rate_hz: float) -> None:
    """As of a sensor of which a part is read out, or a lens whose picture is round."""
    size = SENSORS[1]
    events = noise(size, rate_hz, 2_000_000)
    x, y = events["x"].astype(int), events["y"].astype(int)
    where = {
        "window": (abs(x - 170) < 50) & (abs(y - 130) < 50),
        "shifted": (abs(x - 173) < 50) & (abs(y - 134) < 50),
        "disc": (x - 173) ** 2 + (y - 130) ** 2 < 90**2,
        "half": x < y,
        "stripes": (y // 8) % 2 == 0,
    }
    seen = moving(events[where[shape]], size)
    assert len(seen) > 30
    assert not any(seen[20:])  # the first second is for learning where the sensor ends


@pytest.mark.parametrize("noise_hz", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("rate_hz", [4_000, 8_000, 15_000])
def test_a_hand_before_a_large_sensor_is_seen(rate_hz: float, noise_hz: float) -> None:
    seen = moving(both(hand(rate_hz, 1_000_000), noise(VGA, noise_hz, 1_000_000)), VGA)
    assert len(seen) > 15
    assert all(seen)


def test_a_pair_of_hot_pixels_is_no_motion() -> None:
    events = np.zeros(2_000, dtype=EVENT_DTYPE)
    events["t"], events["x"], events["y"] = np.arange(2_000) * 500, 100 + np.arange(2_000) % 2, 100
    assert not any(moving(events, VGA))


@pytest.mark.parametrize("noise_hz", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("size", SENSORS[1:3], ids=str)
def test_hot_pixels_side_by_side_are_no_motion(size: Resolution, noise_hz: float) -> None:
    """Nine of them, and what noise fires around them is supported by them."""
    rng, duration_us = np.random.default_rng(1), 2_000_000
    hot = np.zeros(9 * 600, dtype=EVENT_DTYPE)
    hot["t"] = np.sort(rng.integers(0, duration_us, len(hot)))
    which = rng.integers(0, 9, len(hot))
    hot["x"], hot["y"] = 100 + which % 3, 60 + which // 3
    assert not any(moving(both(hot, noise(size, noise_hz, duration_us)), size))


@pytest.mark.parametrize("size", [Resolution(1, 1), Resolution(9, 70), Resolution(20, 20)], ids=str)
def test_a_small_region_has_motion_too(size: Resolution) -> None:
    detector = MotionDetector(size)
    assert not detector.moves(piece(np.zeros(0, dtype=EVENT_DTYPE), 100_000))
    events = np.zeros(min(size.area, 40), dtype=EVENT_DTYPE)
    at = np.arange(len(events))
    events["x"], events["y"], events["t"] = at % size.width, at // size.width, at * 100
    assert detector.moves(piece(events, 100_000))


def piece(events: Packet, duration_us: int) -> Slice:
    return Slice(events, 0, duration_us, len(events), 0, 0)


def test_slices_of_any_length_and_time_are_taken() -> None:
    events = hand(50_000, 100_000)
    detector = MotionDetector(VGA)
    for duration_us in (1, 1_000, 3_600_000_000, 1 << 62):
        assert isinstance(detector.moves(piece(events, duration_us)), bool)
    for _ in range(10):  # beyond what 32 bits hold of time
        detector.moves(piece(events, 3_600_000_000))
        assert detector.moves(piece(events, 100_000))


def test_outside_the_sensor_nothing_moves() -> None:
    events = hand(10_000, 1_000_000)
    events["x"] -= 600
    assert not any(moving(events, VGA))


def test_a_rate_can_be_asked_for_instead() -> None:
    recognizers = {
        motion: Recognizer(FakeBackbone(), None, RecognizerSettings(motion=motion))  # type: ignore[arg-type]
        for motion in (None, 0.0, 0.05, 5.0)
    }
    few, many = piece(hand(8_000, 100_000), 100_000), piece(noise(VGA, 1.0, 100_000), 100_000)
    quiet = {}
    for motion, recognizer in recognizers.items():
        recognizer.begin(VGA)
        quiet[motion] = (recognizer.is_quiet(few), recognizer.is_quiet(many))
    assert quiet == {None: (False, True), 0.0: (False, False), 0.05: (True, False), 5.0: (True, True)}


@pytest.mark.parametrize(("text", "rate"), [("auto", None), (" AUTO ", None), ("0", 0.0), ("0.05", 0.05)])
def test_what_is_typed(text: str, rate: float | None) -> None:
    assert parse_motion(text) == rate
    assert parse_motion(describe_motion(rate)) == rate


@pytest.mark.parametrize("text", ["", "much", "-1", "nan", "inf", "1e9"])
def test_what_makes_no_sense_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match="--motion"):
        parse_motion(text)


def test_real_recordings_of_moving_things_have_motion_throughout(data_dir: Path) -> None:
    from neuroclip_drivers.replay import ReplaySource
    from neuroclip_live.recognition.replay_all import Totals, slices_of

    for name in ("mug", "mechanical_pencil", "scissors"):
        path = data_dir / "recordings" / "objects_dvs128" / f"{name}.aedat4"
        source = ReplaySource(path, speed=None, end_s=4.0)
        detector = MotionDetector(source.resolution)
        assert all(detector.moves(each) for each in slices_of(source, SliceBy(), Totals()))
