"""What somebody who tries everything for the first time must not meet: cut texts, silence, false words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QTabBar

from neuroclip_gui import layout
from neuroclip_gui.panels.export.export_dialog import ExportDialog
from neuroclip_gui.panels.prompts.prompt_model import ROW
from neuroclip_gui.style.elided import ElidedLabel
from neuroclip_gui.style.palettes import EVENT_COLORS, PALETTES, contrast
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import PipelineState
from neuroclip_live.stream.latency import Percentiles

WIDTHS = (1024, 1280)


@pytest.mark.parametrize("message", ["", "No event camera was found. Plug one in"])
def test_while_a_model_loads_the_headline_says_that_and_nothing_of_the_source(qtbot, make_window, message):
    source = FakeSource(name="a camera", live=True, message=message)
    window = make_window(source)
    window.pipeline.now = replace(
        window.pipeline.now, state=PipelineState.LOADING, message=message, model="", source=source.status()
    )
    qtbot.waitUntil(lambda: window.decision.words()[0] == "Loading the model")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_tab_is_cut_whatever_panels_are_open(qtbot, window, width):
    window.resize(width, 700)
    layout.bring_forward(window, "acting")
    qtbot.waitUntil(lambda: window.docks["acting"].isVisible())
    qtbot.settle(window)
    for bar in window.findChildren(QTabBar):
        if bar.isVisible():
            for tab in range(bar.count()):
                assert bar.rect().contains(bar.tabRect(tab)), bar.tabText(tab)
                needs = bar.fontMetrics().horizontalAdvance(bar.tabText(tab))
                assert bar.tabRect(tab).width() >= needs, bar.tabText(tab)


def test_a_text_that_gives_way_is_cut_with_dots(window):
    """A plain label whose width is ignored ends in the middle of a letter."""
    plain = [
        label.accessibleName() or label.text()
        for label in window.findChildren(QLabel)
        if label.sizePolicy().horizontalPolicy() is QSizePolicy.Policy.Ignored
        and not isinstance(label, ElidedLabel)
        and label
        not in window.panels["health"].panel.values.values()  # these have room for the widest number
    ]
    assert not plain


def test_the_status_line_makes_room_before_it_is_painted(qtbot, window, pipeline):
    window.resize(1024, 700)
    qtbot.settle(window)
    window.pulse.stop()
    latency = {**pipeline.now.latency, "total": Percentiles(12345.0, 98765.0, 9)}
    window.status_line.show_status(replace(pipeline.now, latency=latency, event_rate_hz=123_456_789.0), 60)
    shown = [label for label in window.status_line.fields.values() if label.isVisible()]
    places = sorted((label.geometry() for label in shown), key=QRect.left)
    for one, following in pairwise(places):
        assert one.right() < following.left()


@pytest.mark.parametrize("spacetime", [False, True])
@pytest.mark.parametrize("width", [1024, 1280])
def test_a_list_of_recordings_leaves_the_seek_bar_its_room(qtbot, window, width, spacetime):
    window.resize(width, 700)
    window.transport.show_place("2 of 77", ["one", "two"])
    layout.show_space_time(window, spacetime)
    qtbot.settle(window)
    QApplication.sendPostedEvents()
    assert window.width() == width  # it is not made wider than the screen
    bar = window.transport.seek_bar
    assert bar.width() >= (120 if spacetime else 200)
    end = window.transport.mapTo(window, QPoint(window.transport.width(), 0)).x()
    assert end <= window.docks["prompts"].x()
    shown = [w for w in (*window.transport._in_list, window.transport.place) if w.isVisible()]
    offered = [action.objectName() for action in window.transport._room.more.menu().actions()]
    for button in window.transport._in_list:  # what has no place is found behind the button
        assert button in shown or button.defaultAction().objectName() in offered
    assert window.transport._room.more.isVisible() == bool(offered)


def test_what_had_no_room_is_back_when_there_is(qtbot, window):
    window.transport.show_place("2 of 7", ["one"] * 7)
    window.resize(900, 700)
    qtbot.waitUntil(window.transport._room.more.isVisible)
    assert window.transport.place.text() == "2/7"
    window.resize(1500, 700)
    qtbot.waitUntil(lambda: not window.transport._room.more.isVisible())
    assert window.transport.place.text() == "2 of 7"
    assert all(button.isVisible() for button in window.transport._in_list)
    window.transport.show_place("", ())
    assert not any(button.isVisible() for button in window.transport._in_list)


NEEDS_A_RECORDING = ("step_back", "step_on", "skip_back", "skip_on", "restart", "slower", "faster")
NEEDS_A_WORD = ("rename", "remove", "negative", "enabled", "color", "theme_color", "move_up", "move_down")


@pytest.mark.parametrize("name", [*NEEDS_A_RECORDING, "mark_in", "mark_out", "mark_clear"])
def test_a_command_for_recordings_says_that_there_is_none(qtbot, make_window, name):
    window = make_window(FakeSource(name="cam", live=True))
    window.actions_.by_name[name].trigger()
    assert "no recording" in window.banner.text


@pytest.mark.parametrize("name", NEEDS_A_WORD)
def test_a_command_for_a_word_says_that_none_is_selected(qtbot, window, name):
    window.prompts.list.clearSelection()
    window.actions_.by_name[name].trigger()
    assert "No word is selected" in window.banner.text


def test_pasting_nothing_and_removing_nothing_is_said(qtbot, window):
    QApplication.clipboard().setText(" \n")
    window.actions_.by_name["paste"].trigger()
    assert "clipboard" in window.banner.text
    window.want_prompts(parse_prompts(""))
    window.actions_.by_name["remove_all"].trigger()
    assert "no words" in window.banner.text


def test_headline_and_list_name_the_same_best_word_where_two_are_as_likely(qtbot, window, pipeline):
    pipeline.decider.settings = replace(pipeline.decider.settings, smoothing_s=0.0)
    pipeline.predict({"a mug": 0.6, "a phone": 0.3})
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug")
    pipeline.predict({"a mug": 0.45, "a phone": 0.465}, t_us=2_050_000)
    qtbot.waitUntil(lambda: "as likely: a phone" in window.decision.words()[1])
    assert window.decision.words()[0] == "a mug"
    rows = [window.prompts.model.index(row).data(ROW) for row in range(2)]
    assert [f"{row.score:.0%}" for row in rows] == ["46%", "46%"]
    assert [row.best for row in rows] == [True, False]
    assert f"{window.decided.probability:.0%}" == "46%"
    pipeline.predict({"a mug": 0.45, "a phone": 0.48}, t_us=2_100_000)
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a phone")
    assert window.prompts.model.index(1).data(ROW).best


def test_nothing_of_the_words_moves_when_the_model_comes(qtbot, make_window):
    window = make_window(attach=False)
    qtbot.waitUntil(lambda: window.prompts.none.y() > 0)
    QApplication.sendPostedEvents()
    QApplication.processEvents()  # the first layout has ended
    before = window.prompts.none.geometry(), window.prompts.list.geometry()
    window.prompts.show_model("event-nano", True)
    QApplication.sendPostedEvents()
    QApplication.processEvents()
    assert (window.prompts.none.geometry(), window.prompts.list.geometry()) == before


def test_a_new_word_takes_the_color_that_is_shown_least(window):
    count = len(window.theme.palette.series)
    window.want_prompts(parse_prompts(", ".join(f"thing {i}" for i in range(count - 1)) + ", -a hand"))
    window.want_prompts(window.prompts.prompts.add("my own"))
    colors = [window.prompts.color(p.label).name() for p in window.prompts.prompts.prompts if not p.negative]
    assert len(set(colors)) == count


def test_settings_that_cannot_be_kept_are_told_once(qtbot, window, pipeline, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    real = window.store.path
    window.store.path = tmp_path / "file" / "window.json"
    window.want_prompts(pipeline.prompts.add("a kettle"))
    qtbot.waitUntil(lambda: "will be gone" in window.banner.text)
    assert window.banner.level == "warn"
    window.banner.say("something else")
    window.want_prompts(window.prompts.prompts.add("a fork"))
    qtbot.settle(window)
    assert window.banner.text == "something else"
    window.store.path = real
    window.want_prompts(window.prompts.prompts.add("a spoon"))
    qtbot.waitUntil(lambda: real.exists() and "a spoon" in real.read_text())


def test_a_picture_that_cannot_be_saved_is_told_in_plain_words(qtbot, window, tmp_path):
    (tmp_path / "file").write_text("in the way")
    window.pictures.folder = tmp_path / "file" / "Pictures"
    qtbot.waitUntil(lambda: window.view.frame is not None)
    window.pictures.save()
    qtbot.waitUntil(lambda: window.banner.text.startswith("Could not write"))
    assert "Error" not in window.banner.text


def test_what_the_system_refuses_is_told_without_its_class(qtbot, window, tmp_path):
    told: list[str] = []
    window.jobs.do((tmp_path / "none" / "such").read_bytes, told.append, told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert str(tmp_path / "none" / "such") in told[0]
    assert "Error" not in told[0]
    assert "Errno" not in told[0]


def test_space_and_time_says_that_it_is_being_prepared(qtbot, window, monkeypatch):
    view = window.panels["spacetime"].widget
    monkeypatch.setattr(view, "use", lambda projection: None)  # it is never ready
    view._projection = None
    layout.show_space_time(window, True)
    qtbot.waitUntil(view.isVisible)
    picture = view.grab().toImage()
    ground = picture.pixelColor(20, 20)
    middle = range(picture.width() // 4, picture.width() * 3 // 4)
    rows = range(picture.height() // 2 - 20, picture.height() // 2 + 20)
    said = [1 for y in rows for x in middle if picture.pixelColor(x, y) != ground]
    assert said


def test_a_negative_that_fits_best_is_told_as_that_while_none_of_these_is_off(qtbot, window, pipeline):
    window.want_prompts(parse_prompts("a mug, -a hand"))
    pipeline.predict({"a mug": 0.1}, rejected=0.9)
    qtbot.waitUntil(lambda: window.decision.words() == ("None of these", "a negative fits best"))
    assert window.prompts.none.text() == "None of these"
    window.want_prompts(window.prompts.prompts.with_none_of_these(True))
    assert window.prompts.none.text() == "None of these, or a negative"
    qtbot.waitUntil(lambda: "something else fits better" in window.decision.words()[1])


@pytest.mark.parametrize("theme", PALETTES)
def test_what_is_selected_is_as_legible_as_the_rest(qtbot, window, pipeline, theme):
    window.do.set_theme(theme)
    window.docks["teach"].raise_()
    pipeline.teacher.learn("a hand")
    row = window.panels["teach"].panel.list
    qtbot.waitUntil(lambda: row.isVisible() and row.model().rowCount() == 1)
    row.selectAll()
    row.setFocus()
    index = row.model().index(0, 0)
    picture = row.viewport().grab(row.visualRect(index)).toImage()
    seen = Counter(picture.pixel(x, y) for y in range(picture.height()) for x in range(picture.width()))
    under = QColor(seen.most_common(1)[0][0]).name()
    palette = window.theme.palette
    assert contrast(palette.text, under) >= 4.5, under
    assert contrast(palette.raised, under) < 1.3, under  # the ground its ink is made for
    assert under != QColor(palette.panel).name()  # and it is seen that it is selected


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("colors", ["", *EVENT_COLORS])
def test_what_is_written_into_space_and_time_is_legible(window, theme, colors):
    window.do.set_theme(theme)
    window.live.set_colors(colors)
    ground = window.live.colors.ground
    assert contrast(window.theme.ink_on(ground).name(), QColor(*ground).name()) >= 4.5


class _NothingYet:
    """An index that holds nothing."""

    recordings: tuple[()] = ()

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize(("running", "told"), [(True, "Nothing is indexed yet"), (False, "index a folder")])
def test_an_index_that_is_empty_is_not_asked_for_something_else(window, monkeypatch, running, told):
    search = window.panels["search"]
    monkeypatch.setattr(type(search.run), "running", running)
    search._on_found(search._number, (_NothingYet(), [], ["there is nothing in /x to be found yet"]))
    assert told in search.panel.state.text()
    assert "something else" not in search.panel.state.text()


@pytest.mark.parametrize("theme", PALETTES)
def test_a_first_button_that_cannot_be_pressed_looks_so(qtbot, window, theme):
    window.do.set_theme(theme)
    dialog = ExportDialog(window.export, "a", (0.0, 10.0), window)
    dialog.open()
    qtbot.waitUntil(dialog.isVisible)

    def ground() -> str:
        return dialog.start.grab().toImage().pixelColor(8, dialog.start.height() // 2).name()

    dialog.start.setDefault(True)
    able = ground()
    window.export.share = 0.5
    qtbot.waitUntil(lambda: not dialog.start.isEnabled())
    assert able == window.theme.palette.accent
    qtbot.waitUntil(lambda: ground() == window.theme.palette.raised)
    window.export._done(Path("film.mp4"), 75)
    qtbot.waitUntil(lambda: dialog.state.text().startswith("Exported film.mp4."))
    dialog.close()
