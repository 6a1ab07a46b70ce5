"""Paints the rows of the list of prompts."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from neuroclip_gui.panels.prompts.prompt_model import ROW, Index, Row
from neuroclip_gui.style.theme import Theme, font
from neuroclip_live.prompting.prompt_set import Prompt


class PromptDelegate(QStyledItemDelegate):
    """Paints a row: check box, color, label, bar and number."""

    height = 34

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: D102
        return QSize(180, self.height)

    def check_rect(self, row: QRect) -> QRect:
        """Return where the check box of a row is."""
        return QRect(row.left() + 8, row.top() + 9, 16, 16)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:  # noqa: D102
        shows: Row | None = index.data(ROW)
        if shows is None:
            return
        prompt, score, color, best = shows.prompt, shows.score, shows.color, shows.best
        theme, row = self._theme, QRectF(option.rect)
        off = not prompt.enabled
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised", 255 if selected else 150))
            painter.drawRoundedRect(row.adjusted(2, 1, -2, -1), 6, 6)
        self._paint_check(painter, QRectF(self.check_rect(option.rect)), color, prompt)
        text = QRectF(row.left() + 34, row.top() + 3, row.width() - 34 - 62, 19)
        painter.setFont(font(14, bold=best, medium=False))
        painter.setPen(theme.color("muted" if off or prompt.negative else "text"))
        label = f"not  {prompt.label}" if prompt.negative else prompt.label
        several = f"  ×{shows.count}" if shows.count > 1 else ""
        metrics = QFontMetricsF(painter.font())
        room = text.width() - 26 - metrics.horizontalAdvance(several)
        shown = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room) + several
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        if shows.mark and not off:
            self._paint_mark(
                painter, text, QFontMetricsF(painter.font()).horizontalAdvance(shown), shows.mark
            )
        if not off and not prompt.negative:
            painter.setFont(font(14, bold=best))
            painter.setPen(theme.color("text" if best else "muted"))
            number = QRectF(row.right() - 58, row.top() + 3, 48, 19)
            painter.drawText(
                number,
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                "–" if score is None else f"{score:.0%}",
            )
            bar = QRectF(row.left() + 34, row.top() + 25, row.width() - 34 - 10, 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("border"))
            painter.drawRoundedRect(bar, 2, 2)
            color.setAlpha(255 if best else 170)
            painter.setBrush(color)
            if score is not None and shows.bar > 0.004:
                bar.setWidth(max(5.0, bar.width() * shows.bar))
                painter.drawRoundedRect(bar, 2, 2)
        elif off or prompt.negative:
            painter.setFont(font(11))
            painter.setPen(theme.color("muted"))
            where = QRectF(row.left() + 34, row.top() + 19, row.width() - 50, 14)
            note = "off" if off else "when it fits best, there is no label"
            painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, note)
        painter.restore()

    def _paint_check(self, painter: QPainter, box: QRectF, color: QColor, prompt: Prompt) -> None:
        theme = self._theme
        fill = theme.color("muted") if prompt.negative else color
        painter.setPen(QPen(fill if prompt.enabled else theme.color("muted"), 1.4))
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

    def _paint_mark(self, painter: QPainter, text: QRectF, width: float, mark: str) -> None:
        """Mark a word of which there is something to say: a sign in a ring after it."""
        painter.setPen(QPen(self._theme.color("text" if mark == "?" else "muted"), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ring = QRectF(text.left() + width + 7, text.center().y() - 7, 14, 14)
        painter.drawEllipse(ring)
        painter.setFont(font(10, bold=True))
        painter.drawText(ring, Qt.AlignmentFlag.AlignCenter, mark)

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: Index) -> bool:  # noqa: D102
        clicks = QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick
        if isinstance(event, QMouseEvent) and event.type() in clicks:
            inside = self.check_rect(option.rect).adjusted(-6, -8, 6, 8).contains(event.position().toPoint())
            if inside and event.button() == Qt.MouseButton.LeftButton:
                if event.type() == QEvent.Type.MouseButtonRelease:
                    model.setData(index, None, Qt.ItemDataRole.CheckStateRole)
                return True
        return False

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: D102
        editor = QLineEdit(parent)
        editor.setAccessibleName("Rename")
        editor.setFont(font(14))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Fill the editor once: a view does at every change of its row, which would undo what is typed."""
        if not editor.property("filled"):
            editor.setProperty("filled", True)
            super().setEditorData(editor, index)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:  # noqa: D102
        row = option.rect
        editor.setGeometry(row.left() + 28, row.top() + 2, row.width() - 34, row.height() - 4)
