"""A screen reader finds a name for every control, and the keyboard reaches each and leaves it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gui_fakes import FakeSource
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFrame,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from neuroclip_drivers.source import SourceState
from neuroclip_gui.choices import CHOICES
from neuroclip_gui.commands import ACTIONS
from neuroclip_gui.menus import MENUS, TOOL_BAR
from neuroclip_gui.panels.export.export_dialog import ExportDialog

CONTROLS = (
    *(QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QGroupBox),
    *(QLineEdit, QPlainTextEdit, QTabBar),
)
_NO_FOCUS = Qt.FocusPolicy.NoFocus
DIALOGS = {
    "settings": lambda w: w.do.ask_settings(),
    "sentences": lambda w: w.do.ask_templates(),
    "export": lambda w: ExportDialog(w.export, "a", (0.0, 10.0), w).open(),
    "serve": lambda w: w.serving.ask(),
    "keys": lambda w: w.do.show_shortcuts(),
    "about": lambda w: w.do.show_about(),
}


def controls(top: QWidget) -> Iterator[QWidget]:
    """Return what can be used in a window, hidden or not; what a control is made of goes by its name."""
    for widget in [top, *top.findChildren(QWidget)]:
        part = widget.parentWidget()
        whole = part.parentWidget() if type(part) is QFrame else part  # a combo box's list has a frame
        inside = isinstance(whole, QAbstractSpinBox | QComboBox | QTabBar)
        of_view = isinstance(part, QAbstractItemView) or getattr(part, "viewport", lambda: None)() is widget
        own_part = isinstance(widget, QScrollBar) or widget.objectName() in (
            "qt_menubar_ext_button",
            "qt_dockwidget_floatbutton",
            "qt_dockwidget_closebutton",
        )
        used = isinstance(widget, CONTROLS) or widget.focusPolicy() != _NO_FOCUS
        if used and not (inside or of_view or own_part or isinstance(widget, QLabel)):  # a text is its name
            yield widget


def name_of(widget: QWidget) -> str:
    """Return what a screen reader calls a widget; of a combo box Qt gives what is chosen in it instead."""
    if isinstance(widget, QComboBox):
        return widget.accessibleName()
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def described(widget: QWidget) -> str:
    above = []
    while widget is not None:
        above.append(f"{type(widget).__name__}#{widget.objectName()}")
        widget = widget.parentWidget()
    return " in ".join(above[:4])


def nameless(top: QWidget) -> list[str]:
    return [described(w) for w in controls(top) if not name_of(w).strip() or "\t" in name_of(w)]


def test_every_control_of_the_window_has_a_name(qtbot, window):
    for dock in window.docks.values():  # what is behind a tab, too
        dock.show()
    assert len(list(controls(window))) > 60
    assert nameless(window) == []


@pytest.mark.parametrize("name", list(DIALOGS))
def test_every_control_of_a_dialog_has_a_name(qtbot, window, name):
    DIALOGS[name](window)
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(QDialog)))
    for dialog in window.findChildren(QDialog):
        assert nameless(dialog) == []
        dialog.close()


def around(qtbot, top: QWidget, backwards: bool) -> list[QWidget]:
    """Press Tab until the focus is back where it was; return where it came by."""
    key = Qt.Key.Key_Backtab if backwards else Qt.Key.Key_Tab
    first = QApplication.focusWidget()
    seen = [first]
    for _ in range(300):
        QTest.keyClick(QApplication.focusWidget(), key)
        now = QApplication.focusWidget()
        if now is first:
            return seen
        assert now not in seen, f"the keyboard goes in circles at {described(now)}"
        seen.append(now)
    raise AssertionError("the focus does not come back")


@pytest.mark.parametrize("backwards", [False, True], ids=["Tab", "Shift+Tab"])
@pytest.mark.parametrize("live", [False, True], ids=["recording", "waiting"])
def test_the_keyboard_reaches_every_control_and_leaves_it(qtbot, make_window, backwards, live):
    source = FakeSource(live=True, state=SourceState.WAITING, message="plug it in") if live else FakeSource()
    window = make_window(source)
    window.docks["spacetime"].show()
    qtbot.waitUntil(lambda: window.waiting.card.isVisible() == live)
    qtbot.waitUntil(window.isActiveWindow)
    for name in ("prompts", "camera", "search", "timeline", "teach", "health", "rate"):
        window.docks[name].raise_()
        qtbot.settle(window)
        window.prompts.entry.setFocus() if name == "prompts" else window.view.setFocus()
        qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
        seen = around(qtbot, window, backwards)
        wanted = [
            widget
            for widget in controls(window)
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.isEnabled()
            and widget.isVisible()
            and not widget.visibleRegion().isEmpty()
        ]
        missed = [described(w) for w in wanted if w not in seen and w.focusProxy() not in seen]
        assert missed == []
        assert window.view.focusProxy() in seen
        if live:
            assert set(window.waiting.card.buttons) <= set(seen)


def test_every_button_of_the_tool_bar_is_in_a_menu_too():
    in_menus = {name for _, names in MENUS for name in names}
    assert {name for name in TOOL_BAR if name not in ("|", ">")} <= in_menus
    in_list = {spec.name for spec in ACTIONS if spec.in_list}
    assert {spec.name for spec in ACTIONS} <= in_menus | in_list
    assert {f"*{choice.name}" for choice in CHOICES} <= in_menus
