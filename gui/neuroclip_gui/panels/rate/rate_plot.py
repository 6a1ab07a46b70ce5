"""Events per second over the last minutes, ON and OFF apart: flicker and a lens cap left on show here."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QToolTip

from neuroclip_gui.panels.health.health_panel import amount
from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme, font

SPANS_S = (15.0, 30.0, 60.0, 120.0, 300.0)
STEP_S = 0.25
"""Time between two samples; a fixed number of them is kept, so memory stays flat."""
_KEPT = round(SPANS_S[-1] / STEP_S)
_LEFT, _BOTTOM, _TOP, _RIGHT = 58, 22, 24, 12


@dataclass(frozen=True)
class Sample:
    """Events per second at a time: all of them, and the share that was ON (None where there were none)."""

    at_s: float
    rate_hz: float
    on_share: float | None


class RatePlot(Panel):
    """Paints the event rate.

    Parameters
    ----------
    theme : Theme
    """

    own_keys = (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus)
    """Keys that are no words while it has the focus."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Event rate")
        self.setToolTip("Events per second. The wheel, or plus and minus, shows less time or more.")
        self.setMinimumHeight(110)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self._due_s = 0.0
        self._now_s = 0.0
        self.samples: deque[Sample] = deque(maxlen=_KEPT)
        self.span_s = SPANS_S[2]
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(320, 180)

    def is_due(self, now_s: float) -> bool:
        """Tell whether it is time for another sample."""
        return now_s >= self._due_s

    def add(self, now_s: float, rate_hz: float, on_share: float | None) -> None:
        """Take in a sample; ``on_share`` is how many of the newest events are ON, 0 to 1."""
        self._due_s, self._now_s = now_s + STEP_S, now_s
        self.samples.append(Sample(now_s, rate_hz, on_share))
        newest = self.samples[-1]
        self.setAccessibleDescription(f"{amount(newest.rate_hz)} events per second now")
        self.update()

    def clear(self) -> None:
        """Forget everything: another source."""
        self.samples.clear()
        self.update()

    def show_span(self, by: int) -> None:
        """Show more time (+1), or less (-1)."""
        place = SPANS_S.index(self.span_s) + by
        self.span_s = SPANS_S[min(max(place, 0), len(SPANS_S) - 1)]
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)
        shown = [s for s in self.samples if s.at_s >= self._now_s - self.span_s]
        top = _round_up(max((s.rate_hz for s in shown), default=0.0))
        self._paint_grid(painter, plot, top)
        if len(shown) > 1:
            self._paint_line(painter, plot, top, [(s.at_s, s.rate_hz) for s in shown], "accent", 2.0)
            known = [(s.at_s, s.rate_hz, s.on_share) for s in shown if s.on_share is not None]
            on = [(at_s, rate_hz * share) for at_s, rate_hz, share in known]
            off = [(at_s, rate_hz * (1 - share)) for at_s, rate_hz, share in known]
            self._paint_line(painter, plot, top, on, "on", 1.0)
            self._paint_line(painter, plot, top, off, "off", 1.0)
        else:
            painter.setPen(self._theme.color("muted"))
            painter.setFont(font(12))
            painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, "The event rate appears here")
        painter.end()

    def _paint_grid(self, painter: QPainter, plot: QRectF, top: float) -> None:
        painter.setFont(font(10))
        for share in (0.0, 0.5, 1.0):
            y = plot.bottom() - share * plot.height()
            painter.setPen(QPen(self._theme.color("border"), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(self._theme.color("muted"))
            where = QRectF(0, y - 8, _LEFT - 6, 16)
            align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(where, align, f"{amount(share * top)}/s")
        for share in (0.0, 0.5, 1.0):
            ago = (1 - share) * self.span_s
            text = "now" if not ago else f"−{ago:g} s" if ago <= 90 else f"−{ago / 60:g} min"
            where = QRectF(plot.left() + share * plot.width() - 60, plot.bottom() + 4, 120, 16)
            if share == 1.0:
                where.moveRight(plot.right())
            elif share == 0.0:
                where.moveLeft(plot.left())
            sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
            painter.drawText(where, sides[round(2 * share)], text)
        x = plot.left()
        for text, color in (("all", "accent"), ("ON", "on"), ("OFF", "off")):
            painter.setPen(QPen(self._ink(color), 2))
            painter.drawLine(QPointF(x, 13), QPointF(x + 14, 13))
            painter.setPen(self._theme.color("muted"))
            painter.drawText(QPointF(x + 18, 17), text)
            x += 30 + painter.fontMetrics().horizontalAdvance(text)

    def _paint_line(
        self,
        painter: QPainter,
        plot: QRectF,
        top: float,
        values: list[tuple[float, float]],
        color: str,
        width: float,
    ) -> None:
        points = [
            QPointF(
                plot.right() - (self._now_s - at) / self.span_s * plot.width(),
                plot.bottom() - min(rate / top, 1.0) * plot.height(),
            )
            for at, rate in values
        ]
        painter.setPen(QPen(self._ink(color), width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))

    def _ink(self, color: str) -> QColor:
        series = {"on": 1, "off": 0}
        return self._theme.series(series[color]) if color in series else self._theme.color(color)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        plot = self.width() - _LEFT - _RIGHT
        at_s = self._now_s - (self.width() - _RIGHT - event.position().x()) / max(plot, 1) * self.span_s
        near = min(self.samples, key=lambda s: abs(s.at_s - at_s), default=None)
        if near is not None and abs(near.at_s - at_s) < 4 * STEP_S:
            share = "" if near.on_share is None else f", {near.on_share:.0%} of them ON"
            text = f"{amount(near.rate_hz)} events/s{share}, {self._now_s - near.at_s:.1f} s ago"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        steps = {Qt.Key.Key_Plus: -1, Qt.Key.Key_Equal: -1, Qt.Key.Key_Minus: 1}
        if event.key() in steps:
            self.show_span(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: D102
        self.show_span(-1 if event.angleDelta().y() > 0 else 1)


def _round_up(rate_hz: float) -> float:
    """Return the top of an axis: 1, 2 or 5 times a power of ten, so that it seldom changes."""
    power = 10 ** math.floor(math.log10(max(rate_hz, 100.0)))
    return next(float(step * power) for step in (1, 2, 5, 10) if step * power >= rate_hz)
