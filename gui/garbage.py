"""Cyclic garbage is collected in the window's thread only.

Python runs its collector in whichever thread happens to allocate. When that is capture or inference, widgets
that died in a reference cycle are destroyed outside the thread they belong to, which Qt does not survive.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from PySide6.QtCore import QTimer

INTERVAL_MS = 500
_LOOKS_PER_FULL = 120


class Collector:
    """Looks now and then whether there is enough garbage; collects by Python's own thresholds.

    What exists after a minute is mostly modules, which live as long as the process: it is set aside, so that
    later full collections do not hold a paint up.
    """

    def __init__(self) -> None:
        self._looks = 0
        self._timer = QTimer()
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Take collecting over from the interpreter."""
        gc.disable()
        self._timer.start(INTERVAL_MS)

    def stop(self) -> None:
        """Give collecting back."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def look(self) -> None:
        """Collect the generation that is due, if one is."""
        self._looks += 1
        young, middle, _ = gc.get_count()
        limit_young, limit_middle, _ = gc.get_threshold()
        if self._looks % _LOOKS_PER_FULL == 0:
            gc.collect()
            if self._looks == _LOOKS_PER_FULL:
                gc.freeze()
        elif middle > limit_middle:
            gc.collect(1)
        elif young > limit_young:
            gc.collect(0)


@contextlib.contextmanager
def collected_here() -> Iterator[None]:
    """Collect in this thread, which runs Qt's event loop, until the block ends."""
    collector = Collector()
    collector.start()
    try:
        yield
    finally:
        collector.stop()
