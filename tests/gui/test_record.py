"""Recording while watching: begun, shown, ended, and everything that goes wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from fakes import FakeBackbone, ScriptedSource, packet
from PySide6.QtCore import Qt

from neuroclip_drivers.replay import ReplaySource
from neuroclip_gui.panels.recording.record_bar import size
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.recording.report import RecordingReport
from neuroclip_live.stream.box import Box


class Paced(ScriptedSource):
    """Gives its packets at about the speed of a camera."""

    def packets(self):
        for each in super().packets():
            yield each
            self.closed.wait(0.02)


def begin(qtbot, window, pipeline) -> None:
    window.actions_.by_name["record"].trigger()
    qtbot.waitUntil(lambda: window.recording.on, timeout=10_000)
    assert pipeline.film is not None


def test_a_recording_is_begun_shown_and_found_good(qtbot, window, pipeline, tmp_path):
    begin(qtbot, window, pipeline)
    assert window.actions_.by_name["record"].isChecked()
    pipeline.film = replace(pipeline.film, events=4_500_000, seconds=83.2, bytes=34_000_000)
    qtbot.waitUntil(lambda: "1:23" in window.record_bar.text.text())
    line = window.record_bar.text.text()
    assert "34 MB" in line
    assert "4.5 M events" in line
    assert "0 dropped" in line
    assert "50 GB free" in line
    assert window.record_bar.isVisible()
    window.grab()
    qtbot.mouseClick(window.record_bar.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: window.banner.text.startswith("Your recording is good: 0 dropped"), timeout=10_000
    )
    assert window.banner.level == "info"
    assert str(tmp_path) in window.banner.text
    assert not window.record_bar.isVisible()
    assert not window.actions_.by_name["record"].isChecked()
    (film,) = tmp_path.glob("*.aedat4")
    assert film.name.endswith("_fake.aedat4")


def test_the_key_ends_it_too(qtbot, window, pipeline):
    begin(qtbot, window, pipeline)
    window.actions_.by_name["record"].trigger()
    qtbot.waitUntil(lambda: not window.recording.on, timeout=10_000)
    assert pipeline.film is None


def test_what_was_lost_is_said(qtbot, window, pipeline):
    begin(qtbot, window, pipeline)
    pipeline.film = replace(pipeline.film, dropped_events=1200, warning="the disk is too slow")
    qtbot.waitUntil(lambda: window.record_bar.warning.text() == "the disk is too slow")
    assert "1.2 k dropped" in window.record_bar.text.text()
    window.recording.stop()
    qtbot.waitUntil(lambda: "1200 dropped" in window.banner.text, timeout=10_000)
    assert window.banner.level == "warn"


def test_a_full_disk_ends_it_and_tells(qtbot, window, pipeline):
    begin(qtbot, window, pipeline)
    pipeline.film = replace(pipeline.film, ended=True, warning="No space left on device")
    qtbot.waitUntil(lambda: "No space left" in window.banner.text, timeout=10_000)
    assert not window.recording.on


def test_a_file_that_is_there_is_left_alone(qtbot, window, pipeline, tmp_path):
    there = tmp_path / "there.aedat4"
    there.write_text("precious")
    window.recording.start(there)
    qtbot.waitUntil(lambda: "exists already" in window.banner.text, timeout=10_000)
    assert window.banner.level == "error"
    assert there.read_text() == "precious"
    assert not window.recording.on


def test_a_folder_that_cannot_be_made_is_said(qtbot, window, pipeline, tmp_path):
    (tmp_path / "file").write_text("")
    window.recording.start(tmp_path / "file" / "film.aedat4")
    qtbot.waitUntil(lambda: window.banner.level == "error" and window.banner.text != "", timeout=10_000)


def test_before_there_is_a_pipeline_it_says_so(make_window):
    window = make_window(attach=False)
    window.recording.toggle()
    assert "Still starting" in window.banner.text


def test_sizes_are_short():
    shown = {0: "0 B", 950: "950 B", 12_300: "12.3 kB", 4_560_000: "4.56 MB", 7e9: "7 GB"}
    assert {n: size(n) for n in shown} == shown


def test_another_source_ends_it_and_the_report_is_shown(qtbot, window, pipeline):
    begin(qtbot, window, pipeline)
    film, pipeline.film = pipeline.film, None
    pipeline.stop_recording = lambda: RecordingReport(
        film.path, None, 7, 1.0, 99, 0, True, "film.aedat4: 7 events"
    )
    qtbot.waitUntil(lambda: "recording is good" in window.banner.text, timeout=10_000)
    assert not window.recording.on


def test_the_real_pipeline_records_what_came_in_and_what_was_said(qtbot, make_window, tmp_path):
    packets = [packet(k * 20_000, 400, step_us=50) for k in range(4000)]
    pipeline = Pipeline(Paced(packets), lambda progress: FakeBackbone(), parse_prompts("a mug, a phone"))
    window = make_window(attach=False)
    window.attach(pipeline)
    qtbot.waitUntil(lambda: window.decided.kind == "label", timeout=60_000)
    window.actions_.by_name["record"].trigger()
    qtbot.waitUntil(lambda: window.recording.on, timeout=20_000)
    pipeline.set_region(Box(0, 0, 10, 10))
    window.panels["teach"].widget.entry.setCurrentText("a phone")
    qtbot.waitUntil(lambda: pipeline.recording().events > 4000)
    number = pipeline.prediction().number
    qtbot.waitUntil(lambda: any(p.state == "ok" for p in pipeline.predictions(after=number)))
    window.panels["teach"].last()
    window.actions_.by_name["teach_not"].trigger()
    window.actions_.by_name["record"].trigger()
    qtbot.waitUntil(lambda: "recording is good: 0 dropped" in window.banner.text, timeout=60_000)
    (film,) = tmp_path.glob("*.aedat4")
    events = np.concatenate([e[["t", "x"]] for e in ReplaySource(str(film), speed=None).packets()])
    assert len(events) > 1000
    assert events["x"].max() > 10  # the region restricts what is recognized, not what is recorded
    (labels,) = tmp_path.glob("*.labels.jsonl")
    lines = [json.loads(line) for line in labels.read_text().splitlines()]
    kinds = {line.get("type") for line in lines}
    assert {"header", "prediction", "taught", "summary"} <= kinds
    taught = next(line for line in lines if line.get("type") == "taught")
    assert taught["label"] == "a phone"
    assert taught["shots"] > 0
