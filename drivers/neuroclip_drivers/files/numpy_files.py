"""NumPy's ``.npy`` and ``.npz``: structured arrays, arrays (N, 4), and an array for each column.

Nothing is unpickled, and nothing is loaded whole: an ``.npy`` is read by position, an ``.npz`` as a stream,
as its compression allows nothing else. Going back in one begins at its start; the times of its blocks are
kept.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.ends import first_time, last_time
from neuroclip_drivers.aedat4.file_check import turned_message
from neuroclip_drivers.files.alignment import lost_returns
from neuroclip_drivers.files.blocks import ByteBlockFile
from neuroclip_drivers.files.columns import by_name, by_values, to_packet
from neuroclip_drivers.files.event_file import LARGEST_SIDE, FileOptions, StreamChoice
from neuroclip_drivers.files.tables import BLOCK_ROWS, Rows, TableFile
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution

_MAGIC = b"\x93NUMPY"
_MOST_HEADER = 10_000
_PROBE_ROWS = 2000
_BROKEN = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    SyntaxError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    OverflowError,
    RecursionError,
    UnicodeDecodeError,
)
"""What NumPy and zipfile raise on bytes that are no array."""


class _Layout:
    """How rows become columns: one array of fields, one of four columns, or four arrays."""

    def __init__(self, names: dict[str, Any], unit: str | None = None) -> None:
        self.names, self.unit = names, unit


def _layout_of(dtype: np.dtype[Any], shape: tuple[int, ...], probe: npt.NDArray[Any]) -> _Layout | None:
    """Return how an array holds events, None when it does not.

    ``probe`` is its first rows.
    """
    if dtype.names and len(shape) == 1:
        columns, unit = by_name(dtype.names)
        if columns is None or any(dtype[dtype.names[i]].kind not in "iufb" for i in columns):
            return None
        return _Layout({key: dtype.names[i] for key, i in zip("txyp", columns, strict=True)}, unit)
    if len(shape) == 2 and shape[1] == 4 and dtype.kind in "iuf" and len(probe):
        found = by_values(probe.astype(np.float64))
        return None if found is None else _Layout(dict(zip("txyp", found, strict=True)))
    return None


def _columns(array: npt.NDArray[Any], layout: _Layout) -> Rows:
    if array.dtype.names:
        return {key: array[name] for key, name in layout.names.items()}
    return {key: array[:, place] for key, place in layout.names.items()}


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the header of an array; raises ValueError where it is none that can be read row by row."""
    version = np.lib.format.read_magic(stream)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(stream, max_header_size=_MOST_HEADER)
    if fortran and len(shape) > 1:
        raise ValueError("stored column by column")
    if dtype.hasobject or dtype.itemsize == 0 or any(side < 0 for side in shape):
        raise ValueError("no plain numbers")
    return shape, dtype


class NpyFile(TableFile, ByteBlockFile):
    """An ``.npy`` file: structured with fields for t, x, y and p, or of shape (N, 4).

    Raises
    ------
    UserError
        When it holds another array, or its columns cannot be told apart.
    """

    format = "NumPy"

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        try:
            head = io.BytesIO(self._pread(_MOST_HEADER + 12, 0))
            try:
                shape, self._dtype = _read_header(head)
            except _BROKEN as error:
                raise UserError(
                    f"{self.path} is no array of events that can be read: {_one_line(error)}. "
                    "Save a structured array with fields t, x, y, p, or an array (N, 4)."
                ) from None
            self._begin, self._shape = head.tell(), shape
            self._width = self._dtype.itemsize * int(np.prod(shape[1:], dtype=np.float64))
            probe = self._array(0, _PROBE_ROWS) if len(shape) in (1, 2) else np.empty(0)
            layout = _layout_of(self._dtype, shape, probe)
            if layout is None:
                raise UserError(
                    f"{self.path} is an array of shape {shape} and type {str(self._dtype)[:60]}: what in "
                    "it is time, position and polarity is not known. Save a structured array of t, x, y, p."
                )
            self._layout = layout
            there = max(0, self._size - self._begin) // self._width
            if there < shape[0]:
                if lost_returns(self._pread, self._begin, self._size, self._width):
                    raise UserError(turned_message(self.path))
                self._note_damage("cut", f"the file was cut off: {shape[0] - there:,} events are missing")
            self._rows = min(shape[0], there)
            self._open_table(layout.unit)
            self.resolution = options.sensor or self._guess_resolution()
        except BaseException:
            self.close()
            raise

    def _array(self, first: int, count: int) -> npt.NDArray[Any]:
        data = self._pread(min(count, 1 << 24) * self._width, self._begin + first * self._width)
        data = data[: len(data) - len(data) % self._width]
        array = np.frombuffer(data, dtype=self._dtype)
        return array.reshape(-1, *self._shape[1:]) if len(self._shape) == 2 else array

    def _read_rows(self, first: int) -> Iterator[Rows | None]:
        while first < self._rows and not self._closed:
            count = min(BLOCK_ROWS, self._rows - first)
            array = self._array(first, count)
            if self._closed:
                return
            yield _columns(array, self._layout) if len(array) == count else None
            first += count

    def _time_at(self, row: int) -> npt.NDArray[Any] | None:
        array = self._array(row, 1)
        return _columns(array, self._layout)["t"] if len(array) else None


