"""Which key does what, and where: typed as a keyboard does, into the window and not into a widget."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from neuroclip_gui.commands import ACTIONS
from neuroclip_gui.dialogs.settings_dialog import SettingsDialog

ONE = [(spec.name, key) for spec in ACTIONS for key in spec.picture_keys]


@pytest.fixture
def keyboard(qtbot, window):
    """Type into the window, wherever its focus is."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)

    def press(*keys: Qt.Key | str, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        for key in keys:
            for each in key if isinstance(key, str) else [key]:
                QTest.keyClick(window.windowHandle(), each, modifier)

    return press


def done(window, name: str) -> list[bool]:
    """Note whenever an action is done, in its stead."""
    action, calls = window.actions_.by_name[name], []
    told = action.toggled if action.isCheckable() else action.triggered
    told.disconnect()
    told.connect(lambda *_: calls.append(True))
    return calls


def test_at_the_start_the_focus_is_where_words_are_typed(keyboard, window, pipeline):
    keyboard("a red fox", Qt.Key.Key_Return)
    assert pipeline.prompts.labels[-1] == "a red fox"
    assert window.prompts.entry.hasFocus()


@pytest.mark.parametrize(("name", "key"), ONE)
def test_a_key_of_one_character_is_typed_unless_the_picture_has_the_focus(qtbot, window, keyboard, name, key):
    calls = done(window, name)
    code = " " if key == "Space" else key.lower()
    for place in (
        window.prompts.list,
        window.panels["teach"].widget.hold,
        window.panels["timeline"].widget,
        window.tool_bar,
        None,
    ):
        window.prompts.entry.clear()
        window.prompts.entry.setFocus()
        if place is None:
            window.focusWidget().clearFocus()
        else:
            place.setFocus()
        keyboard(code)
        assert window.prompts.entry.text() == code.strip(), place
        assert not calls
    window.prompts.entry.setFocus()
    keyboard(code)
    assert not calls
    for place in (window.view, window.transport.seek_bar):
        window.prompts.entry.clear()
        place.setFocus()
        keyboard(code)
        assert len(calls) == 1, place
        assert not window.prompts.entry.text()
        calls.clear()


def test_f6_gives_the_picture_the_keys_and_a_letter_that_is_none_goes_to_the_words(
    qtbot, window, pipeline, keyboard
):
    keyboard(Qt.Key.Key_F6)
    assert QApplication.focusWidget() is window.view.focusProxy()
    assert window.view._ring.isVisible()
    keyboard(" ")
    assert ("pause",) in pipeline.source.said
    keyboard("b")
    assert window.prompts.entry.hasFocus()
    assert window.prompts.entry.text() == "b"
    assert not window.view._ring.isVisible()
    keyboard("e")
    assert window.prompts.entry.text() == "be"


def test_a_click_on_the_picture_gives_it_the_keys(qtbot, window, pipeline, keyboard):
    graphics = window.view.focusProxy()
    qtbot.mouseClick(graphics.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    keyboard("]")
    assert ("set_speed", 2.0) in pipeline.source.said


def test_words_begin_behind_another_tab_and_go_on_in_the_entry(window, keyboard):
    window.docks["camera"].raise_()
    window.view.clearFocus()
    keyboard("elan")
    assert window.prompts.entry.text() == "elan"
    assert window.prompts.entry.isVisible()


def test_fields_keep_what_is_typed_into_them(qtbot, window, keyboard):
    window.docks["teach"].raise_()
    window.panels["teach"].widget.entry.setFocus()
    keyboard("t. lamp")
    assert window.panels["teach"].widget.entry.currentText() == "t. lamp"
    window.prompts.list.setFocus()
    window.prompts.list.select(["a phone"])
    keyboard(Qt.Key.Key_F2)
    editor = window.prompts.list.findChild(QLineEdit)
    editor.selectAll()
    keyboard("toe", Qt.Key.Key_Return)
    assert "toe" in window.pipeline.prompts.labels
    assert window.prompts.entry.text() == ""


def test_dialogs_and_menus_keep_their_keys(qtbot, window, keyboard):
    window.do.ask_settings()
    dialog = window.findChild(SettingsDialog)
    dialog.slice.setFocus()
    QTest.keyClick(dialog.windowHandle(), "5")
    assert window.prompts.entry.text() == ""
    dialog.close()
    menu = window.actions_.menus["theme"]
    menu.popup(window.mapToGlobal(QPoint(50, 50)))
    keyboard("x")
    assert window.prompts.entry.text() == ""
    menu.close()


def test_the_keys_of_the_list_are_no_letters(window, pipeline, keyboard):
    window.prompts.list.setFocus()
    window.prompts.list.select(["a phone"])
    keyboard("-", modifier=Qt.KeyboardModifier.ControlModifier)
    assert pipeline.prompts.prompts[1].negative
    keyboard("e", modifier=Qt.KeyboardModifier.ControlModifier)
    assert not pipeline.prompts.prompts[1].enabled
    keyboard(" ")
    assert pipeline.prompts.prompts[1].enabled
    keyboard("n", "e", "c")
    assert window.prompts.entry.text() == "nec"


def test_words_pasted_anywhere_go_to_the_entry(window, keyboard):
    QApplication.clipboard().setText("a kite\na drum")
    window.view.setFocus()
    keyboard("v", modifier=Qt.KeyboardModifier.ControlModifier)
    assert window.prompts.entry.text() == "a kite, a drum"


def test_t_held_in_a_field_types_and_is_told_how_to_teach(window, pipeline, keyboard):
    window.panels["teach"].widget.entry.setCurrentText("a mug")
    window.prompts.entry.setFocus()
    keyboard("t")
    assert not window.banner.text
    for _ in range(3):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_T, Qt.KeyboardModifier.NoModifier, "t", True)
        QApplication.sendEvent(window.windowHandle(), event)
    assert window.prompts.entry.text() == "tttt"
    assert "F8" in window.banner.text
    assert pipeline.teacher.collecting is None


def test_f8_teaches_from_anywhere(qtbot, window, pipeline, monkeypatch):
    monkeypatch.setattr("neuroclip_gui.panels.teach.teach_commands.TAP_S", 0.0)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.panels["teach"].widget.entry.setCurrentText("a mug")
    window.prompts.entry.setFocus()
    QTest.keyPress(window.windowHandle(), Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: pipeline.teacher.collecting == "a mug")
    QTest.keyRelease(window.windowHandle(), Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: pipeline.teacher.books[-1] == {"a mug": 3})


def test_on_the_demo_desk_letters_are_keys_or_nothing(window, keyboard):
    window.actions_.by_name["desk"].trigger()
    keyboard("b", "q")
    assert window.prompts.entry.text() == ""
    assert not window.docks["prompts"].isVisible()
    window.actions_.by_name["desk"].trigger()


def test_a_panel_that_floats_sends_its_letters_too(qtbot, window):
    dock = window.docks["teach"]
    dock.setFloating(True)
    dock.activateWindow()
    qtbot.waitUntil(lambda: dock.isActiveWindow())
    window.panels["teach"].widget.hold.setFocus()
    QTest.keyClick(dock.windowHandle(), "z")
    assert window.prompts.entry.text() == "z"
    dock.setFloating(False)
