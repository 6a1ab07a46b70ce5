"""Work beside the stream: what a thread does so that predictions go first."""

from __future__ import annotations

import logging
import os
import sys
import threading

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

    before = (
        torch.get_num_threads()
    )  # also settles this thread's own number, which it would otherwise do later
    torch.set_num_threads(1)
    if before != 1:
        # the default that new threads take over is process-wide: put it back from a thread that ends at once
        restore = threading.Thread(target=torch.set_num_threads, args=(before,))
        restore.start()
        restore.join()
