"""Commands become Qt's actions, menus and buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from neuroclip_gui.choices import CHOICES, Choice
from neuroclip_gui.commands import ACTIONS, Spec
from neuroclip_gui.menus import MENUS, TOOL_BAR
from neuroclip_gui.style import icons

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_gui.style.theme import Theme

_FILLED = {
    "recent": "Open &recent",
    "demo": "&Demo recordings",
    "more": "&More sources",
    "webcam": "&Webcam",
    "event_stream": "E&vent stream",
    "playlist": "Play&list",
    "panels": "&Panels",
}
"""Menus whose entries are found while the window runs."""
_SHORT = {"event_colors": "Colors: "}


class Actions:
    """The actions of one window, by name; menus of choices too."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.by_name: dict[str, QAction] = {spec.name: self._make(spec) for spec in ACTIONS}
        self.choices: dict[str, dict[Any, QAction]] = {}
        self.menus: dict[str, QMenu] = {c.name: self._make_choice(c) for c in CHOICES}
        for name, text in _FILLED.items():
            self.menus[name] = QMenu(text, window)
        self._buttons: dict[str, QAction] = {}

    @property
    def in_list(self) -> list[QAction]:
        """The actions of the list of prompts: its menu, and keys that work while it has the focus."""
        return [self.by_name[spec.name] for spec in ACTIONS if spec.in_list]

    def _make(self, spec: Spec) -> QAction:
        action = QAction(spec.text, self._window)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(key) for key in spec.other_keys])
        if spec.picture_keys:
            self._in_picture(action, spec)
        keys = f"  ({', '.join(spec.keys)})" if spec.keys else ""
        action.setToolTip((spec.tip or spec.text.replace("&", "")) + keys)
        action.setCheckable(spec.check or spec.shows)
        action.setAutoRepeat(not spec.held)
        window, do = self._window, spec.do
        if spec.check:
            action.toggled.connect(lambda on: do(window, on))
        else:
            action.triggered.connect(lambda: do(window))
        if spec.in_list:
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        else:
            window.addAction(action)
        return action

    def _in_picture(self, action: QAction, spec: Spec) -> None:
        """Give an action keys that work while the picture or the seek bar has the focus."""
        window = self._window
        keys = QAction(window)
        keys.setShortcuts([QKeySequence(key) for key in spec.picture_keys])
        keys.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.setAutoRepeat(not spec.held)
        keys.triggered.connect(action.trigger)
        for place in (window.view, window.transport.seek_bar):
            place.addAction(keys)
        if not spec.other_keys:  # a menu shows what comes after a tab where it shows keys
            action.setText(f"{spec.text}\t{spec.picture_keys[0]}")

    def _make_choice(self, choice: Choice) -> QMenu:
        menu = QMenu(choice.text, self._window)
        group = QActionGroup(menu)
        self.choices[choice.name] = {}
        kind = None
        for value, text in choice.values:
            if isinstance(value, tuple) and kind not in (None, value[0]):
                menu.addSeparator()
            kind = value[0] if isinstance(value, tuple) else None
            action = menu.addAction(text)
            action.setCheckable(True)
            group.addAction(action)
            self.choices[choice.name][value] = action
            action.triggered.connect(lambda _=False, v=value: self._choose(choice, v))
        menu.setObjectName(choice.name)
        return menu

    def _choose(self, choice: Choice, value: Any) -> None:
        choice.do(self._window, value)
        self.check(choice.name, value)

    def check(self, choice: str, value: Any) -> None:
        """Show which value of a choice is in use."""
        action = self.choices[choice].get(value)
        if action is not None:
            action.setChecked(True)
        button = self._buttons.get(choice)
        if button is not None:
            button.setText(f"{_SHORT.get(choice, '')}{action.text()}  ▾" if action is not None else "")

    def fill_menu_bar(self) -> None:
        """Put everything into menus."""
        for title, names in MENUS:
            menu = self._window.menuBar().addMenu(title)
            menu.setToolTipsVisible(True)
            for name in names:
                if name.startswith("*"):
                    menu.addMenu(self.menus[name[1:]])
                elif name:
                    menu.addAction(self.by_name[name])
                else:
                    menu.addSeparator()

    def fill_tool_bar(self, bar: QToolBar) -> None:
        """Put the most used into the tool bar."""
        for name in TOOL_BAR:
            if name == "|":
                bar.addSeparator()
            elif name == ">":
                space = QWidget()
                space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
                bar.addWidget(space)
            elif name.startswith("*"):
                menu = self.menus[name[1:]]
                title = menu.title().replace("&", "")
                action = QAction(title, bar)  # an action, so that it is in the overflow too
                action.setMenu(menu)
                bar.addAction(action)
                button = cast(QToolButton, bar.widgetForAction(action))
                button.setToolTip(title)
                button.setAccessibleName(title)
                button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
                self._buttons[name[1:]] = action
            else:
                bar.addAction(self.by_name[name])
                bar.widgetForAction(self.by_name[name]).setObjectName(name)
                bar.widgetForAction(self.by_name[name]).setAccessibleName(
                    self.by_name[name].text().replace("&", "").partition("\t")[0]
                )

    def draw(self, name: str, icon: str) -> None:
        """Give an action an icon in the theme's colors."""
        theme = self._window.theme
        colors = theme.color("text"), theme.color("accent"), theme.color("border")
        if name == "record":  # red as everywhere; what is checked lies on red
            colors = theme.color("record"), theme.color("window"), theme.color("border")
        self.by_name[name].setIcon(icons.icon(icon, *colors))

    def _restyle_overflow(self, theme: Theme) -> None:
        """Draw the button behind which a short tool bar keeps the rest: Qt's own is black on black."""
        more = self._window.tool_bar.findChild(QToolButton, "qt_toolbar_ext_button")
        if more is not None:
            more.setIcon(icons.pixmap("overflow", theme.color("text")))
            more.setToolTip("More")
            more.setAccessibleName("More tools")

    def restyle(self) -> None:
        """Draw the icons in the theme's colors."""
        self._restyle_overflow(self._window.theme)
        theme = self._window.theme
        colors = theme.color("text"), theme.color("accent"), theme.color("border")
        for spec in ACTIONS:
            if spec.icon:
                stops = spec.name == "record" and self.by_name["record"].isChecked()
                self.draw(spec.name, "stop" if stops else spec.icon)
        if "demo" in self._buttons:
            self._buttons["demo"].setIcon(icons.icon("demo", *colors))
