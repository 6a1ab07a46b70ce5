"""All keys on one page, made from the tables of actions, and what the mouse does."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from neuroclip_gui.commands import ACTIONS
from neuroclip_gui.menus import MENUS

_NAMES = {",": ",  (comma)", ".": ".  (point)"}
_MOUSE = (
    ("Wheel", "Zoom the picture; more or less of the timeline"),
    ("Drag", "Move the picture"),
    ("Double click", "Fit the sensor; rename a word"),
    ("Right click", "All that can be done to a word"),
    ("Point", "Timeline: the frame of that moment"),
    ("Click", "Timeline, bar: go there; frame: enlarge it"),
    ("Drop a file", "Open it"),
)

_NOTE = (
    "Keys of one character, and Space, are commands while the picture or the bar under it has the focus: "
    "click it, or press F6. Anywhere else what you type goes into the line for words."
)


class ShortcutsDialog(QDialog):
    """The cheat sheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        specs = {spec.name: spec for spec in ACTIONS}
        page = QVBoxLayout(self)
        page.setContentsMargins(22, 18, 22, 16)
        columns = QHBoxLayout()
        columns.setSpacing(34)
        page.addLayout(columns)
        note = QLabel(_NOTE)
        note.setWordWrap(True)
        page.addWidget(note)
        groups = [
            [
                (title, [(specs[name].keys, specs[name].text) for name in names if name in specs])
                for title, names in menus
            ]
            for menus in (MENUS[:3], MENUS[3:5], MENUS[5:])
        ]
        groups[2].append(("Mouse", [((how,), what) for how, what in _MOUSE]))
        for group in groups:
            column = QVBoxLayout()
            column.setSpacing(4)
            for title, entries in group:
                head = QLabel(title.replace("&", ""))
                head.setProperty("role", "title")
                head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
                column.addWidget(head)
                column.addSpacing(2)
                grid = QGridLayout()
                grid.setHorizontalSpacing(16)
                grid.setVerticalSpacing(6)
                grid.setColumnStretch(1, 1)
                grid.setColumnMinimumWidth(0, 112)
                for row, (keys, text) in enumerate(entry for entry in entries if entry[0]):
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
