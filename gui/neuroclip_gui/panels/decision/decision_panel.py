"""The answer, readable from across the room: one label, how sure, since when."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QSizePolicy, QWidget

from neuroclip_gui.style.theme import Theme, font
from neuroclip_live.recognition.prediction import Decision


class DecisionPanel(QWidget):
    """Paints a :class:`neuroclip_live.recognition.prediction.Decision`, or how far loading has come.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._decision = Decision()
        self._color = QColor()
        self._now_s = self._held_s = 0.0
        self._busy: tuple[str, float | None] | None = ("Starting", None)
        self._hint = self._place = self._note = ""
        self._refused = False
        self._large = False
        self._painted: tuple[object, ...] = ()
        self._stale = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Decision")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(480, 150 if self._large else 92)

    def set_large(self, large: bool) -> None:
        """Use more room, for a demo desk."""
        self._large = large
        self.updateGeometry()
        self.update()

    def show_busy(self, text: str, progress: float | None, now_s: float) -> None:
        """Say that the model is on its way; ``progress`` is 0 to 1 where it is known."""
        self._busy, self._now_s, self._refused = (text, progress), now_s, False
        self._painted = ()
        self.setAccessibleDescription(text)
        self.update()

    def show_starting(self, now_s: float) -> None:
        """Say that the program is starting, unless it was said that it cannot."""
        if not self._refused:
            self.show_busy("Starting", None, now_s)

    def show_refused(self) -> None:
        """Say that there is no recognition; the banner says why."""
        self._refused, self._busy, self._painted = True, None, ()
        self.setAccessibleDescription(self.words()[0])
        self.update()

    def show_decision(
        self,
        decision: Decision,
        color: QColor,
        held_s: float,
        hint: str = "",
        place: str = "",
        note: str = "",
    ) -> None:
        """Say the decision and how long it has held.

        ``hint`` replaces the small line while waiting, or where nothing fits; ``place`` says of which place
        of a paused recording it is, instead of since when; ``note`` is said after it.
        """
        fresh = (decision.kind, decision.label) != (self._decision.kind, self._decision.label)
        self._busy, self._refused, self._decision, self._color = None, False, decision, color
        self._held_s, self._hint, self._place, self._note = held_s, hint, place, note
        if fresh:
            self.setAccessibleDescription(self.words()[0])
        looks = (decision.kind, self.words(), round(decision.probability, 2), color.rgb())
        if looks != self._painted:
            self._painted, self._stale = looks, True
            self.update()

    def paint_now(self, *others: QWidget) -> None:
        """Paint what was shown last, if it looks otherwise, before anything else is done.

        The ``others`` of the same window come onto the screen with it, at once.
        """
        if not self._stale:
            return
        window, region = self.window(), QRegion()
        for widget in (self, *others):
            if widget.isVisible() and widget.window() is window:
                region += QRegion(QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()))
        window.repaint(region)

    def words(self) -> tuple[str, str]:
        """Return the large line and the small one."""
        large, small = self._answer()
        if self._note and self._busy is None and not self._refused:
            small = f"{small}   ·   {self._note}" if small else self._note
        return large, small

    def _answer(self) -> tuple[str, str]:
        if self._busy is not None:
            return self._busy[0][:1].upper() + self._busy[0][1:], ""
        if self._refused:
            return "Recognition is off", "see the message above; the picture goes on"
        d = self._decision
        if d.kind == "label":
            small = self._place or ("settling" if d.settling else f"for {_duration(self._held_s)}")
            equal = [label for label, score in d.scores.items() if score >= d.probability]
            if len(equal) > 1:  # the answer changes once another leads clearly; the list has both as equal
                small += f"   ·   as likely: {next(label for label in equal if label != d.label)}"
            elif d.now is not None and d.now != d.label:
                small += f"   ·   this instant: {d.now}"
            return d.label, small
        if d.kind == "unsure":
            at = f"{self._place}   ·   " if self._place else ""
            return "Not sure", f"{at}perhaps {d.label}, {d.probability:.0%}"
        if d.kind == "none":
            return "None of these", self._place or self._hint or "something else fits better than your words"
        if d.kind == "no-motion":
            return "No motion", self._place or "an event camera sees change: move something"
        return "Waiting", self._hint or "for the first events"

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        self._stale = False
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, d = self._theme, self._decision
        large, small = self.words()
        sure = self._busy is None and not self._refused and d.kind == "label"
        left, height = 18.0, float(self.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._color if sure else theme.color("border"))
        painter.drawRoundedRect(QRectF(4, 12, 5, height - 24), 2.5, 2.5)
        right = 0.0
        if sure:
            right = self._paint_probability(painter, d.probability)
        room = QRectF(left, 4, self.width() - left - right - 16, height * 0.66)
        share = 0.56 if sure else 0.28 if self._busy is not None else 0.4
        size = self._fitting(large, room.width(), height * share)
        painter.setFont(font(size, bold=True))
        painter.setPen(theme.color("text") if sure else theme.color("muted"))
        text = QFontMetricsF(painter.font()).elidedText(large, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        line = QRectF(left, height * 0.68, room.width(), height * 0.26)
        if self._busy is not None:
            self._paint_progress(painter, line, self._busy[1])
        else:
            painter.setFont(font(max(12.0, height * 0.14)))
            painter.setPen(theme.color("muted"))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, small)
        painter.end()

    def _paint_probability(self, painter: QPainter, probability: float) -> float:
        height = float(self.height())
        painter.setFont(font(height * 0.42, bold=True))
        text = f"{probability:.0%}"
        width = QFontMetricsF(painter.font()).horizontalAdvance("100%") + 14
        painter.setPen(self._color)
        area = QRectF(self.width() - width - 10, 4, width, height * 0.66)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        bar = QRectF(area.left(), height * 0.78, width, 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("border"))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        painter.setBrush(self._color)
        painter.drawRoundedRect(
            QRectF(bar.left(), bar.top(), max(5.0, bar.width() * probability), 5), 2.5, 2.5
        )
        return width + 10

    def _paint_progress(self, painter: QPainter, line: QRectF, progress: float | None) -> None:
        bar = QRectF(line.left(), line.center().y() - 3, min(line.width(), 420.0), 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("border"))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        painter.setBrush(self._theme.color("accent"))
        if progress is None:  # unknown: a piece that wanders
            share, where = 0.25, abs((self._now_s * 0.6) % 2 - 1)
            part = QRectF(bar.left() + (bar.width() * (1 - share)) * where, bar.top(), bar.width() * share, 5)
        else:
            part = QRectF(bar.left(), bar.top(), bar.width() * min(max(progress, 0.0), 1.0), 5)
        painter.drawRoundedRect(part, 2.5, 2.5)

    @staticmethod
    def _fitting(text: str, width: float, size: float) -> float:
        """Return the font size, at most ``size``, at which the text fits; long ones are cut instead."""
        needed = QFontMetricsF(font(size, bold=True)).horizontalAdvance(text)
        return size if needed <= width else max(size * width / needed, size * 0.5)


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
