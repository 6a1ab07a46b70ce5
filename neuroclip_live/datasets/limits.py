"""What a data set's file may ask for, looked at before it is read: sizes, arrays, names of other files."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

MAX_SAMPLE_BYTES = 1 << 28
"""Largest sample that is read, and largest once unpacked: 256 MiB are 50 million events of N-MNIST's kind."""


class UnreadableSample(Exception):
    """A file that is not what its place says it is; the message says why, in a few words."""


def check_size(path: Path) -> None:
    """Refuse a file too large to be one sample.

    Raises
    ------
    UnreadableSample, OSError
    """
    size = path.stat().st_size
    if size > MAX_SAMPLE_BYTES:
        raise UnreadableSample(f"{size:,} bytes are too many for one sample")


def check_npz(path: Path) -> None:
    """Look through a ``.npz`` without unpacking it: how large it gets, and whether it says so truly.

    A few kilobytes can unpack to gigabytes, and an array's header can ask for any amount of memory. Arrays of
    Python objects are pickled and refused here as well as by NumPy (``allow_pickle=False``).

    Raises
    ------
    UnreadableSample, OSError, ValueError, zipfile.BadZipFile
    """
    check_size(path)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_SAMPLE_BYTES:
            raise UnreadableSample("it unpacks to more than one sample can hold")
        for entry in entries:
            with archive.open(entry) as stream:
                _check_array(stream, entry.filename, entry.file_size)


def check_npy(path: Path) -> None:
    """Look at what a ``.npy`` says of its array before that is loaded.

    Raises
    ------
    UnreadableSample, OSError, ValueError
    """
    with path.open("rb") as stream:
        _check_array(stream, path.name, path.stat().st_size)


def _check_array(stream: Any, name: str, size: int) -> None:
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise UnreadableSample(f"{name} is of a version of NumPy's format that is not known")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise UnreadableSample(f"{name} holds pickled objects, which are never loaded")
    if math.prod(shape) * dtype.itemsize > size:
        raise UnreadableSample(f"{name} claims to be larger than it is")


def inside(folder: Path, name: str) -> Path | None:
    """Return the file ``name`` of a folder; None where the name, or a link by that name, leads out of it.

    Parameters
    ----------
    folder : Path
    name : str
        As it stands in a file that somebody else wrote.
    """
    if not name or "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    home = folder.resolve()
    place = (home / name).resolve()
    return folder / name if place != home and place.is_relative_to(home) else None
