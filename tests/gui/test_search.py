"""The Search panel: a folder indexed beside the window, asked for words, and moments played from there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import QProcess, QSize, Qt
from PySide6.QtWidgets import QFileDialog

from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import SourceState
from neuroclip_gui.panels.search.found import Found
from neuroclip_gui.panels.search.moment_picture import LONGEST, moment_picture
from neuroclip_gui.style.palettes import EVENT_COLORS
from neuroclip_live import extras
from neuroclip_live.cli.main import main
from neuroclip_live.recording.convert import convert

pytest.importorskip("pyarrow")

PATIENT_MS = 600_000
"""A process has to start, and a model to load, perhaps on a busy machine."""
RECORDINGS = Path(__file__).parents[2] / "recordings"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two short recordings."""
    place = tmp_path_factory.mktemp("recordings")
    for name, start in (("dog", 0.0), ("tour", 0.0)):
        convert([RECORDINGS / f"{name}.aedat4"], place / f"{name}.aedat4", start_s=start, end_s=start + 1.2)
    return place


@pytest.fixture(scope="module")
def index(folder, tmp_path_factory) -> str:
    into = str(tmp_path_factory.mktemp("archive") / "index")
    assert main(["index", str(folder), "--into", into, "--threads", "1"]) == 0
    return into


@pytest.fixture
def choose(monkeypatch):
    """Choose a folder in the dialogs that ask for one."""

    def choose(path: object) -> None:
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))

    return choose


def ask(qtbot, window, words: str) -> None:
    """Type words as a user does, and wait for what they find."""
    window.actions_.by_name["search"].trigger()
    window.panels["search"].panel.entry.setText(words)
    qtbot.keyClick(window.panels["search"].panel.entry, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "moment" in window.panels["search"].panel.state.text(), timeout=PATIENT_MS)


def rows(window) -> list[str]:
    items = window.panels["search"].panel.list
    return [items.item(row).text() for row in range(items.count())]


def test_a_folder_is_indexed_beside_the_window_and_its_moments_are_played(
    qtbot, window, pipeline, folder, choose, tmp_path
):
    panel = window.panels["search"].panel
    window.actions_.by_name["search"].trigger()
    qtbot.settle(window)
    wide = window.docks["search"].width()
    choose(folder)
    window.actions_.by_name["index_folder"].trigger()
    qtbot.waitUntil(lambda: panel.progress.isVisibleTo(panel) and bool(panel.doing.text()))
    qtbot.waitUntil(lambda: not window.panels["search"].run.running, timeout=PATIENT_MS)
    qtbot.waitUntil(lambda: "Indexed 2 recordings" in window.banner.text)
    qtbot.waitUntil(lambda: "2 recordings" in panel.title.text())
    assert not panel.progress.isVisibleTo(panel)
    assert window.settings.index == str(tmp_path / "kept" / "archive")

    ask(qtbot, window, "a dog")
    assert panel.list.count() >= 1
    assert rows(window)[0].startswith("dog.aedat4\n")
    first = panel.list.item(0)
    blank = first.icon().pixmap(QSize(96, 72)).toImage()
    qtbot.waitUntil(lambda: first.icon().pixmap(QSize(96, 72)).toImage().pixelColor(0, 0).alpha() == 255)
    picture = first.icon().pixmap(QSize(96, 72)).toImage()
    colors = {picture.pixelColor(x, y).name() for x in range(0, 96, 2) for y in range(0, 72, 2)}
    assert len(colors) > 5, "events are seen in it"
    assert picture != blank
    assert window.docks["search"].width() == wide, "what is told makes the panel no wider"

    qtbot.mouseClick(
        panel.list.viewport(), Qt.MouseButton.LeftButton, pos=panel.list.visualItemRect(first).center()
    )
    qtbot.waitUntil(lambda: pipeline.source.name.startswith("dog.aedat4"))
    qtbot.waitUntil(lambda: window.windowTitle().startswith("dog.aedat4"))
    assert window.settings.recent[0] == str(folder / "dog.aedat4")
    pipeline.source.close()


def test_an_index_is_opened_remembered_and_one_that_is_none_leaves_it(qtbot, window, index, folder, choose):
    choose(index)
    window.actions_.by_name["open_index"].trigger()
    qtbot.waitUntil(lambda: "2 recordings" in window.panels["search"].panel.title.text())
    choose(folder)  # of recordings, and no index
    window.actions_.by_name["open_index"].trigger()
    qtbot.waitUntil(lambda: "holds no index" in window.banner.text)
    assert window.panels["search"].place == index
    window.close()
    assert window.store.load().index == index


def test_more_like_a_moment_and_words_that_are_not_seen(qtbot, make_window, index):
    window = make_window()
    window.settings.index = index
    ask(qtbot, window, "a dog, -a flower")
    panel = window.panels["search"].panel
    assert not panel.like.isEnabled()
    panel.list.setFocus()
    panel.list.setCurrentRow(0)
    qtbot.mouseClick(panel.like, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "like dog.aedat4" in panel.state.text())
    assert rows(window)[0].startswith("dog.aedat4")
    assert rows(window)[0].endswith("100%")


