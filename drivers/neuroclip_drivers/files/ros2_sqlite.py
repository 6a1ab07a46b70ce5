"""Bags of ROS 2 that are SQLite databases (``.db3``), opened for reading alone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import zstandard

from neuroclip_drivers.files.bag_chunks import MOST_CHUNK, BadChunk, Chunk
from neuroclip_drivers.files.ros_messages import plain_type
from neuroclip_live.errors import UserError

_ZSTD_MARK = b"\x28\xb5\x2f\xfd"
MAGIC = b"SQLite format 3\0"


class Ros2Database:
    """A ``.db3`` as a :class:`neuroclip_drivers.files.bag_chunks.Container`; every message is a chunk."""

    cdr = True

    def __init__(self, path: Path) -> None:
        self.damage = ""
        self.topics: dict[str, str] = {}
        self._ids: dict[str, int] = {}
        self._lock = threading.Lock()
        with path.open("rb") as file:  # SQLite takes what is missing at the end for zeros
            head = file.read(32).ljust(32, b"\0")
        page = int.from_bytes(head[16:18], "big")
        promised = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
        if path.stat().st_size < promised:
            self.damage = "the recording was cut off; what can be read is played"
        name = quote(str(path.absolute()))
        try:
            self._database = sqlite3.connect(
                f"file:{name}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            for number, topic, kind in self._database.execute("SELECT id, name, type FROM topics"):
                self.topics[str(topic)] = plain_type(str(kind))
                self._ids[str(topic)] = int(number)
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise UserError(f"{path} is no bag of ROS 2, or is damaged: {error}. Use another copy.") from None

    def chunks(self, topic: str) -> list[Chunk]:
        """Return the messages of a topic in order of time."""
        found: list[Chunk] = []
        query = "SELECT id, timestamp FROM messages WHERE topic_id = ? ORDER BY id"
        try:
            with self._lock:
                for number, when in self._database.execute(query, (self._ids[topic],)):
                    found.append(Chunk(int(number), 0, int(when)))
        except (sqlite3.Error, ValueError, TypeError):
            self.damage = "the database is damaged; what can be read is played"
        return sorted(found, key=lambda chunk: chunk.log_ns)

    def messages(self, topic: str, chunk: Chunk) -> Iterator[tuple[int, bytes]]:
        """Yield the message."""
        try:
            with self._lock:
                query = "SELECT data FROM messages WHERE id = ?"
                row = self._database.execute(query, (chunk.position,)).fetchone()
        except sqlite3.Error as error:
            raise BadChunk(str(error)) from None
        if row is None or not isinstance(row[0], bytes):
            raise BadChunk("a message without bytes")
        data = row[0]
        if data.startswith(_ZSTD_MARK):  # ros2 bag record --compression-mode message
            try:
                with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data) as reader:
                    data = reader.read(MOST_CHUNK)
            except zstandard.ZstdError as error:
                raise BadChunk(str(error)) from None
        yield chunk.log_ns, data

    def close(self) -> None:
        """Close the database; idempotent."""
        with self._lock:
            self._database.close()
