"""How long a packet's body is by what it says itself, without undoing its compression.

A packet's head tells its length; where that is damaged, what follows would be passed over. The body tells it
as well: FlatBuffers begin with their size, frames of LZ4 and Zstandard are chains of blocks that tell theirs.
Sources: the LZ4 frame format 1.6.x and RFC 8878, section 3.1.1.
"""

from __future__ import annotations

from collections.abc import Callable

from neuroclip_drivers.aedat4.format import MAX_BODY_BYTES, Compression

Peek = Callable[[int, int], bytes]
"""Reads (position, count) of the file; fewer bytes at its end."""


def own_length(peek: Peek, body: int, compression: Compression) -> int | None:
    """Return the bytes of the body at ``body`` by its own account; None where that makes no sense."""
    if compression is Compression.NONE:
        head = peek(body, 4)
        return int.from_bytes(head, "little") + 4 if len(head) == 4 else None
    if compression in (Compression.LZ4, Compression.LZ4_HIGH):
        end = _lz4_end(peek, body)
    else:
        end = _zstd_end(peek, body)
    return end - body if end is not None else None


def _lz4_end(peek: Peek, start: int) -> int | None:
    head = peek(start, 6)
    if len(head) < 6 or head[4] >> 6 != 1 or not 4 <= head[5] >> 4 & 7 <= 7:
        return None
    flags, largest = head[4], 1 << 2 * (head[5] >> 4 & 7) + 8
    behind_block, behind_all = 4 * (flags >> 4 & 1), 4 * (flags >> 2 & 1)
    at = start + 7 + 8 * (flags >> 3 & 1) + 4 * (flags & 1)
    while at - start <= MAX_BODY_BYTES:
        told = peek(at, 4)
        if len(told) < 4:
            return None
        size = int.from_bytes(told, "little") & 0x7FFF_FFFF  # the highest bit says that it is stored as it is
        at += 4
        if not size:
            return at + behind_all
        if size > largest:
            return None
        at += size + behind_block
    return None


def _zstd_end(peek: Peek, start: int) -> int | None:
    head = peek(start, 5)
    if len(head) < 5 or head[4] & 0x08:
        return None
    flags = head[4]
    single = flags >> 5 & 1
    size_bytes = (single, 2, 4, 8)[flags >> 6]
    at = start + 5 + (1 - single) + (0, 1, 2, 4)[flags & 3] + size_bytes
    while at - start <= MAX_BODY_BYTES:
        told = peek(at, 3)
        if len(told) < 3:
            return None
        block = int.from_bytes(told, "little")
        kind, size = block >> 1 & 3, block >> 3
        if kind == 3 or size > 1 << 17:
            return None
        at += 3 + (1 if kind == 1 else size)  # of a run only the byte that repeats is there
        if block & 1:
            return at + 4 * (flags >> 2 & 1)
    return None
