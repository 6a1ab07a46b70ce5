"""The packets of one event stream as they lie in the file, still compressed, read by large blocks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping
from typing import Any

import numpy.typing as npt

from neuroclip_drivers.aedat4.between import Block, told_by_heads
from neuroclip_drivers.aedat4.packet_runs import PacketRun
from neuroclip_drivers.portable_io import OpenFile

READ_BYTES = 1 << 20
"""So many bytes are read at once, and decompressed at once by a thread; less costs more in all."""

Body = bytes | memoryview


class PacketBodies:
    """The bodies of an event stream.

    Parameters
    ----------
    file : OpenFile
    rows : (N,) array of ``INDEX_DTYPE``
        Their places.
    stream : int
        Its number.
    siblings : container of int
        Numbers of the other event streams.
    unsure : (int, int), optional
        Where the packets of all streams begin and end in the file, in bytes, when the rows were not held
        against their own heads. That is done then when they are read.
    """

    def __init__(
        self,
        file: OpenFile,
        rows: npt.NDArray[Any],
        stream: int,
        siblings: Container[int] = (),
        unsure: tuple[int, int] | None = None,
    ) -> None:
        self._file, self._stream, self._siblings, self._unsure = file, stream, siblings, unsure
        self._offsets: list[int] = rows["offset"].tolist()
        self._sizes: list[int] = rows["size"].tolist()
        self._ends: list[int] = (rows["offset"] + rows["size"]).tolist()

    @property
    def closed(self) -> bool:
        """Whether nothing can be read any more."""
        return self._file.closed

    @property
    def sure(self) -> bool:
        """Whether the rows tell all packets of the stream."""
        return self._unsure is None

    def body(self, number: int) -> bytes:
        """Return one."""
        return self._file.read(self._sizes[number], self._offsets[number])

    def blocks(self) -> Iterator[list[tuple[int, Body]]]:
        """Yield all by the rows, each with its number, those that are read at once in one list."""
        begin = 0
        while begin < len(self._ends):
            yield (block := self._block(begin, (), None))
            begin += len(block)

    def from_packet(
        self, begin: int, known: Mapping[int, PacketRun], whole: bool
    ) -> Iterator[tuple[int, Body | PacketRun, bool]]:
        """Yield the packets from number ``begin`` on.

        Instead of the body of a packet that is ``known`` its run comes: for each, or once for a ``whole``.

        Where the rows are not sure, packets that the index hides come as well, with the number of the row
        that follows, or of the last, and True; those that it takes from another event stream are left out.
        """
        if self._unsure is None:
            yield from ((number, body, False) for number, body in self._told(begin, known, whole))
            return
        at, end = self._unsure
        number, block = begin, Block(self._file.read)
        if begin:
            at = self._ends[begin - 1]
        for number, body in self._told(begin, known, False, block):
            offset, size = self._offsets[number], self._sizes[number]
            yield from ((number, found, True) for found in self._hidden(block, at, offset - 8))
            at = offset + size
            told = told_by_heads(block.peek, offset - 8, at)
            if told is None or told[0] == (self._stream, offset, size):
                yield number, body, False
            elif len(told) > 1:
                yield from ((number, found, True) for found in self._hidden(block, offset - 8, at))
            elif told[0][0] not in self._siblings:  # else it is theirs
                yield number, body, False
        yield from ((number, found, True) for found in self._hidden(block, at, end))

    def _hidden(self, block: Block, begin: int, end: int) -> Iterator[bytes]:
        """Yield the packets of this stream that lie where the index has none of it."""
        for stream, offset, size in told_by_heads(block.peek, begin, end) or ():
            if stream == self._stream:
                yield self._file.read(size, offset)

    def _told(
        self, begin: int, known: Mapping[int, PacketRun], whole: bool, held: Block | None = None
    ) -> Iterator[tuple[int, Body | PacketRun]]:
        """Yield the packets that the rows tell; ``held`` is told what was read."""
        while begin < len(self._ends):
            run = known.get(begin)
            if run is not None:
                yield begin, run
                begin = run.stop if whole and begin == run.first else begin + 1
                continue
            yield from (block := self._block(begin, known, held))
            begin += len(block)

    def _block(self, begin: int, known: Container[int], held: Block | None) -> list[tuple[int, Body]]:
        """Read packets that are not known, at least one."""
        base = self._offsets[begin] - 8
        stop = max(begin + 1, bisect_right(self._ends, base + READ_BYTES, begin))
        if known:
            stop = next((number for number in range(begin + 1, stop) if number in known), stop)
        span = self._ends[stop - 1] - base
        view = self._file.view(span, base)  # they are undone where they lie
        if held is not None:
            held.start, held.data = base, view
        if len(view) < span:
            return [(number, self.body(number)) for number in range(begin, stop)]
        places = zip(self._offsets[begin:stop], self._ends[begin:stop], strict=True)
        return [(begin + i, view[low - base : high - base]) for i, (low, high) in enumerate(places)]
