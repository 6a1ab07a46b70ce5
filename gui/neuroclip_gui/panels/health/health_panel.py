"""Is all well? Rates, losses and where the time goes; each number explains itself in its tooltip."""

from __future__ import annotations

import os
import time
from collections import deque
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme, font
from neuroclip_live.model.devices import gpu_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuroclip_live.recognition.pipeline_state import Status
    from neuroclip_live.stream.latency import Percentiles

# key, name, what it means
NUMBERS: tuple[tuple[str, str, str], ...] = (
    ("rate", "Events", "Events per second coming in, over the last second."),
    ("predictions", "Predictions", "Decisions made per second."),
    (
        "dropped",
        "Dropped events",
        "Events overwritten in the ring before recognition read them. 0 means nothing was lost.",
    ),
    (
        "skipped",
        "Skipped slices",
        "Slices passed over because recognition was busy; it takes the newest instead of falling behind.",
    ),
    (
        "outside",
        "Outside",
        "Events at places the sensor does not have. They are left out: 0 unless something upstream is wrong.",
    ),
    (
        "strays",
        "Stray times",
        "Events whose time was far off while all around them went on, as some cameras send them. They count "
        "as of the moment they came.",
    ),
    (
        "ring",
        "Event memory",
        "How full the memory of recent events is. It overwrites the oldest, so full is normal, and no load.",
    ),
    (
        "paint",
        "Painting",
        "Pictures painted per second, and the longest gap between two in the last seconds.",
    ),
    ("cpu", "Processor", "Processor time of the whole program; 100 % is one core."),
    (
        "memory",
        "Memory",
        "Memory the program holds, plus what it holds on the GPU where it uses one. It should not grow.",
    ),
)
_WIDEST = "99% full", "60/s · 999 ms"
"""What the values of the left and the right column have room for: no number makes the panel wider."""
STAGES: tuple[tuple[str, str, str], ...] = (
    ("slice", "waiting", "From the arrival of a slice's last event until recognition takes it up."),
    ("frame", "frame", "Counting events into the frame the network is given."),
    ("encode", "encode", "The network's image encoder: one new frame, never all T."),
    ("score", "score", "Comparing with your prompts, and averaging over T timesteps."),
    ("total", "to label", "Last event to label: all of the above."),
    ("shown", "to screen", "Last event to the first painting of its label in this window."),
)


class LatencyPlot(QWidget):
    """Bars of p50 with a tick at p99, per stage."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._latency: Mapping[str, Percentiles] = {}
        self.setAccessibleName("Latency by stage")
        self.setMinimumHeight(len(STAGES) * 15)
        self.setMouseTracking(True)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(260, len(STAGES) * 17)

    def show_latency(self, latency: Mapping[str, Percentiles]) -> None:
        """Show p50 and p99 by stage."""
        if latency != self._latency:
            self._latency = latency
            self.update()

    def event(self, event: QEvent) -> bool:  # noqa: D102
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = int(event.pos().y() / (self.height() / len(STAGES)))
            self.setToolTip(STAGES[min(max(row, 0), len(STAGES) - 1)][2])
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = self.height() / len(STAGES)
        longest = max([1.0, *(p.p99_ms for p in self._latency.values())])
        left, right = 66.0, 92.0
        room = max(20.0, self.width() - left - right)
        for index, (key, name, _) in enumerate(STAGES):
            top, whole = index * row, key in ("total", "shown")
            painter.setFont(font(12))
            painter.setPen(self._theme.color("text" if whole else "muted"))
            align = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, left - 6, row), align | Qt.AlignmentFlag.AlignLeft, name)
            stage = self._latency.get(key)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("border"))
            y = top + row / 2 - 3
            painter.drawRoundedRect(QRectF(left, y, room, 6), 3, 3)
            if stage is None:
                continue
            painter.setBrush(self._theme.color("accent" if whole else "muted", 255 if whole else 190))
            painter.drawRoundedRect(QRectF(left, y, max(4.0, room * stage.p50_ms / longest), 6), 3, 3)
            painter.setPen(QPen(self._theme.color("text"), 1.4))
            x = left + room * stage.p99_ms / longest
            painter.drawLine(QPointF(x, y - 2), QPointF(x, y + 8))
            painter.setPen(self._theme.color("text" if whole else "muted"))
            text = f"{_ms(stage.p50_ms)} · {_ms(stage.p99_ms)} ms"
            painter.drawText(
                QRectF(self.width() - right + 4, top, right - 4, row),
                align | Qt.AlignmentFlag.AlignRight,
                text,
            )
        painter.end()


class RatePlot(QWidget):
    """The event rate over the last minute."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rates: deque[float] = deque(maxlen=240)
        self.setAccessibleName("Event rate over the last minute")
        self.setToolTip("Events per second over the last minute.")
        self.setFixedHeight(26)

    def add(self, rate_hz: float) -> None:
        """Take in the newest rate; four a second."""
        self._rates.append(rate_hz)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = max([1.0, *self._rates])
        step = self.width() / (self._rates.maxlen or 1)
        left = self.width() - step * (len(self._rates) - 1)
        line = [
            QPointF(left + i * step, self.height() - 2 - r / top * (self.height() - 6))
            for i, r in enumerate(self._rates)
        ]
        if len(line) > 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("accent", 45))
            floor = [QPointF(line[-1].x(), self.height()), QPointF(line[0].x(), self.height())]
            painter.drawPolygon(QPolygonF([*line, *floor]))
            painter.setPen(QPen(self._theme.color("accent"), 1.4))
            painter.drawPolyline(QPolygonF(line))
        painter.end()


