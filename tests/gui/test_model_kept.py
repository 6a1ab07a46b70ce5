"""Which model is kept as the choice: one that is at work, by a name that finds it again, and no other."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from fakes import Moving
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from safetensors.numpy import load_file, save_file

from neuroclip_gui.dialogs.settings_dialog import SettingsDialog
from neuroclip_live import session
from neuroclip_live.config import config_of
from neuroclip_live.model.model_names import MODELS_DIR
from neuroclip_live.prompting.prompts import parse_prompts

OPTIONS = ["--model", "--weights", "--device"]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """The bundled model under other names: as it is, and damaged in three ways."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("whole", "cut", "numberless", "zeros"):
        shutil.copytree(MODELS_DIR / "event_nano", folder / name)
    file = "open_clip_model.safetensors"
    whole = (folder / "whole" / file).read_bytes()
    (folder / "cut" / file).write_bytes(whole[: len(whole) // 2])
    for name, value in (("numberless", np.nan), ("zeros", 0.0)):
        weights = load_file(folder / "whole" / file)
        for key, array in weights.items():
            if key.startswith("visual.") and array.ndim > 1:
                weights[key] = np.full_like(array, value)
        save_file(weights, folder / name / file)
    begin = 8 + struct.unpack("<Q", whole[:8])[0]
    assert begin < len(whole) // 2  # what is cut off are weights
    return folder


@pytest.fixture
def open_window(make_window):
    """Return a function that opens a window with the real pipeline, as the command line would."""

    def open_it(**given):
        window = make_window(attach=False)
        config = config_of(**given)
        window.recognition.take_up(config)
        window.attach(session.build_pipeline(config, Moving([]), parse_prompts("a mug, a phone")))
        return window

    return open_it


def in_use(window) -> str:
    return window.pipeline.status().model


def choose(qtbot, window, name: str) -> SettingsDialog:
    """Type a model's name into the settings and press Enter there."""
    window.actions_.by_name["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    dialog.model.setCurrentText("")
    dialog.model.setFocus()
    QTest.keyClicks(dialog.model.lineEdit(), name)
    QTest.keyClick(dialog.model.lineEdit(), Qt.Key.Key_Return)
    return dialog


def settled(window) -> bool:
    status = window.pipeline.status()
    return not status.changing and bool(status.message)


def options_of_the_model(window) -> list[str]:
    return [o for o in window.recognition.options() if o.split("=")[0] in OPTIONS]


@pytest.mark.parametrize("name", ["cut", "numberless", "zeros", "none"])
def test_damaged_weights_and_what_is_not_there_change_nothing(qtbot, open_window, models, name):
    window = open_window()
    qtbot.waitUntil(lambda: in_use(window) == "event-nano")
    dialog = choose(qtbot, window, str(models / name))
    qtbot.waitUntil(lambda: settled(window))
    qtbot.settle(window)
    assert in_use(window) == "event-nano"
    assert window.banner.text
    assert window.store.load().model == window.settings.model == "event-nano"
    assert window.recognition.model == "event-nano"
    assert options_of_the_model(window) == []  # a folder is indexed with what is at work
    dialog.close()
    qtbot.waitUntil(lambda: window.findChild(SettingsDialog) is None)
    window.actions_.by_name["settings"].trigger()
    assert window.findChild(SettingsDialog).model.currentText() == "event-nano"


def test_a_folder_is_found_again_from_elsewhere(qtbot, open_window, models, monkeypatch):
    window = open_window()
    qtbot.waitUntil(lambda: in_use(window) == "event-nano")
    monkeypatch.chdir(models)
    dialog = choose(qtbot, window, "whole")
    qtbot.waitUntil(lambda: in_use(window) == "whole")
    qtbot.waitUntil(lambda: window.settings.model == str(models / "whole"))
    dialog.show_current()
    assert dialog.model.currentText() == str(models / "whole")  # *Use this model* loads the same again
    monkeypatch.chdir("/")
    window.close()
    again = open_window()
    qtbot.waitUntil(lambda: in_use(again) == "whole")
    qtbot.waitUntil(lambda: options_of_the_model(again) == [f"--model={models / 'whole'}"])


def test_a_saved_model_that_is_gone_is_said_and_not_used_for_an_index(qtbot, open_window, models):
    window = open_window()
    window.settings.model = str(models / "gone")  # as once it was at work
    window.close()
    again = open_window()
    qtbot.waitUntil(lambda: settled(again) and in_use(again) == "event-nano")
    qtbot.waitUntil(lambda: "gone" in again.banner.text)
    assert options_of_the_model(again) == []


def test_a_checkpoint_of_the_command_line_is_not_the_next_start_s_choice(qtbot, open_window):
    window = open_window(model="RN50", weights="random", device="cpu", runtime="torch")
    qtbot.waitUntil(lambda: in_use(window).startswith("RN50"))
    dialog = choose(qtbot, window, "RN50")
    qtbot.waitUntil(lambda: window.recognition._asked is None)
    qtbot.settle(window)
    assert in_use(window).startswith("RN50")
    assert window.settings.model == "event-nano"  # without the checkpoint RN50 is no model
    dialog.show_current()
    assert dialog.model.currentText() == "RN50"
