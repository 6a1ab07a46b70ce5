"""Several recordings follow each other: in order, with the words kept, and it is seen which is played."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import FakeBackbone
from making import SIZE, dv_recording, make_events
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from neuroclip_drivers.opening import open_source
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.config import Config
from neuroclip_live.events import Resolution
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.session import playlist_of, source_spec

NAMES = ("one.aedat4", "two.aedat4", "three.aedat4")


@pytest.fixture
def files(tmp_path):
    """Recordings that end when they are played as fast as can be, and not by themselves."""
    sizes = SIZE, Resolution(80, 60), SIZE
    paths = [tmp_path / name for name in NAMES]
    for seed, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        dv_recording(path, make_events(900, 20_000_000, seed), packet_events=30, resolution=size)
    return paths


@pytest.fixture
def window(make_window, files):
    """A window that plays another recording, for minutes."""
    other = dv_recording(files[0].parent / "other.aedat4", make_events(3000, 200_000_000))
    source = ReplaySource(other, loop=True, hold_at_end=True)
    settings = PipelineSettings(wait_for_model=True)
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug, a fox"), settings)
    window = make_window(attach=False)
    window.attach(pipeline)
    return window


def drop(window, paths) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, left, none))


def plays(qtbot, window, name: str, place: str) -> None:
    """Wait until it is played, and shown to be where it is in the list."""
    title = f"{name} ({place})" if place else name
    qtbot.waitUntil(lambda: window.windowTitle() == f"{title} – neuroclip-live")
    assert window.pipeline.source.name == name
    assert window.transport.place.text() == place
    assert window.transport.place.isVisible() == bool(place)
    assert [b.isVisible() for b in window.transport._in_list] == [bool(place)] * 2


def end(window) -> None:
    """Let what is played come to its end, and what follows it."""
    window.transport.set_speed(None)


def trigger(window, name: str) -> None:
    window.actions_.by_name[name].trigger()


def test_dropped_recordings_follow_each_other_with_the_words_kept(qtbot, window, files):
    window.prompts.add("a red fox, -a hand")
    words, seen = window.pipeline.prompts.prompts, []
    window.playlist.changed.connect(lambda: seen.append((window.pipeline.source.name, window.playlist.place)))
    drop(window, files)
    plays(qtbot, window, NAMES[0], "1 of 3")
    end(window)
    qtbot.waitUntil(lambda: len(seen) > 3)
    assert seen[:4] == list(zip((*NAMES, NAMES[0]), ("1 of 3", "2 of 3", "3 of 3", "1 of 3"), strict=True))
    assert window.pipeline.prompts.prompts == words
    assert window.actions_.by_name["loop"].isChecked()
    assert {str(path) for path in files} <= set(window.settings.recent)
    assert window.banner.text == ""


def test_without_the_loop_the_last_is_held_at_its_end(qtbot, window, files):
    window.actions_.by_name["loop"].setChecked(False)
    drop(window, files[:2])
    plays(qtbot, window, NAMES[0], "1 of 2")
    end(window)
    plays(qtbot, window, NAMES[1], "2 of 2")
    qtbot.waitUntil(lambda: window.pipeline.source.status().at_end)
    qtbot.settle(window)
    plays(qtbot, window, NAMES[1], "2 of 2")
    trigger(window, "next_recording")
    assert window.banner.text == "This is the last of 2"
    seen = []
    window.playlist.changed.connect(lambda: seen.append(window.playlist.place))
    window.actions_.by_name["loop"].setChecked(True)  # and then it does begin again
    qtbot.waitUntil(lambda: seen[:1] == ["1 of 2"])


def test_next_previous_and_the_menu_go_through_the_list(qtbot, window, files):
    drop(window, files)
    plays(qtbot, window, NAMES[0], "1 of 3")
    window.transport.set_speed(0.1)
    for name, place, command in (
        (NAMES[1], "2 of 3", "next_recording"),
        (NAMES[2], "3 of 3", "next_recording"),
        (NAMES[0], "1 of 3", "next_recording"),
        (NAMES[2], "3 of 3", "previous_recording"),
    ):
        trigger(window, command)
        plays(qtbot, window, name, place)
        assert window.pipeline.source.speed == 0.1
        assert window.transport.speed.currentText() == "0.1×"
    menu = window.actions_.menus["playlist"]
    assert [action.text() for action in menu.actions()] == [f"{at}  {n}" for at, n in enumerate(NAMES, 1)]
    assert [action.isChecked() for action in menu.actions()] == [False, False, True]
    menu.actions()[1].trigger()
    plays(qtbot, window, NAMES[1], "2 of 3")


def test_one_that_cannot_be_opened_is_left_out_and_named(qtbot, window, files):
    files[1].write_bytes(b"no recording")
    drop(window, files)
    plays(qtbot, window, NAMES[0], "1 of 3")
    trigger(window, "next_recording")
    plays(qtbot, window, NAMES[2], "2 of 2")
    assert window.banner.level == "error"
    assert "two.aedat4" in window.banner.text
    assert window.banner.text.endswith("It is left out of the list.")


def test_where_none_can_be_opened_what_was_played_goes_on(qtbot, window, files):
    drop(window, [files[0].with_name("gone.aedat4"), files[0].with_name("lost.aedat4")])
    qtbot.waitUntil(lambda: "lost.aedat4" in window.banner.text)
    plays(qtbot, window, "other.aedat4", "")
    assert not window.playlist.in_charge


def test_where_all_others_went_away_the_one_left_loops_by_itself(qtbot, window, files):
    drop(window, files[:2])
    plays(qtbot, window, NAMES[0], "1 of 2")
    files[1].unlink()
    end(window)
    qtbot.waitUntil(lambda: "two.aedat4" in window.banner.text)
    plays(qtbot, window, NAMES[0], "")
    assert window.pipeline.source.loop
    jumps = window.pipeline.source.jump.number
    qtbot.waitUntil(lambda: window.pipeline.source.jump.number > jumps + 1)


def test_opening_something_else_ends_the_list(qtbot, window, files):
    drop(window, files)
    plays(qtbot, window, NAMES[0], "1 of 3")
    window.sources.open_file(str(files[2]))
    plays(qtbot, window, NAMES[2], "")
    assert window.pipeline.source.loop
    trigger(window, "next_recording")
    assert "no other recording" in window.banner.text


def test_a_part_that_is_marked_loops_until_it_is_cleared(qtbot, window, files):
    drop(window, files[:2])
    plays(qtbot, window, NAMES[0], "1 of 2")
    source = window.pipeline.source
    window.transport.seek_s(19.5)
    qtbot.waitUntil(lambda: source.status().position_us - source.recording.first_us > 19_400_000)
    trigger(window, "mark_in")
    qtbot.waitUntil(lambda: source.loop)
    jumps = source.jump.number
    qtbot.waitUntil(lambda: source.jump.number > jumps + 2)
    assert window.pipeline.source is source
    trigger(window, "mark_clear")
    qtbot.waitUntil(lambda: not source.loop)
    end(window)
    plays(qtbot, window, NAMES[1], "2 of 2")


def test_the_command_line_gives_a_list(qtbot, make_window, files):
    config = Config(replay=str(files[0]), playlist=tuple(map(str, files[1:])), prompts="a mug, a fox")
    window = make_window(attach=False)
    window.recognition.take_up(config)
    settings = PipelineSettings(wait_for_model=True)
    source = open_source(source_spec(config))
    window.attach(Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug, a fox"), settings))
    plays(qtbot, window, NAMES[0], "1 of 3")
    trigger(window, "next_recording")
    plays(qtbot, window, NAMES[1], "2 of 3")


def test_what_is_typed_holds_for_every_recording_of_the_list(files):
    config = Config(replay=str(files[0]), playlist=(str(files[1]),), start=0.1, speed="2", loop=False)
    first, second = playlist_of(config)
    assert first == source_spec(config)
    assert second == replace(first, target=str(files[1]))
    assert playlist_of(Config(replay=str(files[0]))) == ()
