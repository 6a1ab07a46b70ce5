"""All keys on one page, made from the tables of actions."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.commands import ACTIONS
from gui.menus import MENUS

_NAMES = {",": ",  (comma)", ".": ".  (point)"}


class ShortcutsDialog(QDialog):
    """The cheat sheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        specs = {spec.name: spec for spec in ACTIONS}
        columns = QHBoxLayout(self)
        columns.setContentsMargins(22, 18, 22, 20)
        columns.setSpacing(34)
        for group in (MENUS[:2], MENUS[2:3], MENUS[3:]):
            column = QVBoxLayout()
            column.setSpacing(4)
            for title, names in group:
                head = QLabel(title.replace("&", ""))
                head.setProperty("role", "title")
                head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
                column.addWidget(head)
                column.addSpacing(2)
                grid = QGridLayout()
                grid.setHorizontalSpacing(16)
                grid.setVerticalSpacing(6)
                keyed = [specs[name] for name in names if name in specs and specs[name].keys]
                for row, spec in enumerate(keyed):
                    keys = QLabel("   ".join(_NAMES.get(key, key) for key in spec.keys))
                    keys.setProperty("role", "value")
                    text = QLabel(spec.text.replace("&", "").rstrip("…"))
                    text.setProperty("role", "muted")
                    grid.addWidget(keys, row, 0)
                    grid.addWidget(text, row, 1)
                column.addLayout(grid)
                column.addSpacing(14)
            column.addStretch(1)
            columns.addLayout(column)
