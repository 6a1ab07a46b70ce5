"""Bags of ROS 1, read record by record.

Source: the description of the format 2.0 (wiki.ros.org/Bags/Format/2.0). The index at the end is not needed:
the records are walked over, their heads alone. So a bag whose recorder was killed (``rosbag reindex``) plays
as it is, which ``rosbags`` refuses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from neuroclip_drivers.files.bag_chunks import MOST_CHUNK, BadChunk, Chunk, unpack
from neuroclip_drivers.files.ros_messages import plain_type
from neuroclip_drivers.portable_io import OpenFile, open_readable

MAGIC = b"#ROSBAG V2.0\n"
_MOST_HEADER = 1 << 20
_MESSAGE, _INDEX, _CHUNK, _CONNECTION = 2, 4, 5, 7
_CHUNK_MARK = b"\x04\0\0\0op=\x05"
_SEARCH_BYTES = 1 << 20
_LOOSE = -1


class Ros1Bag:
    """A bag of ROS 1 as a :class:`neuroclip_drivers.files.bag_chunks.Container`."""

    cdr = False

    def __init__(self, path: Path) -> None:
        self._file = OpenFile(open_readable(path))
        self._size = self._file.size
        self.topics: dict[str, str] = {}
        self.damage = ""
        self._names: dict[int, str] = {}
        self._chunks: dict[str, list[Chunk]] = {}
        self._all: list[Chunk] = []
        try:
            self._walk()
            if not self._names:
                self._learn_names()
        except BaseException:
            self.close()
            raise

    def _record(self, position: int) -> tuple[dict[bytes, bytes], int, int] | None:
        """Return the header of a record, where its data is, and how long that is; None where none is."""
        head = self._file.read_checked(4, position)
        length = int.from_bytes(head, "little")
        if len(head) < 4 or not 0 < length <= _MOST_HEADER:
            return None
        raw = self._file.read_checked(length + 4, position + 4)
        fields = _fields(raw[:length]) if len(raw) == length + 4 else None
        if fields is None or len(fields.get(b"op", b"")) != 1:
            return None
        return fields, position + 8 + length, int.from_bytes(raw[length:], "little")

    def _walk(self) -> None:
        position, lost = len(MAGIC), 0
        chunk: Chunk | None = None
        while position < self._size:
            record = self._record(position)
            if record is None:
                found = self._search(position + 1)
                lost += found - position
                position, chunk = found, None
                continue
            fields, data, length = record
            operation = fields[b"op"][0]
            if data + length > self._size:
                self.damage = "the recording was cut off; what came before is played"
                if operation == _CHUNK:
                    self._all.append(Chunk(position, self._size - position, 0))
                break
            if operation == _CONNECTION:
                self._connection(fields, self._file.read_checked(min(length, _MOST_HEADER), data))
            elif operation == _CHUNK:
                chunk = Chunk(position, data + length - position, 0)
                self._all.append(chunk)
            elif operation == _INDEX and chunk is not None:
                self._index(fields, self._file.read_checked(min(length, 12), data), chunk)
            elif operation == _MESSAGE:
                self._loose(fields, position, data + length - position)
            position = data + length
        if lost and not self.damage:
            self.damage = f"the recording is damaged: {lost:,} bytes are lost; the rest is played"

    def _connection(self, fields: dict[bytes, bytes], data: bytes) -> None:
        inner = _fields(data) or {}
        topic = (fields.get(b"topic") or inner.get(b"topic", b"")).decode("latin-1")
        number = int.from_bytes(fields.get(b"conn", b""), "little")
        self._names[number] = topic
        self.topics[topic] = plain_type(inner.get(b"type", b"").decode("latin-1"))

    def _index(self, fields: dict[bytes, bytes], data: bytes, chunk: Chunk) -> None:
        number = int.from_bytes(fields.get(b"conn", b""), "little")
        when = _time(data[:8]) if len(data) >= 12 else 0
        self._chunks.setdefault(str(number), []).append(Chunk(chunk.position, chunk.size, when))

    def _loose(self, fields: dict[bytes, bytes], position: int, size: int) -> None:
        number = int.from_bytes(fields.get(b"conn", b""), "little")
        when = _time(fields.get(b"time", b""))
        self._chunks.setdefault(str(number), []).append(Chunk(position, size, when))

    def _learn_names(self) -> None:
        """Look for topics inside the chunks: a bag that was not finished has them nowhere else."""
        for chunk in self._all:
            try:
                for fields, data in _records(self._unpacked(chunk)):
                    if fields[b"op"][0] == _CONNECTION:
                        self._connection(fields, bytes(data))
            except BadChunk:
                continue
            if any(kind for kind in self.topics.values() if "vent" in kind):
                return

    def _search(self, position: int) -> int:
        """Return where the next chunk begins, or the end of the file."""
        while position < self._size:
            data = self._file.read_checked(_SEARCH_BYTES, position)
            at = data.find(_CHUNK_MARK)
            while at >= 0:
                for back in range(4, 120):  # the field may not be the first of its header
                    begin = position + at - back
                    record = self._record(begin) if begin > len(MAGIC) else None
                    if record is not None and record[0].get(b"op") == bytes([_CHUNK]):
                        return begin
                at = data.find(_CHUNK_MARK, at + 1)
            if len(data) <= len(_CHUNK_MARK):
                break
            position += len(data) - len(_CHUNK_MARK) + 1
        return self._size

    def chunks(self, topic: str) -> list[Chunk]:
        """Return the chunks with messages of a topic; those without an index may have some."""
        numbers = [str(number) for number, name in self._names.items() if name == topic]
        found = {chunk.position: chunk for number in numbers for chunk in self._chunks.get(number, ())}
        indexed = {chunk.position for chunks in self._chunks.values() for chunk in chunks}
        found |= {chunk.position: chunk for chunk in self._all if chunk.position not in indexed}
        return [found[position] for position in sorted(found)]

    def messages(self, topic: str, chunk: Chunk) -> Iterator[tuple[int, bytes | memoryview]]:
        """Yield the messages of a topic that are in a chunk."""
        record = self._record(chunk.position)
        if record is None:
            raise BadChunk("no record")
        fields, data, length = record
        if fields[b"op"][0] == _MESSAGE:
            yield _time(fields.get(b"time", b"")), self._file.read_checked(min(length, MOST_CHUNK), data)
            return
        for inner, payload in _records(self._unpacked(chunk)):
            if inner[b"op"][0] == _MESSAGE:
                number = int.from_bytes(inner.get(b"conn", b""), "little")
                if self._names.get(number) == topic:
                    yield _time(inner.get(b"time", b"")), payload

    def _unpacked(self, chunk: Chunk) -> bytes:
        record = self._record(chunk.position)
        if record is None or record[2] > MOST_CHUNK:
            raise BadChunk("no chunk")
        fields, data, length = record
        raw = self._file.read_checked(length, data)
        size = int.from_bytes(fields.get(b"size", b""), "little")
        compression = fields.get(b"compression", b"").decode("latin-1")
        return unpack(raw, compression, size, whole=len(raw) == length)

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()


def _fields(data: bytes) -> dict[bytes, bytes] | None:
    """Return the fields of a record's header; None when it is none."""
    fields: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        field = data[at + 4 : at + 4 + length]
        name, equals, value = field.partition(b"=")
        if not equals or len(field) < length or len(data) < at + 4:
            return None
        fields[name] = value
        at += 4 + length
    return fields


def _records(data: bytes) -> Iterator[tuple[dict[bytes, bytes], memoryview]]:
    """Yield the records inside a chunk, which are not copied; raises BadChunk where they end early."""
    at, view = 0, memoryview(data)
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        fields = _fields(data[at + 4 : at + 4 + length])
        at += 4 + length
        size = int.from_bytes(data[at : at + 4], "little")
        if fields is None or len(fields.get(b"op", b"")) != 1 or at + 4 + size > len(data):
            raise BadChunk("a record that ends early")
        yield fields, view[at + 4 : at + 4 + size]
        at += 4 + size


def _time(data: bytes) -> int:
    seconds, nanoseconds = struct.unpack("<II", data) if len(data) == 8 else (0, 0)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
