"""Event frames: equal to a plain reading of the method, and focused where things move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, empty_packet
from neuroclip_live.stream.frames import (
    GRAY,
    OFF_WHITE,
    ON_BLACK,
    count_events,
    crop,
    discriminate,
    event_frame,
    fit_frame,
    focus_box,
)


def plain_frame(events: Packet, resolution: Resolution, threshold: int) -> np.ndarray:
    """The method's page, word for word, one event at a time."""
    counts = np.zeros((2, resolution.height, resolution.width), int)
    for event in events:
        counts[int(event["p"]), int(event["y"]), int(event["x"])] += 1
    frame = np.full((resolution.height, resolution.width), 127, int)
    frame[counts[0] > threshold] = 255
    frame[counts[1] > threshold] = 0
    return frame.astype(np.uint8)


def random_events(seed: int, n: int, resolution: Resolution) -> Packet:
    random = np.random.default_rng(seed)
    events = np.zeros(n, EVENT_DTYPE)
    events["t"] = np.sort(random.integers(0, 10**6, n))
    events["x"] = random.integers(0, resolution.width, n)
    events["y"] = random.integers(0, resolution.height, n)
    events["p"] = random.integers(0, 2, n)
    return events


def read_nmnist(path: Path) -> Packet:
    raw = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.int64)
    events = np.zeros(len(raw), EVENT_DTYPE)
    events["x"], events["y"], events["p"] = raw[:, 0], raw[:, 1], raw[:, 2] >> 7
    events["t"] = ((raw[:, 2] & 127) << 16) | (raw[:, 3] << 8) | raw[:, 4]
    return events


@pytest.mark.parametrize("threshold", [0, 1])
def test_equals_the_plain_strategy_on_100_real_samples(data_dir: Path, threshold: int) -> None:
    files = sorted((data_dir / "nmnist" / "Train").glob("*/*.bin"))[::10]
    assert len(files) == 100
    for file in files:
        events = read_nmnist(file)
        for part in np.array_split(events, 10)[::5]:
            part = part.astype(EVENT_DTYPE)
            wanted = plain_frame(part, Resolution(34, 34), threshold)
            assert np.array_equal(event_frame(part, Resolution(34, 34), threshold), wanted)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 400),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    threshold=st.integers(0, 3),
)
def test_equals_the_plain_strategy_on_random_events(
    seed: int, n: int, width: int, height: int, threshold: int
) -> None:
    resolution = Resolution(width, height)
    events = random_events(seed, n, resolution)
    assert np.array_equal(
        event_frame(events, resolution, threshold), plain_frame(events, resolution, threshold)
    )
    assert count_events(events, resolution).sum() == n


def test_on_is_written_last_and_wins() -> None:
    events = np.zeros(4, EVENT_DTYPE)
    events["x"], events["p"] = [0, 0, 1, 2], [0, 1, 0, 1]
    assert event_frame(events, Resolution(4, 1)).tolist() == [[ON_BLACK, OFF_WHITE, ON_BLACK, GRAY]]


def test_no_events_is_mid_gray() -> None:
    assert np.all(event_frame(empty_packet(), Resolution(7, 5)) == GRAY)


def test_events_outside_the_sensor_are_left_out() -> None:
    events = random_events(0, 50, Resolution(10, 10))
    events["x"][:10], events["y"][10:20] = -3, 99
    assert count_events(events, Resolution(10, 10)).sum() == 30


def test_counts_stop_instead_of_wrapping() -> None:
    events = np.zeros(70_000, EVENT_DTYPE)
    assert count_events(events, Resolution(2, 2))[0, 0, 0] == 65535


def test_repacked_events_are_understood() -> None:
    events = random_events(1, 200, Resolution(9, 9))
    packed = events.astype(np.dtype([(name, EVENT_DTYPE[name]) for name in ("t", "x", "y", "p")]))
    assert packed.dtype.itemsize == 13
    assert np.array_equal(event_frame(packed, Resolution(9, 9)), event_frame(events, Resolution(9, 9)))


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="EVENT_DTYPE"):
        count_events(np.zeros(3, np.int64), Resolution(4, 4))
    with pytest.raises(ValueError, match=r"\(2, H, W\)"):
        discriminate(np.zeros((4, 4), np.uint16))
    with pytest.raises(ValueError, match="letterbox"):
        fit_frame(np.zeros((4, 4), np.uint8), 8, "stretch")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        fit_frame(np.zeros((4, 4), np.uint8), 0)
    with pytest.raises(ValueError, match="non-empty"):
        fit_frame(np.zeros((0, 4), np.uint8), 8)