class HealthPanel(Panel):
    """Shows a :class:`neuroclip_live.recognition.pipeline.Status`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Health")
        self.latency = LatencyPlot(theme)
        self.rate = RatePlot(theme)
        self.values: dict[str, QLabel] = {}
        self._cpu = (time.monotonic(), _cpu_s())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.rate)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        for place, (key, name, meaning) in enumerate(NUMBERS):
            title, value = QLabel(name), QLabel("–")
            title.setProperty("role", "muted")
            value.setProperty("role", "value")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            for label in (title, value):
                label.setToolTip(meaning)
            value.setAccessibleName(name)
            self.values[key] = value
            row, column = place // 2, 3 * (place % 2)
            grid.addWidget(title, row, column)
            grid.addWidget(value, row, column + 1)
        grid.setColumnMinimumWidth(2, 2)
        for column, widest in ((1, _WIDEST[0]), (4, _WIDEST[1])):
            room = QFontMetricsF(font(13, medium=True)).horizontalAdvance(widest)
            grid.setColumnMinimumWidth(column, ceil(room))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(4, 1)
        layout.addLayout(grid)
        title = QLabel("Latency: half of all within · 99 % within")
        title.setProperty("role", "small")
        layout.addSpacing(2)
        layout.addWidget(title)
        layout.addWidget(self.latency, 1)

    def show_status(self, status: Status, paint_hz: float, worst_gap_ms: float) -> None:
        """Show the newest numbers; four times a second."""
        self.rate.add(status.event_rate_hz)
        self.latency.show_latency(status.latency)
        self._put("rate", f"{amount(status.event_rate_hz)}/s")
        self._put("predictions", f"{status.prediction_rate_hz:.0f}/s")
        self._put("dropped", amount(status.dropped_events), warn=status.dropped_events > 0)
        share = status.skipped_windows / status.windows if status.windows else 0.0
        self._put("skipped", f"{amount(status.skipped_windows)}", warn=share > 0.2)
        self._put("outside", amount(status.outside_events), warn=status.outside_events > 0)
        self._put("strays", amount(status.stray_events), warn=status.stray_events > 0)
        self._put("ring", f"{status.ring_fill:.0%} full" if status.ring_fill < 0.995 else "full")
        gap = f"{worst_gap_ms:.0f} ms" if worst_gap_ms < 999.5 else f"{worst_gap_ms / 1000:.1f} s"
        self._put("paint", f"{paint_hz:.0f}/s · {gap}")
        now, used = time.monotonic(), _cpu_s()
        before, before_used = self._cpu
        if now - before > 0.9:
            self._put("cpu", f"{(used - before_used) / (now - before):.0%}")
            self._put("memory", _memory())
            self._cpu = (now, used)

    def _put(self, key: str, text: str, warn: bool = False) -> None:
        label = self.values[key]
        if label.text() != text:
            label.setText(text)
        role = "warn" if warn else "value"
        if label.property("role") != role:
            label.setProperty("role", role)
            label.style().polish(label)


def amount(number: float) -> str:
    """Return a number short enough for a status line: 950, 12.3 k, 4.56 M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:.0f}"


def _ms(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system


def _memory() -> str:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return "–"
    held, gpu = pages * os.sysconf("SC_PAGE_SIZE"), gpu_memory()
    return f"{held / 1e6:.0f} MB" if gpu is None else f"{held / 1e9:.1f} + {gpu / 1e9:.1f} GB"
