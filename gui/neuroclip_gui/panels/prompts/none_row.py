"""“None of these” as a row of its own under the list: whether it may win, and how likely it is now."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QSizePolicy

from neuroclip_gui.style.theme import Theme, font

HEIGHT = 30
_TICK = (QPointF(-3, 0), QPointF(-1, 3), QPointF(4, -3))


class NoneRow(QCheckBox):
    """A check box that looks like a row of the list, bar and percentage included.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__("None of these")
        self._theme = theme
        self._share: float | None = None
        self._best = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("“None of these” may win")
        self.toggled.connect(lambda _: self.update())
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(180, HEIGHT)

    def hitButton(self, pos: QPoint) -> bool:
        """Take a click anywhere on the row."""
        return self.rect().contains(pos)

    @property
    def share(self) -> float | None:
        """The probability shown; None while there is none."""
        return self._share

    def show_share(self, share: float | None, best: bool) -> None:
        """Show how likely it is that nothing fits, 0 to 1; ``best``: that is the answer."""
        shown = None if share is None else round(share, 3)
        if (shown, best) != (self._share, self._best):
            self._share, self._best = shown, best
            number = f", {shown:.0%}" if shown is not None else ""
            self.setAccessibleDescription(f"{self.text()}{number}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        theme, on, row = self._theme, self.isChecked() and self.isEnabled(), QRectF(self.rect())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.color("accent"), 1) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised", 150))
            painter.drawRoundedRect(row.adjusted(2, 1, -2, -1), 6, 6)
        box = QRectF(9, row.center().y() - 7, 14, 14)
        painter.setPen(QPen(theme.color("muted"), 1.4))
        painter.setBrush(theme.color("muted") if on else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 4, 4)
        if on:
            painter.setPen(QPen(theme.color("panel"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPolyline(QPolygonF([box.center() + point for point in _TICK]))
        text = QRectF(34, 2, row.width() - 34 - 58, 19)
        painter.setFont(font(13, bold=on and self._best))
        painter.setPen(theme.color("text" if on else "muted"))
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        number = "off" if not on else "–" if self._share is None else f"{self._share:.0%}"
        where = QRectF(row.right() - 58, 2, 48, 19)
        painter.setPen(theme.color("text" if on and self._best else "muted"))
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, number)
        if on:
            bar = QRectF(34, row.bottom() - 7, row.width() - 34 - 10, 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("border"))
            painter.drawRoundedRect(bar, 2, 2)
            if self._share:
                bar.setWidth(max(4.0, bar.width() * self._share))
                painter.setBrush(theme.color("muted", 255 if self._best else 170))
                painter.drawRoundedRect(bar, 2, 2)
        painter.end()
