"""Actions in the window: a file is opened, looked at, made to act, and closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import PROMPTS, SETTINGS, Endless, FakeBackbone
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from neuroclip_live.actions.actions import Actions
from neuroclip_live.actions.rule_file import read_rules
from neuroclip_live.recognition.pipeline import Pipeline

ALWAYS = "enter = 0.01\nleave = 0.005\nfor_s = 0.1\nat_most_every_s = 0\n"


@pytest.fixture
def live(make_window, qtbot, tmp_path: Path):
    """A window on a pipeline that recognizes, whatever it says."""
    window = make_window(attach=False)
    pipeline = Pipeline(Endless([]), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)
    window.attach(pipeline)
    qtbot.waitUntil(lambda: pipeline.prediction() is not None)
    return window


def written(folder: Path, text: str, name: str = "hand.toml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def texts(window) -> list[list[str]]:
    tree = window.panels["acting"].widget.list
    return [[tree.topLevelItem(r).text(c) for c in range(4)] for r in range(tree.topLevelItemCount())]


def opened(qtbot, window, path: str) -> None:
    window.panels["acting"].open(path)
    qtbot.waitUntil(lambda: window.panels["acting"].acting is not None)


def test_a_file_begins_as_a_dry_run_and_acts_when_told_to(qtbot, live, tmp_path):
    made = tmp_path / "made"
    rule = f'[[action]]\nname = "came"\nlabel = "a mug"\n{ALWAYS}run = ["touch", "{made}"]\n'
    other = '[[action]]\nlabel = "a unicorn"\nrun = ["true"]\n'
    assert not live.docks["acting"].isVisible()
    opened(qtbot, live, written(tmp_path, rule + other))
    assert live.docks["acting"].isVisible()
    panel = live.panels["acting"].widget
    assert panel.name.text() == "hand.toml"
    assert panel.dry_run.isChecked()
    assert "nothing is done before Dry run is taken away" in live.banner.text
    qtbot.waitUntil(lambda: "would run ['touch'" in panel.log.toPlainText())
    qtbot.waitUntil(lambda: texts(live)[0][2:] == ["fired, not over", "1"])
    assert texts(live)[0][0] == "came"
    assert texts(live)[1] == ["a unicorn", "0%", "nobody asks for it", "0"]
    tip = panel.list.topLevelItem(0).toolTip(0)
    assert "a mug: 0.01 or more for 0.1 s, over below 0.005: run" in tip
    assert "s: 'came': a mug at" in tip  # when, and why
    assert not made.exists()
    QTest.mouseClick(panel.dry_run, Qt.MouseButton.LeftButton, pos=panel.dry_run.rect().center())
    if panel.dry_run.isChecked():  # where a style answers only to its box
        panel.dry_run.click()
    assert live.panels["acting"].acting.dry_run is False
    live.panels["acting"].acting.triggers[0].begin_anew()  # as after a seek: it may fire again
    qtbot.waitUntil(made.exists)
    qtbot.waitUntil(lambda: "'came': ran touch" in panel.log.toPlainText())


def test_a_word_that_is_added_is_no_longer_missing(qtbot, live, tmp_path):
    opened(qtbot, live, written(tmp_path, f'[[action]]\nlabel = "a unicorn"\n{ALWAYS}run = ["true"]\n'))
    qtbot.waitUntil(lambda: bool(texts(live)) and texts(live)[0][2] == "nobody asks for it")
    live.want_prompts(live.prompts.prompts.add("a unicorn"))
    qtbot.waitUntil(lambda: texts(live)[0][2] in ("ready", "fired, not over") or "seen" in texts(live)[0][2])


def test_another_file_takes_its_place_and_one_that_cannot_be_used_does_not(qtbot, live, tmp_path):
    opened(qtbot, live, written(tmp_path, f'[[action]]\nlabel = "a mug"\n{ALWAYS}run = ["true"]\n'))
    first = live.panels["acting"].acting
    live.panels["acting"].open(written(tmp_path, "[[action]]\n", "bad.toml"))
    qtbot.waitUntil(lambda: "label is missing" in live.banner.text)
    assert live.banner.level == "error"
    assert live.panels["acting"].acting is first
    objects = f'[[action]]\nlabel = "a mug"\nwhere = "object"\n{ALWAYS}run = ["true"]\n'
    live.panels["acting"].open(written(tmp_path, objects, "objects.toml"))
    qtbot.waitUntil(lambda: "turn on Several things" in live.banner.text)
    live.panels["acting"].open(
        written(tmp_path, '[[action]]\nlabel = "a phone"\nrun = ["true"]\n', "other.toml")
    )
    qtbot.waitUntil(lambda: live.panels["acting"].acting is not first)
    qtbot.waitUntil(lambda: texts(live)[0][0] == "a phone")
    assert live.panels["acting"].widget.name.text() == "other.toml"
    assert first._closed


def test_closed_it_does_nothing_any_more(qtbot, live, tmp_path):
    made = tmp_path / "made"
    rule = f'[[action]]\nlabel = "a mug"\n{ALWAYS}run = ["touch", "{made}"]\n'
    opened(qtbot, live, written(tmp_path, rule))
    acting = live.panels["acting"].acting
    live.panels["acting"].widget.close_file.click()
    assert live.panels["acting"].acting is None
    assert not live.panels["acting"].widget.dry_run.isVisible()
    assert texts(live) == []
    qtbot.waitUntil(lambda: acting._closed)
    acting.dry_run = False
    acting.triggers[0].begin_anew()
    number = live.pipeline.prediction().number
    qtbot.waitUntil(lambda: live.pipeline.prediction().number > number + 5)
    assert not made.exists()


def test_the_file_is_chosen_and_a_pipeline_waited_for(qtbot, make_window, tmp_path, monkeypatch):
    window = make_window(attach=False)
    path = written(tmp_path, '[[action]]\nlabel = "a mug"\nrun = ["true"]\n')
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (path, ""))
    window.actions_.by_name["acting"].trigger()
    assert window.banner.text.startswith("Still starting")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    window.banner.say("")
    window.panels["acting"].widget.open.click()
    assert window.banner.text == ""


def test_what_the_command_line_began_is_shown_and_ended_by_who_made_it(qtbot, live, tmp_path):
    path = written(tmp_path, '[[action]]\nlabel = "a mug"\nenter = 0.01\nfor_s = 0\nrun = ["true"]\n')
    told: list[str] = []
    actions = Actions(read_rules(path), told.append, lambda: live.pipeline, dry_run=False)
    live.panels["acting"].take_up(actions)
    assert not live.panels["acting"].widget.dry_run.isChecked()
    given = 0

    def fired() -> bool:
        nonlocal given
        for prediction in live.pipeline.predictions(after=given):  # the first are of a warm-up
            given = prediction.number
            actions.write(prediction)
        return "a mug at" in live.panels["acting"].widget.log.toPlainText()

    qtbot.waitUntil(fired)
    live.panels["acting"].close()  # the window is closed
    assert not actions._closed
    actions.close(None)


def test_a_flood_of_lines_keeps_the_newest(qtbot, live, tmp_path):
    opened(qtbot, live, written(tmp_path, '[[action]]\nlabel = "a mug"\nfor_s = 9\nrun = ["true"]\n'))
    acting, log = live.panels["acting"].acting, live.panels["acting"].widget.log
    for number in range(1000):
        acting._scribe.say(f"line {number}")
    qtbot.waitUntil(lambda: log.toPlainText().endswith("line 999"))
    assert log.blockCount() <= 200
    acting._scribe.say("one more")
    qtbot.waitUntil(lambda: log.toPlainText().endswith("one more"))
