"""One road for events: order, filter, turn, region, live and in recordings read whole; said in the header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import ScriptedSource
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.cli.main import main
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, join_packets
from neuroclip_live.recognition.replay_all import Totals, slices_of
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Capture
from neuroclip_live.stream.filters import Treatment
from neuroclip_live.stream.newest_slice_reader import Reader
from neuroclip_live.stream.road import Road, RoadSettings
from neuroclip_live.stream.slicing import SliceBy

SENSOR = Resolution(80, 60)
BY = SliceBy("time", time_us=20_000, overlap=2)
DEMO = Path(__file__).resolve().parents[1] / "recordings" / "digits.aedat4"


def moving(count: int = 20_000, seed: int = 0) -> Packet:
    """Return a bar that moves to the right in the upper half, and noise everywhere."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, EVENT_DTYPE)
    events["t"] = 1_000_000 + np.arange(count) * 50
    bar = rng.random(count) < 0.7
    across = events["t"] // 20_000 % 70 + rng.integers(0, 3, count)
    events["x"] = np.where(bar, across, rng.integers(0, 80, count))
    events["y"] = np.where(bar, rng.integers(5, 25, count), rng.integers(0, 60, count))
    events["p"] = rng.integers(0, 2, count)
    return events


def through(events: Packet, settings: RoadSettings, packet: int = 997) -> list[Any]:
    parts = [events[i : i + packet] for i in range(0, len(events), packet)]
    source = ScriptedSource(parts, live=False, resolution=SENSOR)
    return list(slices_of(source, BY, Totals(), road=settings))


def of(slices: list[Any]) -> list[tuple[int, int, int, bytes]]:
    return [(s.start_us, s.end_us, len(s.events), s.events.tobytes()) for s in slices]


ROADS = {
    "plain": RoadSettings(),
    "region": RoadSettings(region=Box(10, 5, 50, 30)),
    "turned": RoadSettings(Treatment(quarter_turns=1)),
    "all": RoadSettings(Treatment(5_000, True, False, 3), Box(0, 0, 30, 40)),
}


@pytest.mark.parametrize("name", ROADS)
def test_packets_make_no_difference(name: str) -> None:
    events = moving()
    assert of(through(events, ROADS[name], 31)) == of(through(events, ROADS[name], 6007))


def test_the_stages_come_in_their_order() -> None:
    """A stray time does not reach the filter, and a region is of the picture as it is turned."""
    events = moving(4000)
    stray = events.copy()
    stray["t"][2000] += 900_000  # the filter would take it for a neighbor in the future, or begin anew
    how = Treatment(support_us=3_000)
    road = Road(SENSOR, RoadSettings(how))
    kept = join_packets([piece for piece, _ in (*road.pieces(stray), *road.flush())])
    assert road.ordering.strays == 1
    straight = Road(SENSOR, RoadSettings(how))
    wanted = join_packets([piece for piece, _ in (*straight.pieces(events), *straight.flush())])
    assert abs(len(kept) - len(wanted)) <= 8
    turned = through(events, RoadSettings(Treatment(quarter_turns=1), Box(35, 0, 60, 80)))
    assert sum(len(s.events) for s in turned) > 0.6 * 2 * len(
        events
    )  # the bar's rows 0..25 are columns 34..59


def live(events: Packet, settings: RoadSettings, by: SliceBy = BY) -> list[Any]:
    """Return all slices that a reader of the ring makes."""
    parts = [events[i : i + 997] for i in range(0, len(events), 997)]
    capture = Capture(ScriptedSource(parts, live=False, resolution=SENSOR), treatment=settings.treatment)
    reader = Reader(capture, by, from_start=True)
    reader.restrict(settings.region)
    for _ in range(200):
        reader.took_ms(0.0)  # so fast that none is passed over
    taken: list[Any] = []
    capture.start()
    while not reader.finished:
        slices, passed_over = reader.take()
        assert not passed_over
        taken += slices
        reader.wait()
    assert capture.stop()
    return taken


@pytest.mark.parametrize("name", ROADS)
def test_live_and_read_whole_cut_the_same_slices(name: str) -> None:
    events = moving()
    assert of(live(events, ROADS[name])) == of(through(events, ROADS[name])) != []


