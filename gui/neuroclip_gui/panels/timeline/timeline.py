"""The last minutes of scores, one line per prompt, and under them a ribbon of what was decided.

A fixed number of moments is kept, so memory stays flat. Pointing at one shows what was seen then; a click,
in a recording, goes there. Other prompts change the past too: see :meth:`Timeline.rescore`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHideEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent

from neuroclip_gui.panels.timeline.moment_card import MomentCard
from neuroclip_gui.panels.timeline.moments import KEPT, SPANS_S, Moment, rescored, thinned
from neuroclip_gui.panels.timeline.thumbnails import Thumbnails
from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme, font

if TYPE_CHECKING:
    from neuroclip_live.recognition.history import Rescored

SPAN_S = 60.0
_GAP_S = 1.5
"""Moments further apart than this are not joined: nothing was seen in between."""
_PLACE_US = 200_000
"""A place this near to a moment is at it: predictions are rarely further apart."""
_MOST_LINES = 40
_RIBBON = 12
_LEFT, _BOTTOM, _TOP = 42, 20, 12


class Timeline(Panel):
    """Paints moments.

    Parameters
    ----------
    theme : Theme
    color : callable
        Gives a label's color.

    Attributes
    ----------
    chosen : Signal(object)
        The time (µs of the stream) of the moment clicked.
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme, color: Callable[[str], QColor]) -> None:
        super().__init__()
        self.setAccessibleName("Timeline of scores")
        self.setMouseTracking(True)
        self.setMinimumHeight(110)
        self.setAccessibleDescription("The wheel shows more time or less; a click goes there")
        self.span_s = SPAN_S
        self.moments: deque[Moment] = deque(maxlen=KEPT)
        self.thumbnails = Thumbnails()
        self.card: MomentCard | None = None
        self._theme, self._color = theme, color
        self._now_s = 0.0
        self._hover: float | None = None
        self._labels: tuple[str, ...] = ()
        self._place_us: int | None = None
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(320, 180)

    def clear(self) -> None:
        """Forget everything: another source."""
        self.moments.clear()
        self.thumbnails.clear()
        self._hide_card()
        self.update()

    def add(self, moment: Moment) -> None:
        """Take in a moment, newer than all before."""
        if len(self.moments) == KEPT and moment.at_s - self.moments[0].at_s < SPANS_S[-1]:
            self.moments = thinned(self.moments, moment.at_s)
        self.moments.append(moment)

    def rescore(self, past: Rescored) -> None:
        """Give moments the scores they have against other prompts; those it does not know keep theirs."""
        if len(past.numbers):
            self.moments = rescored(self.moments, past)
            self.update()

    def show_span(self, span_s: float) -> None:
        """Show so many seconds."""
        self.span_s = span_s
        self.update()

    def refresh(self, now_s: float, labels: tuple[str, ...], place_us: int | None = None) -> None:
        """Move on to ``now_s`` and draw the lines of ``labels``.

        Where a recording is paused at the stream's time ``place_us``, the moment of that is marked.
        """
        self._now_s, self._labels, self._place_us = now_s, labels, place_us
        if self.isVisible():
            self.update()
            if self._hover is not None:
                self._show_card()

    def moment_at(self, x: float) -> Moment | None:
        """Return the moment drawn at a horizontal place, in pixels."""
        at_s = self._now_s - (self.width() - 10 - x) / self._per_second()
        near = min(self.moments, key=lambda m: abs(m.at_s - at_s), default=None)
        return near if near is not None and abs(near.at_s - at_s) < max(1.0, 3 / self._per_second()) else None

    def _per_second(self) -> float:
        return max(1, self.width() - _LEFT - 10) / self.span_s

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = QRectF(
            _LEFT, _TOP, self.width() - _LEFT - 10, max(20, self.height() - _TOP - _BOTTOM - _RIBBON - 4)
        )
        self._paint_grid(painter, plot)
        moments = [m for m in self.moments if m.at_s >= self._now_s - self.span_s]
        if moments:
            times = np.array([m.at_s for m in moments])
            xs = plot.right() - (self._now_s - times) * self._per_second()
            kept = np.flatnonzero(np.diff(np.floor(xs), append=np.inf))  # one moment a pixel is enough
            moments, xs = [moments[i] for i in kept], xs[kept]
            self._paint_lines(painter, plot, moments, xs)
            self._paint_ribbon(painter, plot, moments, xs)
        else:
            painter.setFont(font(12))
            painter.setPen(self._theme.color("muted"))
            painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, "Scores appear here as they come")
        self._paint_place(painter, plot)
        if self._hover is not None and plot.left() <= self._hover <= plot.right():
            painter.setPen(QPen(self._theme.color("muted"), 1))
            painter.drawLine(
                QPointF(self._hover, plot.top()), QPointF(self._hover, plot.bottom() + _RIBBON + 4)
            )
        painter.end()

    def place(self) -> float | None:
        """Return where the moment at which a recording is paused is drawn, in pixels; None for nowhere."""
        place_us = self._place_us
        if place_us is None or not self.moments:
            return None
        near = min(reversed(self.moments), key=lambda m: abs(m.t_us - place_us))
        x = self.width() - 10 - (self._now_s - near.at_s) * self._per_second()
        return x if abs(near.t_us - place_us) <= _PLACE_US and x >= _LEFT else None

    def _paint_place(self, painter: QPainter, plot: QRectF) -> None:
        x = self.place()
        if x is not None:
            painter.setPen(QPen(self._theme.color("accent"), 2))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom() + _RIBBON + 4))

    def _paint_grid(self, painter: QPainter, plot: QRectF) -> None:
        painter.setFont(font(10))
        for share in (0.0, 0.5, 1.0):
            y = plot.bottom() - share * plot.height()
            painter.setPen(QPen(self._theme.color("border"), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(self._theme.color("muted"))
            area = QRectF(0, y - 7, _LEFT - 6, 14)
            painter.drawText(
                area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{share:.0%}"
            )
        for back_s in np.linspace(0.0, self.span_s, 5):
            x = plot.right() - back_s * self._per_second()
            area = QRectF(x - 30, self.height() - _BOTTOM + 2, 60, 14)
            align = Qt.AlignmentFlag.AlignRight if back_s == 0 else Qt.AlignmentFlag.AlignHCenter
            if back_s == 0:
                area.moveRight(plot.right() + 4)
            painter.drawText(area, align | Qt.AlignmentFlag.AlignVCenter, _ago(back_s))

    def _paint_lines(self, painter: QPainter, plot: QRectF, moments: list[Moment], xs: np.ndarray) -> None:
        newest = moments[-1].label
        near = np.diff(xs) <= _GAP_S * self._per_second()
        for label in sorted(self._labels[:_MOST_LINES], key=lambda name: name == newest):
            scores = np.array([moment.scores.get(label, np.nan) for moment in moments])
            there = np.isfinite(scores)
            joined = np.append(near & there[:-1] & there[1:], False)
            ys = plot.bottom() - np.where(there, scores, 0.0) * plot.height()
            path = pg.arrayToQPath(xs, ys, connect=joined.astype(np.int32), finiteCheck=False)
            best = label == newest
            color = QColor(self._color(label))
            color.setAlpha(255 if best else 120)
            painter.setPen(
                QPen(color, 1.0)
            )  # a wider pen takes 25 times as long: the best line is drawn twice
            for shift in (-0.5, 0.5) if best else (0.0,):
                painter.drawPath(path.translated(0.0, shift))

    def _paint_ribbon(self, painter: QPainter, plot: QRectF, moments: list[Moment], xs: np.ndarray) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        top = plot.bottom() + 4
        begin = 0
        for index in range(1, len(moments) + 1):
            ends = index == len(moments) or moments[index].label != moments[begin].label
            gap = index < len(moments) and xs[index] - xs[index - 1] > _GAP_S * self._per_second()
            if not ends and not gap:
                continue
            right = xs[index] if index < len(moments) and not gap else xs[index - 1] + 1
            if moments[begin].label:
                left = max(plot.left(), float(xs[begin]))
                painter.setBrush(self._color(moments[begin].label))
                painter.drawRect(QRectF(left, top, max(1.0, min(right, plot.right()) - left), _RIBBON - 2))
            begin = index

    def _show_card(self) -> None:
        """Show what was seen and scored at the moment pointed at."""
        hover = self._hover
        moment = self.moment_at(hover) if hover is not None else None
        if hover is None or moment is None:
            self._hide_card()
            return
        over = self.window()
        if self.card is None or self.card.parentWidget() is not over:
            self._hide_card()
            self.card = MomentCard(self._theme, self._color, over)
        ranked = sorted(moment.scores.items(), key=lambda item: -item[1])[:5]
        self.card.tell(
            f"{self._now_s - moment.at_s:.1f} s ago",
            ranked,
            self.thumbnails.near(moment.at_s) if ranked else None,
            self.mapTo(over, QPointF(hover, 0.0)).toPoint(),
        )

    def _hide_card(self) -> None:
        if self.card is not None:
            self.card.hide()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        self._hover = event.position().x()
        self._show_card()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        moment = self.moment_at(event.position().x())
        if moment is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(moment.t_us)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: D102
        place = SPANS_S.index(self.span_s) + (-1 if event.angleDelta().y() > 0 else 1)
        self.show_span(SPANS_S[min(max(place, 0), len(SPANS_S) - 1)])

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: D102
        self._hover = None
        self._hide_card()
        super().hideEvent(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: D102
        self._hover = None
        self._hide_card()
        self.update()


def _ago(seconds: float) -> str:
    """Return how the axis calls a time: now, −7.5 s, −2 min."""
    if not seconds:
        return "now"
    return f"−{seconds / 60:.3g} min" if seconds > 90 else f"−{seconds:.3g} s"
