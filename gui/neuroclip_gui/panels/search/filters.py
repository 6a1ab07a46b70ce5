"""Where a search looks: fields for files, sensor, dates and length, folded away until they are asked for."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from neuroclip_live.archive.query import parse_date
from neuroclip_live.errors import UserError

_FIELDS = (
    ("files", "Files", "*desk*.aedat4", "Only recordings whose path or name fits; * stands for anything"),
    ("sensor", "Sensor", "640x480, or a camera's name", "Only recordings of this size or camera"),
    ("since", "Since", "2026-11-28", "Recorded on that day or later; 2026-11-28T14:30 is a time (UTC)"),
    ("until", "Until", "2026-11-28", "Recorded on that day or before; 2026-11-28T14:30 is a time (UTC)"),
    ("shortest", "At least", "0.5 s", "Leave shorter moments out"),
)


class Filters(QWidget):
    """Fields that narrow a search; those that are empty let everything in.

    Attributes
    ----------
    asked : Signal()
        Enter was pressed in one of them.
    fields : dict of QLineEdit
        ``files``, ``sensor``, ``since``, ``until``, ``shortest``.
    """

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.button, self.form = QToolButton(), QWidget()
        self.fields: dict[str, QLineEdit] = {}
        self.button.setCheckable(True)
        self.button.setToolTip("Look only in some recordings")
        self.button.toggled.connect(self.form.setVisible)
        form = QFormLayout(self.form)
        form.setContentsMargins(0, 0, 0, 0)
        for name, label, example, tip in _FIELDS:
            field = self.fields[name] = QLineEdit()
            field.setPlaceholderText(example)
            field.setToolTip(tip)
            field.setAccessibleName(label)
            field.setClearButtonEnabled(True)
            for clear in field.findChildren(QToolButton):  # Qt leaves it without a name
                clear.setAccessibleName("Clear")
            field.returnPressed.connect(self.asked)
            field.textChanged.connect(self._count)
            form.addRow(label, field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.button)
        column.addWidget(self.form)
        self.form.hide()
        self._count()

    def options(self) -> dict[str, Any]:
        """Return what was typed, as options of :meth:`neuroclip_live.archive.index.Index.search`.

        Raises
        ------
        UserError
            When a date is none, or a length.
        """
        typed = {name: field.text().strip() for name, field in self.fields.items()}
        shortest = typed["shortest"].removesuffix("s").strip()
        try:
            least_s = float(shortest or 0)
        except ValueError:
            least_s = -1.0
        if not 0 <= least_s < float("inf"):
            raise UserError(f"At least {typed['shortest']}: give seconds, like 0.5")
        return {
            "files": typed["files"] or None,
            "sensor": typed["sensor"] or None,
            "since_us": parse_date(typed["since"]) if typed["since"] else None,
            "until_us": parse_date(typed["until"], end=True) if typed["until"] else None,
            "min_s": least_s,
        }

    def _count(self) -> None:
        # folded away they still narrow what is found, so the button says that there are some
        given = sum(bool(field.text().strip()) for field in self.fields.values())
        self.button.setText(f"Filters ({given})" if given else "Filters")
