"""Reading and writing at a position on every system: Windows has neither ``pread`` nor ``O_NONBLOCK``."""

from __future__ import annotations

import os
import threading

_seeking = threading.Lock()
"""Where a descriptor has to be moved to read from it, one thread at a time does so."""
_HELD_BYTES = 1 << 22
"""Files up to so large are read at once to be opened: all of them is looked at, some of it several times."""


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


class OpenFile:
    """A file on disk that several threads read, and one of them closes.

    It is closed with its last user at the latest: a process that opens many has few descriptors, and above
    1,024 of them ``select`` fails in whoever else waits for a socket.

    Parameters
    ----------
    descriptor : int
        Closed by :meth:`close`.

    Attributes
    ----------
    size : int
        In bytes, when it was opened.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._held = b""
        self.size = os.fstat(descriptor).st_size

    def hold(self) -> None:
        """Read a small file at once: until :meth:`let_go` what is read comes from memory."""
        if self.size <= _HELD_BYTES:
            self._held = self.read(self.size, 0)

    def let_go(self) -> None:
        """Read from the file again."""
        self._held = b""

    @property
    def descriptor(self) -> int:
        """The descriptor; -1 once it is closed."""
        return self._descriptor

    @property
    def closed(self) -> bool:
        """Whether nothing can be read any more."""
        return self._descriptor < 0

    def read_checked(self, size: int, position: int) -> bytes:
        """Read from a position; short where the file ends, nothing where it was closed.

        Raises
        ------
        OSError
            When the disk fails.
        """
        if held := self._held:
            return held[position : position + size]
        with self._lock:
            return read_at(self._descriptor, size, position) if self._descriptor >= 0 else b""

    def read(self, size: int, position: int) -> bytes:
        """Read from a position; short, or nothing, where it was closed, cut meanwhile, or the disk fails."""
        try:
            return self.read_checked(size, position)
        except OSError:
            return b""  # what lies here is counted as damaged by whoever asked

    def view(self, size: int, position: int) -> memoryview:
        """Return what :meth:`read` does, without a copy where it is held."""
        if held := self._held:
            return memoryview(held)[position : position + size]
        return memoryview(self.read(size, position))

    def close(self) -> None:
        """Close it; idempotent."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        if hasattr(self, "size"):
            self.close()


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
