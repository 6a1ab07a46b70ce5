"""One stack of what can be taken back, words and lessons alike, by the keys of everybody else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from neuroclip_gui.undo import described
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.stream.box import Box

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def z(qtbot, window):
    """Press Ctrl+Z, or with ``again`` Ctrl+Shift+Z, with the focus where it is at the start."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)

    def press(again: bool = False) -> None:
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_Z, CTRL | SHIFT if again else CTRL)

    return press


CHANGES = {
    "add": lambda w: w.prompts.add("a fox, -a hand"),
    "remove": lambda w: (w.prompts.list.select(["a phone"]), w.prompts.remove_selected()),
    "remove all": lambda w: w.prompts.remove_all(),
    "rename": lambda w: w.prompts.rename("a mug", "a cup"),
    "negative": lambda w: (w.prompts.list.select(["a mug", "scissors"]), w.prompts.toggle_negative()),
    "off": lambda w: w.prompts._on_toggled("a mug", False),
    "order": lambda w: (w.prompts.list.select(["scissors"]), w.prompts.move_selected(-1)),
    "none of these": lambda w: w.prompts.none.click(),
    "sentences": lambda w: w.want_prompts(w.prompts.prompts.with_templates(("a photo of {}",))),
    "another list": lambda w: w.want_prompts(parse_prompts("x, y")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_words_is_taken_back_and_done_again(qtbot, window, pipeline, z, what):
    qtbot.waitUntil(lambda: window.prompts.none.isEnabled())
    before = pipeline.prompts
    CHANGES[what](window)
    after = pipeline.prompts
    assert after != before
    z()
    assert pipeline.prompts == before == window.prompts.prompts
    assert "Undone" in window.banner.text
    z(again=True)
    assert pipeline.prompts == after == window.prompts.prompts
    z()
    assert pipeline.prompts == before
    z()
    assert "nothing to undo" in window.banner.text


def test_words_and_lessons_are_taken_back_in_the_order_they_were_made(window, pipeline, z):
    window.prompts.add("a fox")
    window.panels["teach"].widget.entry.setCurrentText("an otter")
    window.panels["teach"].last()  # a word and a lesson
    window.prompts.list.select(["a mug"])
    window.prompts.remove_selected()
    window.panels["teach"].widget.entry.setCurrentText("an otter")
    window.actions_.by_name["teach_forget"].trigger()
    assert pipeline.teacher.book == {}
    z()
    assert pipeline.teacher.book == {"an otter": 3}
    z()
    assert pipeline.prompts.labels == ("a mug", "a phone", "scissors", "a fox", "an otter")
    z()
    assert pipeline.teacher.book == {}
    z()
    assert pipeline.prompts.labels[-1] == "a fox"
    for _ in range(4):
        z(again=True)
    assert pipeline.prompts.labels == ("a phone", "scissors", "a fox", "an otter")
    assert pipeline.teacher.book == {}


def test_lessons_of_a_model_that_is_gone_are_passed_over(window, pipeline, z):
    window.prompts.add("a fox")
    window.panels["teach"].widget.entry.setCurrentText("a fox")
    window.panels["teach"].last()
    pipeline.teacher = type(pipeline.teacher)()
    z()
    assert "a fox" not in pipeline.prompts.labels
    assert pipeline.teacher.books == [{}]


def test_a_model_that_brings_its_sentences_meanwhile_keeps_them(window, pipeline, z):
    window.prompts.add("a fox")
    pipeline.prompts = pipeline.prompts.with_templates(("events of {}",))
    window.prompts.show_prompts(pipeline.prompts)
    z()
    assert pipeline.prompts.labels == ("a mug", "a phone", "scissors")
    assert pipeline.prompts.templates == ("events of {}",)


def test_saved_lists_come_back_too(window, z):
    window.prompt_sets.save("desk")
    window.prompt_sets.forget("desk")
    assert window.prompt_sets.names == []
    z()
    assert window.prompt_sets.names == ["desk"]
    z()
    assert window.prompt_sets.names == []
    z(again=True)
    assert window.prompt_sets.names == ["desk"]


def test_what_is_being_typed_is_taken_back_first(window, pipeline, z):
    window.prompts.add("a fox")
    QTest.keyClicks(window.prompts.entry, "half")
    z()
    assert window.prompts.entry.text() == ""
    assert "a fox" in pipeline.prompts.labels
    z()
    assert "a fox" not in pipeline.prompts.labels


def test_starting_empty_is_one_step_back(window, pipeline, z):
    window.panels["teach"].widget.entry.setCurrentText("a mug")
    window.panels["teach"].last()
    pipeline.set_region(Box(10, 10, 200, 200))
    window.actions_.by_name["start_empty"].trigger()
    assert pipeline.prompts.labels == ()
    assert pipeline.teacher.book == {}
    assert pipeline.region is None
    z()
    assert pipeline.prompts.labels == ("a mug", "a phone", "scissors")
    assert pipeline.teacher.book == {"a mug": 3}
    assert pipeline.region == Box(10, 10, 200, 200)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("a, b", "a, b, c", "add “c”"),
        ("a, b", "a, b, c, d", "add 2 words"),
        ("a, b", "a", "remove “b”"),
        ("a, b", "", "remove all words"),
        ("a, b", "a, c", "rename “b” to “c”"),
        ("a, b", "x, y, z", "other words (3)"),
        ("a, b", "a, -b", "negative or not: “b”"),
        ("a, b", "b, a", "order of words"),
    ],
)
def test_changes_have_names(before, after, text):
    assert described(parse_prompts(before), parse_prompts(after)) == text
