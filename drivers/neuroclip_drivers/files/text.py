"""Events as lines of text: CSV, and columns with spaces between them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files.blocks import ByteBlockFile
from neuroclip_drivers.files.columns import Columns, by_name, by_values, guess_unit
from neuroclip_drivers.files.event_file import LARGEST_SIDE, TIME_UNITS, FileOptions
from neuroclip_drivers.files.text_parsing import MOST_COLUMNS, parse_lines
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet

_BLOCK_BYTES = 1 << 20
_PROBE_BYTES = 1 << 16
_ROOM = 1 << 16


class TextFile(ByteBlockFile):
    """A text file with a line for each event: time, column, row and polarity in any order, and perhaps more.

    A first line may name the columns, or give width and height alone; lines that begin with # or % are
    comments.

    Raises
    ------
    UserError
        When it is not certain which column is which, or no line is an event.
    """

    format = "text"

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        probe = self._pread(_PROBE_BYTES, 0)
        lines, self._begin = probe.split(b"\n"), 0
        if len(probe) == _PROBE_BYTES:
            lines.pop()
        rows: list[list[float]] = []
        columns, unit, size = None, self.options.time_unit, None
        said_unit = None
        for line in lines:
            plain = line.decode("latin-1").strip()
            words = _split(plain)
            if not words or plain[0] in "#%":
                found = by_name(_split(plain.strip(" #%")))
                columns, said_unit = (found[0], found[1]) if found[0] and not rows else (columns, said_unit)
                self._begin += 0 if rows else len(line) + 1
                continue
            numbers = _numbers(words)
            if numbers is None and not rows and columns is None:
                columns, said_unit = by_name(words)
                size = size or _sizes_in(words)
                self._begin += len(line) + 1
                if columns is None:
                    raise UserError(
                        f"{self.path} names its columns {', '.join(words[:8])[:80]}: which are time, "
                        "position and polarity is not known. Call them t, x, y and p."
                    )
                continue
            if numbers is not None and len(numbers) == 2 and not rows:
                self._begin += len(line) + 1
                if all(n == int(n) and 0 < n <= LARGEST_SIDE for n in numbers):
                    size = Resolution(int(numbers[0]), int(numbers[1]))
                continue
            if numbers is not None:
                rows.append(numbers)
        columns = columns or self._by_values(rows)
        self._columns = np.array(columns, dtype=np.int64)
        if max(columns) >= MOST_COLUMNS:
            raise UserError(f"{self.path} has more than {MOST_COLUMNS} columns. Leave only t, x, y and p.")
        if unit is None and said_unit is None:
            times = np.array([row[columns.t] for row in rows if len(row) > columns.t])
            unit = guess_unit(times)
            self._say(f"time is taken to be in {unit} (else --time-unit)")
        self._unit_ns = TIME_UNITS[unit or said_unit or "us"]
        self._open_end = self._pread(1, self._size - 1) != b"\n"  # a last line without an end, taken if whole
        self._settle()
        self.resolution = self.options.sensor or size or self._guess_resolution()

    def _by_values(self, rows: list[list[float]]) -> Columns:
        width = max((len(row) for row in rows), key=[len(row) for row in rows].count, default=0)
        table = np.array([row for row in rows if len(row) == width], dtype=np.float64)
        found = by_values(table) if len(table) else None
        if found is None:
            raise UserError(
                f"{self.path} does not tell which of its {width} columns is which. Name them in its first "
                "line: t,x,y,p in the order in which they are."
                if width >= 4
                else f"{self.path} is no recording that is known here: no line of it is an event. "
                "Run 'neuroclip-live doctor' to see which formats are."
            )
        return found

    def _block_count(self) -> int:
        return max(1, -(-(self._size - self._begin) // _BLOCK_BYTES))

    def _find_start(self, block: int) -> int | None:
        position, data = self._begin + block * _BLOCK_BYTES, b""
        if position < self._size:
            data = self._pread(1 << 12, max(self._begin, position - 1))
        if block:
            data = data[data.find(b"\n") + 1 :] if b"\n" in data else b""
        data = data[: data.rfind(b"\n") + 1]
        out = np.empty(2, dtype=np.int64)
        _, events, _ = parse_lines(np.frombuffer(data, dtype=np.uint8), self._columns, self._unit_ns, out)
        return int(out[0]) if events else None

    def _decode_from(self, block: int) -> Iterator[Packet]:
        position = self._begin + block * _BLOCK_BYTES
        rest = b""
        if block:
            position -= 1
        skip = block > 0
        out = np.empty(_ROOM, dtype=EVENT_DTYPE)
        pairs = out.view(np.int64)
        while position < self._size and not self._closed:
            data = self._pread(_BLOCK_BYTES, position)
            number = max(0, position + 1 - self._begin) // _BLOCK_BYTES
            if not data:
                if not self._closed:
                    self._note_bad(number)
                return
            position += len(data)
            if skip:
                at = data.find(b"\n")
                if at < 0:
                    continue
                data, skip = data[at + 1 :], False
            data = rest + data
            if position >= self._size and self._open_end:
                data += b"\n"
            end = data.rfind(b"\n") + 1
            if not end and len(data) > _BLOCK_BYTES:
                self._note_bad(number)  # a line of a megabyte is none
                rest, skip = b"", True
                continue
            rest = data[end:]
            yield from self._lines(np.frombuffer(data[:end], dtype=np.uint8), number, out, pairs)

    def _lines(
        self, text: npt.NDArray[np.uint8], number: int, out: Packet, pairs: npt.NDArray[np.int64]
    ) -> Iterator[Packet]:
        done = 0
        while done < len(text):
            used, events, bad = parse_lines(text[done:], self._columns, self._unit_ns, pairs)
            if bad:
                self._note_bad(number, bad)
            if events:
                yield copy_packet(out[:events])
            if not used:
                return
            done += used


def _split(line: str) -> list[str]:
    """Return the columns of a line; where commas or semicolons part them, empty ones too."""
    if "," in line or ";" in line:
        return [word.strip() for word in re.split("[,;]", line)]
    return [word for word in re.split(r"\s+(?![\[(])", line) if word]


def _numbers(words: list[str]) -> list[float] | None:
    values = []
    for word in words:
        try:
            values.append(float({"True": "1", "False": "0", "": "nan"}.get(word, word)))
        except ValueError:
            return None
    return values


def _sizes_in(names: list[str]) -> Resolution | None:
    """Return the sensor size in a first line as faery writes it: "t,x@640,y@480,on"."""
    found = dict(name.lower().partition("@")[::2] for name in names)
    sides = (found.get("x", ""), found.get("y", ""))
    if all(side.isdigit() and len(side) < 9 and 0 < int(side) <= LARGEST_SIDE for side in sides):
        return Resolution(int(sides[0]), int(sides[1]))
    return None
