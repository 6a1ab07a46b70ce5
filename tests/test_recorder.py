"""Recordings that survive: what came in is in the file, or is counted and told."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeBackbone, ScriptedSource, packet, wait_for
from making import SIZE, dv_events, join, make_events, same

from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.recording import disk
from neuroclip_live.recording import recorder as recorder_module
from neuroclip_live.recording.recorder import Recorder
from neuroclip_live.stream.slicing import SliceBy

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = PipelineSettings(
    slice_by=SliceBy("count", count=100, overlap=1), recognizer=RecognizerSettings(timesteps=3, motion=0.05)
)


def parts(events: Packet, size: int = 500) -> list[Packet]:
    return [events[start : start + size].copy() for start in range(0, len(events), size)]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Disk(Aedat4Writer):
    """A writer whose disk does as told."""

    def __init__(
        self,
        *args: Any,
        fill_at: int = 1 << 60,
        hold: threading.Event | None = None,
        lies_at: int = 0,
        **kw: Any,
    ) -> None:
        self.fill_at, self.hold, self.lies_at = fill_at, hold, lies_at
        super().__init__(*args, **kw)
        self._file = _Full(self._file, self)


class _Full:
    def __init__(self, file: Any, disk: Disk) -> None:
        self.file, self.disk, self.calls = file, disk, 0

    def write(self, data: memoryview) -> int:
        if self.disk.hold is not None:
            self.disk.hold.wait(100)
        room = self.disk.fill_at - self.file.tell()
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.calls += 1
        if self.calls == self.disk.lies_at:
            data = memoryview(bytes(data[:-20]) + bytes(20))
        return int(self.file.write(data[:room]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def test_everything_that_came_in_is_in_the_file(tmp_path: Path) -> None:
    events = make_events(20_000)
    recorder = Recorder(tmp_path / "a.aedat4", SIZE, "Cam 1")
    for number, part in enumerate(parts(events)):
        recorder.write(part)
        recorder.note({"type": "note", "number": number, "text": "größer"})
    report = recorder.close()
    assert recorder.close() is report
    assert (report.events, report.dropped_events, report.whole) == (20_000, 0, True)
    assert report.message.startswith("a.aedat4: 20,000 events in ")
    assert report.message.endswith(", 0 dropped, file verified")
    assert same(dv_events(report.path), events)
    assert Recording(report.path).camera == "Cam 1"
    assert report.sidecar == tmp_path / "a.labels.jsonl"
    assert [line["number"] for line in lines(report.sidecar)] == list(range(40))


def test_frames_are_recorded(tmp_path: Path) -> None:
    events = make_events(1000)
    side = SideStreams.of_sensor(SIZE, frames=True)
    recorder = Recorder(tmp_path / "a.aedat4", SIZE, "DAVIS", side=side, sidecar=False)
    for part in parts(events, 100):
        t_us = int(part["t"][0])
        side.add_frame(t_us, np.full((48, 64), t_us % 251, dtype=np.uint8))
        recorder.write(part)
    assert recorder.close().whole
    recording = Recording(tmp_path / "a.aedat4")
    assert recording.has_frames
    frame = recording.frame_at(int(events["t"][550]))
    assert frame is not None
    assert frame.t_us == events["t"][500]
    assert not (tmp_path / "a.labels.jsonl").exists()


def test_a_disk_too_slow_holds_nobody_up_and_drops_are_told(tmp_path: Path) -> None:
    hold = threading.Event()
    hold.set()
    recorder = Recorder(
        tmp_path / "a.aedat4",
        SIZE,
        "Cam",
        queue_events=5_000,
        writer=lambda *a, **k: Disk(*a, hold=hold, **k),
    )
    hold.clear()
    slowest = 0.0
    for part in parts(make_events(40_000)):
        begin = time.monotonic()
        recorder.write(part)
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 50.0  # the disk answers nothing at all
    status = recorder.status()
    assert status.dropped_events > 0
    assert "dropped: the disk is too slow" in (status.warning or "")
    hold.set()
    report = recorder.close()
    assert not report.whole
    assert report.events + report.dropped_events == 40_000
    assert report.dropped_events >= status.dropped_events
    assert "file verified" in report.message
    assert len(dv_events(report.path)) == report.events


@pytest.mark.parametrize("fill_at", [12_000, 20_000, 50_001])
def test_a_full_disk_ends_it_with_a_file_that_plays(tmp_path: Path, fill_at: int) -> None:
    events = make_events(20_000)
    recorder = Recorder(
        tmp_path / "a.aedat4", SIZE, "Cam", writer=lambda *a, **k: Disk(*a, fill_at=fill_at, **k)
    )
    for part in parts(events):
        recorder.write(part)
    wait_for(lambda: recorder.status().ended)
    assert "No space left on device" in (recorder.status().warning or "")
    recorder.write(events[:10].copy())
    report = recorder.close()
    assert not report.whole
    assert report.events + report.dropped_events == 20_010
    assert report.bytes == report.path.stat().st_size <= fill_at
    assert "The recording ended: " in report.message
    assert same(dv_events(report.path), events[: report.events])
    assert report.events > 0


def test_a_full_disk_at_the_very_end_costs_the_index_only(tmp_path: Path) -> None:
    events = make_events(20_000)
    whole = Recorder(tmp_path / "whole.aedat4", SIZE, "Cam", sidecar=False)
    whole.write(events)
    size = whole.close().bytes
    recorder = Recorder(
        tmp_path / "a.aedat4",
        SIZE,
        "Cam",
        sidecar=False,
        writer=lambda *a, **k: Disk(*a, fill_at=size - 5, **k),
    )
    recorder.write(events)
    report = recorder.close()
    assert "No space left on device" in report.message
    assert (report.events, report.dropped_events) == (20_000, 0)
    assert same(join(Recording(report.path).read()), events)


def test_a_disk_that_does_not_answer_is_told_in_time(tmp_path: Path) -> None:
    hold = threading.Event()
    hold.set()
    recorder = Recorder(tmp_path / "a.aedat4", SIZE, "Cam", writer=lambda *a, **k: Disk(*a, hold=hold, **k))
    hold.clear()
    recorder.write(make_events(20_000))
    report = recorder.close(timeout_s=0.2)
    assert "does not answer" in report.message
    assert not report.whole
    hold.set()
    wait_for(lambda: recorder.done)


def test_a_disk_that_lies_is_found_out(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.aedat4", SIZE, "Cam", writer=lambda *a, **k: Disk(*a, lies_at=9, **k))
    for part in parts(make_events(20_000)):
        recorder.write(part)
    report = recorder.close()
    assert "does not read back as it was written" in report.message
    assert not report.whole


def test_a_file_deleted_while_it_is_recorded_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_LOOK_S", 0.01)
    recorder = Recorder(tmp_path / "a.aedat4", SIZE, "Cam")
    recorder.write(make_events(1000))
    (tmp_path / "a.aedat4").unlink()
    wait_for(lambda: "moved or deleted" in (recorder.status().warning or ""))
    report = recorder.close()
    assert not report.whole
    assert "No such file" in report.message


def test_little_room_is_told_before_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_LOOK_S", 0.01)
    monkeypatch.setattr(disk, "_free_bytes", lambda path: 50_000_000)
    recorder = Recorder(tmp_path / "a.aedat4", SIZE, "Cam")
    wait_for(lambda: recorder.status().warning)
    assert (recorder.status().warning or "").startswith("the disk is nearly full: 50 MB, ")
    assert recorder.close().whole


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat4"
    Recorder(path, SIZE, "Cam").close()
    before = path.read_bytes()
    with pytest.raises(UserError, match="exists already"):
        Recorder(path, SIZE, "Cam", sidecar=False)
    with pytest.raises(UserError, match="exists already"):
        Recorder(path, SIZE, "Cam")
    assert path.read_bytes() == before
    assert (tmp_path / "a.labels.jsonl").exists()
    Recorder(path, SIZE, "Cam", replace=True).close()


@pytest.mark.parametrize("name", ["no/such/folder/a.aedat4", ".", "a\0b"])
def test_places_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        Recorder(tmp_path / name, SIZE, "Cam")
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, time
from making import SIZE, make_events
from neuroclip_live.recording.recorder import Recorder
recorder = Recorder(sys.argv[1], SIZE, "Cam")
events = make_events(100_000, 10_000_000)
for number in range(100):
    recorder.write(events[number * 1000 : number * 1000 + 1000].copy())
    recorder.note({"number": number})
    while recorder._writer.events < 1000 * number - 9000:  # a busy machine may run its thread late
        time.sleep(0.01)
    print(number, flush=True)
    time.sleep(0.02)
"""


