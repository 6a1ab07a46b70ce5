"""Lists of words by name, colors, pasting, and what the model is good for."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QColorDialog, QInputDialog, QMenu

from neuroclip_live.model.purposes import purpose_of


def test_a_list_is_saved_and_comes_back_whole(window, pipeline):
    window.prompts.add("-a hand")
    window.want_prompts(window.prompts.prompts.replace("a phone", enabled=False).with_templates(("a {}",)))
    before = pipeline.prompts
    window.prompt_sets.save("desk")
    window.prompts.remove_all()
    window.prompts.add("a tree")
    window.prompt_sets.use("desk")
    assert pipeline.prompts == before


def test_lists_are_there_the_next_time_and_after_a_reset(make_window):
    first = make_window()
    first.prompt_sets.save("my desk & more")
    first.do.reset_settings()
    first.close()
    second = make_window()
    menu = QMenu(second)
    second.prompt_sets.fill(menu)
    assert menu.actions()[0].text() == "my desk && more"
    menu.actions()[0].trigger()
    assert second.pipeline.prompts.labels == ("a mug", "a phone", "scissors")
    second.prompt_sets.forget("my desk & more")
    assert not second.prompt_sets.names


def test_the_name_is_asked_for(qtbot, window):
    window.prompt_sets.ask_name()
    dialog = window.findChild(QInputDialog)
    dialog.setTextValue("three things")
    dialog.accept()
    assert window.prompt_sets.names == ["three things"]


@pytest.mark.parametrize("name", ["", "   "])
def test_a_list_without_a_name_is_not_saved(window, name):
    window.prompt_sets.save(name)
    assert not window.prompt_sets.names
    assert "Nothing to save" in window.banner.text


@pytest.mark.parametrize(
    "kept",
    [{}, {"words": 3, "off": [], "templates": ["{}"], "none_of_these": False},
     {"words": "a", "off": ["b"], "templates": ["{}"], "none_of_these": False},
     {"words": "a", "off": [], "templates": ["no place"], "none_of_these": False},
     {"words": "", "off": [], "templates": ["{}"], "none_of_these": False}],
)  # fmt: skip
def test_a_list_gone_bad_is_said_and_changes_nothing(make_window, tmp_path, kept):
    (tmp_path / "window.json").write_text(json.dumps({"version": 1, "prompt_sets": {"bad": kept}}))
    window = make_window()
    before = window.pipeline.prompts
    window.prompt_sets.use("bad")
    assert "cannot be used" in window.banner.text
    assert window.pipeline.prompts is before


def test_a_color_chosen_stays_with_its_word(make_window):
    first = make_window()
    first.prompts.list.select(["a phone"])
    first.actions_.by_name["color"].trigger()
    dialog = first.findChild(QColorDialog)
    dialog.colorSelected.emit(QColor("#123456"))
    dialog.close()
    assert first.prompts.color("a phone") == QColor("#123456")
    first.prompts.rename("a phone", "a telephone")
    assert first.prompts.color("a telephone") == QColor("#123456")
    first.do.set_theme("light")
    assert first.prompts.color("a telephone") == QColor("#123456")
    first.close()
    second = make_window()
    assert second.prompts.color("a phone") == QColor("#123456")
    second.prompts.add("a phone")  # the words came back too, and this one was renamed
    second.prompts.list.select(["a phone"])
    second.actions_.by_name["theme_color"].trigger()
    assert second.prompts.color("a phone") != QColor("#123456")


def test_words_are_pasted_into_the_list(qtbot, window, pipeline):
    QApplication.clipboard().setText("a tree\na bush, -a leaf\n\na mug\n")
    window.prompts.list.setFocus()
    qtbot.keyClick(window.prompts.list, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert pipeline.prompts.labels[-3:] == ("a tree", "a bush", "a leaf")
    assert pipeline.prompts.prompts[-1].negative
    assert "Already in the list: a mug" in window.banner.text


def test_the_window_says_what_the_model_is_good_for(qtbot, window, pipeline):
    qtbot.waitUntil(lambda: purpose_of("fake").good_for in window.prompts._purpose.text())
    pipeline.backbone.info.name = "event-nano"
    qtbot.waitUntil(lambda: purpose_of("event-nano").good_for in window.prompts._purpose.text())
    assert "marked" in window.prompts._purpose.toolTip()
