"""MCAP, the container of Foxglove and of ROS 2's recorder, read record by record.

Source: the specification at mcap.dev. As with bags, the summary at the end is not needed: records are walked
over, so that a file whose recorder was killed plays as far as it goes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from neuroclip_drivers.files.bag_chunks import MOST_CHUNK, BadChunk, Chunk, unpack
from neuroclip_drivers.files.ros_messages import plain_type
from neuroclip_drivers.portable_io import OpenFile, open_readable

MAGIC = b"\x89MCAP0\r\n"
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX, _DATA_END, _LAST_OP = 3, 4, 5, 6, 7, 15, 15
_MOST_RECORD = 1 << 40
_MOST_NAME = 1 << 24


class McapFile:
    """An MCAP file as a :class:`neuroclip_drivers.files.bag_chunks.Container`."""

    def __init__(self, path: Path) -> None:
        self._file = OpenFile(open_readable(path))
        self._size = self._file.size
        self.topics: dict[str, str] = {}
        self.damage = ""
        self.cdr = True
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, str] = {}
        self._chunks: list[tuple[Chunk, frozenset[int]]] = []
        try:
            self._walk()
            if not self.topics:
                self._learn_channels()
        except BaseException:
            self.close()
            raise

    def _walk(self) -> None:
        position = len(MAGIC)
        chunk, channels = None, set[int]()
        while position < self._size:
            head = self._file.read_checked(9, position)
            if head[: len(MAGIC)] == MAGIC or len(head) < 9:
                break
            operation, length = head[0], int.from_bytes(head[1:], "little")
            begin = position + 9
            if length > _MOST_RECORD or begin + length > self._size or not operation:
                self.damage = "the recording was cut off or is damaged; what came before is played"
                break
            if operation in (_SCHEMA, _CHANNEL):
                self._name(operation, self._file.read_checked(min(length, _MOST_NAME), begin))
            elif operation == _MESSAGE_INDEX and chunk is not None:
                channels.add(int.from_bytes(self._file.read_checked(2, begin), "little"))
            elif operation in (_CHUNK, _MESSAGE, _DATA_END):
                if chunk is not None:
                    self._chunks.append((chunk, frozenset(channels)))
                    chunk, channels = None, set()
                if operation == _CHUNK:
                    when = int.from_bytes(self._file.read_checked(8, begin), "little")
                    chunk = Chunk(position, 9 + length, when)
                elif operation == _MESSAGE:
                    number, _, when = struct.unpack(
                        "<HIQ", self._file.read_checked(14, begin).ljust(14, b"\0")
                    )
                    self._chunks.append((Chunk(position, 9 + length, when), frozenset((number,))))
            position = begin + length
        if chunk is not None:
            self._chunks.append((chunk, frozenset(channels)))

    def _name(self, operation: int, data: bytes) -> None:
        try:
            if operation == _SCHEMA:
                number = int.from_bytes(data[:2], "little")
                self._schemas[number] = _string(data, 2)[0]
                return
            number, schema = struct.unpack_from("<HH", data)
            topic, at = _string(data, 4)
            encoding, _ = _string(data, at)
        except (struct.error, ValueError):
            return
        self._channels[number] = topic
        self.topics[topic] = plain_type(self._schemas.get(schema, ""))
        self.cdr = encoding != "ros1"

    def _learn_channels(self) -> None:
        for chunk, _ in self._chunks:
            try:
                for operation, data in _records(self._unpacked(chunk)):
                    if operation in (_SCHEMA, _CHANNEL):
                        self._name(operation, data)
            except BadChunk:
                continue
            if any("vent" in kind for kind in self.topics.values()):
                return

    def chunks(self, topic: str) -> list[Chunk]:
        """Return the chunks with messages of a topic; those without an index may have some."""
        numbers = {number for number, name in self._channels.items() if name == topic}
        return [chunk for chunk, channels in self._chunks if not channels or channels & numbers]

    def messages(self, topic: str, chunk: Chunk) -> Iterator[tuple[int, bytes]]:
        """Yield the messages of a topic that are in a chunk."""
        head = self._file.read_checked(1, chunk.position)
        if head == bytes([_MESSAGE]):
            records: Iterator[tuple[int, bytes]] = iter(
                ((_MESSAGE, self._file.read_checked(min(chunk.size - 9, MOST_CHUNK), chunk.position + 9)),)
            )
        else:
            records = _records(self._unpacked(chunk))
        for operation, data in records:
            if operation in (_SCHEMA, _CHANNEL):
                self._name(operation, data)
            elif operation == _MESSAGE and len(data) >= 22:
                number, _, when = struct.unpack_from("<HIQ", data)
                if self._channels.get(number) == topic:
                    yield when, data[22:]

    def _unpacked(self, chunk: Chunk) -> bytes:
        if chunk.size > MOST_CHUNK:
            raise BadChunk("a chunk that is too large")
        data = self._file.read_checked(chunk.size - 9, chunk.position + 9)
        try:
            size = struct.unpack_from("<Q", data, 16)[0]
            compression, at = _string(data, 28)
            length = struct.unpack_from("<Q", data, at)[0]
        except (struct.error, ValueError) as error:
            raise BadChunk(str(error)) from None
        return unpack(data[at + 8 : at + 8 + length], compression, size)

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()


def _string(data: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("<I", data, at)[0]
    if at + 4 + length > len(data):
        raise ValueError("a name that ends early")
    return data[at + 4 : at + 4 + length].decode("utf-8", "replace"), at + 4 + length


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records inside a chunk; raises BadChunk where they end early."""
    at = 0
    while at + 9 <= len(data):
        length = int.from_bytes(data[at + 1 : at + 9], "little")
        if length > len(data) - at - 9:
            raise BadChunk("a record that ends early")
        yield data[at], data[at + 9 : at + 9 + length]
        at += 9 + length
