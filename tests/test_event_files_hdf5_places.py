"""Rows of an HDF5 file that are read from where they lie, and those that the library has to give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import event_files as made
import numpy as np
import pytest

from neuroclip_drivers.files.hdf5 import Hdf5File
from neuroclip_drivers.files.open_file import open_event_file

h5py = pytest.importorskip("h5py")
EVENTS = made.scene(count=150_000)
"""More than two blocks, (N, 4) of x, y, t, p."""
Write = Callable[[Any], None]


def _columns(file: Any, kinds: str = "<u2 <u2 <i8 u1", **how: Any) -> None:
    for name, column, kind in zip("xytp", EVENTS.T, kinds.split(), strict=True):
        file.create_dataset(f"events/{name}", data=column.astype(kind), **how)


def _compound(file: Any, *, align: bool = False, **how: Any) -> None:
    dtype = np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "u1"), ("t", "<i8")], align=align)
    rows = np.zeros(len(EVENTS), dtype=dtype)
    rows["x"], rows["y"], rows["t"], rows["p"] = EVENTS.T
    file.create_dataset("CD/events", data=rows, **how)


def _table(file: Any, kind: str, **how: Any) -> None:
    file.create_dataset("events", data=EVENTS[:, [2, 0, 1, 3]].astype(kind), **how)


def _with_a_hole(file: Any) -> None:
    _columns(file, chunks=(50_000,))
    del file["events/p"]
    polarity = file.create_dataset("events/p", len(EVENTS), "u1", chunks=(50_000,), fillvalue=1)
    polarity[100_000:] = EVENTS[100_000:, 3]  # the first two chunks are nowhere


def _of_24_bits(file: Any) -> None:
    _columns(file)
    del file["events/x"]
    kind = h5py.h5t.STD_U32LE.copy()
    kind.set_precision(24)
    kind.set_offset(8)  # the number is in the upper bytes
    space = h5py.h5s.create_simple((len(EVENTS),))
    data = h5py.h5d.create(file["events"].id, b"x", kind, space)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(EVENTS[:, 0].astype("<u4")))


AS_THEY_LIE: dict[str, Write] = {
    "columns in one piece": _columns,
    "columns in chunks": lambda file: _columns(file, chunks=(40_000,), maxshape=(None,)),
    "big-endian": lambda file: _columns(file, ">u2 >u2 >i8 >i2"),
    "polarity as true and false": lambda file: _columns(file, "<u2 <u2 <i8 ?"),
    "fractions": lambda file: _columns(file, "<f4 <f4 <f8 i1"),
    "rows of fields": _compound,
    "rows of fields with gaps, in chunks": lambda file: _compound(file, align=True, chunks=(16_384,)),
    "a table": lambda file: _table(file, "<i8"),
    "a table in chunks": lambda file: _table(file, "<u4", chunks=(10_000, 4), maxshape=(None, 4)),
}
BY_THE_LIBRARY: dict[str, Write] = {
    "compressed": lambda file: _columns(file, compression="gzip"),
    "shuffled": lambda file: _columns(file, shuffle=True, chunks=(40_000,)),
    "small chunks": lambda file: _columns(file, chunks=(1000,)),
    "chunks of half a row": lambda file: _table(file, "<u4", chunks=(10_000, 2)),
    "chunks that were never written": _with_a_hole,
    "numbers of 24 bits": _of_24_bits,
}


def _expected(path: Path) -> np.ndarray:
    """Return x, y, t, p as h5py reads them."""
    with h5py.File(path, "r") as file:
        if "CD" in file:
            return np.stack([file["CD/events"][name].astype(np.int64) for name in "xytp"], axis=1)
        if isinstance(file["events"], h5py.Dataset):
            return file["events"][:].astype(np.int64)[:, [1, 2, 0, 3]]
        return np.stack([file[f"events/{name}"][:].astype(np.int64) for name in "xytp"], axis=1)


def _read(file: Any, from_us: int | None = None) -> np.ndarray:
    packets = [
        np.stack([packet[name].astype(np.int64) for name in "xytp"], axis=1) for packet in file.read(from_us)
    ]
    return np.concatenate(packets)


@pytest.mark.parametrize(
    ("layout", "userblock"),
    [
        *((name, 0) for name in AS_THEY_LIE | BY_THE_LIBRARY),
        ("columns in one piece", 512),
        ("a table in chunks", 2048),
    ],
)
def test_it_reads_what_the_library_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, userblock: int
) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=userblock) as written:
        (AS_THEY_LIE | BY_THE_LIBRARY)[layout](written)
    asked: list[int] = []
    by_library = Hdf5File._ask_rows
    monkeypatch.setattr(
        Hdf5File, "_ask_rows", lambda file, block: asked.append(block) or by_library(file, block)
    )
    file = open_event_file(path)
    expected = _expected(path)
    assert np.array_equal(expected[:, :3], EVENTS[:, :3])
    assert np.array_equal(_read(file), expected)
    middle = int(expected[len(expected) // 2, 2])
    assert np.array_equal(_read(file, middle), expected[int(np.argmax(expected[:, 2] >= middle)) :])
    assert not file.losses
    file.close()
    assert bool(asked) == (layout in BY_THE_LIBRARY)


def test_a_file_that_is_cut_while_it_is_read_loses_what_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as written:
        _columns(written)
        place = written["events/p"].id.get_offset()
    file = open_event_file(path)
    with path.open("r+b") as changed:
        changed.truncate(place + 70_000)  # polarities lie last
    assert np.array_equal(_read(file), EVENTS[: 1 << 16])
    assert "2 damaged parts were left out (about 94,464 events)" in file.losses
    file.close()


def test_values_that_are_no_number_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as written:
        _columns(written, "<u2 <u2 <f8 u1")
        written["events/t"][[5, 70_000]] = np.nan
    file = open_event_file(path)
    assert np.array_equal(_read(file), np.delete(EVENTS, [5, 70_000], axis=0))
    assert "2 damaged parts were left out (about 2 events)" in file.losses
    file.close()
