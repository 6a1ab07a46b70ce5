"""The window's one clock: a precise timer at the screen's rate, and how well it keeps it."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

FASTEST_HZ = 60.0


class Pulse(QObject):
    """Calls back at the screen's rate, at most 60 times a second, while it runs.

    The window pulls: nothing is ever posted at it, so when it is slow it shows less, and no queue grows.
    """

    def __init__(self, tick: Callable[[float], None], rate_hz: float = FASTEST_HZ) -> None:
        super().__init__()
        self._tick = tick
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(max(1, round(1000 / min(max(rate_hz, 20.0), FASTEST_HZ)) - 1))
        self._timer.timeout.connect(self._on_timeout)
        self._ticks: deque[float] = deque(maxlen=256)
        self._paints: deque[float] = deque(maxlen=256)

    def start(self) -> None:
        """Begin."""
        self._timer.start()

    def stop(self) -> None:
        """End; idempotent."""
        self._timer.stop()

    @property
    def running(self) -> bool:
        """Whether it beats."""
        return self._timer.isActive()

    def painted(self) -> None:
        """Note that a picture was painted."""
        self._paints.append(time.monotonic())

    @property
    def paint_hz(self) -> float:
        """Pictures a second, over about the last one."""
        now = time.monotonic()
        return float(sum(now - at < 1.0 for at in self._paints))

    @property
    def worst_gap_ms(self) -> float:
        """The longest time between two ticks among the newest 256."""
        ticks = list(self._ticks)
        return 1000 * max((b - a for a, b in itertools.pairwise(ticks)), default=0.0)

    def _on_timeout(self) -> None:
        now = time.monotonic()
        step = now - self._ticks[-1] if self._ticks else 0.0
        self._ticks.append(now)
        self._tick(step)
