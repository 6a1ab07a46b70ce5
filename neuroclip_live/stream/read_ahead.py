"""A second thread that reads while the first one works on what was read.

Decompressing a recording and recognizing it take similar time, and both run outside the interpreter lock:
side by side they take the longer of the two instead of the sum.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")

DEPTH = 8
"""Items read ahead at the most: of packets, at most 8 MiB."""
_POLL_S = 0.05


def read_ahead(items: Iterable[Item], depth: int = DEPTH) -> Generator[Item, None, None]:
    """Yield what ``items`` yields, in the same order, produced by another thread.

    Parameters
    ----------
    items : iterable
        Consumed in a thread of its own; what it raises is raised here, in its turn.
    depth : int
        How many may wait to be taken.

    Notes
    -----
    Close the generator when leaving early: the thread then ends after the item it is at.
    """
    waiting: queue.Queue[tuple[bool, Item | BaseException | None]] = queue.Queue(depth)
    stop = threading.Event()

    def give(there_is: bool, what: Item | BaseException | None) -> None:
        while not stop.is_set():
            try:
                waiting.put((there_is, what), timeout=_POLL_S)
            except queue.Full:
                continue
            return

    def read() -> None:
        try:
            for item in items:
                give(True, item)
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - it goes to whoever asked for the items
            give(False, error)
        else:
            give(False, None)

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            there_is, what = waiting.get()
            if not there_is:
                if isinstance(what, BaseException):
                    raise what
                return
            yield what  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()