def test_filters_narrow_what_is_found(qtbot, make_window, index):
    window = make_window()
    window.settings.index = index
    panel = window.panels["search"].panel
    filters = panel.filters
    assert not filters.form.isVisibleTo(panel)
    qtbot.mouseClick(filters.button, Qt.MouseButton.LeftButton)
    assert filters.form.isVisibleTo(panel)
    ask(qtbot, window, "a dog")
    assert {row.partition("\n")[0] for row in rows(window)} >= {"dog.aedat4"}

    def narrowed(name: str, text: str) -> list[str]:
        filters.fields[name].setText(text)
        assert filters.button.text() == "Filters (1)"
        panel.say("")
        qtbot.keyClick(filters.fields[name], Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: panel.state.text() not in ("", "Searching"), timeout=PATIENT_MS)
        filters.fields[name].clear()
        return rows(window)

    assert narrowed("files", "dog*")
    assert not narrowed("files", "nothing*")
    assert "none of the 2 recordings" in panel.state.text()
    assert not narrowed("sensor", "1x1")
    assert not narrowed("since", "9999-12-31")
    assert narrowed("until", "9999-12-31")
    assert not narrowed("shortest", "3600 s")
    for name, text in (("since", "yesterday"), ("shortest", "long")):
        filters.fields[name].setText(text)
        qtbot.keyClick(filters.fields[name], Qt.Key.Key_Return)
        assert text in window.banner.text
        filters.fields[name].clear()
    assert filters.button.text() == "Filters"


def test_what_cannot_be_looked_for_is_said(qtbot, window):
    panel = window.panels["search"].panel
    assert "Encode a folder" in panel.state.text()
    panel.entry.setText("a mug")
    qtbot.keyClick(panel.entry, Qt.Key.Key_Return)
    assert "index a folder, or open an index" in window.banner.text
    panel.entry.setText("-a mug")
    qtbot.keyClick(panel.entry, Qt.Key.Key_Return)
    assert "Type a word" in window.banner.text


def test_without_arrow_it_says_what_to_install(qtbot, window, monkeypatch, choose, folder):
    monkeypatch.setattr(extras, "have", lambda module: module != "pyarrow")
    choose(folder)
    for command in ("index_folder", "open_index"):
        window.banner.say("")
        window.actions_.by_name[command].trigger()
        assert 'pip install "neuroclip-live[archive]"' in window.banner.text
    window.banner.say("")
    window.panels["search"].panel.entry.setText("a mug")
    qtbot.keyClick(window.panels["search"].panel.entry, Qt.Key.Key_Return)
    assert 'pip install "neuroclip-live[archive]"' in window.banner.text
    assert not window.panels["search"].run.running


def test_indexing_rests_while_a_camera_is_live_and_can_be_stopped(
    qtbot, make_window, folder, index, tmp_path
):
    source = FakeSource("a camera", live=True)
    window = make_window(source)
    into = tmp_path / "index"
    shutil.copytree(index, into)
    for part in into.rglob("*.parquet"):
        part.unlink()
    window.settings.index = str(into)
    window.panels["search"].index_folder(str(folder))
    panel = window.panels["search"].panel
    qtbot.waitUntil(lambda: panel.doing.text() == "Rests while a camera is live")
    assert window.panels["search"].run.running
    window.panels["search"].index_folder(str(folder))
    assert "is being indexed" in window.banner.text
    source.state = SourceState.ENDED
    qtbot.waitUntil(lambda: not panel.doing.text().startswith("Rests"), timeout=PATIENT_MS)
    qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.panels["search"].run.running, timeout=PATIENT_MS)
    assert "Index" in window.banner.text
    assert not panel.progress.isVisibleTo(panel)


def test_indexing_that_fails_is_said_and_ends_with_the_window(qtbot, window, folder, tmp_path):
    (tmp_path / "taken").write_text("a file")
    window.settings.index = str(tmp_path / "taken")
    window.panels["search"].index_folder(str(folder))
    qtbot.waitUntil(lambda: "is a file; name a folder" in window.banner.text)
    assert window.banner.level == "error"
    window.settings.index = str(tmp_path / "index")
    window.panels["search"].index_folder(str(folder))
    process = window.panels["search"].run._process
    qtbot.waitUntil(lambda: process.state() == QProcess.ProcessState.Running)
    window.close()
    assert process.state() == QProcess.ProcessState.NotRunning


def test_a_moment_of_the_open_recording_is_sought_in_it(qtbot, make_window):
    source = ReplaySource(RECORDINGS / "tour.aedat4", hold_at_end=True)
    window = make_window(source)
    window.transport.set_source(source)
    source.set_range(0.0, 2.0)
    window.transport.set_source(source)
    source.pause()
    found = Found(str(RECORDINGS / "tour.aedat4"), 4.0, 5.0, 4.4, 0.9)
    window.panels["search"].panel.chosen.emit(found)
    status = source.status()
    assert window.pipeline.source is source
    assert status.state is SourceState.STREAMING
    assert status.position_us - source.recording.first_us == 4_000_000  # and the part is all of it again
    source.close()


def test_the_picture_of_a_moment_has_its_box():
    colors = EVENT_COLORS["dark"]
    whole = moment_picture(Found(str(RECORDINGS / "tour.aedat4"), 4.0, 5.0, 4.4, 0.9), colors)
    boxed = moment_picture(
        Found(str(RECORDINGS / "tour.aedat4"), 4.0, 5.0, 4.4, 0.9, (20, 30, 120, 90)), colors
    )
    assert whole.shape == boxed.shape
    assert max(whole.shape) <= LONGEST
    changed = (whole != boxed).any(axis=2)
    assert changed[15, 10:60].mean() > 0.5
    assert not changed[20:40, 15:55].any()
