"""AEDAT 3.1, cAER's format: a header of text, and packets of events of one kind.

Source: iniVation's description of the file formats. There is no index: the chain of packets is walked once on
opening, their heads alone. Where it breaks, the next head of a packet of polarity events is searched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from neuroclip_drivers.files.aedat2 import read_hash_header
from neuroclip_drivers.files.blocks import ByteBlockFile
from neuroclip_drivers.files.event_file import FileOptions, StreamChoice
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

_HEADER_BYTES = 1 << 18
_HEAD = np.dtype(
    [
        ("type", "<i2"),
        ("source", "<i2"),
        ("size", "<i4"),
        ("offset", "<i4"),
        ("overflow", "<i4"),
        ("capacity", "<i4"),
        ("number", "<i4"),
        ("valid", "<i4"),
    ]
)
_POLARITY = 1
_MARK = (8).to_bytes(4, "little") + (4).to_bytes(4, "little")
"""Size of a polarity event and where its time is: bytes 4 to 12 of a packet's head."""
_MOST_EVENTS = 1 << 24
_WINDOW = 1 << 20
_GROUP_BYTES = 1 << 20
_SIZES = (
    ("dvs128", (128, 128)),
    ("davis128", (128, 128)),
    ("davis208", (208, 192)),
    ("davis240", (240, 180)),
    ("davis346", (346, 260)),
    ("davis640", (640, 480)),
)


class Aedat3File(ByteBlockFile):
    """A recording in AEDAT 3.0 or 3.1.

    Raises
    ------
    UserError
        When its packets are packed in a way that is not known, the source that is asked for is not there, or
        it holds no event.
    """

    format = "AEDAT 3"

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        lines, begin = read_hash_header(self._pread(_HEADER_BYTES, 0))
        self.format = "AEDAT " + lines[0][len("#!AER-DAT") :] if lines else self.format
        packing = next((m[1] for line in lines if (m := re.match(r"#\s*Format:\s*(\S+)", line))), "RAW")
        if "serial" in packing.lower():
            raise UserError(f"{self.path} is packed as {packing}. Convert it with cAER or jAER to RAW first.")
        sources = dict(
            (int(m[1]), m[2]) for line in lines if (m := re.match(r"#\s*Source\s+(\d{1,4}):\s*(\S+)", line))
        )
        self._rows: list[tuple[int, int, int, int]] = []
        self._walk(begin)
        present = sorted({source for source, *_ in self._rows})
        chosen = self._choose(sources, present)
        self.choices = tuple(
            StreamChoice(str(number), f"{number} {sources.get(number, '')}".strip()) for number in present
        )
        self.chosen = str(chosen)
        self._rows = [row for row in self._rows if row[0] == chosen]
        self.camera = sources.get(chosen, "")
        self._settle()
        plain = self.camera.lower().replace(" ", "")
        size = next((Resolution(*size) for name, size in _SIZES if plain.startswith(name)), None)
        self.resolution = self.options.sensor or size or self._guess_resolution()

    def _choose(self, sources: dict[int, str], present: list[int]) -> int:
        wanted = self.options.stream
        if wanted is None:
            if len(present) > 1:
                listed = "; ".join(f"{n} {sources.get(n, '')}".strip() for n in present)
                self._say(f"plays source {present[0]} of {listed} (choose with --stream)")
            return present[0] if present else 0
        for number in present:
            if wanted.strip() in (str(number), sources.get(number)):
                return number
        listed = "; ".join(f"{n} {sources.get(n, '')}".strip() for n in present) or "none"
        raise UserError(f"{self.path} has no source {wanted!r}. Choose with --stream: {listed}.")

    def _walk(self, position: int) -> None:
        """Find the packets of polarity events: (source, position of the first event, count, overflow)."""
        lost = 0
        base, window = 0, b""
        while position + _HEAD.itemsize <= self._size:
            if not base <= position <= base + len(window) - _HEAD.itemsize:
                base, window = position, self._pread(_WINDOW, position)
                if len(window) < _HEAD.itemsize:
                    break
            head = np.frombuffer(window, dtype=_HEAD, count=1, offset=position - base)[0]
            body = int(head["size"]) * int(head["capacity"])
            good = (
                0 <= head["type"] < 128
                and 0 <= head["source"] < 256
                and 0 < head["size"] <= 1 << 28
                and 0 <= head["number"] <= head["capacity"]
                and 0 <= body <= 1 << 30
                and 0 <= head["overflow"]
                and (head["type"] != _POLARITY or (head["size"] == 8 and head["offset"] == 4))
            )
            if not good:
                found = self._search(position + 1)
                lost += found - position
                position = found
                continue
            start = position + _HEAD.itemsize
            whole = min(int(head["number"]), max(0, self._size - start) // 8)
            if head["type"] == _POLARITY and whole:
                for part in range(0, whole, _MOST_EVENTS):
                    count = min(_MOST_EVENTS, whole - part)
                    self._rows.append((int(head["source"]), start + 8 * part, count, int(head["overflow"])))
            position = start + body
        if lost:
            self._note_damage(
                "lost", f"the recording is damaged: {lost:,} bytes are lost; the rest is played"
            )
        if position != self._size:
            self._note_damage(
                "cut",
                "the recording ends in the middle of a packet: it was cut off; what came before is played",
            )

    def _search(self, position: int) -> int:
        """Return where the next head of a polarity packet is, or the end of the file."""
        while position < self._size:
            data = self._pread(_WINDOW, position)
            at = data.find(_MARK, 4)
            while at >= 0:
                if data[at - 4 : at - 2] == b"\1\0":
                    return position + at - 4
                at = data.find(_MARK, at + 1)
            if len(data) <= len(_MARK) + 4:
                break
            position += len(data) - len(_MARK) - 3
        return self._size

    def _block_count(self) -> int:
        return len(self._rows)

    def _find_start(self, block: int) -> int | None:
        _, position, _, overflow = self._rows[block]
        data = self._pread(8, position)
        return (overflow << 31) + int.from_bytes(data[4:8], "little") if len(data) == 8 else None

    def _decode_from(self, block: int) -> Iterator[Packet]:
        while block < len(self._rows) and not self._closed:
            stop = block + 1
            begin = self._rows[block][1]
            while (
                stop < len(self._rows)
                and self._rows[stop][1] + 8 * self._rows[stop][2] - begin <= _GROUP_BYTES
            ):
                stop += 1
            last = self._rows[stop - 1]
            data = self._pread(last[1] + 8 * last[2] - begin, begin)
            if self._closed:
                return
            parts = []
            for number in range(block, stop):
                _, position, count, overflow = self._rows[number]
                words = np.frombuffer(data[position - begin : position - begin + 8 * count], dtype=np.uint8)
                if len(words) < 8 * count:
                    self._note_bad(number, count - len(words) // 8)
                parts.append(_events(words[: len(words) // 8 * 8].view("<u4").reshape(-1, 2), overflow))
            yield np.concatenate(parts).view(EVENT_DTYPE).reshape(-1)
            block = stop


def _events(words: Any, overflow: int) -> Any:
    """Return packet words (N, 2) as the memory of events, (N, 2) int64; invalid ones are left out."""
    address = words[:, 0].astype(np.int64)
    pairs = np.empty((len(words), 2), dtype=np.int64)
    pairs[:, 0] = words[:, 1].astype(np.int64) + (overflow << 31)
    pairs[:, 1] = (address >> 17) | (((address >> 2) & 0x7FFF) << 16) | (((address >> 1) & 1) << 32)
    valid = (address & 1) == 1
    return pairs if valid.all() else pairs[valid]
