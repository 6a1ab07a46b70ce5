"""Finds the tables of events in an HDF5 file, in the process that reads it.

Layouts that are known: OpenEB (``CD/events``, also with ECF), DSEC (``events/t`` …, ``t_offset``), MVSEC
(``events`` of N x 4 in a group for each camera), v2e, e2calib, M3ED, EventCV, and whatever else has four
columns that can be told apart. Links to other files are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.files.columns import by_name, by_values
from neuroclip_drivers.files.event_file import LARGEST_SIDE
from neuroclip_drivers.files.hdf5_places import Stored

_MOST_OBJECTS = 20_000
PROBE_ROWS = 2000


@dataclass
class Table:
    """A place in a file that holds events.

    ``columns(first, count)`` gives columns t, x, y and p, ``time(row)`` one time, ``stored`` where the
    library has them from; None where rows are not what is stored.
    """

    name: str
    rows: int
    columns: Callable[[int, int], dict[str, npt.NDArray[Any]]]
    time: Callable[[int], npt.NDArray[Any]]
    unit: str | None
    size: tuple[int, int] | None = None
    offset_us: int = 0
    stored: dict[str, Stored] | None = None


def find_tables(file: Any) -> tuple[list[Table], str]:
    """Return the tables of events in an open file, and what is missing to read one more, as one line."""
    import h5py

    datasets: dict[str, Any] = {}
    lacking = ""

    def visit(name: str, node: Any) -> bool | None:
        if isinstance(node, h5py.Dataset) and not node.is_virtual and not node.external:
            datasets[name] = node
        return True if len(datasets) > _MOST_OBJECTS else None

    file.visititems(visit)
    tables: list[Table] = []
    groups: dict[str, dict[str, Any]] = {}
    for name, data in datasets.items():
        groups.setdefault(name.rpartition("/")[0], {})[name.rpartition("/")[2]] = data
        try:
            lacking = lacking or _lacking_filter(data)
            found = _compound(name, data) or _four_columns(name, data)
        except (OSError, ValueError, TypeError, RuntimeError, KeyError):
            continue
        if found is not None:
            tables.append(found)
    for name, members in groups.items():
        names = [n for n, data in members.items() if data.ndim == 1 and data.dtype.kind in "iufb"]
        columns, unit = by_name(names)
        if columns is not None:
            tables.append(_group(name, [members[names[i]] for i in columns], unit))
    for table in tables:
        table.size = _size_near(file, table.name)
        table.offset_us, table.unit = _time_near(file, table.name, table.offset_us), table.unit
    return [table for table in tables if table.rows > 0], lacking


def _filters(data: Any) -> list[tuple[int, str]]:
    plist = data.id.get_create_plist()
    return [
        (f[0], f[3].decode("ascii", "replace")) for f in map(plist.get_filter, range(plist.get_nfilters()))
    ]


def _lacking_filter(data: Any) -> str:
    import h5py

    from neuroclip_drivers.files.ecf import FILTER_ID

    for number, name in _filters(data):
        if number != FILTER_ID and not h5py.h5z.filter_avail(number):
            return f"it is compressed with {name.split()[0] if name.strip() else f'filter {number}'}"
    return ""


def _compound(name: str, data: Any) -> Table | None:
    if data.ndim != 1 or not data.dtype.names:
        return None
    columns, unit = by_name(data.dtype.names)
    if columns is None or any(data.dtype[i].kind not in "iufb" for i in columns):
        return None
    names = {key: data.dtype.names[i] for key, i in zip("txyp", columns, strict=True)}
    from neuroclip_drivers.files.ecf import FILTER_ID

    if any(number == FILTER_ID for number, _ in _filters(data)):
        chunks = _EcfChunks(data)
        return Table(name, len(data), chunks.columns, chunks.time, unit)

    def read(first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        rows = data[first : first + count]
        return {key: rows[field] for key, field in names.items()}

    fields = {key: data.dtype.fields[field] for key, field in names.items()}
    stored = {key: Stored(data, field[1], field[0]) for key, field in fields.items()}
    return Table(name, len(data), read, lambda row: data[row : row + 1][names["t"]], unit, stored=stored)


class _EcfChunks:
    """Rows of a data set that is compressed with ECF, of which one chunk is kept."""

    def __init__(self, data: Any) -> None:
        self._data, self._rows = data, int(data.chunks[0])
        self._kept: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty((0, 2), dtype=np.int64))

    def _chunk(self, number: int) -> npt.NDArray[np.int64]:
        from neuroclip_drivers.files.ecf import decode_ecf

        if self._kept[0] != number:
            mask, raw = self._data.id.read_direct_chunk((number * self._rows,))
            if mask & 1:
                raise ValueError("a chunk that is not compressed as the others")
            self._kept = (number, decode_ecf(raw))
        return self._kept[1]

    def columns(self, first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        parts = []
        end = min(first + count, len(self._data))
        while first < end:
            number, inside = divmod(first, self._rows)
            part = self._chunk(number)[inside : inside + end - first]
            if not len(part):
                raise ValueError("a chunk of fewer events than it should have")
            parts.append(part)
            first += len(part)
        pairs = np.concatenate(parts)
        rest = pairs[:, 1]
        return {"t": pairs[:, 0], "x": rest & 0xFFFF, "y": (rest >> 16) & 0xFFFF, "p": rest >> 32}

    def time(self, row: int) -> npt.NDArray[Any]:
        return self.columns(row, 1)["t"]


def _four_columns(name: str, data: Any) -> Table | None:
    if data.ndim != 2 or data.shape[1] != 4 or data.dtype.kind not in "iuf" or not len(data):
        return None
    found = by_values(data[:PROBE_ROWS].astype(np.float64))
    if found is None:
        return None

    def read(first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        rows = data[first : first + count]
        return {key: rows[:, place] for key, place in zip("txyp", found, strict=True)}

    stored = {
        key: Stored(data, place * data.dtype.itemsize, data.dtype)
        for key, place in zip("txyp", found, strict=True)
    }
    return Table(name, len(data), read, lambda row: data[row : row + 1, found.t], None, stored=stored)


def _group(name: str, columns: list[Any], unit: str | None) -> Table:
    def read(first: int, count: int) -> dict[str, npt.NDArray[Any]]:
        return {key: data[first : first + count] for key, data in zip("txyp", columns, strict=True)}

    rows = min(len(data) for data in columns)
    stored = {key: Stored(data, 0, data.dtype) for key, data in zip("txyp", columns, strict=True)}
    return Table(name or "/", rows, read, lambda row: columns[0][row : row + 1], unit, stored=stored)


def _size_near(file: Any, name: str) -> tuple[int, int] | None:
    """Return the sensor's size as attributes of the table, or of the groups it is in, tell it."""
    place = name
    while True:
        try:
            attributes = dict(file[place or "/"].attrs)
        except (KeyError, OSError, RuntimeError, ValueError):
            attributes = {}
        shape = re.fullmatch(r"(\d{1,5})x(\d{1,5})", _text(attributes.get("geometry", "")))
        sides: Any = (int(shape[1]), int(shape[2])) if shape else None
        if sides is None and {"width", "height"} <= attributes.keys():
            sides = (attributes["width"], attributes["height"])
        if sides is None and np.shape(attributes.get("sensor_resolution", ())) == (2,):
            sides = tuple(attributes["sensor_resolution"])[::-1]  # rows first
        try:
            if sides is not None and all(0 < int(side) <= LARGEST_SIDE for side in sides):
                return int(sides[0]), int(sides[1])
        except (TypeError, ValueError):
            pass
        if not place or place == "/":
            return None
        place = place.rpartition("/")[0]


def _time_near(file: Any, name: str, offset_us: int) -> int:
    """Return DSEC's offset of all times, in microseconds; 0 where there is none."""
    for place in (f"{name.rpartition('/')[0]}/t_offset", "t_offset"):
        node = file.get(place.lstrip("/"), getlink=False) if place.lstrip("/") in file else None
        if node is not None and getattr(node, "shape", None) == () and node.dtype.kind in "iu":
            return int(node[()])
    return offset_us


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
