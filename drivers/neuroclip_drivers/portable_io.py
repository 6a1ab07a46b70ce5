"""Reading and writing at a position on every system: Windows has neither ``pread`` nor ``O_NONBLOCK``."""

from __future__ import annotations

import os
import threading

_seeking = threading.Lock()
"""Where a descriptor has to be moved to read from it, one thread at a time does so."""


def open_readable(path: str | os.PathLike[str]) -> int:
    """Open a file to read bytes and return its descriptor; a pipe without a writer keeps nobody waiting.

    Raises
    ------
    OSError
        When it cannot be opened.
    """
    wanted = ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY")  # each is missing on one system or another
    flags = os.O_RDONLY
    for name in wanted:
        flags |= getattr(os, name, 0)
    return os.open(path, flags)


def read_at(file: int, size: int, position: int) -> bytes:
    """Read up to ``size`` bytes at a position of an open file; fewer at its end.

    Safe from several threads, as long as all of them read the descriptor through this function.

    Raises
    ------
    OSError
        When the disk fails, or the descriptor is closed.
    """
    if hasattr(os, "pread"):
        return os.pread(file, size, position)
    with _seeking:
        os.lseek(file, position, os.SEEK_SET)
        parts: list[bytes] = []
        while size > 0 and (part := os.read(file, size)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def write_at(file: int, data: bytes, position: int) -> None:
    """Write bytes at a position of an open file; where the descriptor stands afterwards is not defined.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    if hasattr(os, "pwrite"):
        os.pwrite(file, data, position)
        return
    with _seeking:
        os.lseek(file, position, os.SEEK_SET)
        os.write(file, data)