@pytest.mark.parametrize("name", ["region", "plain"])
def test_a_long_silence_is_cut_alike_too(name: str) -> None:
    events = moving()
    events["t"][10_000:] += 5_000_000
    quiet = events[(events["t"] < 1_300_000) | (events["y"] > 40)]  # nothing inside the region for seconds
    later = moving(2000)
    later["t"] += 30_000_000
    for stream in (events, join_packets([quiet, later])):
        assert (
            of(live(stream, ROADS[name]))
            == of(through(stream, ROADS[name]))
            == of(through(stream, ROADS[name], 31))
        )


def test_positions_are_those_of_the_whole_stream() -> None:
    events = moving()
    settings = ROADS["region"]
    box = settings.region
    assert box is not None
    by = SliceBy("count", count=200, overlap=2)
    for slices in (live(events, settings, by),):
        for piece in slices[:-1]:
            last, there = piece.events[-1], events[piece.end_position - 1]
            assert (last["t"], last["x"] + box.left, last["y"] + box.top) == (
                there["t"],
                there["x"],
                there["y"],
            )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model") / "tiny"))


def lines_of(tmp_path: Path, model: str, *options: str) -> list[dict[str, Any]]:
    out = tmp_path / "out.jsonl"
    common = ("--headless", "--replay", str(DEMO), "--end", "1.5", "--runtime", "torch", "--model", model)
    assert main([*common, "-p", "a, b", "--jsonl", str(out), *options]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def scores(lines: list[dict[str, Any]]) -> dict[int, dict[str, float]]:
    return {line["t_us"]: line["scores"] for line in lines if line["type"] == "prediction"}


def test_stages_change_predictions_and_the_header_says_so(tmp_path: Path, model: str) -> None:
    plain = lines_of(tmp_path, model, "--speed", "max")
    assert plain[0]["events"] == {"noise_filter_us": 0, "flip": [False, False], "turn": 0, "region": None}
    width, height = plain[0]["resolution"]
    box = [0, 0, width // 2, height // 2]
    cases = {
        ("--turn", "90"): ("turn", 90),
        ("--noise-filter", "5"): ("noise_filter_us", 5000),
        ("--region", ",".join(map(str, box))): ("region", box),
    }
    for options, (name, value) in cases.items():
        other = lines_of(tmp_path, model, "--speed", "max", *options)
        assert other[0]["events"] == {**plain[0]["events"], name: value}
        assert scores(other) != scores(plain)
    whole = f"0,0,{width},{height}"
    assert scores(lines_of(tmp_path, model, "--speed", "max", "--region", whole)) == scores(plain)


def test_speed_max_differs_in_pacing_alone(tmp_path: Path, model: str) -> None:
    options = ("--turn", "270", "--noise-filter", "20", "--region", "20,20,100,100")
    whole = scores(lines_of(tmp_path, model, "--speed", "max", *options))
    paced_lines = lines_of(tmp_path, model, "--speed", "1", *options)
    paced = scores(paced_lines)
    assert paced_lines[0]["events"]["region"] == [20, 20, 100, 100]
    if paced_lines[-1]["skipped_windows"] == 0:
        assert paced == whole
    assert paced.keys() <= whole.keys()


@pytest.mark.parametrize("speed", ["max", "50"])
def test_recordings_tap_before_all_of_it(tmp_path: Path, model: str, speed: str) -> None:
    out = tmp_path / "rec.aedat4"
    options = ("--turn", "90", "--noise-filter", "1", "--region", "0,0,40,40", "--record", str(out))
    lines = lines_of(tmp_path, model, "--speed", speed, *options)
    source, written = ReplaySource(DEMO, speed=None, end_s=1.5), Recording(out)
    try:
        assert written.resolution == source.resolution
        came = join_packets(list(source.packets()))
        kept = join_packets(list(written.read()))
        assert all(np.array_equal(came[name], kept[name]) for name in ("t", "x", "y", "p"))
        assert lines[-1]["events"] < len(kept)  # what the filter has left
    finally:
        source.close()
        written.close()
    notes = [json.loads(line) for line in (tmp_path / "rec.labels.jsonl").read_text().splitlines()]
    assert notes[0]["events"]["region"] == [0, 0, 40, 40]


def test_the_window_has_its_own_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replay", str(DEMO), "--region", "0,0,40,40"]) == 2
    assert "--region needs --headless" in capsys.readouterr().err
