"""The list of prompts: a model over a :class:`PromptSet`, and a delegate that paints its rows.

Rows keep the order the user gave them. Sorting by score was rejected: a list that moves while it is edited
cannot be edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gui.theme import Theme, font
from neuroclip_live.prompt_set import Prompt, PromptSet

_PROMPT = Qt.ItemDataRole.UserRole + 1
_SCORE = Qt.ItemDataRole.UserRole + 2
_COLOUR = Qt.ItemDataRole.UserRole + 3
_BEST = Qt.ItemDataRole.UserRole + 4
_STRANGE = Qt.ItemDataRole.UserRole + 5
_Index = QModelIndex | QPersistentModelIndex


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
        self._shown: dict[str, float] = {}
        self._colours: dict[str, int] = {}
        self.chosen: dict[str, str] = {}
        """Colours the user chose, as #rrggbb; they win over the theme's."""
        self._strange: dict[str, str] = {}
        self._best = ""
        self._known: frozenset[str] = frozenset()

    def set_prompts(self, prompts: PromptSet) -> None:
        """Show another set; labels that stay keep their colours."""
        for label in prompts.labels:
            if label not in self._colours:
                used = {self._colours[at] for at in prompts.labels if at in self._colours}
                free = (i for i in range(len(self._theme.palette.series)) if i not in used)
                self._colours[label] = next(free, len(self._colours))
        if len(prompts.prompts) == len(self._rows):
            self._rows = prompts.prompts
            self._repaint()
        else:
            self.beginResetModel()
            self._rows = prompts.prompts
            self.endResetModel()

    def keep_colour(self, old: str, new: str) -> None:
        """Give a renamed label the colour it had."""
        if old in self._colours:
            self._colours[new] = self._colours[old]
        if old in self.chosen:
            self.chosen[new] = self.chosen[old]

    def set_colour(self, label: str, colour: str) -> None:
        """Give a label a colour, as #rrggbb; "" is the theme's again."""
        if colour:
            self.chosen[label] = colour
        else:
            self.chosen.pop(label, None)
        self._repaint()

    def colour(self, label: str) -> QColor:
        """Return the colour of a label."""
        if label in self.chosen:
            return QColor(self.chosen[label])
        return self._theme.series(self._colours.get(label, 0))

    def set_scores(self, scores: Mapping[str, float], best: str, step_s: float) -> None:
        """Move the bars towards new scores; they glide there in about a tenth of a second."""
        share = min(1.0, step_s / 0.08)
        shown = {}
        for prompt in self._rows:
            before, target = self._shown.get(prompt.label, 0.0), scores.get(prompt.label, 0.0)
            shown[prompt.label] = (
                target if abs(target - before) < 0.002 else before + (target - before) * share
            )
        known = frozenset(scores)
        if shown != self._shown or best != self._best or known != self._known:
            self._shown, self._best, self._known = shown, best, known
            self._repaint()

    def mark_strange(self, strange: Mapping[str, str]) -> None:
        """Mark labels the model hardly knows, each with a sentence that says so."""
        if dict(strange) != self._strange:
            self._strange = dict(strange)
            self._repaint()

    def label(self, row: int) -> str:
        """Return the label of a row."""
        return self._rows[row].label

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008, D102
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: _Index) -> Qt.ItemFlag:  # noqa: D102
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable | flag.ItemIsUserCheckable

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        prompt = self._rows[index.row()]
        score = self._shown.get(prompt.label, 0.0)
        known = prompt.label in self._known
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return prompt.label
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if prompt.enabled else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.AccessibleTextRole:
            kind = "negative" if prompt.negative else f"{score:.0%}" if prompt.enabled else "off"
            return f"{prompt.label}, {kind}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._strange.get(prompt.label) or _tip(prompt)
        return {
            _PROMPT: prompt,
            _SCORE: score if known else None,
            _COLOUR: self.colour(prompt.label),
            _BEST: prompt.label == self._best,
            _STRANGE: prompt.label in self._strange,
        }.get(role)

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: D102
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


