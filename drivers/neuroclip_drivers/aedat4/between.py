"""What lies in a stretch of a file by its packets' own heads.

Of a recording of hours an index is not held against all of them on opening: on a cold disk that takes as long
as reading all of it. They are looked at when it is read. So a packet that the index gives to another
stream, or hides in one that it makes longer than it is, is met where it lies.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

Peek = Callable[[int, int], bytes]
"""Reads (position, count) of the file; fewer bytes at its end."""


class Block:
    """The bytes of a file that were read last, so that heads among them need not be read once more.

    Parameters
    ----------
    read : callable
        Reads (count, position) of the file.
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self.start, self.data = 0, memoryview(b"")
        self._read = read

    def peek(self, position: int, count: int) -> bytes:
        """Return bytes from anywhere in the file."""
        low = position - self.start
        if 0 <= low <= len(self.data) - count:
            return bytes(self.data[low : low + count])
        return self._read(count, position)


def told_by_heads(peek: Peek, begin: int, end: int) -> list[tuple[int, int, int]] | None:
    """Return stream, body's place and length of the packets from ``begin`` to ``end``, byte positions.

    None where their heads do not lead from one to the next: then a head is damaged, and the index stands.
    """
    packets: list[tuple[int, int, int]] = []
    while begin < end:
        head = peek(begin, 8)
        if len(head) < 8:
            return None
        stream, size = struct.unpack("<ii", head)
        if size <= 0:
            return None
        packets.append((stream, begin + 8, size))
        begin += 8 + size
    return packets if begin == end else None
