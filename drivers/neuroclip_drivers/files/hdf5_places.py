"""Where the rows of a table lie in an HDF5 file: without compression they are read from there, as they are.

The process that reads HDF5 (:mod:`neuroclip_drivers.files.hdf5_worker`) says where; bytes that it would copy
through the library, into shared memory and out of it again are read once. A hole in the file that the
library fills, filters, and rows that are cut in two are left to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.portable_io import OpenFile

Span = tuple[int, int]
"""Where rows lie one after the other, in bytes from the file's beginning, and how many they are."""

_FEWEST_ROWS = 8192
"""Of a chunk: to ask for many small ones costs more than to let the library copy them."""
_LONGEST_ROW = 64


@dataclass(frozen=True)
class Stored:
    """A column as it lies in a data set.

    ``data`` is h5py's, ``at`` where the column begins within a row, in bytes.
    """

    data: Any
    at: int
    dtype: np.dtype[Any]


def describe(columns: Mapping[str, Stored]) -> dict[str, Any] | None:
    """Return the layout of columns for :class:`StoredRows`; None where rows are not stored as they are."""
    import h5py

    sets = _sets(columns)
    for data in sets:
        made_of, chunk = data.id.get_create_plist(), data.chunks
        if made_of.get_nfilters() or _row_bytes(data) > _LONGEST_ROW or data.dtype.hasobject:
            return None
        if made_of.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
            return None
        if chunk is not None and (chunk[0] < _FEWEST_ROWS or chunk[1:] != data.shape[1:]):
            return None
        if not data.id.get_type().equal(h5py.h5t.py_create(data.dtype, logical=True)):
            return None  # numbers of a form that NumPy does not have
    names = [data.name for data in sets]
    return {
        "steps": [_row_bytes(data) for data in sets],
        "columns": {
            key: [names.index(each.data.name), each.at, each.dtype.str] for key, each in columns.items()
        },
    }


def find_spans(columns: Mapping[str, Stored], first: int, count: int) -> list[list[Span]] | None:
    """Return for each data set where its rows lie; None where some lie nowhere: the library fills them."""
    found = []
    for data in _sets(columns):
        spans = _spans(data, first, count)
        if spans is None:
            return None
        found.append(spans)
    return found


def _sets(columns: Mapping[str, Stored]) -> list[Any]:
    return list({each.data.name: each.data for each in columns.values()}.values())


def _row_bytes(data: Any) -> int:
    return int(data.dtype.itemsize * np.prod(data.shape[1:], dtype=np.int64))


def _spans(data: Any, first: int, count: int) -> list[Span] | None:
    step = _row_bytes(data)
    if data.chunks is None:
        begin = data.id.get_offset()
        return None if begin is None else [(begin + first * step, count)]
    spans, rows, rest = [], int(data.chunks[0]), [0] * (data.ndim - 1)
    while count > 0:
        number, inside = divmod(first, rows)
        chunk = data.id.get_chunk_info_by_coord((number * rows, *rest))
        if chunk.byte_offset is None or chunk.filter_mask:
            return None
        part = min(count, rows - inside)
        spans.append((chunk.byte_offset + inside * step, part))
        first, count = first + part, count - part
    return spans


class StoredRows:
    """Reads columns from where they lie.

    Parameters
    ----------
    file : OpenFile
    layout : dict
        As :func:`describe` gives it.
    """

    def __init__(self, file: OpenFile, layout: Mapping[str, Any]) -> None:
        self._file = file
        self._steps = [int(step) for step in layout["steps"]]
        self._columns = {
            key: (int(number), int(at), np.dtype(kind))
            for key, (number, at, kind) in layout["columns"].items()
        }

    def read(self, spans: list[list[Span]], first: int, count: int) -> dict[str, npt.NDArray[Any]] | None:
        """Return columns of ``count`` rows, ``first`` counted from the first of the spans.

        None where the file is shorter than it was when it was opened, or the disk fails.
        """
        rows = []
        for each, step in zip(spans, self._steps, strict=True):
            data = self._gather(each, step, first, count)
            if len(data) != count * step:
                return None
            rows.append(data)
        return {
            key: np.ndarray((count,), kind, rows[number], at, (self._steps[number],))
            for key, (number, at, kind) in self._columns.items()
        }

    def _gather(self, spans: list[Span], step: int, skip: int, rows: int) -> bytes:
        parts = []
        for begin, held in spans:
            if skip >= held:
                skip -= held
                continue
            part = min(rows, held - skip)
            parts.append(self._file.read(part * step, begin + skip * step))
            skip, rows = 0, rows - part
            if not rows:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)
