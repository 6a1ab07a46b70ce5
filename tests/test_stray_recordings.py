"""A recording with a few stray times is replayed, taught from and evaluated as if they were right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import packet
from making import SIZE, join, make_events, same
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.cli.main import main
from neuroclip_live.events import Packet, Resolution, copy_packet

SENSOR = Resolution(48, 32)
EVENTS = 20_000
STRAYS = {
    "one, 99 ms early": (np.array([9_000]), -99_000),
    "fifteen, 99 ms early": (np.arange(500, EVENTS - 40, 1_300), -99_000),
    "fifteen, 999 ms early": (np.arange(500, EVENTS - 40, 1_300), -999_000),
    "fifteen, an hour ahead": (np.arange(500, EVENTS - 40, 1_300), 3_600_000_000),
    "bursts, 99 ms ahead": (np.add.outer(np.arange(500, EVENTS - 40, 1_300), np.arange(20)).ravel(), 99_000),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def good() -> Packet:
    return packet(1_000_000, EVENTS, step_us=50, sensor=SENSOR)


@pytest.fixture(scope="module")
def as_it_should(good: Packet, model: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("good")
    return predictions(written(folder, good), model, folder)[0]


def written(folder: Path, events: Packet, name: str = "bar.aedat4") -> Path:
    path = folder / name
    write_aedat4(path, [events[i : i + 777] for i in range(0, len(events), 777)], SENSOR)
    return path


def with_strays(good: Packet, which: str) -> tuple[Packet, int]:
    at, off_us = STRAYS[which]
    events = copy_packet(good)
    events["t"][at] += off_us
    return events, len(at)


def predictions(path: Path, model: str, folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    out = folder / "out.jsonl"
    how = ["--headless", "--speed", "max", "--runtime", "torch", "--model", model]
    assert main(["--replay", str(path), *how, "-p", "a mug, a phone", "--jsonl", str(out)]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    return [{**line, "latency_ms": None, "skipped": 0} for line in lines[1:-1]], lines[-1]


@pytest.mark.parametrize("which", STRAYS)
def test_every_window_is_recognized_as_without_strays(
    which: str, good: Packet, as_it_should, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    events, strays = with_strays(good, which)
    got, summary = predictions(written(tmp_path, events), model, tmp_path)
    assert [line["state"] for line in got] == [line["state"] for line in as_it_should]
    # a stray counts as of the microsecond of the event before it: hardly one changes its slice by that
    assert sum(a == b for a, b in zip(got, as_it_should, strict=True)) > 0.9 * len(got)
    assert (summary["events"], summary["stray_events"], summary["dropped_events"]) == (EVENTS, strays, 0)


@pytest.mark.parametrize("which", ["fifteen, 99 ms early", "bursts, 99 ms ahead"])
def test_it_is_taught_from_and_evaluated(
    which: str, good: Packet, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, strays = with_strays(good, which)
    path = written(tmp_path, events)
    lessons = str(tmp_path / "taught.safetensors")
    arguments = ["--runtime", "torch", "--model", model]
    assert main(["teach", "--show", f"bar={path}", "--out", lessons, *arguments]) == 0
    said = capsys.readouterr()
    assert "bar (" in said.out
    assert f"{strays} event" in said.err
    written(tmp_path, good, "box.aedat4")
    table = str(tmp_path / "table.csv")
    folder = ["--dataset", "folder", "--root", str(tmp_path), "--shots", "0,1", "--seeds", "1"]
    assert main(["evaluate", *folder, "--out", table, *arguments]) == 0


@pytest.mark.parametrize("where", ["before", "across", "after"])
@pytest.mark.parametrize("off_us", [30_000_000, 3_600_000_000, -999_000])
@pytest.mark.parametrize("end_s", [None, 1.9])
def test_strays_at_the_seams_of_what_is_read_at_once_hold_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, off_us: int, end_s: float | None
) -> None:
    seam, burst = MAX_PACKET_EVENTS, 24
    events = make_events(2 * seam, 2_000_000)
    played = int(np.count_nonzero(events["t"] <= events["t"][0] + (end_s or 2.0) * 1e6))
    begin = seam - {"before": burst, "across": burst // 2, "after": 0}[where]
    events["t"][begin : begin + burst] += off_us + 3_000 * np.arange(burst) * (-1) ** np.arange(burst)
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, SIZE) as writer:
        writer.write(events)
    # time passes here, not on the wall
    monkeypatch.setattr("neuroclip_drivers.replay_playhead.MAX_WAIT_S", 0.0)
    now = 1000.0
    source = ReplaySource(path, speed=10.0, end_s=end_s, clock=lambda: now)
    given, places = [], []
    for part in source.packets():
        given.append(part)
        places.append(source.status().position_us or 0)
        now += 0.001
    assert same(join(given), events[:played])
    assert places == sorted(places)
    assert now - 1000.0 == pytest.approx((end_s or 2.0) / 10, abs=0.05)
    assert "gap" not in source.status().message


@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize("speed", [None, 100.0])
def test_strays_just_before_an_end_belong_to_the_part(
    tmp_path: Path, count: int, speed: float | None
) -> None:
    events = make_events(3000)
    end_us = int(events["t"][1500])
    events["t"][1490 - count : 1490] += 999_000
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, SIZE) as writer:
        writer.write(events)
    source = ReplaySource(path, speed=speed, end_s=(end_us - int(events["t"][0])) / 1e6)
    assert same(join(source.packets()), events[:1500])  # an end is where the next part begins