class PromptDelegate(QStyledItemDelegate):
    """Paints a row: check box, colour, label, bar and number."""

    height = 38

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: D102
        return QSize(180, self.height)

    def check_rect(self, row: QRect) -> QRect:
        """Return where the check box of a row is."""
        return QRect(row.left() + 8, row.top() + 11, 16, 16)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: D102
        prompt: Prompt = index.data(_PROMPT)
        if prompt is None:
            return
        theme, row = self._theme, QRectF(option.rect)
        colour, score = QColor(index.data(_COLOUR)), index.data(_SCORE)
        best, off = bool(index.data(_BEST)), not prompt.enabled
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("raised", 255 if selected else 150))
            painter.drawRoundedRect(row.adjusted(2, 1, -2, -1), 6, 6)
        self._paint_check(painter, QRectF(self.check_rect(option.rect)), colour, prompt)
        text = QRectF(row.left() + 34, row.top() + 4, row.width() - 34 - 62, 20)
        painter.setFont(font(14, bold=best, medium=False))
        painter.setPen(theme.colour("muted" if off or prompt.negative else "text"))
        label = f"not  {prompt.label}" if prompt.negative else prompt.label
        shown = QFontMetricsF(painter.font()).elidedText(
            label, Qt.TextElideMode.ElideRight, text.width() - 26
        )
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        if index.data(_STRANGE) and not off:
            self._paint_strange(painter, text, QFontMetricsF(painter.font()).horizontalAdvance(shown))
        if not off and not prompt.negative:
            painter.setFont(font(14, bold=best))
            painter.setPen(theme.colour("text" if best else "muted"))
            number = QRectF(row.right() - 58, row.top() + 4, 48, 20)
            painter.drawText(
                number,
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                "–" if score is None else f"{score:.0%}",
            )
            bar = QRectF(row.left() + 34, row.top() + 27, row.width() - 34 - 10, 5)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("border"))
            painter.drawRoundedRect(bar, 2.5, 2.5)
            colour.setAlpha(255 if best else 170)
            painter.setBrush(colour)
            if score is not None and score > 0.004:
                bar.setWidth(max(5.0, bar.width() * score))
                painter.drawRoundedRect(bar, 2.5, 2.5)
        elif off or prompt.negative:
            painter.setFont(font(11))
            painter.setPen(theme.colour("muted"))
            where = QRectF(row.left() + 34, row.top() + 21, row.width() - 50, 15)
            note = "off" if off else "when it fits best, there is no label"
            painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, note)
        painter.restore()

    def _paint_check(self, painter: QPainter, box: QRectF, colour: QColor, prompt: Prompt) -> None:
        theme = self._theme
        fill = theme.colour("muted") if prompt.negative else colour
        painter.setPen(QPen(fill if prompt.enabled else theme.colour("muted"), 1.4))
        painter.setBrush(fill if prompt.enabled else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)
        if prompt.enabled:
            ink = QColor(theme.palette.sunken if theme.palette.dark else "#ffffff")
            painter.setPen(QPen(ink, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            x, y = box.center().x(), box.center().y()
            if prompt.negative:
                painter.drawLine(QRectF(x - 3, y, 6, 0).topLeft(), QRectF(x - 3, y, 6, 0).topRight())
            else:
                painter.drawLine(int(x - 3), int(y), int(x - 1), int(y + 3))
                painter.drawLine(int(x - 1), int(y + 3), int(x + 4), int(y - 3))

    def _paint_strange(self, painter: QPainter, text: QRectF, width: float) -> None:
        """Mark a word the model hardly knows: a question mark in a ring after it."""
        painter.setPen(QPen(self._theme.colour("warn"), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ring = QRectF(text.left() + width + 7, text.center().y() - 7, 14, 14)
        painter.drawEllipse(ring)
        painter.setFont(font(10, bold=True))
        painter.drawText(ring, Qt.AlignmentFlag.AlignCenter, "?")

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: _Index) -> bool:  # noqa: D102
        if event.type() in (QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick):
            inside = self.check_rect(option.rect).adjusted(-6, -8, 6, 8).contains(event.position().toPoint())
            if inside and event.button() == Qt.MouseButton.LeftButton:
                if event.type() == QEvent.Type.MouseButtonRelease:
                    model.setData(index, None, Qt.ItemDataRole.CheckStateRole)
                return True
        return False

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:  # noqa: D102
        editor = QLineEdit(parent)
        editor.setAccessibleName("Rename")
        editor.setFont(font(14))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: D102
        row = option.rect
        editor.setGeometry(row.left() + 28, row.top() + 2, row.width() - 34, row.height() - 4)


class PromptList(QListView):
    """The view: keyboard first, calm while scores move."""

    def __init__(self, model: PromptModel, theme: Theme) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(PromptDelegate(theme, self))
        self.setAccessibleName("Prompts")
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QListView.EditTrigger.DoubleClicked | QListView.EditTrigger.EditKeyPressed)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def selected(self) -> list[str]:
        """Return the labels selected, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.model().label(row) for row in rows]

    def select(self, labels: list[str]) -> None:
        """Select rows by label."""
        model, selection = self.model(), self.selectionModel()
        selection.clear()
        for row in range(model.rowCount()):
            if model.label(row) in labels:
                flag = selection.SelectionFlag.Select
                selection.select(model.index(row), flag)
                selection.setCurrentIndex(model.index(row), selection.SelectionFlag.NoUpdate)
