"""Noise filter, flips and turns, alone and in a running pipeline."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from fakes import Endless, FakeBackbone, ScriptedSource, packet, wait_for

from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_drivers.source import GrayFrame
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.stream.filters import Treater, Treatment
from neuroclip_live.stream.slicing import SliceBy

SENSOR = Resolution(32, 24)


def events(*rows: tuple[int, int, int, int]) -> Packet:
    return np.array(list(rows), dtype=EVENT_DTYPE) if rows else np.zeros(0, EVENT_DTYPE)


def test_an_event_stays_where_a_neighbor_fired_lately() -> None:
    treated = Treater(SENSOR).treat(
        events((0, 5, 5, 1), (100, 6, 5, 1), (200, 20, 20, 0), (5_000, 7, 6, 1), (5_100, 6, 6, 0)),
        Treatment(support_us=1_000),
    )
    assert [int(e["t"]) for e in treated] == [100, 5_100]


def test_a_pixel_is_no_company_for_itself() -> None:
    hot = events(*[(i * 10, 3, 3, 1) for i in range(50)])
    assert len(Treater(SENSOR).treat(hot, Treatment(support_us=1_000))) == 0


def slow_filter(stream: Packet, support_us: int) -> Packet:
    """Do what the noise filter is said to do, event by event and neighbor by neighbor."""
    fired: dict[tuple[int, int], int] = {}
    stays = []
    for row in stream:
        x, y, t = int(row["x"]), int(row["y"]), int(row["t"])
        if not (0 <= x < SENSOR.width and 0 <= y < SENSOR.height):
            stays.append(True)  # for whoever counts what lies outside
            continue
        neighbors = [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
        stays.append(any(t - fired[at] <= support_us for at in neighbors if at in fired))
        fired[x, y] = t
    return stream[np.array(stays)]


@pytest.mark.parametrize("support_us", [1, 300, 2_000, 50_000])
def test_the_filter_agrees_with_a_slow_one_across_packets_and_borders(support_us: int) -> None:
    rng = np.random.default_rng(support_us)
    stream = np.zeros(4_000, dtype=EVENT_DTYPE)
    stream["t"] = np.sort(rng.integers(0, 200_000, 4_000))
    stream["t"][1_000:3_000] += rng.integers(-3, 4, 2_000)  # jitter: a little back in time
    stream["x"], stream["y"] = rng.integers(-2, 35, 4_000), rng.integers(-2, 27, 4_000)
    stream["p"] = rng.integers(0, 2, 4_000)
    treater = Treater(SENSOR)
    parts = [treater.treat(part, Treatment(support_us=support_us)) for part in np.array_split(stream, 13)]
    got, expected = np.concatenate(parts), slow_filter(stream, support_us)
    assert 100 < len(got) < 4_000
    assert np.array_equal(got, expected.astype(got.dtype))


def test_it_takes_noise_away_and_leaves_edges() -> None:
    def stream(noise: float) -> list[Packet]:
        source = SimulatorSource(realtime=False, duration_s=1.0)
        source.set_control("Noise", noise)
        return list(source.packets())

    def kept(packets: list[Packet], support_us: int) -> float:
        treater = Treater(Resolution(240, 180))
        left = sum(len(treater.treat(p, Treatment(support_us=support_us))) for p in packets)
        return left / sum(map(len, packets))

    assert kept(stream(0.0), 10_000) > 0.9
    assert kept(stream(15.0), 3_000) < 0.5


def test_time_going_back_is_another_time() -> None:
    treater, how = Treater(SENSOR), Treatment(support_us=1_000)
    treater.treat(events((9_000_000, 5, 5, 1), (9_000_100, 6, 5, 1)), how)
    assert len(treater.treat(events((100, 5, 6, 1)), how)) == 0


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("flip_h", [False, True])
@pytest.mark.parametrize("flip_v", [False, True])
def test_events_and_frames_turn_alike(turns: int, flip_h: bool, flip_v: bool) -> None:
    image = np.zeros((24, 32), np.uint8)
    image[4, 30] = 255
    how = Treatment(0, flip_h, flip_v, turns)
    turned = Treater(SENSOR).treat(events((0, 30, 4, 1)), how)[0]
    resolution = how.resolution(SENSOR)
    assert how.image(image).shape == (resolution.height, resolution.width)
    assert how.image(image)[turned["y"], turned["x"]] == 255


def test_a_packet_given_is_not_written_to() -> None:
    packet = events((0, 1, 1, 1), (1, 2, 1, 1))
    before = packet.copy()
    Treater(SENSOR).treat(packet, Treatment(1_000, True, True, 1))
    assert np.array_equal(packet, before)


class WithFrames(Endless):
    def latest_frame(self) -> GrayFrame:
        return GrayFrame(0, np.zeros((24, 32), np.uint8))


def test_a_running_pipeline_turns_its_picture_and_goes_on() -> None:
    settings = PipelineSettings(slice_by=SliceBy("count", count=100, overlap=1))
    pipeline = Pipeline(WithFrames([]), lambda progress: FakeBackbone(), parse_prompts("a mug"), settings)
    pipeline.start()
    try:
        wait_for(lambda: pipeline.prediction() is not None)
        assert pipeline.prediction().frames[-1].shape == (24, 32)
        pipeline.treat(Treatment(quarter_turns=1))
        wait_for(lambda: [f.shape for f in pipeline.prediction().frames[-1:]] == [(32, 24)])
        assert pipeline.status().resolution == (24, 32)
        assert pipeline.latest_frame().image.shape == (32, 24)
        assert pipeline.recent_events(1_000_000)["y"].max() >= 24
        number = pipeline.prediction().number
        wait_for(lambda: pipeline.prediction().number > number + 5)
        pipeline.treat(Treatment(support_us=1))  # nothing has company within a microsecond
        wait_for(lambda: pipeline.status().removed_share > 0.9)
        pipeline.open(WithFrames([]))
        assert pipeline.treatment == Treatment(support_us=1)
    finally:
        assert pipeline.stop(60.0)


def test_a_recording_keeps_what_came_in_whatever_is_done_to_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from neuroclip_drivers.replay import ReplaySource

    came = [packet(i * 5_000, 50) for i in range(40)]
    path = tmp_path / "raw.aedat4"
    settings = PipelineSettings(slice_by=SliceBy("count", count=100, overlap=1))
    gate = threading.Event()
    source = ScriptedSource([gate, *came, threading.Event()])
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug"), settings)
    pipeline.treat(Treatment(support_us=1, flip_horizontal=True, quarter_turns=1))
    pipeline.start()
    try:
        pipeline.start_recording(path)
        gate.set()
        wait_for(lambda: (now := pipeline.recording()) is not None and now.events == 2_000)
        pipeline.stop_recording()
    finally:
        assert pipeline.stop(60.0)
    replay = ReplaySource(str(path), speed=None)
    got = [p for p in replay.packets() if len(p)]
    replay.close()
    whole = np.concatenate(got)
    for name in ("t", "x", "y", "p"):
        assert np.array_equal(whole[name], np.concatenate([p[name] for p in came]))
