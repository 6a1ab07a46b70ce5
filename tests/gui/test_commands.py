"""Every command that is declared: it can be given, nothing goes wrong, and the cheat sheet tells its keys."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from gui_fakes import FakeSource, ring_of_events
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QLabel

from neuroclip_drivers.film.webcams import Webcam
from neuroclip_drivers.opening import SOURCES, SourceEntry
from neuroclip_gui.commands import ACTIONS
from neuroclip_gui.main_window import MainWindow
from neuroclip_gui.menus import MENUS
from neuroclip_live.errors import UserError

NAMES = [spec.name for spec in ACTIONS]


def opened(window: MainWindow, folder: Path) -> bool:
    return window.pipeline.source.name == "opened"


def written(path: Path) -> str:
    return path.read_text() if path.exists() else ""


ASKING: dict[str, tuple[str, Callable[[MainWindow, Path], object]]] = {
    "open": ("film.aedat4", opened),
    "network": ("127.0.0.1:7777", opened),
    "record_to": ("new.aedat4", lambda w, folder: w.recording.on and (folder / "new.aedat4").exists()),
    "import": ("words.txt", lambda w, folder: w.pipeline.prompts.labels == ("a fox", "a hen")),
    "export": ("out.txt", lambda w, folder: written(folder / "out.txt").startswith("a mug\n")),
    "index_folder": ("", lambda w, folder: w.panels["search"].run.running),
    "open_index": ("", lambda w, folder: "holds no index" in w.banner.text),
    "teach_save": (
        "out.safetensors",
        lambda w, folder: "a phone" in written(folder / "out.safetensors"),
    ),
    "teach_load": ("lessons.safetensors", lambda w, folder: "a hat" in w.pipeline.prompts.labels),
}
"""Commands that ask for a file or an address: what is answered, and what has happened then."""
OPENING: dict[str, Callable[[MainWindow, Path], object]] = {
    "camera": opened,
    "simulator": opened,
    "record": lambda w, folder: w.recording.on,
    "snapshot": lambda w, folder: list(folder.glob("*.png")),
    "copy": lambda w, folder: not QApplication.clipboard().image().isNull(),
}
"""Commands whose work is done in another thread."""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Return what answers every question with a file of a folder, or with an address."""
    (tmp_path / "words.txt").write_text("a fox\na hen\n")
    (tmp_path / "lessons.safetensors").write_text(json.dumps({"a hat": 3}))
    monkeypatch.setattr(
        "neuroclip_drivers.opening.open_source",
        lambda spec: FakeSource(name="opened", live=spec.kind != "replay"),
    )

    def answer(text: str) -> None:
        path = str(tmp_path / text)
        monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *args, **more: ([path], ""))
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *args, **more: (path, ""))
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args, **more: (path, ""))
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *args, **more: path)
        monkeypatch.setattr(QInputDialog, "getText", lambda *args, **more: (text, True))

    return answer


@pytest.mark.parametrize("name", NAMES)
def test_every_command_can_be_given_and_nothing_goes_wrong(qtbot, window, pipeline, answers, tmp_path, name):
    pipeline.events = ring_of_events(1.0)
    pipeline.predict({"a mug": 0.7, "a phone": 0.2, "scissors": 0.1})
    pipeline.teacher.learn("a phone")
    qtbot.waitUntil(lambda: window.view.frame is not None and window.decided.label == "a mug")
    window.prompts.list.select(["a phone"])
    window.panels["teach"].widget.entry.setCurrentText("a phone")
    QApplication.clipboard().setText("a kite, a drum")
    answer, happened = ASKING.get(name, ("", OPENING.get(name, lambda window, folder: True)))
    answers(answer)
    action = window.actions_.by_name[name]
    said = []
    say = window.banner.say
    window.banner.say = lambda text, level="info": (said.append((level, text)), say(text, level))
    action.trigger()
    qtbot.waitUntil(lambda: bool(happened(window, tmp_path)))
    qtbot.wait(30)  # some ticks with whatever it has changed
    if action.isCheckable() and name != "record":
        action.trigger()
    for dialog in window.findChildren(QDialog):
        dialog.close()
    window.grab()
    assert [text for level, text in said if level == "error"] == []
    assert window.isVisible() == (name != "quit")


