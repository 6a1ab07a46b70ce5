"""Cyclic garbage is collected in the window's thread only.

Python runs its collector in whichever thread happens to allocate. When that is capture or inference, widgets
that died in a reference cycle are destroyed outside the thread they belong to, which Qt does not survive.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from time import perf_counter

from PySide6.QtCore import QTimer

INTERVAL_MS = 500
_LOOKS_PER_FULL = 120
_BURST = 30_000
"""More new objects than this came with an import or a model. Looking through as many takes 30 ms."""
_LONG_S = 0.02


class Collector:
    """Looks now and then whether there is enough garbage; collects by Python's own thresholds.

    Looking through every object of the process, half a million with torch and Qt, would hold a paint up for
    half a second. Nearly all of them are modules, which live as long as the process: what exists at the
    start, and what comes in a burst later, is set aside unlooked at. So may be a dead widget or two.
    """

    def __init__(self) -> None:
        self._looks = 0
        self._was_on = True
        self._timer = QTimer()
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Take collecting over from the interpreter."""
        self._was_on = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer.start(INTERVAL_MS)

    def stop(self, *, give_back: bool = True) -> None:
        """End; give collecting back, unless a thread is left that could do it in the wrong place."""
        self._timer.stop()
        if give_back:
            gc.unfreeze()
            if self._was_on:
                gc.enable()

    def look(self) -> None:
        """Collect the generation that is due, if one is."""
        self._looks += 1
        young, middle, _ = gc.get_count()
        limit_young, limit_middle, _ = gc.get_threshold()
        if young > _BURST:
            gc.freeze()
        elif self._looks % _LOOKS_PER_FULL == 0:
            begin = perf_counter()
            gc.collect()
            if perf_counter() - begin > _LONG_S:  # what is left after a minute stays: once is enough
                gc.freeze()
        elif middle > limit_middle:
            gc.collect(1)
        elif young > limit_young:
            gc.collect(0)


@contextlib.contextmanager
def collected_here(unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Collect in this thread, which runs Qt's event loop, until the block ends.

    Where ``unless()`` is then true nobody collects any more: a thread is left behind, and the process ends.
    """
    collector = Collector()
    collector.start()
    try:
        yield
    finally:
        collector.stop(give_back=not unless())
