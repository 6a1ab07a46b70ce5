"""All keys on one page, made from the tables of actions, and what the mouse does."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from neuroclip_gui.commands import ACTIONS
from neuroclip_gui.menus import MENUS

_NAMES = {",": ",  (comma)", ".": ".  (point)"}
_MOUSE = (
    ("Wheel", "Zoom the picture, the timeline"),
    ("Drag", "Move the picture"),
    ("Double click", "Fit the sensor; rename a word"),
    ("Right click", "All that can be done to a word"),
    ("Point", "Timeline: its frame then"),
    ("Click", "Timeline, bar: go there"),
    ("", "Frame: enlarge it"),
    ("Drop a file", "Open it"),
)

_NOTE = (
    "Keys of one character, and Space, are commands while the picture or the bar under it has the focus:\n"
    "click it, or press F6. Anywhere else what you type goes into the line for words."
)
_COLUMNS = (("File", "Mouse"), ("Play", "Teach", "Help", "Edit"), ("Prompts", "View"))
"""Which menus stand below each other: about as long each, so that the page fits a small screen."""


class ShortcutsDialog(QDialog):
    """The cheat sheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        specs = {spec.name: spec for spec in ACTIONS}
        page = QVBoxLayout(self)
        page.setContentsMargins(18, 16, 18, 16)
        columns = QHBoxLayout()
        columns.setSpacing(20)
        page.addLayout(columns)
        note = QLabel(_NOTE)
        page.addWidget(note)
        groups = {
            title.replace("&", ""): [
                (specs[name].keys, specs[name].text) for name in names if name in specs and specs[name].keys
            ]
            for title, names in MENUS
        }
        groups["Mouse"] = [((how,), what) for how, what in _MOUSE]
        for titles in _COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(4)
            for title in titles:
                head = QLabel(title)
                head.setProperty("role", "title")
                head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
                column.addWidget(head)
                column.addSpacing(2)
                grid = QGridLayout()
                grid.setHorizontalSpacing(14)
                grid.setVerticalSpacing(4)
                grid.setColumnStretch(1, 1)
                grid.setColumnMinimumWidth(0, 112)
                for row, (keys, text) in enumerate(groups[title]):
                    key = QLabel("   ".join(_NAMES.get(name, name) for name in keys))
                    key.setProperty("role", "value")
                    what = QLabel(text.replace("&", "").rstrip("…"))
                    what.setProperty("role", "muted")
                    grid.addWidget(key, row, 0)
                    grid.addWidget(what, row, 1)
                column.addLayout(grid)
                column.addSpacing(14)
            column.addStretch(1)
            columns.addLayout(column)
