"""Settings: applied at once, remembered, and never in the way of a start."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from neuroclip_gui.dialogs.settings_dialog import SettingsDialog
from neuroclip_gui.settings import SettingsStore
from neuroclip_live.model import catalog

MODELS = [
    catalog.ModelInfo("event-nano", "bundled", "small"),
    catalog.ModelInfo("ViT-B-32/openai", "download", "as in the papers", 605),
]


@pytest.fixture
def dialog(qtbot, window, monkeypatch):
    monkeypatch.setattr(catalog, "available_models", lambda: MODELS)
    window.actions_.by_name["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    qtbot.waitUntil(lambda: dialog.model.count() == 2, timeout=10_000)
    yield dialog
    dialog.close()


def test_models_are_listed_with_what_they_are_and_need(dialog):
    dialog.model.setCurrentText("ViT-B-32/openai")
    assert "as in the papers" in dialog.about_model.text()
    assert "605 MB" in dialog.about_model.text()


def test_a_model_is_loaded_only_when_asked_for_and_remembered(qtbot, window, pipeline, dialog):
    dialog.model.setCurrentText("ViT-B-32/openai")
    dialog.device.setCurrentText("cpu")
    assert not pipeline.loads
    qtbot.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    assert len(pipeline.loads) == 1
    assert (
        window.settings.model == "event-nano"
    )  # remembered once it is at work: tests/gui/test_model_kept.py


def test_a_download_is_followed_and_can_be_canceled(qtbot, pipeline, dialog):
    pipeline.now = replace(pipeline.now, changing=True, message="downloading weights", progress=0.42)
    qtbot.waitUntil(lambda: dialog.bar.value() == 42)
    assert "42%" in dialog.state.text()
    assert "fake goes on" in dialog.state.text()
    qtbot.mouseClick(dialog.cancel, Qt.MouseButton.LeftButton)
    assert pipeline.loads == [None]


def test_a_download_is_no_banner(qtbot, window, pipeline):
    pipeline.now = replace(pipeline.now, changing=True, message="downloading weights", progress=0.42)
    qtbot.settle(window)
    assert "downloading" not in window.banner.text


def test_slices_and_t_reach_the_pipeline_as_they_are_changed(qtbot, window, pipeline, dialog):
    dialog.slice.setCurrentText("100ms")
    dialog.slice.lineEdit().editingFinished.emit()
    dialog.overlap.setValue(4)
    dialog.timesteps.setValue(5)
    assert (pipeline.settings.slice_by.time_us, pipeline.settings.slice_by.overlap) == (100_000, 4)
    assert pipeline.settings.recognizer.timesteps == 5
    assert (window.settings.slice, window.settings.timesteps) == ("100ms", 5)


def test_a_slice_that_makes_no_sense_is_said_and_put_back(window, pipeline, dialog):
    dialog.slice.setCurrentText("soon")
    dialog.slice.lineEdit().editingFinished.emit()
    assert "not understood" in window.banner.text
    assert dialog.slice.currentText() == "auto"
    assert pipeline.settings.slice_by.kind == "auto"


def test_smoothing_and_theme(window, pipeline, dialog):
    dialog.smoothing.setValue(1.0)
    assert pipeline.settings.decision.smoothing_s == 1.0
    dialog.theme.setCurrentIndex(dialog.theme.findData("light"))
    dialog.theme.activated.emit(dialog.theme.currentIndex())
    assert window.theme.palette.name == "light"


def test_reset_brings_everything_back(window, pipeline, dialog):
    dialog.timesteps.setValue(3)
    dialog.slice.setCurrentText("20ms")
    dialog.slice.lineEdit().editingFinished.emit()
    dialog.reset.click()
    assert pipeline.settings.recognizer.timesteps == 10
    assert pipeline.settings.slice_by.kind == "auto"
    assert dialog.timesteps.value() == 10


def test_asking_twice_shows_one_dialog(window, dialog):
    window.actions_.by_name["settings"].trigger()
    assert len(window.findChildren(QDialog)) == 1


def test_models_found_after_the_settings_were_closed_harm_nobody(qtbot, window, monkeypatch):
    gate, ended = threading.Event(), []
    monkeypatch.setattr(catalog, "available_models", lambda: gate.wait(120) and MODELS)
    window.actions_.by_name["settings"].trigger()
    window.findChild(SettingsDialog).close()
    qtbot.waitUntil(lambda: window.findChild(SettingsDialog) is None)
    gate.set()
    window.jobs.do(lambda: None, ended.append, ended.append)
    qtbot.waitUntil(lambda: bool(ended))
    assert window.banner.text == ""


def test_what_was_set_holds_the_next_time(make_window):
    first = make_window()
    first.recognition.use_slices("50ms", 3)
    first.recognition.use_timesteps(7)
    first.settings.model, first.settings.device = "ViT-B-32/openai", "cpu"  # as once it was at work
    first.close()
    second = make_window()
    settings = second.pipeline.settings
    assert (settings.slice_by.time_us, settings.slice_by.overlap) == (50_000, 3)
    assert settings.recognizer.timesteps == 7
    assert len(second.pipeline.loads) == 1  # beside the model the pipeline begins with


def test_the_command_line_wins_over_what_is_saved(make_window, tmp_path):
    saved = {"version": 1, "model": "ViT-B-32/openai", "slice": "50ms", "timesteps": 7}
    (tmp_path / "window.json").write_text(json.dumps(saved))
    window = make_window(attach=False)
    window.recognition.given = frozenset({"model", "slice", "timesteps"})
    from gui_fakes import FakePipeline

    from neuroclip_live.prompting.prompts import parse_prompts

    window.attach(FakePipeline(parse_prompts("a mug")))
    assert not window.pipeline.loads
    assert window.pipeline.settings.slice_by.kind == "auto"
    assert window.pipeline.settings.recognizer.timesteps == 10


def test_a_model_chosen_in_the_window_is_run_as_the_command_line_asked(make_window, monkeypatch):
    from fakes import FakeBackbone

    from neuroclip_live.config import config_of
    from neuroclip_live.model import backbone

    asked = []

    def load(model, **how):
        asked.append((model, how))
        return FakeBackbone()

    monkeypatch.setattr(backbone, "load_backbone", load)
    window = make_window()
    window.recognition.take_up(
        config_of(
            fit="squash", focus=False, normalization="reference", runtime="torch", threads=2, weights="w.pt"
        )
    )
    window.recognition.use_model("ViT-B-32/openai", "cpu")
    window.recognition.use_model("event-nano", "cuda")
    for load in window.pipeline.loads[-2:]:
        load(lambda text, share: None)
    (model, how), (other, elsewhere) = asked
    assert (model, how["device"], how["runtime"], how["weights"]) == ("ViT-B-32/openai", "cpu", "torch", None)
    assert (how["fit"], how["focus"], how["normalization"], how["threads"]) == (
        "squash",
        False,
        "reference",
        2,
    )
    # a checkpoint stays with its own model; a runtime for the CPU does not follow to a GPU
    assert (other, elsewhere["weights"], elsewhere["runtime"]) == ("event-nano", "w.pt", "auto")


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "null", '{"slice": 5}', '{"slice": "soon", "timesteps": 0, "overlap": 99}',
        '{"model": "", "device": null}', '{"timesteps": true}', "\x00\xff", '{"version": 99, "model": 3}',
    ],
)  # fmt: skip
def test_a_settings_file_gone_bad_gives_the_defaults(tmp_path, text):
    path = tmp_path / "window.json"
    path.write_text(text)
    settings = SettingsStore(path).load()
    assert (settings.slice, settings.timesteps, settings.overlap) == ("auto", 10, 2)
    assert (settings.model, settings.device) == ("event-nano", "auto")


def test_the_real_pipeline_follows_what_is_set_in_the_window(qtbot, make_window, monkeypatch):
    from dataclasses import replace as other

    from fakes import FakeBackbone, Moving

    from neuroclip_live.model import backbone
    from neuroclip_live.prompting.prompts import parse_prompts
    from neuroclip_live.recognition.pipeline import Pipeline

    def load(model, **how):
        made = FakeBackbone()
        made.info = other(made.info, name=model)
        return made

    monkeypatch.setattr(backbone, "load_backbone", load)
    pipeline = Pipeline(Moving([]), lambda progress: FakeBackbone(), parse_prompts("a mug, a phone"))
    window = make_window(attach=False)
    window.attach(pipeline)
    qtbot.waitUntil(lambda: pipeline.prediction() is not None, timeout=30_000)
    window.recognition.use_timesteps(4)
    window.recognition.use_slices("300", 1)
    qtbot.waitUntil(lambda: pipeline.prediction().events == 300, timeout=30_000)
    qtbot.waitUntil(lambda: len(pipeline.prediction().frames) == 4, timeout=30_000)
    window.recognition.use_model("RN50/openai", "cpu")
    qtbot.waitUntil(lambda: "RN50/openai" in window.prompts._purpose.toolTip(), timeout=30_000)
    number = pipeline.prediction().number
    window.panels["camera"].widget.turn.setCurrentIndex(1)
    window.panels["camera"].widget.turn.activated.emit(1)
    qtbot.waitUntil(
        lambda: window.view.frame is not None and window.view.frame.shape == (32, 24), timeout=30_000
    )
    qtbot.waitUntil(lambda: pipeline.prediction().number > number + 3, timeout=30_000)
    assert pipeline.status().dropped_events == 0