@settings(deadline=None, max_examples=40)
@given(width=st.integers(1, 90), height=st.integers(1, 90), size=st.integers(1, 64))
def test_fitting_gives_a_square_and_letterboxing_pads_with_gray(width: int, height: int, size: int) -> None:
    frame = np.zeros((height, width), np.uint8)
    letterboxed = fit_frame(frame, size)
    assert letterboxed.shape == (size, size)
    assert np.all(fit_frame(frame, size, "squash") == 0)
    assert set(np.unique(letterboxed)) <= {0, GRAY}
    area = (letterboxed == 0).mean()
    assert area >= 0.5 * min(width, height) / max(width, height) or min(width, height) * size < 4 * max(
        width, height
    )


def test_letterbox_keeps_shapes() -> None:
    frame = np.zeros((240, 320), np.uint8)
    fitted = fit_frame(frame, 96)
    assert np.all(fitted[12:84] == 0)
    assert np.all(fitted[:12] == GRAY)
    assert np.all(fitted[84:] == GRAY)


@pytest.mark.parametrize(("top", "left"), [(10, 70), (60, 20), (50, 50)])
def test_focus_finds_a_small_thing_among_noise(top: int, left: int) -> None:
    random = np.random.default_rng(3)
    frame = np.full((128, 128), GRAY, np.uint8)
    frame[random.random(frame.shape) < 0.01] = ON_BLACK
    frame[top : top + 30, left : left + 40] = OFF_WHITE
    box = focus_box(frame)
    assert box.left <= left
    assert box.top <= top
    assert box.right >= left + 40
    assert box.bottom >= top + 30
    assert box.right - box.left <= 75
    assert crop(frame, box).shape == (box.bottom - box.top, box.right - box.left)


def test_focus_shows_everything_when_all_or_nothing_moves() -> None:
    still = np.full((100, 140), GRAY, np.uint8)
    assert focus_box(still) == (0, 0, 140, 100)
    noisy = np.random.default_rng(0).choice(np.array([0, 127, 255], np.uint8), (100, 140))
    box = focus_box(noisy)
    assert (box.right - box.left) * (box.bottom - box.top) >= 0.9 * noisy.size


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6), width=st.integers(1, 400), height=st.integers(1, 400), n=st.integers(0, 300)
)
def test_focus_stays_inside_the_sensor(seed: int, width: int, height: int, n: int) -> None:
    resolution = Resolution(width, height)
    frame = event_frame(random_events(seed, n, resolution), resolution)
    box = focus_box(frame)
    assert 0 <= box.left < box.right <= width
    assert 0 <= box.top < box.bottom <= height


@pytest.mark.parametrize("threshold", [0, 1])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8])
def test_odd_counts_strangers_and_foreign_polarities(count: int, threshold: int) -> None:
    # events are painted two at a time: every mix of good ones and strangers, in both places
    events = np.zeros(count, dtype=EVENT_DTYPE)
    memory = events.view(np.uint8).reshape(count, EVENT_DTYPE.itemsize)
    memory[:] = 0xA5  # the padding after the polarity holds anything
    rows = [(1, 1, 1), (9, 1, 1), (1, 1, 0), (2, -1, 1), (-3, 2, 0), (2, 2, -1), (3, 3, 127), (3, 3, 1)]
    for event, (x, y, p) in zip(events, rows, strict=False):
        event["x"], event["y"], event["p"] = x, y, p
    size = Resolution(4, 4)
    good = events[(events["x"] >= 0) & (events["x"] < 4) & (events["y"] >= 0) & (events["y"] < 4)].copy()
    good["p"] = good["p"] > 0
    assert np.array_equal(event_frame(events, size, threshold), plain_frame(good, size, threshold))


def test_strided_events_are_painted_as_their_copy() -> None:
    rng = np.random.default_rng(3)
    events = np.zeros(101, dtype=EVENT_DTYPE)
    events["x"], events["y"], events["p"] = rng.integers(0, 9, (3, 101))
    events["p"] %= 2
    every_other = events[::2]
    assert np.array_equal(
        event_frame(every_other, Resolution(9, 9)), event_frame(every_other.copy(), Resolution(9, 9))
    )
