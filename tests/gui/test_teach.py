"""Teaching from the window: held keys and buttons, taps, corrections, and what is listed."""

from __future__ import annotations

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from neuroclip_gui.panels.teach import teach_commands


def name(window, text: str) -> None:
    window.panels["teach"].widget.entry.setCurrentText(text)


def key_up(window) -> None:
    """Let the key go, as the event loop tells whoever has the focus."""
    event = QKeyEvent(QEvent.Type.KeyRelease, Qt.Key.Key_T, Qt.KeyboardModifier.NoModifier, "t")
    QApplication.sendEvent(window, event)


@pytest.fixture
def no_taps(monkeypatch) -> None:
    """Make every press a long one."""
    monkeypatch.setattr(teach_commands, "TAP_S", 0.0)


@pytest.fixture
def taps(monkeypatch) -> None:
    """Make every press a short one, however long a busy machine takes from down to up."""
    monkeypatch.setattr(teach_commands, "TAP_S", 3600.0)


@pytest.mark.usefixtures("no_taps")
def test_the_key_held_is_a_lesson_and_the_counter_runs(qtbot, window, pipeline):
    name(window, "my cat")
    window.view.setFocus()
    window.activateWindow()
    qtbot.keyPress(window.view, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: pipeline.teacher.collecting == "my cat")
    pipeline.teacher.collected = 7
    qtbot.waitUntil(lambda: "7 shots" in window.panels["teach"].widget.hold.text())
    assert window.panels["teach"].badge == "Showing “my cat”: 7 shots"
    assert pipeline.prompts.labels[-1] == "my cat"
    key_up(window)
    qtbot.waitUntil(lambda: pipeline.teacher.books[-1] == {"my cat": 7})
    assert window.panels["teach"].badge == ""
    qtbot.waitUntil(lambda: window.panels["teach"].widget.list.topLevelItemCount() == 1)
    assert window.panels["teach"].widget.list.topLevelItem(0).text(1) == "7 shots"
    assert pipeline.notes[-1]["label"] == "my cat"
    assert pipeline.notes[-1]["is_it"] is True


@pytest.mark.usefixtures("no_taps")
def test_a_key_that_repeats_by_ups_and_downs_is_one_lesson(qtbot, window, pipeline):
    name(window, "a mug")
    window.activateWindow()
    window.view.setFocus()
    qtbot.keyPress(window.view, Qt.Key.Key_T)
    for _ in range(5):
        key_up(window)
        qtbot.keyPress(window.view, Qt.Key.Key_T)
        qtbot.wait(20)
    assert pipeline.teacher.collecting == "a mug"
    key_up(window)
    qtbot.waitUntil(lambda: pipeline.teacher.collecting is None)
    assert pipeline.teacher.books == [{}, {"a mug": 3}]


@pytest.mark.usefixtures("taps")
def test_a_key_tapped_takes_the_last_seconds(qtbot, window, pipeline):
    name(window, "a mug")
    window.activateWindow()
    window.view.setFocus()
    qtbot.keyPress(window.view, Qt.Key.Key_T)
    key_up(window)
    qtbot.waitUntil(lambda: pipeline.teacher.books[-1] == {"a mug": 3})
    assert "The last 2 s" in window.banner.text


@pytest.mark.usefixtures("no_taps")
def test_the_button_held_is_a_lesson(qtbot, window, pipeline):
    name(window, "A MUG")  # as it is written in the list
    window.docks["teach"].raise_()
    qtbot.mousePress(window.panels["teach"].widget.hold, Qt.MouseButton.LeftButton)
    assert pipeline.teacher.collecting == "a mug"
    qtbot.mouseRelease(window.panels["teach"].widget.hold, Qt.MouseButton.LeftButton)
    assert pipeline.teacher.books[-1] == {"a mug": 3}


@pytest.mark.usefixtures("taps")
def test_a_tap_takes_the_last_seconds(window, pipeline):
    name(window, "a mug")
    window.panels["teach"].press()
    window.panels["teach"].release()
    assert pipeline.teacher.collecting is None
    assert pipeline.teacher.books[-1] == {"a mug": 3}
    assert "The last 2 s" in window.banner.text


def test_the_selected_prompt_is_taught_when_nothing_is_typed(window, pipeline):
    window.prompts.list.select(["a phone"])
    window.actions_.by_name["teach_last"].trigger()
    assert pipeline.teacher.books[-1] == {"a phone": 3}
    assert window.panels["teach"].widget.entry.currentText() == "a phone"


def test_without_a_name_it_is_asked_for(window, pipeline):
    window.actions_.by_name["teach"].trigger()
    assert pipeline.teacher.collecting is None
    assert "Name what you show" in window.banner.text
    assert window.docks["teach"].isVisible()


