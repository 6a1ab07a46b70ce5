"""Prophesee RAW recordings: a header of text, and words in one of three encodings."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.file_check import turned_message
from neuroclip_drivers.files import evt_decoding as evt
from neuroclip_drivers.files.alignment import cut_note, lost_returns
from neuroclip_drivers.files.blocks import ByteBlockFile
from neuroclip_drivers.files.event_file import LARGEST_SIDE, FileOptions
from neuroclip_drivers.files.evt_time import high_times
from neuroclip_drivers.files.wrapped_time import Sample, WrappedTime
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet

_HEADER_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
_AHEAD_BYTES = 1 << 16
"""Read beyond a block: what follows a word of time tells whether it is right."""
_ROOM = 1 << 16
"""Events of room for the decoder: a packet."""

_WORD_BYTES = {"EVT2": 4, "EVT21": 8, "EVT3": 2}
_NAMES = {"EVT2": "EVT2", "EVT21": "EVT2.1", "EVT3": "EVT3"}
_GENERATIONS = {
    "3.0": (640, 480),
    "3.1": (640, 480),
    "4.0": (1280, 720),
    "4.1": (1280, 720),
    "4.2": (1280, 720),
}


class EvtFile(ByteBlockFile):
    """A RAW file.

    Parameters
    ----------
    path : path-like
    options : FileOptions

    Raises
    ------
    UserError
        When the header is missing or names an encoding that is not known, or no event can be read.
    """

    _overlap = 1  # a block begins without its row and, it may be, without its time

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        fields, self._begin = read_percent_header(self._pread(_HEADER_BYTES, 0))
        self._encoding, size, self._swapped = _encoding(fields)
        if not self._encoding:
            raise UserError(
                f"{self.path} does not say how its events are encoded (no '% format' or '% evt' line). "
                "Give a RAW file of EVT2, EVT2.1 or EVT3."
            )
        if self._encoding not in _WORD_BYTES:
            raise UserError(
                f"{self.path} is encoded as {self._encoding}, which is not known. "
                "Give a RAW file of EVT2, EVT2.1 or EVT3."
            )
        self.format = f"Prophesee {_NAMES[self._encoding]}"
        self.camera = _camera(fields)
        self._word = _WORD_BYTES[self._encoding]
        if lost_returns(self._pread, self._begin, self._size, self._word):
            raise UserError(turned_message(self.path))
        if missing := cut_note(self._pread, self._begin, self._size, self._word):
            self._note_damage("hole", missing)
        rest = (self._size - self._begin) % self._word
        if rest:
            self._note_damage("cut", "the recording ends in the middle of a word: it was cut off")
        self._end = self._size - rest
        span = evt.RANGE_EVT3 if self._encoding == "EVT3" else evt.RANGE_EVT2
        self._clock = WrappedTime(self._block_count(), span, self._sample)
        self._settle()
        self.resolution = self.options.sensor or size or self._guess_resolution()

    def _block_count(self) -> int:
        return max(0, -(-(self._end - self._begin) // _BLOCK_BYTES))

    def _words(self, position: int, size: int) -> npt.NDArray[Any]:
        """Return whole words from a position on."""
        data = self._pread(max(0, min(size, self._end - position)), position)
        data = data[: len(data) - len(data) % self._word]
        if self._encoding == "EVT3":
            return np.frombuffer(data, dtype="<u2")
        words = np.frombuffer(data, dtype="<u4")
        if self._encoding == "EVT2":
            return words
        pairs = words.reshape(-1, 2)
        # The word with the kind first: the later layout has it last in memory.
        return pairs if self._swapped else np.ascontiguousarray(pairs[:, ::-1])

    def _sample(self, block: int, whole: bool) -> Sample | None:
        size = _BLOCK_BYTES if whole else _SAMPLE_BYTES
        words = self._words(self._begin + block * _BLOCK_BYTES, size)
        if self._encoding == "EVT3":
            first, last, begun = high_times(words, 12, 0xFFF, 12)
        else:
            heads = words if self._encoding == "EVT2" else words[:, 0]
            first, last, begun = high_times(heads, 28, 0xFFFFFFF, 6)
        if first < 0:
            return None
        return Sample(first, last, begun, size / _BLOCK_BYTES, 4096 if self._encoding == "EVT3" else 64)

    def _find_start(self, block: int) -> int | None:
        return self._clock.start_of(block)

    def _decode_from(self, block: int) -> Iterator[Packet]:
        decode = _DECODERS[self._encoding]
        position = self._begin + block * _BLOCK_BYTES
        state = evt.new_state(self._clock.near(block) if block else None)
        out = np.empty(_ROOM, dtype=EVENT_DTYPE)
        pairs = out.view(np.int64)
        strange = 0
        while position < self._end:
            words = self._words(position, _BLOCK_BYTES + _AHEAD_BYTES)
            if not len(words):
                if not self._closed:
                    self._note_bad((position - self._begin) // _BLOCK_BYTES)  # the disk, or cut meanwhile
                return
            number = (position - self._begin) // _BLOCK_BYTES
            strays = int(state[evt.STRAY])
            count = min(len(words), _BLOCK_BYTES // self._word)
            done = 0
            while done < count:
                used, events = decode(words[done:], count - done, state, pairs)
                done += used
                if state[evt.STRANGE] != strange:
                    strange = int(state[evt.STRANGE])
                    self._note_bad(number)
                if state[evt.STRAY] != strays:
                    self._note_strays(number, int(state[evt.STRAY]) - strays)
                if events:
                    yield copy_packet(out[:events])
            position += count * self._word


_DECODERS: dict[str, Callable[..., tuple[int, int]]] = {
    "EVT2": evt.decode_evt2,
    "EVT21": evt.decode_evt21,
    "EVT3": evt.decode_evt3,
}


def read_percent_header(data: bytes) -> tuple[dict[str, str], int]:
    """Return the fields of a header of lines that begin with ``%``, and where it ends.

    Field names are in lower case; lines without a value have an empty one.
    """
    fields: dict[str, str] = {}
    position = 0
    while data[position : position + 2] in (b"% ", b"%\n", b"%\r"):
        end = data.find(b"\n", position)
        if end < 0:
            break
        line = data[position + 1 : end].decode("latin-1").strip()
        position = end + 1
        if line.lower() == "end":
            break
        name, _, value = line.partition(" ")
        fields[name.lower()] = value.strip()
    return fields, position


def _encoding(fields: dict[str, str]) -> tuple[str, Resolution | None, bool]:
    """Return the encoding that a header names, the sensor's size, and whether EVT2.1 lies the older way."""
    name, *details = fields.get("format", "").split(";")
    known = dict(detail.strip().lower().partition("=")[::2] for detail in details)
    name = name.strip().upper().replace(".", "")
    if not name:
        name = {"2.0": "EVT2", "2.1": "EVT21", "3.0": "EVT3"}.get(
            fields.get("evt", ""), fields.get("evt", "")
        )
    sides = (known.get("width", ""), known.get("height", ""))
    shape = re.fullmatch(r"(\d+)x(\d+)", fields.get("geometry", "").lower())
    if shape:
        sides = (shape[1], shape[2])
    size = None
    if all(side.isdigit() and len(side) < 9 and 0 < int(side) <= LARGEST_SIDE for side in sides):
        size = Resolution(int(sides[0]), int(sides[1]))
    elif fields.get("generation", "") in _GENERATIONS:
        size = Resolution(*_GENERATIONS[fields["generation"]])
    return name, size, known.get("endianness") == "legacy"


def _camera(fields: dict[str, str]) -> str:
    maker = fields.get("camera_integrator_name") or fields.get("integrator_name", "")
    sensor = fields.get("sensor_name") or fields.get("plugin_name", "").removeprefix("hal_plugin_")
    return " ".join(part for part in (maker, sensor, fields.get("serial_number", "")) if part)
