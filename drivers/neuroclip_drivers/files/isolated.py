"""A reader in a process of its own, for libraries that bad bytes can crash or hang.

HDF5 is one: a megabyte of C that believes what a file says of itself. What goes wrong there costs the other
process, which is started again, and the block at which it happened is left out. Requests and answers go
through pipes: a line of JSON each, and as many bytes as it says. Where there is shared memory
(:mod:`neuroclip_drivers.files.shared_slots`), blocks lie there: one slot is filled while the other is read.
Rejected: a thread, which a hang keeps for good and a crash takes everything with; and multiprocessing, which
runs the caller's main module again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

import numpy as np

from neuroclip_drivers.files.shared_slots import SharedSlots
from neuroclip_live.events import EVENT_DTYPE, Packet

ANSWER_S = 30.0
"""Longest time for an answer; then the process is ended."""
_MOST_DEATHS = 20


class ReaderDied(Exception):
    """The other process crashed, or had no answer in time."""


class IsolatedReader:
    """Talks to a module that serves one file.

    Parameters
    ----------
    module : str
        Run as ``python -m module PATH``; calls :func:`serve`.
    path : str
    setup : dict
        The first request; sent again whenever the process was started again.
    """

    def __init__(self, module: str, path: str, setup: dict[str, Any]) -> None:
        self._command = [sys.executable, "-m", module, path]
        self._setup = setup
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._closed = False
        self._slots = SharedSlots.create()

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], Packet]:
        """Return the answer to a request, and the events that come with it.

        Raises
        ------
        ReaderDied
            When there is none; the next request starts the process again.
        """
        with self._lock:
            if self._closed or self._deaths > _MOST_DEATHS:
                raise ReaderDied
            if self._process is None:
                slots = self._slots
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(slots.file,) if slots is not None else (),
                    env=slots.environment() if slots is not None else None,
                )
                if request != self._setup:
                    self._exchange(self._setup)
            return self._exchange(request)

    def _exchange(self, request: dict[str, Any]) -> tuple[dict[str, Any], Packet]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(ANSWER_S, process.kill)
        late.daemon = True
        late.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline(1 << 22))
            size, at = int(answer.get("bytes", 0)), answer.get("at")
            events = np.empty(size // EVENT_DTYPE.itemsize, dtype=EVENT_DTYPE)
            into = events.view(np.uint8)
            if at is not None and self._slots is not None:
                into[:] = self._slots.memory[at : at + size]  # before the slot is filled again
            elif process.stdout.readinto(into.data) != size:  # type: ignore[attr-defined]
                raise EOFError
        except (OSError, ValueError, EOFError, AttributeError, MemoryError):
            self._deaths += 1
            self._end()
            raise ReaderDied from None
        finally:
            late.cancel()
        return answer, events

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:
                        pass  # it died with a request on its way
            process.wait()

    def close(self) -> None:
        """End the process; idempotent. A request that is under way is answered with ``ReaderDied``."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()
            if self._slots is not None:
                self._slots.close()


def limit_memory(most_bytes: int) -> None:
    """Let this process have no more memory than that, where the system can: a file may claim terabytes."""
    try:
        import resource
    except ImportError:  # Windows
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or hard > most_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, hard))


def send(answer: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Answer a request, in the process that serves.

    The answer's ``at`` and ``bytes`` say where in the shared slots a body lies that is not sent.
    """
    out = sys.stdout.buffer
    out.write(json.dumps({"bytes": len(body), **answer}).encode() + b"\n")
    out.write(body)
    out.flush()
