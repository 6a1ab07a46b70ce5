"""The window as its user meets it: typed into, clicked, and shown things that go wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gui_fakes import RES, FakeSource, place_of, ring_of_events
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QDialog, QLineEdit, QTabBar, QWidget

from neuroclip_drivers.source import GrayFrame
from neuroclip_gui import sources
from neuroclip_gui.choices import CHOICES
from neuroclip_gui.panels.picture import live_view
from neuroclip_gui.panels.prompts.prompt_model import ROW
from neuroclip_live.recognition.pipeline import PipelineState
from neuroclip_live.stream.slicing import parse_slice

ROOT = Path(__file__).resolve().parents[2]


def type_label(qtbot, window, text: str) -> None:
    window.prompts.entry.setFocus()
    qtbot.keyClicks(window.prompts.entry, text)
    qtbot.keyClick(window.prompts.entry, Qt.Key.Key_Return)


def close_dialogs(window) -> None:
    for dialog in window.findChildren(QDialog):
        dialog.close()


# ---- prompts


def test_a_label_typed_and_entered_reaches_the_pipeline_at_once(qtbot, window, pipeline):
    type_label(qtbot, window, "a red fox")
    assert pipeline.prompts.labels == ("a mug", "a phone", "scissors", "a red fox")
    assert window.prompts.entry.text() == ""


def test_a_list_is_several_labels_and_a_minus_makes_a_negative(qtbot, window, pipeline):
    type_label(qtbot, window, "a cup; a box, -a hand")
    assert pipeline.prompts.labels[-3:] == ("a cup", "a box", "a hand")
    assert pipeline.prompts.prompts[-1].negative


def test_pasted_lines_become_labels(qtbot, window, pipeline):
    QApplication.clipboard().setText("a tree\n\n a bush \na leaf\n")
    window.prompts.entry.setFocus()
    qtbot.keyClick(window.prompts.entry, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(window.prompts.entry, Qt.Key.Key_Return)
    assert pipeline.prompts.labels[-3:] == ("a tree", "a bush", "a leaf")


@pytest.mark.parametrize("text", ["a mug", "A MUG", "", "  ", ",,"])
def test_what_adds_nothing_changes_nothing(qtbot, window, pipeline, text):
    before = pipeline.prompts.labels
    type_label(qtbot, window, text)
    assert pipeline.prompts.labels == before


def test_a_label_that_is_there_is_said_and_the_others_are_added(qtbot, window, pipeline):
    type_label(qtbot, window, "a mug, a tree")
    assert pipeline.prompts.labels[-1] == "a tree"
    assert "a mug" in window.banner.text


def test_too_many_labels_are_refused_and_kept_for_mending(qtbot, window, pipeline):
    window.prompts.entry.setText(",".join(f"thing {i}" for i in range(1001)))
    qtbot.keyClick(window.prompts.entry, Qt.Key.Key_Return)
    assert "too many" in window.banner.text
    assert len(pipeline.prompts.labels) == 3
    assert window.prompts.entry.text()


@pytest.mark.parametrize("text", ["猫", "קומקום", "🦊 fox", "e\u0301clair", "a" * 400])
def test_any_unicode_can_be_typed_and_painted(qtbot, window, pipeline, text):
    window.prompts.entry.setText(text)  # QTest types Latin only
    qtbot.keyClick(window.prompts.entry, Qt.Key.Key_Return)
    pipeline.predict(dict.fromkeys(pipeline.prompts.labels, 0.2) | {pipeline.prompts.labels[-1]: 0.4})
    qtbot.waitUntil(lambda: window.decision.words()[0] == pipeline.prompts.labels[-1])
    window.grab()


def test_rename_keeps_place_and_color(qtbot, window, pipeline):
    color = window.prompts.color("a phone")
    window.prompts.list.select(["a phone"])
    window.actions_.by_name["rename"].trigger()
    editor = window.prompts.list.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "a smartphone")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pipeline.prompts.labels == ("a mug", "a smartphone", "scissors"))
    assert window.prompts.color("a smartphone") == color


def test_rename_to_another_label_is_refused(window, pipeline):
    window.prompts.rename("a phone", "A Mug")
    assert pipeline.prompts.labels == ("a mug", "a phone", "scissors")
    assert "there already" in window.banner.text


def test_delete_removes_and_selects_the_next(qtbot, window, pipeline):
    window.prompts.list.setFocus()
    window.prompts.list.select(["a phone"])
    qtbot.keyClick(window.prompts.list, Qt.Key.Key_Delete)
    assert pipeline.prompts.labels == ("a mug", "scissors")
    assert window.prompts.list.selected() == ["scissors"]


def test_removing_all_leaves_a_hint(window, pipeline):
    window.prompts.remove_all()
    assert pipeline.prompts.labels == ()
    assert not window.prompts.list.isVisible()


def test_the_check_box_switches_a_prompt_off(qtbot, window, pipeline):
    view = window.prompts.list
    row = view.visualRect(window.prompts.model.index(1))
    qtbot.mouseClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=row.topLeft() + QPoint(16, row.height() // 2)
    )
    assert [p.enabled for p in pipeline.prompts.prompts] == [True, False, True]


def test_flags_and_order_of_several_at_once(window, pipeline):
    window.prompts.list.select(["a phone", "scissors"])
    window.prompts.toggle_negative()
    assert [p.negative for p in pipeline.prompts.prompts] == [False, True, True]
    window.prompts.list.select(["a phone", "scissors"])
    window.prompts.toggle_enabled()
    assert [p.enabled for p in pipeline.prompts.prompts] == [True, False, False]
    window.prompts.list.select(["a phone", "scissors"])
    window.prompts.move_selected(-1)
    assert pipeline.prompts.labels == ("a phone", "scissors", "a mug")
    window.prompts.move_selected(-1)  # already at the top
    assert pipeline.prompts.labels == ("a phone", "scissors", "a mug")


def test_a_set_the_pipeline_changed_is_shown(qtbot, window, pipeline):
    pipeline.prompts = pipeline.prompts.with_templates(("a photo of a {}",))
    qtbot.waitUntil(lambda: window.prompts.templates.text() == "a photo of a …")


def test_words_of_which_there_is_something_to_say(qtbot, window, pipeline):
    pipeline.kinds = {"zwxqk": "unknown", "red": "describes", "an otter": "far"}
    type_label(qtbot, window, "zwxqk, red, an otter, a dog")
    model, tip = window.prompts.model, Qt.ItemDataRole.ToolTipRole
    qtbot.waitUntil(lambda: "no English word" in model.data(model.index(3), tip))
    assert [model.data(model.index(row), ROW).mark for row in range(3, 7)] == ["?", "i", "", ""]
    assert "names none" in model.data(model.index(4), tip)
    assert "seal" in model.data(model.index(5), tip)
    assert "Double click" in model.data(model.index(6), tip)
    assert "no English word" in model.data(model.index(3), Qt.ItemDataRole.AccessibleTextRole)


def test_none_of_these_only_where_the_model_can(qtbot, make_window):
    window = make_window(none_logit=None)
    qtbot.waitUntil(lambda: not window.prompts.none.isEnabled())


def test_none_of_these_is_asked_for(qtbot, window, pipeline):
    qtbot.waitUntil(lambda: window.prompts.none.isEnabled())
    qtbot.mouseClick(window.prompts.none, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert pipeline.prompts.none_of_these


def test_templates_dialog_previews_and_refuses_nonsense(window, pipeline):
    window.do.ask_templates()
    dialog = next(d for d in window.findChildren(QDialog))
    dialog._text.setPlainText("a sketch of a {}\nno place")
    assert (
        not dialog._buttons.buttons()[0].isEnabled()
        or not dialog._buttons.button(dialog._buttons.StandardButton.Ok).isEnabled()
    )
    dialog._text.setPlainText("a sketch of a {}")
    assert "a sketch of a mug" in dialog._preview.text()
    dialog.accept()
    assert pipeline.prompts.templates == ("a sketch of a {}",)


def test_words_go_to_a_file_and_come_back(window, pipeline, tmp_path):
    window.prompts._ask(lambda p: p.add("salt, pepper").add("-odd").add("a hand", negative=True))
    before = pipeline.prompts
    window.prompt_files.save(tmp_path / "words.txt")
    window.prompts.remove_all()
    window.prompt_files.load(tmp_path / "words.txt")
    assert pipeline.prompts.prompts == before.prompts


def test_a_word_file_that_is_none_is_said(window, pipeline, tmp_path):
    window.prompt_files.load(tmp_path / "nowhere.txt")
    assert "cannot read" in window.banner.text
    assert len(pipeline.prompts.labels) == 3


# ---- what is shown


def test_the_best_label_is_said_large_and_marked_shown(qtbot, window, pipeline):
    given = pipeline.predict({"a mug": 0.7, "a phone": 0.2, "scissors": 0.1}, raw_label="a phone")
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug")
    assert "a phone" in window.decision.words()[1]
    assert pipeline.shown == [given]
    assert window.decision.accessibleDescription() == "a mug"


def test_no_motion_is_calm_and_says_no_label(qtbot, window, pipeline):
    pipeline.predict({"a mug": 0.9, "a phone": 0.05, "scissors": 0.05})
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug")
    pipeline.predict({}, state="no-motion")
    qtbot.waitUntil(lambda: window.decision.words()[0] == "No motion")
    assert window.decided.scores == {}


def test_a_paused_recording_keeps_its_decision(qtbot, window, pipeline):
    pipeline.predict({"a mug": 0.9, "a phone": 0.05, "scissors": 0.05})
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug")
    window.actions_.by_name["play"].trigger()
    qtbot.waitUntil(lambda: window.transport.paused)
    pipeline.predict({}, state="no-motion")
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) == 2)
    assert window.decision.words()[0] == "a mug"


def test_events_are_painted_and_saved(qtbot, window, pipeline, tmp_path):
    pipeline.events = ring_of_events(1.0)
    qtbot.waitUntil(lambda: window.view.frame is not None and (window.view.frame != 127).any())
    assert window.view.frame.shape == (RES.height, RES.width)
    window.actions_.by_name["snapshot"].trigger()
    qtbot.waitUntil(lambda: window.banner.text.startswith("Saved"), timeout=5000)
    image = QImage(str(next(tmp_path.glob("*.png"))))
    assert image.width() == 3 * RES.width


def test_a_frozen_picture_stays(qtbot, window, pipeline):
    pipeline.events = ring_of_events(1.0)
    qtbot.waitUntil(lambda: window.view.frame is not None and (window.view.frame != 127).any())
    window.actions_.by_name["freeze"].trigger()
    kept = window.view.frame
    pipeline.events = ring_of_events(2.0)
    qtbot.settle(window)
    assert window.view.frame is kept


def test_old_events_do_not_stay_on_the_screen(qtbot, make_window, monkeypatch):
    window = make_window(FakeSource(live=True, name="camera"))
    window.pipeline.events = ring_of_events(1.0)
    qtbot.waitUntil(lambda: window.view.frame is not None and (window.view.frame != 127).any())
    qtbot.settle(window)
    assert (window.view.frame != 127).any()
    monkeypatch.setattr(live_view, "_STALE_S", 0.0)  # now they are old
    qtbot.waitUntil(lambda: (window.view.frame == 127).all())


@pytest.mark.parametrize("choice", [c.name for c in CHOICES])
def test_every_choice_can_be_taken(qtbot, window, pipeline, choice):
    pipeline.events = ring_of_events(1.0)
    for action in window.actions_.choices[choice].values():
        action.trigger()
        qtbot.wait(20)
        assert action.isChecked()
    window.grab()


def test_intensity_frames_stand_beside_the_events(qtbot, make_window):
    frame = GrayFrame(0, np.full((RES.height, RES.width), 90, np.uint8))
    window = make_window(FakeSource(live=True, frame=frame))
    window.pipeline.events = ring_of_events(1.0)
    qtbot.waitUntil(lambda: window.view.beside)
    window.actions_.by_name["frames"].setChecked(False)
    assert not window.view.beside


def test_timesteps_timeline_and_health_show_what_came(qtbot, window, pipeline):
    frames = tuple(np.full((24, 32), 127, np.uint8) for _ in range(4))
    cosines = np.array([[0.1, 0.3, 0.2]] * 4, np.float32)
    pipeline.predict(
        {"a mug": 0.1, "a phone": 0.7, "scissors": 0.2},
        frames=frames,
        step_scores=cosines,
        state="warming-up",
    )
    qtbot.waitUntil(lambda: window.panels["strip"].strip.caption(0)[0] == "a phone")
    assert window.panels["strip"].strip.caption(3)[1] == pytest.approx(0.3)
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) == 1)
    assert window.panels["timeline"].widget.moments[0].label == "a phone"
    window.docks["health"].raise_()
    qtbot.waitUntil(lambda: window.panels["health"].panel.values["rate"].text() == "123 k/s")
    assert "12 ms" in window.status_line.fields["latency"].text()
    assert window.decision.words()[1].startswith("settling")
    window.panels["strip"].strip.opened.emit(0)
    close_dialogs(window)


def test_dropped_events_stand_out(qtbot, window, pipeline):
    pipeline.now = replace(pipeline.now, dropped_events=1200)
    qtbot.waitUntil(lambda: "1.2 k dropped" in window.status_line.fields["lost"].text())
    assert window.status_line.fields["lost"].property("role") == "warn"


def test_loading_shows_how_far_it_is(qtbot, window, pipeline):
    pipeline.now = replace(
        pipeline.now, state=PipelineState.LOADING, message="reading the model", progress=0.4, model=""
    )
    qtbot.waitUntil(lambda: window.decision.words()[0] == "Reading the model")
    window.grab()


def test_a_failed_worker_becomes_a_banner_and_the_picture_goes_on(qtbot, window, pipeline):
    pipeline.now = replace(pipeline.now, state=PipelineState.FAILED, message="no such model: X")
    qtbot.waitUntil(lambda: window.banner.text == "no such model: X")
    assert window.banner.level == "error"
    assert window.decision.words()[0] == "Recognition is off"
    pipeline.events = ring_of_events(1.0)
    qtbot.waitUntil(lambda: window.view.frame is not None and (window.view.frame != 127).any())


# ---- room


def test_on_a_small_screen_several_words_are_in_view_whatever_is_below_them(qtbot, window):
    window.prompts.add(", ".join(f"thing {number}" for number in range(20)))
    for name in ("health", "teach", "timeline"):
        window.docks[name].raise_()
        qtbot.settle(window)
        view = window.prompts.list.viewport()
        assert (window.width(), window.height()) == (1280, 720)
        assert view.height() >= 4 * window.prompts.list.sizeHintForRow(0), name


def test_the_demo_desk_leaves_everything_where_it_was(qtbot, window):
    def bars() -> list[int]:
        return sorted(bar.count() for bar in window.findChildren(QTabBar) if bar.count())

    window.docks["teach"].raise_()
    window.docks["camera"].close()
    qtbot.settle(window)
    before = bars()
    desk = window.actions_.by_name["desk"]
    desk.trigger()
    qtbot.settle(window)
    assert not any(dock.isVisible() for dock in window.docks.values())
    desk.trigger()
    qtbot.waitUntil(lambda: bars() == before)
    assert window.docks["camera"].isHidden()
    qtbot.waitUntil(lambda: not window.docks["teach"].visibleRegion().isEmpty())


# ---- names


def test_everything_that_can_be_focused_has_a_name(window):
    unnamed = [
        (type(w).__name__, w.objectName())
        for w in window.findChildren(QWidget)
        if w.isVisible()
        and w.focusPolicy() & Qt.FocusPolicy.TabFocus
        and w.objectName() != "qt_toolbar_ext_button"
        if not (w.accessibleName() or getattr(w, "text", str)())
        if not isinstance(w, QTabBar) and not isinstance(w.parent(), QAbstractScrollArea)
    ]
    assert not unnamed


# ---- recordings


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("step_on", ("step", 50_000)),
        ("step_back", ("step", -50_000)),
        ("restart", ("seek", 0.0)),
        ("skip_on", ("seek", 5.0)),
        ("faster", ("set_speed", 2.0)),
        ("slower", ("set_speed", 0.5)),
        ("mark_in", ("set_range", 0.0, None)),
        ("mark_clear", ("set_range", 0.0, None)),
        ("play", ("pause",)),
    ],
)
def test_transport_commands_reach_the_recording(window, pipeline, name, told):
    window.actions_.by_name[name].trigger()
    assert pipeline.source.said[-1] == told


def test_a_step_is_as_long_as_slices_are_apart(window, pipeline):
    step = window.actions_.by_name["step_on"]
    pipeline.settings = replace(pipeline.settings, slice_by=parse_slice("30ms"))
    step.trigger()
    assert pipeline.source.said[-1] == ("step", 15_000)
    pipeline.settings = replace(pipeline.settings, slice_by=parse_slice("5000"))
    step.trigger()
    assert pipeline.source.said[-1] == ("step", 50_000)  # nothing came yet
    for k in range(5):
        pipeline.predict({"a mug": 1.0}, t_us=1_000_000 + 7_000 * k)
    pipeline.predict({"a mug": 1.0}, t_us=9_000_000, skipped=12)
    step.trigger()
    assert pipeline.source.said[-1] == ("step", 7_000)


def test_loop_and_resume(qtbot, window, pipeline):
    window.actions_.by_name["loop"].trigger()
    assert pipeline.source.said[-1] == ("set_loop", False)
    window.actions_.by_name["play"].trigger()
    qtbot.settle(window)
    window.actions_.by_name["play"].trigger()
    assert pipeline.source.said[-1] == ("resume",)


def test_a_click_on_the_seek_bar_goes_there(qtbot, window, pipeline):
    bar = window.transport.seek_bar
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(bar.width() // 2, bar.height() // 2))
    name, seconds = pipeline.source.said[-1]
    assert name == "seek"
    assert seconds == pytest.approx(5.0, abs=0.1)


def test_a_click_on_the_timeline_goes_to_that_moment(qtbot, window, pipeline):
    pipeline.predict({"a mug": 0.7, "a phone": 0.2, "scissors": 0.1}, t_us=4_000_000)
    qtbot.waitUntil(lambda: len(window.panels["timeline"].widget.moments) == 1)
    at = QPoint(place_of(window.panels["timeline"].widget, window.panels["timeline"].widget.moments[0]), 40)
    qtbot.mouseClick(window.panels["timeline"].widget, Qt.MouseButton.LeftButton, pos=at)
    assert pipeline.source.said[-1] == ("seek", 3.0)


def test_the_transport_is_hidden_for_a_camera_and_space_freezes(make_window):
    window = make_window(FakeSource(live=True))
    assert not window.transport.isVisible()
    window.actions_.by_name["play"].trigger()
    assert window.live.frozen


def test_a_dropped_recording_is_played_and_remembered(qtbot, window, pipeline):
    path = ROOT / "recordings" / "tour.aedat4"
    if not path.is_file():
        pytest.skip("no demo recording")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    qtbot.waitUntil(lambda: pipeline.source.name.startswith("tour.aedat4"), timeout=10_000)
    qtbot.waitUntil(lambda: window.settings.recent == [str(path)])
    assert "tour.aedat4" in window.windowTitle()
    pipeline.source.close()


def test_a_dropped_file_that_is_no_recording_is_said(qtbot, window, pipeline, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    window.sources.open_file(str(path))
    qtbot.waitUntil(lambda: "notes.txt" in window.banner.text, timeout=10_000)
    assert window.banner.level == "error"
    assert pipeline.source.name == "fake.aedat4"


def test_no_camera_is_said(qtbot, window, monkeypatch):
    from neuroclip_drivers import opening
    from neuroclip_live.errors import UserError

    def none(spec):
        raise UserError("No event camera was found. Plug one in.")

    monkeypatch.setattr(opening, "open_source", none)
    window.actions_.by_name["camera"].trigger()
    qtbot.waitUntil(lambda: "No event camera" in window.banner.text)


def test_demo_recordings_are_listed(window):
    menu = window.actions_.menus["demo"]
    window.sources.fill_demos(menu)
    assert {a.text() for a in menu.actions()} == {n.replace("_", " ") for n in sources.demo_names()}


# ---- themes and lay-out


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (900, 600)])
def test_the_window_fits(qtbot, window, size):
    window.resize(*size)
    qtbot.wait(30)
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 720
    assert window.view.width() > 200


def test_demo_desk_leaves_picture_and_answer_and_comes_back(window):
    desk = window.actions_.by_name["desk"]
    before = window.decision.height()
    desk.trigger()
    assert not window.docks["prompts"].isVisible()
    assert window.decision.sizeHint().height() > before
    desk.trigger()
    assert window.docks["prompts"].isVisible()


def test_what_was_set_is_there_the_next_time(make_window):
    first = make_window()
    first.do.set_theme("light")
    first.live.set_accumulation("fade", 100)
    first.prompts.threshold.setValue(55)
    first.docks["strip"].close()
    first.close()
    second = make_window()
    assert second.theme.palette.name == "light"
    assert second.live.accumulation == ("fade", 100)
    assert second.settings.threshold == 0.55
    assert not second.docks["strip"].isVisible()
    second.do.reset_settings()
    assert second.docks["strip"].isVisible()
    assert second.theme.palette.name == "dark"
