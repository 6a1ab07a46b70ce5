"""The rows of the list of prompts: a :class:`PromptSet` with its newest scores and colors.

Rows keep the order the user gave them. Sorting by score was rejected: a list that moves while it is edited
cannot be edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from neuroclip_gui.panels.prompts.unfamiliar_words import WordNote
from neuroclip_gui.style.theme import Theme
from neuroclip_live.prompting.prompt_set import Prompt, PromptSet

ROW = Qt.ItemDataRole.UserRole + 1
"""Everything a row is painted from, a :class:`Row`: asking for one role is cheaper than for five."""
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Row:
    """What a row shows; ``score`` is None where there is none yet, ``bar`` glides towards it.

    No tuple: Qt would make a list of it.
    """

    prompt: Prompt
    score: float | None
    bar: float
    color: QColor
    best: bool
    mark: str
    count: int = 0
    """Things of this word in the picture."""


class PromptModel(QAbstractListModel):
    """Rows of prompts with their newest scores.

    Attributes
    ----------
    renamed : Signal(str, str)
        The user typed another label; the owner decides.
    toggled : Signal(str, bool)
        The user switched a prompt on or off.
    """

    renamed = Signal(str, str)
    toggled = Signal(str, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: tuple[Prompt, ...] = ()
        self._scores: dict[str, float] = {}
        self._shown: dict[str, float] = {}
        self._colors: dict[str, int] = {}
        self.chosen: dict[str, str] = {}
        """Colors the user chose, as #rrggbb; they win over the theme's."""
        self._notes: dict[str, WordNote] = {}
        self._best = ""
        self._counts: dict[str, int] = {}
        self._known: frozenset[str] = frozenset()

    def set_prompts(self, prompts: PromptSet) -> None:
        """Show another set; labels that stay keep their colors."""
        for label in prompts.labels:
            if label not in self._colors:
                self._colors[label] = self._rarest_color(prompts)
        # only rows that go or come are touched: what is edited, selected or open in another stays
        before, after = [p.label for p in self._rows], list(prompts.labels)
        for kind, i, j, k, m in reversed(SequenceMatcher(None, before, after, False).get_opcodes()):
            if kind != "equal" and j - i != m - k:
                self._exchange(i, j, prompts.prompts[k:m])
            else:
                self._rows = (*self._rows[:i], *prompts.prompts[k:m], *self._rows[j:])
        self._repaint()

    def _rarest_color(self, prompts: PromptSet) -> int:
        """Return the color that the fewest words show; a negative is gray, and leaves its own to others."""
        count = len(self._theme.palette.series)
        shown, kept = [0] * count, [0] * count
        for prompt in prompts.prompts:
            if prompt.label in self._colors:
                at = self._colors[prompt.label] % count
                kept[at] += 1
                shown[at] += not prompt.negative
        return min(range(count), key=lambda at: (shown[at], kept[at], at))

    def _exchange(self, first: int, end: int, come: tuple[Prompt, ...]) -> None:
        """Take rows away and put others in their place."""
        if end > first:
            self.beginRemoveRows(QModelIndex(), first, end - 1)
            self._rows = self._rows[:first] + self._rows[end:]
            self.endRemoveRows()
        if come:
            self.beginInsertRows(QModelIndex(), first, first + len(come) - 1)
            self._rows = self._rows[:first] + come + self._rows[first:]
            self.endInsertRows()

    def keep_color(self, old: str, new: str) -> None:
        """Give a renamed label the color it had."""
        if old in self._colors:
            self._colors[new] = self._colors[old]
        if old in self.chosen:
            self.chosen[new] = self.chosen[old]

    def set_color(self, label: str, color: str) -> None:
        """Give a label a color, as #rrggbb; "" is the theme's again."""
        if color:
            self.chosen[label] = color
        else:
            self.chosen.pop(label, None)
        self._repaint()

    def color(self, label: str) -> QColor:
        """Return the color of a label."""
        if label in self.chosen:
            return QColor(self.chosen[label])
        return self._theme.series(self._colors.get(label, 0))

    def set_scores(self, scores: Mapping[str, float], best: str, step_s: float) -> None:
        """Show new scores: the numbers at once, the bars glide there in about a tenth of a second."""
        share = min(1.0, step_s / 0.08)
        shown = {}
        for prompt in self._rows:
            before, target = self._shown.get(prompt.label, 0.0), scores.get(prompt.label, 0.0)
            shown[prompt.label] = (
                target if abs(target - before) < 0.002 else before + (target - before) * share
            )
        known = frozenset(scores)
        if best != self._best or known != self._known:
            changed = list(range(len(self._rows)))
        else:
            changed = [
                row
                for row, p in enumerate(self._rows)
                if shown[p.label] != self._shown.get(p.label, 0.0)
                or scores.get(p.label) != self._scores.get(p.label)
            ]
        self._shown, self._scores, self._best, self._known = shown, dict(scores), best, known
        for row in changed:
            self.dataChanged.emit(self.index(row), self.index(row))

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Show how many things of each word there are; of one alone nothing is shown."""
        if dict(counts) != self._counts:
            self._counts = dict(counts)
            self._repaint()

    def note_words(self, notes: Mapping[str, WordNote]) -> None:
        """Show what is to be said of labels: a mark after some, a sentence when they are pointed at."""
        if dict(notes) != self._notes:
            self._notes = dict(notes)
            self._repaint()

    def label(self, row: int) -> str:
        """Return the label of a row."""
        return self._rows[row].label

    def row_of(self, label: str) -> int:
        """Return the row of a label; -1 where there is none."""
        return next((row for row, prompt in enumerate(self._rows) if prompt.label == label), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, D102
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:  # noqa: D102
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        prompt = self._rows[index.row()]
        score = self._scores.get(prompt.label, 0.0)
        if role == ROW:
            note = self._notes.get(prompt.label)
            known, mark = prompt.label in self._known, note.mark if note is not None else ""
            color, best = self.color(prompt.label), prompt.label == self._best
            shown, count = self._shown.get(prompt.label, 0.0), self._counts.get(prompt.label, 0)
            return Row(prompt, score if known else None, shown, color, best, mark, count)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return prompt.label
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if prompt.enabled else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.AccessibleTextRole:
            kind = "negative" if prompt.negative else f"{score:.0%}" if prompt.enabled else "off"
            count = self._counts.get(prompt.label, 0)
            kind = f"{count} of them, {kind}" if count > 1 else kind
            note = self._notes.get(prompt.label)
            return f"{prompt.label}, {kind}" + (f". {note.text}" if note is not None else "")
        if role == Qt.ItemDataRole.ToolTipRole:
            note = self._notes.get(prompt.label)
            return note.text if note is not None else _tip(prompt)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: D102
        prompt = self._rows[index.row()]
        if role == Qt.ItemDataRole.EditRole and str(value) != prompt.label:
            self.renamed.emit(prompt.label, str(value))
            return True
        if role == Qt.ItemDataRole.CheckStateRole:
            self.toggled.emit(prompt.label, not prompt.enabled)
            return True
        return False

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))


def _tip(prompt: Prompt) -> str:
    if prompt.negative:
        return "Negative: it competes with the others, and when it wins there is no label."
    return "Double click renames · Delete removes · right click for more"