def test_every_command_is_in_a_menu_and_explains_itself(window):
    listed = [name for _, names in MENUS for name in names if name and not name.startswith("*")]
    assert sorted(listed) == sorted(NAMES)
    assert all(action.toolTip() for action in window.actions_.by_name.values())


def test_no_two_commands_share_a_key():
    keys = [key for spec in ACTIONS if not spec.in_list for key in spec.keys]
    assert len(keys) == len(set(keys))


def test_every_key_of_the_guide_is_one():
    """But those of space and time, which has its own, and those of the rate: plus, minus, Home."""
    guide = (Path(__file__).parents[2] / "docs" / "guide.md").read_text(encoding="utf-8")
    keys = {key for spec in ACTIONS for key in spec.keys} | {"+", "-"}
    named = re.findall(r"`((?:(?:Ctrl|Shift|Alt)\+)+\S+|F\d+|[A-Z]|[^\w\s`]|Space|Esc|Del|Home)`", guide)
    assert len(named) > 30
    assert set(named) <= keys


def test_the_cheat_sheet_tells_every_key(window):
    window.do.show_shortcuts()
    (dialog,) = window.findChildren(QDialog)
    texts = {label.text() for label in dialog.findChildren(QLabel)}
    for spec in ACTIONS:
        if spec.keys:
            assert spec.text.replace("&", "").rstrip("…") in texts, spec.name
            assert any(all(key in text for key in spec.keys) for text in texts), spec.name
    least = dialog.minimumSizeHint()
    assert least.width() <= 1024 - 10  # with its frame, on the smallest screen
    assert least.height() <= 700 - 40
    low = [
        label.text() for label in dialog.findChildren(QLabel) if label.height() < label.sizeHint().height()
    ]
    assert not low  # no line is cut
    dialog.close()


def test_the_list_of_prompts_offers_its_commands_by_right_click(window):
    offered = [action.objectName() for action in window.prompts.list.actions()]
    assert offered == [spec.name for spec in ACTIONS if spec.in_list]
    assert {"rename", "remove", "negative", "enabled", "color", "move_up", "move_down"} <= set(offered)


def test_the_webcam_is_chosen_by_name(qtbot, window, monkeypatch):
    menu, webcams = window.actions_.menus["webcam"], []
    monkeypatch.setattr("neuroclip_gui.sources.list_webcams", lambda: webcams)
    menu.aboutToShow.emit()
    (nothing,) = menu.actions()
    assert (nothing.text(), nothing.isEnabled()) == ("No webcam is plugged in", False)
    webcams.extend([Webcam(0, "Integrated", True), Webcam(2, "Logitech", True)])
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["0: Integrated", "2: Logitech"]
    asked = []

    def refuse(spec):
        asked.append((spec.kind, spec.target))
        raise UserError("webcam 2: Logitech cannot be opened: close the program that uses it")

    monkeypatch.setattr("neuroclip_drivers.opening.open_source", refuse)
    menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: "close the program that uses it" in window.banner.text)
    assert asked == [("webcam", "2")]


def test_sources_of_other_packages_are_in_the_menu(qtbot, window, answers, monkeypatch):
    menu = window.actions_.menus["more"]
    assert menu.isEmpty()
    assert not menu.menuAction().isVisible()
    added = SourceEntry("clicks", "events at random", lambda spec: None, "COUNT")
    monkeypatch.setattr(SOURCES, "_added", (added,))
    window.sources.fill_more(menu)
    assert menu.menuAction().isVisible()
    answers("2000")
    (action,) = menu.actions()
    action.trigger()
    qtbot.waitUntil(lambda: window.pipeline.source.name == "opened")
