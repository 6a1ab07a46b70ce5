"""Undoing the compression of packets, never believing how large they say they are."""

from __future__ import annotations

from typing import Any

import lz4.frame
import zstandard

from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import MAX_BODY_BYTES, Compression

_FREE_BYTES, _RATIO = 1 << 22, 256
"""A packet may grow to 4 MiB (a black picture of 1280x720 in color), beyond that by what LZ4 can at most.

Events shrink to a fifth or so. Zstandard makes a gigabyte of some kilobytes, which no camera sends.
"""


def largest(body_bytes: int) -> int:
    """Return what a body of so many bytes may decompress to."""
    return min(MAX_BODY_BYTES, _FREE_BYTES + _RATIO * body_bytes)


class Decompressor:
    """Undoes the compression of packets; each reader, and each thread, has its own.

    Parameters
    ----------
    compression : Compression
    """

    def __init__(self, compression: Compression) -> None:
        self._compression = compression
        self._is_lz4 = compression in (Compression.LZ4, Compression.LZ4_HIGH)
        self._lz4: Any = None
        self._zstd: Any = None

    def __call__(self, body: bytes | memoryview, expected: int = -1) -> bytes:
        """Return a body decompressed; never more than :func:`largest` allows.

        Parameters
        ----------
        body : bytes or memoryview
        expected : int
            Size of the result where the index tells it: room for it is made once instead of doubled until it
            is enough, which is most of the work on large packets. A larger result is an error.

        Raises
        ------
        FormatError
            When the body is damaged or too large.
        """
        if self._compression is Compression.NONE:
            return bytes(body)
        try:
            if self._is_lz4:
                return self._decompress_lz4(body, expected)
            return self._decompress_zstd(body, expected)
        except (RuntimeError, ValueError, EOFError, MemoryError, OverflowError, zstandard.ZstdError) as error:
            self._lz4 = self._zstd = None  # what is left in them belongs to the damaged packet
            raise FormatError(f"a packet does not decompress: {error}") from error

    def _decompress_lz4(self, body: bytes | memoryview, expected: int) -> bytes:
        # LZ4 expands at most 255 times, so that a short body is safe to expand without knowing how far.
        if 0 <= expected <= 255 * len(body) and expected <= MAX_BODY_BYTES:
            if self._lz4 is None:
                self._lz4 = lz4.frame.create_decompression_context()
            data: bytes
            data, _, complete = lz4.frame.decompress_chunk(self._lz4, body, max_length=expected)
            if not complete:
                self._lz4 = None
                raise FormatError("a packet is not as long as the index says")
            return data
        declares_size = len(body) > 7 and body[4] & 0x08
        if 255 * len(body) <= MAX_BODY_BYTES and not declares_size:
            return bytes(lz4.frame.decompress(body))
        context = lz4.frame.LZ4FrameDecompressor()
        parts: list[bytes] = []
        total, fed = 0, body
        while not context.eof:
            parts.append(context.decompress(fed, max_length=1 << 22))
            fed = b""
            total += len(parts[-1])
            if total > MAX_BODY_BYTES:
                raise FormatError("a packet is larger than any camera makes")
            if not parts[-1] and context.needs_input:
                raise FormatError("a packet is cut off")
        return b"".join(parts)

    def _decompress_zstd(self, body: bytes | memoryview, expected: int) -> bytes:
        declared = zstandard.frame_content_size(body)  # -1 where the frame does not say
        room, most = expected if expected >= 0 else 1 << 20, largest(len(body))
        if declared <= room <= most and (declared >= 0 or expected >= 0):
            if self._zstd is None:
                self._zstd = zstandard.ZstdDecompressor(max_window_size=1 << 27)
            return bytes(self._zstd.decompress(body, max_output_size=room))
        parts: list[bytes] = []
        total = 0
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body) as reader:
            while part := reader.read(1 << 22):
                total += len(part)
                if total > most:
                    raise FormatError("a packet is larger than any camera makes")
                parts.append(part)
        return b"".join(parts)


def decompress(body: bytes, compression: Compression) -> bytes:
    """Undo the compression of one packet; see :class:`Decompressor`."""
    return Decompressor(compression)(body)