def test_a_negative_that_is_taught_becomes_a_prompt_again(window, pipeline):
    window.prompts._ask(lambda p: p.replace("scissors", negative=True, enabled=False))
    name(window, "scissors")
    window.panels["teach"].last()
    assert pipeline.prompts.prompts[2].enabled
    assert not pipeline.prompts.prompts[2].negative


def test_nothing_moved_is_said(window, pipeline):
    name(window, "a mug")
    pipeline.teacher.collected = 0
    window.panels["teach"].last()
    assert "nothing moved" in window.banner.text


def test_a_wrong_decision_becomes_a_counter_example_of_a_taught_label(qtbot, window, pipeline):
    pipeline.predict({"a mug": 0.8, "a phone": 0.1, "scissors": 0.1})
    qtbot.waitUntil(lambda: window.decided.label == "a mug")
    window.actions_.by_name["teach_not"].trigger()
    assert "only typed" in window.banner.text
    assert not pipeline.teacher.against
    pipeline.teacher.learn("a mug")
    window.actions_.by_name["teach_not"].trigger()
    assert pipeline.teacher.against == {"a mug": 3}
    assert [n["type"] for n in pipeline.notes] == ["correction", "correction"]
    qtbot.waitUntil(lambda: "of what is not" in window.panels["teach"].widget.state.text())


def test_undo_and_forget(window, pipeline):
    window.actions_.by_name["undo"].trigger()
    assert "nothing to undo" in window.banner.text
    for label in ("a mug", "a phone"):
        name(window, label)
        window.panels["teach"].last()
    window.panels["teach"].look()
    window.panels["teach"].widget.list.topLevelItem(0).setSelected(True)
    assert window.panels["teach"].widget.selected() == "a mug"
    window.actions_.by_name["teach_forget"].trigger()
    assert set(pipeline.teacher.books[-1]) == {"a phone"}
    window.actions_.by_name["undo"].trigger()
    assert set(pipeline.teacher.books[-1]) == {"a mug", "a phone"}
    name(window, "never taught")
    window.panels["teach"].widget.list.clearSelection()
    window.actions_.by_name["teach_forget"].trigger()
    assert "was not taught" in window.banner.text


def test_training_shows_how_far_it_is(qtbot, window, pipeline):
    window.docks["teach"].raise_()
    pipeline.teacher.learn("a mug")
    pipeline.teacher.training = 0.4
    qtbot.waitUntil(lambda: window.panels["teach"].widget.progress.value() == 40)
    assert window.panels["teach"].widget.progress.isVisible()
    pipeline.teacher.training = None
    qtbot.waitUntil(lambda: window.panels["teach"].widget.state.text() == "Learned")
    assert not window.panels["teach"].widget.progress.isVisible()


def test_lessons_go_to_a_file_and_their_labels_come_back_as_prompts(qtbot, window, pipeline, tmp_path):
    window.panels["teach"].save(tmp_path / "none")
    qtbot.waitUntil(lambda: "nothing to save" in window.banner.text)
    pipeline.teacher.learn("an otter")
    window.panels["teach"].save(tmp_path / "otter")
    qtbot.waitUntil(lambda: (tmp_path / "otter.safetensors").is_file())
    pipeline.teacher.undo()
    window.panels["teach"].load(tmp_path / "otter.safetensors")
    qtbot.waitUntil(lambda: "an otter" in pipeline.prompts.labels)
    assert pipeline.teacher.books[-1] == {"an otter": 3}
    window.panels["teach"].load(tmp_path / "nowhere")
    qtbot.waitUntil(lambda: "holds no lessons" in window.banner.text)


def test_while_the_model_loads_nothing_can_be_taught(qtbot, make_window):
    window = make_window(FakeSource(live=True))
    window.pipeline.teacher = None
    qtbot.waitUntil(lambda: not window.panels["teach"].widget.hold.isEnabled())
    name(window, "a mug")
    window.actions_.by_name["teach"].trigger()
    assert "still loading" in window.banner.text


def test_training_is_prepared_once_when_the_panel_is_seen(qtbot, window, pipeline):
    window.panels["teach"].look()
    assert pipeline.teacher.prepared == 0, "behind the timeline's tab it is not in view"
    window.docks["teach"].raise_()
    qtbot.waitUntil(lambda: window.panels["teach"].widget.in_view, timeout=30_000)
    window.panels["teach"].look()
    window.panels["teach"].look()
    assert pipeline.teacher.prepared == 1


@pytest.mark.usefixtures("no_taps")
def test_training_is_prepared_when_something_is_shown_with_the_panel_behind_another(window, pipeline):
    name(window, "a mug")
    assert not window.panels["teach"].widget.in_view
    window.panels["teach"].press()
    assert pipeline.teacher.prepared == 1
    window.panels["teach"].release()


@pytest.mark.usefixtures("no_taps")
def test_closing_while_a_thing_is_shown_ends_it(window, pipeline):
    name(window, "a mug")
    window.panels["teach"].press()
    window.close()
    assert pipeline.teacher.collecting is None
