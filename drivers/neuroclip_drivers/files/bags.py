"""Recordings of ROS: bags of ROS 1 and ROS 2, and MCAP, each with one topic of events that is played."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from neuroclip_drivers.files.bag_chunks import BadChunk, Chunk, Container
from neuroclip_drivers.files.blocks import BlockFile
from neuroclip_drivers.files.event_file import FileOptions, StreamChoice
from neuroclip_drivers.files.mcap_file import McapFile
from neuroclip_drivers.files.ros1_bag import Ros1Bag
from neuroclip_drivers.files.ros2_sqlite import Ros2Database
from neuroclip_drivers.files.ros_messages import EVENT_ARRAYS, EVENT_PACKETS, BadMessage, MessageDecoder
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution

_SUFFIXES: dict[str, Callable[[Path], Container]] = {".mcap": McapFile, ".db3": Ros2Database}


class BagFile(BlockFile):
    """One or several containers, and the topic that is played.

    Raises
    ------
    UserError
        When there is no topic with events, or not the one that is asked for, or no event can be read.
    """

    _overlap = 1  # the words of EVT3 need the row and the time of the message before

    def __init__(
        self, path: str | os.PathLike[str], options: FileOptions, open_one: Callable[[Path], Container]
    ) -> None:
        super().__init__(path, options)
        self._containers: list[Container] = []
        try:
            for part in self._parts():
                self._containers.append(open_one(part) if part == self.path else _SUFFIXES[part.suffix](part))
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _parts(self) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        parts = [part for part in self.path.iterdir() if part.suffix in _SUFFIXES]
        if not parts:
            raise UserError(f"{self.path} holds no .db3 and no .mcap. Give a bag of ROS 2, uncompressed.")
        numbers = {part: [int(n) for n in re.findall(r"\d+", part.stem)] for part in parts}
        return sorted(parts, key=lambda part: (numbers[part], part.name))

    def _prepare(self) -> None:
        topics = {name: kind for each in self._containers for name, kind in each.topics.items()}
        played = [name for name, kind in topics.items() if kind in EVENT_ARRAYS + EVENT_PACKETS]
        if not played:
            if any(each.damage for each in self._containers):
                raise UserError(
                    f"{self.path} is damaged: no topic of events is left. Use another copy of it."
                )
            listed = ", ".join(sorted({kind for kind in topics.values() if kind}))[:160] or "nothing"
            raise UserError(f"{self.path} has no topic of events (it holds {listed}). Choose another bag.")
        self._blocks: list[tuple[Container, Chunk]] = []
        counts = {name: self._chunks_of(name) for name in played}
        topic = self._choose(sorted(played, key=lambda name: (not counts[name], name)), counts)
        self.choices = tuple(StreamChoice(name, name, bool(counts[name])) for name in sorted(played))
        self.chosen = topic
        self._topic, self._blocks = topic, counts[topic]
        self.camera = topic.strip("/").partition("/")[0]
        self._kind, self._cdr = topics[topic], next(c.cdr for c in self._containers if topic in c.topics)
        for number, container in enumerate(self._containers):
            if container.damage:
                self._note_damage(str(number), container.damage)
        self._size: Resolution | None = None
        self._first_log_us = 0
        self._clock_us: int | None = None
        self._settle()
        self.resolution = self.options.sensor or self._size or self._guess_resolution()

    def _chunks_of(self, topic: str) -> list[tuple[Container, Chunk]]:
        return [
            (each, chunk) for each in self._containers if topic in each.topics for chunk in each.chunks(topic)
        ]

    def _choose(self, played: list[str], counts: dict[str, list[tuple[Container, Chunk]]]) -> str:
        wanted = self.options.stream
        if wanted is None:
            others = [name for name in played[1:] if counts[name]]
            if others:
                self._say(f"plays {played[0]}, not {', '.join(others)} (choose with --stream)")
            return played[0]
        for name in played:
            if wanted.strip("/") == name.strip("/"):
                return name
        found = [name for name in played if wanted.strip("/") in name.split("/")]
        if len(found) == 1:
            return found[0]
        raise UserError(
            f"{self.path} has no event topic {wanted!r}. Choose with --stream: {'; '.join(played)}."
        )

    def _block_count(self) -> int:
        return len(self._blocks)

    def _find_start(self, block: int) -> int | None:
        for packet in self._decode_one(block, MessageDecoder(self._kind, self._cdr)):
            if len(packet):
                return int(packet["t"][0])
        return None

    def _decode_from(self, block: int) -> Iterator[Packet]:
        decoder = MessageDecoder(self._kind, self._cdr)
        for number in range(block, len(self._blocks)):
            if self._closed:
                return
            yield from self._decode_one(number, decoder)

    def _decode_one(self, block: int, decoder: MessageDecoder) -> Iterator[Packet]:
        container, chunk = self._blocks[block]
        try:
            for log_ns, message in container.messages(self._topic, chunk):
                if self._closed:
                    return
                self._set_clock(decoder, log_ns)
                try:
                    packet = decoder.decode(message)
                except BadMessage:
                    self._note_bad(block)
                    continue
                self._size = decoder.size or self._size
                if decoder.encoding == "evt3" and self._clock_us is None and len(packet):
                    self._clock_us = int(packet["t"][0]) - log_ns // 1000
                self.format = (
                    f"{self._container_name(container)}, {decoder.encoding or self._kind.split('/')[0]}"
                )
                yield packet
        except (BadChunk, OSError):
            if not self._closed:
                self._note_bad(block)

    def _set_clock(self, decoder: MessageDecoder, log_ns: int) -> None:
        """Tell a decoder that begins in the middle what time it is: EVT3 has 16.8 s of it."""
        if decoder.fresh and self._clock_us is not None:
            decoder.expect(max(0, log_ns // 1000 + self._clock_us))
        decoder.fresh = False

    def _container_name(self, container: Container) -> str:
        if isinstance(container, McapFile):
            return "MCAP"
        return "ROS 2 bag" if container.cdr else "ROS 1 bag"

    def close(self) -> None:
        """Close all files; idempotent."""
        super().close()
        for container in self._containers:
            container.close()


def open_ros1(path: Path, options: FileOptions) -> BagFile:
    """Open a bag of ROS 1."""
    return BagFile(path, options, Ros1Bag)


def open_mcap(path: Path, options: FileOptions) -> BagFile:
    """Open an MCAP file."""
    return BagFile(path, options, McapFile)


def open_ros2(path: Path, options: FileOptions) -> BagFile:
    """Open a ``.db3``, or the folder of a bag of ROS 2."""
    return BagFile(path, options, Ros2Database)
