"""What is seen first: the window fits its screen, the best word is in view, messages move nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import QMimeData, QPoint, QRect, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton, QWidget

from neuroclip_drivers.demo import demo_recording
from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_gui import layout
from neuroclip_gui.dialogs.settings_dialog import SettingsDialog
from neuroclip_gui.style import banner
from neuroclip_gui.style.palettes import PALETTES
from neuroclip_live.prompting.prompts import parse_prompts


@pytest.mark.parametrize("size", [(1024, 600), (1024, 700), (1280, 760), (1366, 728)])
def test_everything_fits_a_small_screen(qtbot, window, size):
    window.resize(*size)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size)
    inside = QRect(0, 0, *size)
    for widget in (
        window.status_line,
        window.transport,
        window.tool_bar,
        window.prompts.entry,
        window.panels["strip"].strip,
    ):
        corner = widget.mapTo(window, widget.rect().topLeft())
        assert inside.contains(QRect(corner, widget.size())), widget.accessibleName()


def test_a_window_larger_than_its_screen_is_made_smaller(qtbot, window):
    free = window.screen().availableGeometry()
    window.resize(free.width() + 300, free.height() + 300)
    window.move(free.left() + 100, free.top() + 100)
    layout.fit_to_screen(window)
    qtbot.waitUntil(lambda: free.contains(window.frameGeometry()))


def test_a_short_tool_bar_has_a_button_for_the_rest(qtbot, window):
    window.resize(800, 700)
    more = window.tool_bar.findChild(QToolButton, "qt_toolbar_ext_button")
    qtbot.waitUntil(more.isVisible)
    assert not more.icon().isNull()
    assert more.width() >= 20


def test_more_than_five_words_are_in_view(qtbot, window):
    window.want_prompts(parse_prompts(", ".join(f"thing {i}" for i in range(30))))
    window.resize(1280, 770)
    layout.arrange(window)
    words = window.prompts.list
    qtbot.waitUntil(lambda: words.viewport().height() > 5 * words.sizeHintForRow(0))


def test_the_best_word_is_always_in_view(qtbot, window, pipeline):
    words, labels = window.prompts.list, [f"thing {i}" for i in range(40)]
    window.want_prompts(parse_prompts(", ".join(labels)))
    pipeline.predict({label: 0.9 if label == "thing 37" else 0.002 for label in labels})
    qtbot.waitUntil(words.pinned.isVisible)
    assert words.pinned.y() > words.height() // 2  # it is below: pinned to the lower edge
    words.scrollToBottom()
    qtbot.waitUntil(lambda: not words.pinned.isVisible())
    pipeline.predict({label: 0.9 if label == "thing 1" else 0.002 for label in labels})
    qtbot.waitUntil(words.pinned.isVisible)
    assert words.pinned.y() < words.height() // 2
    qtbot.mouseClick(words.pinned, Qt.MouseButton.LeftButton)
    assert not words.pinned.isVisible()
    area = words.viewport().rect()
    assert area.contains(words.visualRect(window.prompts.model.index(1)))


def test_none_of_these_has_its_row_and_percentage(qtbot, window, pipeline):
    row = window.prompts.none
    pipeline.predict({"a mug": 0.2, "a phone": 0.1, "scissors": 0.1})
    qtbot.waitUntil(lambda: row.isEnabled() and window.decided.kind != "waiting")
    assert row.share is None
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert pipeline.prompts.none_of_these
    pipeline.predict({"a mug": 0.2, "a phone": 0.1, "scissors": 0.1})
    qtbot.waitUntil(lambda: row.share == 0.6)
    assert "60%" in row.accessibleDescription()


def test_a_message_lies_over_the_picture_and_moves_nothing(qtbot, window):
    qtbot.settle(window)
    before = window.view.geometry()
    window.banner.say("A message that is long enough to need a second line on a narrow picture. " * 3, "warn")
    qtbot.waitUntil(window.banner.isVisible)
    assert window.view.geometry() == before
    assert before.contains(window.banner.geometry())
    window.resize(900, 600)
    qtbot.waitUntil(lambda: window.view.geometry().contains(window.banner.geometry()))


def test_the_title_says_what_is_shown(qtbot, make_window):
    window = make_window(FakeSource("Simulated camera", live=True, shows="a teapot"))
    qtbot.waitUntil(lambda: window.windowTitle() == "Simulated camera: a teapot – neuroclip-live")


@pytest.mark.parametrize("width", [190, 230, 300, 600])
def test_what_stands_in_the_picture_never_overlaps(qtbot, window, width):
    qtbot.waitUntil(lambda: window.view._legend.isVisible() and window.view._facts.isVisible())
    window.view.resize(width, 300)
    legend, facts = window.view._legend.geometry(), window.view._facts.geometry()
    assert not legend.intersects(facts)
    assert window.view.rect().contains(facts)


# ---- the demo desk


def test_the_demo_desk_shows_picture_and_answer_alone_and_says_how_to_leave(qtbot, make_window):
    window = make_window(FakeSource())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert window.transport.isVisible()
    window.actions_.by_name["desk"].trigger()
    qtbot.waitUntil(lambda: not window.hint.isHidden())
    assert "Esc" in window.hint.text()
    seen = [w for w in window.centralWidget().children() if isinstance(w, QWidget) and w.isVisible()]
    assert set(seen) == {window.decision, window.view}
    assert not window.view._legend.isVisible()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Escape)
    assert not window.property("desk")
    assert window.hint.isHidden()
    assert window.transport.isVisible()
    assert window.view._legend.isVisible()
    assert not window.actions_.by_name["desk"].isChecked()


def test_dialogs_are_put_aside_for_the_demo_desk_and_come_back(qtbot, window):
    window.actions_.by_name["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    assert dialog.isVisible()
    desk = window.actions_.by_name["desk"]
    desk.trigger()
    assert not dialog.isVisible()
    desk.trigger()
    assert dialog.isVisible()
    desk.trigger()
    dialog.close()
    qtbot.waitUntil(lambda: window.findChild(SettingsDialog) is None)
    desk.trigger()


def test_an_error_does_not_lie_over_the_demo_desk_for_good_and_is_back_afterwards(qtbot, window, monkeypatch):
    monkeypatch.setattr(banner, "_PASSES_MS", 1)
    desk = window.actions_.by_name["desk"]
    window.banner.say("The camera is gone", "error")
    desk.trigger()
    qtbot.waitUntil(lambda: window.banner.text == "")
    window.banner.say("The disk is full", "error")
    assert window.banner.text == "The disk is full"  # it is told there as well
    qtbot.waitUntil(lambda: window.banner.text == "")
    window.banner.say("Saved a picture")
    desk.trigger()
    assert (window.banner.text, window.banner.level) == ("The disk is full", "error")
    window.banner.findChild(QToolButton).click()
    desk.trigger()
    desk.trigger()
    assert window.banner.text == ""


@pytest.mark.parametrize("name", ["add", "search"])
def test_a_key_that_asks_for_a_panel_leaves_the_demo_desk(qtbot, window, name):
    window.actions_.by_name["desk"].trigger()
    window.actions_.by_name[name].trigger()
    assert not window.property("desk")
    assert not window.actions_.by_name["desk"].isChecked()
    assert window.transport.isVisible()


# ---- lists of words, settings


def test_a_file_with_one_word_that_is_too_long_keeps_the_others(qtbot, window, pipeline, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text(f"# mine\na cup\n{'x' * 5000}\n-a hand\nA Cup\n", encoding="utf-8")
    window.prompt_files.load(path)
    assert pipeline.prompts.labels == ("A Cup", "a hand")
    assert "1 word was left out" in window.banner.text
    path.write_text("x" * 5000, encoding="utf-8")
    window.prompt_files.load(path)
    assert pipeline.prompts.labels == ("A Cup", "a hand")
    assert window.banner.level == "error"
    path.write_text("\n".join(f"w{n}" for n in range(50_000)), encoding="utf-8")
    window.prompt_files.load(path)
    assert "50,000 words" in window.banner.text


def test_enter_in_the_settings_is_for_the_field_and_closes_nothing(qtbot, window, monkeypatch):
    asked = []
    monkeypatch.setattr(window.recognition, "use_model", lambda *what: asked.append(what))
    window.do.ask_settings()
    (dialog,) = window.findChildren(SettingsDialog)
    dialog.model.setCurrentText("ViT-B-32/openai")
    dialog.model.setFocus()
    qtbot.keyClick(dialog.model.lineEdit(), Qt.Key.Key_Return)
    assert asked == [("ViT-B-32/openai", dialog.device.currentText())]
    dialog.slice.setFocus()
    for field in (dialog.slice.lineEdit(), dialog.timesteps, dialog.smoothing, dialog.theme, dialog):
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert dialog.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_what_records_is_red(qtbot, window):
    button = window.tool_bar.widgetForAction(window.actions_.by_name["record"])
    for name in PALETTES:
        window.do.set_theme(name)
        ink = QColor(window.theme.palette.record)
        assert ink.hue() < 15 or ink.hue() > 345
        image = button.grab().toImage()
        pixels = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
        assert ink.rgb() in pixels
    window.do.set_theme("dark")


# ---- recordings


def test_a_recording_of_the_command_line_stands_among_the_recent_ones(make_window, tmp_path):
    path = tmp_path / "dog.aedat4"  # called as one of the program's own, and none of them
    path.write_bytes(Path(demo_recording("dog")).read_bytes())
    for opened, recent in ((path, [str(path)]), (demo_recording("dog"), [str(path)])):
        source = open_source(SourceSpec("replay", str(opened), hold_at_end=True))
        window = make_window(source)
        assert window.settings.recent == recent
        assert window.actions_.menus["recent"].isEnabled()
        window.close()
        source.close()


def test_while_something_is_dragged_over_the_window_it_says_what_dropping_does(window):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/somewhere/mine.aedat4")])
    action, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(50, 50), action, mime, button, none))
    assert window.drop_sheet.isVisible()
    assert "mine.aedat4" in window.drop_sheet.text
    window.dragLeaveEvent(QDragLeaveEvent())
    assert not window.drop_sheet.isVisible()
