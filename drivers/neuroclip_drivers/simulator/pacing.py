"""Giving simulated events no sooner than they happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from neuroclip_drivers.source import MAX_WAIT_S
from neuroclip_live.events import Packet, empty_packet


def wait_until(due_s: float, closed: threading.Event) -> Iterator[Packet]:
    """Wait for a time of the monotonic clock, or until closed; yield empty packets where that takes long."""
    while not closed.is_set():
        early = due_s - time.monotonic()
        if early <= 0:
            break
        closed.wait(min(early, MAX_WAIT_S))
        if early > MAX_WAIT_S:
            yield empty_packet()