def test_killed_in_the_middle_it_loses_less_than_the_last_second(tmp_path: Path) -> None:
    path = tmp_path / "killed.aedat4"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "70":
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    events = make_events(100_000, 10_000_000)
    given = join(Recording(path).read())
    assert same(given, events[: len(given)])
    assert same(dv_events(path), given)
    assert len(given) >= 61_000  # of 71,000: a packet is 0.1 s of this stream
    for line in (tmp_path / "killed.labels.jsonl").read_text().splitlines()[:-1]:
        json.loads(line)


def test_the_pipeline_records_what_came_in_and_what_was_predicted(tmp_path: Path) -> None:
    gate, end = threading.Event(), threading.Event()
    script = [packet(i * 5000, 50) for i in range(40)]
    source = ScriptedSource([gate, *script, end], live=False)  # which is never leapt over
    settings = replace(SETTINGS, wait_for_model=True)
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug, a phone"), settings)  # type: ignore[arg-type,return-value]
    with pytest.raises(UserError, match="nothing is being recorded"):
        pipeline.stop_recording()
    pipeline.note({"ignored": True})
    pipeline.start()
    wait_for(lambda: pipeline.status().state is PipelineState.RUNNING)
    assert pipeline.recording() is None
    pipeline.start_recording(tmp_path / "a.aedat4")
    with pytest.raises(UserError, match="being recorded already"):
        pipeline.start_recording(tmp_path / "b.aedat4")
    gate.set()
    wait_for(lambda: pipeline.status().windows == 20)
    wait_for(lambda: pipeline.prediction().state == "no-motion")  # inference has come to the end of it
    pipeline.note({"type": "correction", "label": "a phone"})
    assert pipeline.recording() is not None
    report = pipeline.stop_recording()
    assert pipeline.recording() is None
    assert pipeline.stop(60.0)
    assert report.whole
    assert same(dv_events(report.path), join(script))
    assert report.sidecar is not None
    kinds = [line["type"] for line in lines(report.sidecar)]
    assert kinds[0] == "header"
    assert kinds.count("prediction") == pipeline.status().predictions
    assert kinds[-2:] == ["correction", "summary"]
    headers = [line for line in lines(report.sidecar) if line["type"] == "header"]
    assert headers[-1]["model"] == "fake"  # the first may have been written while it was still loading
    assert headers[0]["recording"] == "a.aedat4"
    assert lines(report.sidecar)[-1]["predictions"] == kinds.count("prediction")


