"""The window beside faults: its own thread blocked, recognition that hangs, events that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import PROMPTS, SETTINGS, Endless, FakeBackbone, wait_for

from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.recognition.pipeline_state import STALLED, PipelineState

OF_SOURCE = "a gap of two hours was left out"


def test_a_blocked_window_holds_neither_capture_nor_recognition(qtbot, make_window, tmp_path):
    window = make_window(attach=False)
    pipeline = Pipeline(Endless([]), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)
    window.attach(pipeline)
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) > 2, timeout=60_000)
    pipeline.start_recording(tmp_path / "a.aedat4")
    events, predictions = pipeline.status().total_events, pipeline.status().predictions
    # waited for here, in the window's own thread: it does nothing else meanwhile, for seconds
    wait_for(lambda: pipeline.status().predictions > predictions + 150, 300.0)
    wait_for(lambda: pipeline.status().total_events > events + 15_000, 300.0)
    newest = pipeline.prediction()
    seen = window.panels["timeline"].widget.moments[-1].number
    assert newest.number > seen + 100
    assert pipeline.status().dropped_events == 0
    qtbot.waitUntil(
        lambda: window.panels["timeline"].widget.moments[-1].number >= newest.number, timeout=20_000
    )
    assert pipeline.stop_recording().whole


def test_recognition_that_hangs_leaves_no_old_label_on_the_screen(qtbot, window, pipeline):
    pipeline.predict({"a mug": 0.9, "a phone": 0.1})
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug", timeout=20_000)
    before = pipeline.now
    pipeline.now = replace(before, stalled=True, message=STALLED, lost=True)
    qtbot.waitUntil(lambda: window.decision.words()[0] == "Recognition does not answer", timeout=20_000)
    assert window.banner.text == STALLED
    assert window.banner.level == "warn"
    pipeline.now = before
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug", timeout=20_000)


@pytest.mark.parametrize(
    ("state", "message", "lost", "level"),
    [
        (PipelineState.FAILED, "the model cannot be loaded", False, "error"),
        (PipelineState.ENDED, "the camera threw", False, "error"),  # the source ended, by itself
        (PipelineState.RUNNING, "recognition failed, trying again", True, "warn"),
        (PipelineState.RUNNING, "the prompts stay as they were", False, "hint"),  # nothing is lost
        (PipelineState.RUNNING, OF_SOURCE, False, "info"),
        (PipelineState.RUNNING, OF_SOURCE, True, "warn"),  # of a recording that is damaged
        (PipelineState.ENDED, OF_SOURCE, False, "info"),
    ],
)
def test_amber_is_for_what_was_lost(qtbot, window, pipeline, state, message, lost, level):
    pipeline.source.message = OF_SOURCE
    pipeline.now = replace(pipeline.now, state=state, message=message, lost=lost)
    qtbot.waitUntil(lambda: window.banner.text == message)
    assert window.banner.level == level


def test_events_outside_the_sensor_stand_out(qtbot, window, pipeline):
    window.docks["health"].raise_()
    value = window.panels["health"].panel.values["outside"]
    qtbot.waitUntil(lambda: value.text() == "0", timeout=20_000)
    assert "does not have" in value.toolTip()
    pipeline.now = replace(pipeline.now, outside_events=1_200)
    qtbot.waitUntil(lambda: value.text() == "1.2 k", timeout=20_000)
    assert value.property("role") == "warn"
