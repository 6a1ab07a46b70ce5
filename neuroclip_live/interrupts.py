"""Ctrl+C, once there is something to close: handled for a while, and remembered for the process's status.

Until then :mod:`neuroclip_live.start` ends the process at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_heard: list[int] = []


@contextmanager
def handled(handler: Callable[[int, FrameType | None], Any], *signals: int) -> Iterator[None]:
    """Have ``handler`` called at ``signals`` inside; in other threads, where none comes, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def note(number: int) -> None:
    """Remember that a signal was heard: the process's status is to say so, however well it ends."""
    _heard.append(number)


def status(otherwise: int) -> int:
    """Return the status of a process: 130 after Ctrl+C, else ``otherwise``."""
    return 128 + signal.SIGINT if signal.SIGINT in _heard else otherwise
