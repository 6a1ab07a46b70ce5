"""Packets undone ahead by several threads, given out in order.

Decompressing is most of the work of reading a recording, and it needs no interpreter lock. What is handed to
a thread is a batch: handing over a single packet of a few events would cost more than undoing it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")

THREADS = min(4, os.cpu_count() or 1)


def ahead(
    batches: Iterable[list[Item]], work: Callable[[list[Item]], list[Done]], threads: int = THREADS
) -> Iterator[Done]:
    """Yield what ``work`` makes of each batch, in order.

    Never more than one batch for each thread, and one, are under way or wait to be taken. Closing the
    iterator waits for those under way. The last batch of all, and so the only one of a small recording, is
    done in the thread that asks.

    Parameters
    ----------
    batches : iterable of list
        Made in the thread that asks, a little ahead of what is given out.
    work : callable
        Called in other threads; what it raises comes out where its batch would.
    threads : int
        1 does everything in the thread that asks.
    """
    if threads < 2:
        for batch in batches:
            yield from work(batch)
        return
    waiting: deque[Future[list[Done]]] = deque()
    held: list[Item] | None = None
    with ThreadPoolExecutor(threads, thread_name_prefix="undo") as pool:  # starts threads as they are needed
        for batch in batches:
            if held is not None:
                waiting.append(pool.submit(work, held))
            held = batch
            while len(waiting) > threads:
                yield from waiting.popleft().result()
        last = work(held) if held is not None else []
        while waiting:
            yield from waiting.popleft().result()
        yield from last