@pytest.mark.parametrize("how", ["stop", "open"])
def test_a_recording_is_closed_with_its_source(tmp_path: Path, how: str) -> None:
    source = ScriptedSource([*(packet(i * 5000, 50) for i in range(10)), threading.Event()], live=True)
    settings = replace(SETTINGS, wait_for_model=True)  # else all events may have passed before it looks
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug"), settings)  # type: ignore[arg-type,return-value]
    pipeline.start_recording(tmp_path / "a.aedat4")
    pipeline.start()
    wait_for(lambda: pipeline.status().total_events == 500 and pipeline.status().predictions > 0)
    if how == "open":
        pipeline.open(ScriptedSource([threading.Event()], live=True))
        assert pipeline.recording() is None
    assert pipeline.stop(60.0)
    assert pipeline.stop_recording().events == 500
    assert len(dv_events(tmp_path / "a.aedat4")) == 500
    told = lines(tmp_path / "a.labels.jsonl")
    kinds = [line["type"] for line in told]
    assert kinds[-1] == "summary"
    assert told[-1]["events"] == 500
    assert told[-1]["predictions"] == kinds.count("prediction") > 0


def test_a_source_that_comes_late_is_recorded_from_its_first_packet_on(tmp_path: Path) -> None:
    first = ScriptedSource([threading.Event()], live=True)
    pipeline = Pipeline(first, lambda progress: FakeBackbone(), parse_prompts("a mug"), SETTINGS)  # type: ignore[arg-type,return-value]
    pipeline.start_recording(tmp_path / "before.aedat4")
    pipeline.start()
    burst = [packet(i * 5000, 50) for i in range(10)]
    pipeline.record_next(tmp_path / "a.aedat4")
    pipeline.open(ScriptedSource([*burst, threading.Event()], live=True))  # all of it at once
    wait_for(lambda: pipeline.status().total_events == 500)
    report = pipeline.stop_recording()
    assert (report.path.name, report.events, report.whole) == ("a.aedat4", 500, True)
    assert same(dv_events(report.path), join(burst))
    pipeline.record_next(tmp_path / "no" / "folder.aedat4")
    pipeline.open(ScriptedSource([*burst, threading.Event()], live=True))
    wait_for(lambda: pipeline.status().total_events == 500)
    assert pipeline.recording() is None
    assert f"Cannot write {tmp_path}" in pipeline.status().message
    assert pipeline.stop(60.0)


@pytest.mark.parametrize("speed", ["max", "10"])
def test_the_command_line_records_too(tmp_path: Path, capsys: pytest.CaptureFixture[str], speed: str) -> None:
    path = tmp_path / "a.aedat4"
    arguments = ["--headless", "--speed", speed, "--end", "2", "--jsonl", str(tmp_path / "p.jsonl")]
    assert main([*arguments, "--record", str(path)]) == 0
    assert ", 0 dropped, file verified" in " ".join(capsys.readouterr().err.split())
    summary = lines(tmp_path / "p.jsonl")[-1]
    assert len(join(Recording(path).read())) == summary["events"] > 0
    kinds = [line["type"] for line in lines(tmp_path / "a.labels.jsonl")]
    assert kinds.count("prediction") == summary["predictions"]
    assert main([*arguments, "--record", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err
