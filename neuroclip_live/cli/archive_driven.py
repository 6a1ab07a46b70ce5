"""A run of ``index`` for the program that started it, a window say: lines of JSON out, words in.

Out goes where it stands, ``{"doing": ..., "share": ...}``, and at the end ``{"report": {...}}``. In come
``pause``, ``go`` and ``stop``, one a line. The end of the input stops it too: nobody is left to index for.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from neuroclip_live.archive.indexer import IndexReport, Progress
from neuroclip_live.cli.archive_progress import Loading, Tell, describe

_EVERY_S = 0.2
_NICE = 10
"""Of the two, the program that started it is the one that somebody looks at."""


@contextmanager
def driven(stop: threading.Event | None = None) -> Iterator[tuple[Tell, Loading]]:
    """Tell the other program inside; yields what is told of the work (False to stop) and of loading."""
    stopped = stop or threading.Event()
    free = threading.Event()
    free.set()
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(_NICE)
    threading.Thread(target=_obey, args=(free, stopped), name="orders", daemon=True).start()
    told_s = 0.0

    def tell(at: Progress) -> bool:
        nonlocal told_s
        while not free.wait(_EVERY_S) and not stopped.is_set():
            pass  # a signal stops it while it is paused, too
        now = time.monotonic()
        if now - told_s >= _EVERY_S:
            told_s = now
            _say({"doing": describe(at), "share": at.done_s / at.total_s if at.total_s else None})
        return not stopped.is_set()

    yield tell, lambda text, share: _say({"doing": text, "share": share})


def say_report(report: IndexReport) -> None:
    """Say what the run did."""
    _say({"report": asdict(report)})


def _obey(free: threading.Event, stopped: threading.Event) -> None:
    for line in sys.stdin:
        order = line.strip()
        if order == "pause":
            free.clear()
        elif order == "go":
            free.set()
        elif order == "stop":
            break
    stopped.set()
    free.set()


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
