"""The real window, off the screen, on a pipeline; and how well its event loop turns meanwhile."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuroclip_live.recognition.pipeline import Pipeline

SIZE = (1280, 800)
BEAT_MS = 4
_READY_S = 60.0


@dataclass(frozen=True)
class Turning:
    """How an event loop turned over some seconds.

    Attributes
    ----------
    paints_hz : float
        Times a second that the event view was really painted, which may be less than it was asked to be.
    longest_gap_ms : float
        Longest time between two turns: how long a click would have waited. A clock inside the loop beats
        every ``BEAT_MS``, so the gap is that much at the least.
    """

    paints_hz: float
    longest_gap_ms: float


class RealWindow:
    """A window with settings of its own; a context manager that closes it.

    Parameters
    ----------
    pipeline : Pipeline
        Not started; the window starts it.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        from PySide6.QtWidgets import QApplication

        from neuroclip_gui.garbage import collected_here
        from neuroclip_gui.main_window import MainWindow
        from neuroclip_gui.settings import SettingsStore
        from neuroclip_gui.style.theme import Theme

        self._app = QApplication.instance() or QApplication(["benchmarks"])
        self._collecting = collected_here()
        self._folder = tempfile.TemporaryDirectory()
        store = SettingsStore(Path(self._folder.name) / "settings.json")
        settings = store.load()
        theme = Theme(settings.theme)
        theme.apply(self._app)
        self.window = MainWindow(theme, store, settings)
        self.window.resize(*SIZE)
        self.window.show()
        self.window.attach(pipeline)

    def run(self, seconds: float, ready: Callable[[], bool] | None = None) -> Turning:
        """Let the event loop turn for so long, and until it is ready (a minute at the most)."""
        from PySide6.QtCore import QEventLoop, Qt, QTimer
        from PySide6.QtWidgets import QGraphicsView

        canvas = self.window.view.findChild(QGraphicsView).viewport()
        painted = _counter()
        canvas.installEventFilter(painted)
        loop, clock = QEventLoop(), QTimer()
        begin = before = time.monotonic()
        longest = 0.0

        def beat() -> None:
            nonlocal before, longest
            now = time.monotonic()
            longest, before = max(longest, now - before), now
            waits = ready is not None and not ready() and now - begin < _READY_S
            if now - begin >= seconds and not waits:
                loop.quit()

        clock.setTimerType(Qt.TimerType.PreciseTimer)
        clock.timeout.connect(beat)
        clock.start(BEAT_MS)
        loop.exec()
        clock.stop()
        canvas.removeEventFilter(painted)
        return Turning(painted.count / (time.monotonic() - begin), 1e3 * longest)

    def __enter__(self) -> RealWindow:
        self._collecting.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        from neuroclip_gui.app import finish

        self.window.close()
        finish(self.window)
        self._app.processEvents()
        self._collecting.__exit__(None, None, None)
        self._folder.cleanup()


def _counter() -> Any:
    """Return an event filter with ``count``, of paint events; made here, as Qt is imported late."""
    from PySide6.QtCore import QEvent, QObject

    class Counter(QObject):
        count = 0

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            self.count += event.type() == QEvent.Type.Paint
            return False

    return Counter()
