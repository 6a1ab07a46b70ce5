"""Work beside the stream: what a thread does so that predictions go first."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


def lower_priority() -> None:
    """Let everything else go first: on Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        except OSError as error:
            log.info("teaching runs at normal priority: %s", error)


def one_torch_thread() -> None:
    """Use one core for this thread's torch operations; other threads keep theirs."""
    import torch

    before = torch.get_num_threads()  # asking also settles this thread's own number, otherwise settled later
    torch.set_num_threads(1)
    if before != 1:
        # the default that new threads take over is process-wide: put it back from a thread that ends at once
        restore = threading.Thread(target=torch.set_num_threads, args=(before,))
        restore.start()
        restore.join()


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this thread's torch operations on one core for a while.

    The adapter's are so small that sharing them out costs more than it gains, and beside another busy process
    the shares wait for each other: 80 shots that train in 5 s on one core once took 7 minutes on two.
    """
    import torch

    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
