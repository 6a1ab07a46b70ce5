"""What the containers of ROS have in common: chunks of messages, each of which can be read by itself."""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import lz4.frame
import zstandard

MOST_CHUNK = 1 << 28
"""Largest chunk that is believed, in bytes without compression: recorders make them of a megabyte or four."""


class BadChunk(Exception):
    """A chunk that cannot be read."""


@dataclass(frozen=True)
class Chunk:
    """A part of a container, in which messages of one topic are.

    ``position`` and ``size`` are the container's own; ``log_ns`` is when its first message was recorded.
    """

    position: int
    size: int
    log_ns: int


class Container(Protocol):
    """A file of a ROS recorder.

    ``topics`` gives for each topic its type, as :func:`ros_messages.plain_type` has it; ``cdr`` is true for
    ROS 2; ``damage`` is one line on what is missing.
    """

    topics: dict[str, str]
    cdr: bool
    damage: str

    def chunks(self, topic: str) -> list[Chunk]:
        """Return the chunks that hold, or may hold, messages of a topic, in file order."""
        ...

    def messages(self, topic: str, chunk: Chunk) -> Iterator[tuple[int, bytes | memoryview]]:
        """Yield when a message of the topic was recorded, in nanoseconds, and its bytes; raises BadChunk."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


def unpack(data: bytes, compression: str, size: int, *, whole: bool = True) -> bytes:
    """Decompress a chunk that says how large it is; raises BadChunk where that is not so.

    Of one that is not ``whole``, as its file was cut off in it, what there is comes back.
    """
    if size > MOST_CHUNK or size < 0:
        raise BadChunk("a chunk that claims to be too large")
    try:
        match compression:
            case "" | "none":
                out = data
            case "bz2":
                out = bz2.BZ2Decompressor().decompress(data, max_length=size + 1)
            case "lz4":
                out = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=size + 1)
            case "zstd":
                with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data) as reader:
                    out = reader.read(size + 1)
            case _:
                raise BadChunk(f"a chunk compressed with {compression[:20]!r}, which is not known")
    except (OSError, EOFError, RuntimeError, ValueError, zstandard.ZstdError) as error:
        raise BadChunk(str(error)) from None
    if whole and len(out) != size:
        raise BadChunk("a chunk of another size than it says")
    return out