class NpzFile(TableFile):
    """An ``.npz`` file: of N-ImageNet (``event_data``), or with an array for each of t, x, y and p.

    Raises
    ------
    UserError
        When it holds no array of events, or several and none was chosen.
    """

    format = "NumPy archive"

    def __init__(self, path: str | os.PathLike[str], options: FileOptions) -> None:
        super().__init__(path, options)
        self._archive: zipfile.ZipFile | None = None
        try:
            self._archive = zipfile.ZipFile(self.path)
            self._prepare()
        except _BROKEN as error:
            self.close()
            raise UserError(f"{self.path} is damaged: {_one_line(error)}. Use another copy of it.") from None
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        assert self._archive is not None
        found: dict[str, tuple[dict[str, str], _Layout, int]] = {}
        single: dict[str, tuple[str, tuple[int, ...], np.dtype[Any]]] = {}
        for member in self._archive.namelist()[:1000]:
            try:
                with self._archive.open(member) as stream:
                    shape, dtype = _read_header(stream)
                    name = member.removesuffix(".npy")
                    single[name] = (member, shape, dtype)
                    if len(shape) in (1, 2) and (dtype.names or shape[1:] == (4,)):
                        rows = min(_PROBE_ROWS, shape[0])
                        probe = _take(stream, rows, shape, dtype)
                        layout = _layout_of(dtype, shape, probe)
                        if layout is not None:
                            found[name] = ({"": member}, layout, shape[0])
            except _BROKEN:
                continue
        names = [
            name for name, (_, shape, dtype) in single.items() if len(shape) == 1 and dtype.kind in "iufb"
        ]
        columns, unit = by_name([name.rpartition("/")[2] for name in names])
        if columns is not None:
            members = {key: single[names[i]][0] for key, i in zip("txyp", columns, strict=True)}
            lengths = {single[names[i]][1][0] for i in columns}
            if len(lengths) > 1:
                self._note_damage("length", "its columns are of different lengths; what all have is played")
            found["t, x, y, p"] = (members, _Layout({key: key for key in "txyp"}, unit), min(lengths))
        if not found:
            listed = ", ".join(list(single)[:8]) or "nothing that can be read"
            raise UserError(
                f"{self.path} has no array of events (it holds {listed[:120]}). "
                "Save fields or arrays called t, x, y and p."
            )
        name = self._choose(list(found))
        self.choices = tuple(StreamChoice(each, each) for each in found)
        self.chosen = name
        self._members, self._layout, self._rows = found[name]
        self._times: list[npt.NDArray[Any]] = []
        self._open_table(self._layout.unit or self._stated_unit(single))
        self.resolution = self.options.sensor or self._stated_size(single) or self._guess_resolution()

    def _choose(self, names: list[str]) -> str:
        wanted = self.options.stream
        if wanted is None:
            if len(names) > 1:
                self._say(f"plays {names[0]!r}, not {', '.join(map(repr, names[1:]))} (choose with --stream)")
            return names[0]
        if wanted in names:
            return wanted
        raise UserError(
            f"{self.path} has no event stream {wanted!r}. Choose with --stream: {'; '.join(names)}."
        )

    def _scalar(
        self, single: dict[str, tuple[str, tuple[int, ...], np.dtype[Any]]], name: str
    ) -> float | None:
        if name not in single:
            return None
        member, shape, dtype = single[name]
        if dtype.kind not in "iuf" or np.prod(shape, dtype=np.float64) != 1:
            return None
        assert self._archive is not None
        try:
            with self._archive.open(member) as stream:
                _read_header(stream)
                return float(np.frombuffer(stream.read(dtype.itemsize), dtype=dtype)[0])
        except _BROKEN:
            return None

    def _stated_size(
        self, single: dict[str, tuple[str, tuple[int, ...], np.dtype[Any]]]
    ) -> Resolution | None:
        sides = [self._scalar(single, name) for name in ("width", "height")]
        if all(side is not None and 0 < side <= LARGEST_SIDE for side in sides):
            return Resolution(int(sides[0] or 0), int(sides[1] or 0))
        return None

    def _stated_unit(self, single: dict[str, tuple[str, tuple[int, ...], np.dtype[Any]]]) -> str | None:
        scale = self._scalar(single, "timestamp_scale_ms")  # as EventCV writes it
        return {1000.0: "s", 1.0: "ms", 0.001: "us", 1e-6: "ns"}.get(scale) if scale is not None else None

    def _read_rows(self, first: int) -> Iterator[Rows | None]:
        archive = self._archive
        if archive is None:
            return
        streams: dict[str, Any] = {}
        try:
            for key, member in self._members.items():
                stream = archive.open(member)
                shape, dtype = _read_header(stream)
                streams[key] = (stream, shape, dtype)
                _skip(stream, first * dtype.itemsize * int(np.prod(shape[1:], dtype=np.float64)))
            while first < self._rows and not self._closed:
                count = min(BLOCK_ROWS, self._rows - first)
                parts = {
                    key: _take(stream, count, shape, dtype) for key, (stream, shape, dtype) in streams.items()
                }
                yield parts if "t" in parts else _columns(parts[""], self._layout)
                first += count
        except _BROKEN:
            if not self._closed:
                yield None  # a deflated stream cannot be taken up again behind its damage
        finally:
            for stream, *_ in streams.values():
                stream.close()

    def _time_at(self, row: int) -> npt.NDArray[Any] | None:
        self._learn_times()
        block = row // BLOCK_ROWS
        return self._times[block] if block < len(self._times) else None

    def _learn_times(self) -> None:
        """Keep the first time of each block; once, as it takes reading the file through."""
        if not self._times:
            self._times = [rows["t"][:1].copy() for rows in self._read_rows(0) if rows is not None]

    def _settle(self) -> None:
        """Find the first and the last event in one pass, which also learns where the blocks begin."""
        starts = []
        first = last = np.empty(0, dtype=np.int64)
        falls = False
        for rows in self._read_rows(0):
            if rows is None or not len(rows["t"]):
                continue
            starts.append(rows["t"][:1].copy())
            t = to_packet(rows, self._unit, self._offset_us)[0]["t"].astype(np.int64)
            if len(t):
                falls = falls or bool((t[1:] < t[:-1]).any()) or bool(len(last) and t[0] < last[-1])
                first, last = first if len(first) else t, t
        self._times = starts
        if not len(first):
            raise UserError(f"{self.path} holds no events. Nothing was recorded; choose another recording.")
        self.first_us = first_time(first)
        self.last_us = max(self.first_us, last_time(last))
        if falls:  # to look where takes decompressing it again
            self._find_clocks([last])

    def close(self) -> None:
        """Close the file; idempotent."""
        super().close()
        archive, self._archive = self._archive, None
        if archive is not None:
            archive.close()


def _take(stream: IO[bytes], rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Read rows of an array; raises EOFError where they end early."""
    width = dtype.itemsize * int(np.prod(shape[1:], dtype=np.float64))
    if width > 1 << 12:
        raise ValueError("rows of more than four kilobytes")
    data = stream.read(rows * width)
    if len(data) < rows * width:
        raise EOFError("the array ends early")
    array = np.frombuffer(data, dtype=dtype)
    return array.reshape(-1, *shape[1:]) if len(shape) > 1 else array


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0:
        data = stream.read(min(count, 1 << 20))
        if not data:
            raise EOFError("the array ends early")
        count -= len(data)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
