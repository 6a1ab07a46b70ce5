"""Wakes those who wait for the next prediction: asking again and again costs time when there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable

from neuroclip_live.recognition.prediction import Prediction

Wake = Callable[[], None]


class News:
    """Says that there is a prediction, to any number of threads.

    Parameters
    ----------
    first : callable
        Given each prediction before anybody is woken.
    """

    def __init__(self, first: Callable[[Prediction], None]) -> None:
        self._first = first
        self._waiting: tuple[Wake, ...] = ()
        self._lock = threading.Lock()

    def add(self, wake: Wake) -> None:
        """Have ``wake`` called after each prediction, in the inference thread: it only sets something.

        It must not raise. The same ``wake`` again changes nothing.
        """
        with self._lock:
            if wake not in self._waiting:
                self._waiting += (wake,)

    def remove(self, wake: Wake) -> None:
        """Wake it no more; one that was never to be woken is none the worse."""
        with self._lock:
            self._waiting = tuple(each for each in self._waiting if each != wake)

    def tell(self, prediction: Prediction) -> None:
        """Hand over a prediction, and wake everybody."""
        self._first(prediction)
        for wake in self._waiting:
            wake()
