"""Which formats there are: one row for each, and what is needed to find it, open it and tell of it.

A format is found by what is in a file, not by what it is called. Its reader is imported when a file asks for
it. Another package adds one through the entry point group ``neuroclip_live.file_readers``: an entry that
loads to a :class:`FileFormat`.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from neuroclip_drivers.files.event_file import EventFile, FileOptions
from neuroclip_live.errors import UserError

GROUP = "neuroclip_live.file_readers"
HEAD_BYTES = 4096
"""How much of a file's beginning is looked at."""


@dataclass(frozen=True)
class FileFormat:
    """A format of recordings.

    Attributes
    ----------
    name : str
        For the command line and messages: "evt".
    help : str
        One line: "Prophesee RAW (EVT2, EVT2.1, EVT3)".
    suffixes : tuple of str
        What such files are usually called, for dialogs; with the dot, in lower case.
    sniff : callable
        ``sniff(head, path)`` tells whether the first ``HEAD_BYTES`` bytes are of this format; ``head`` is
        empty for a folder.
    reader : str
        "module:name" of what opens one: ``reader(path, options)`` returns an
        :class:`neuroclip_drivers.files.event_file.EventFile`.
    requires : tuple of str
        Modules that it needs beside those of the program.
    install : str
        What to install where one of them is missing: "neuroclip-live[hdf5]".
    """

    name: str
    help: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes, Path], bool]
    reader: str
    requires: tuple[str, ...] = ()
    install: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that are needed and not installed."""
        return tuple(module for module in self.requires if importlib.util.find_spec(module) is None)

    def open(self, path: Path, options: FileOptions) -> EventFile:
        """Open a file of this format.

        Raises
        ------
        UserError
            When a module is missing, or the file cannot be read.
        """
        if self.missing:
            raise UserError(
                f"Reading {path} ({self.help}) needs {' and '.join(self.missing)}, not installed here. "
                f'Install with: pip install "{self.install}"'
            )
        module, _, name = self.reader.partition(":")
        reader: Callable[[Path, FileOptions], EventFile] = getattr(importlib.import_module(module), name)
        return reader(path, options)


_HERE = "neuroclip_drivers.files"


def _percent(head: bytes, *fields: bytes) -> bool:
    """Return whether a file begins with lines of ``%`` of which one has one of these fields."""
    if not head.startswith(b"%"):
        return False
    lines = [line[1:].strip().lower() for line in head.split(b"\n") if line.startswith(b"%")]
    return any(line.startswith(fields) for line in lines)


def _is_evt(head: bytes, path: Path) -> bool:
    marks = (
        b"evt ",
        b"format evt",
        b"camera_integrator_name",
        b"integrator_name",
        b"plugin_name",
        b"geometry ",
    )
    return _percent(head, *marks) or (_percent(head, b"format ", b"end") and not _is_dat(head, path))


def _is_dat(head: bytes, path: Path) -> bool:
    return _percent(head, b"data file", b"version", b"width", b"height") and not _percent(
        head, b"evt ", b"format "
    )


def _is_text(head: bytes, path: Path) -> bool:
    """Return whether a file looks like lines of numbers, of which the first may name columns."""
    if not head or b"\0" in head:
        return False
    lines = [line for line in head[: head.rfind(b"\n") + 1 or None].splitlines() if line.strip()]
    numbers = [line for line in lines if line.strip()[:1] in b"0123456789+-.,\"'" and line.strip()[:1]]
    return len(numbers) >= max(1, len(lines) // 2)


BUILT_IN = (
    FileFormat(
        "aedat4",
        "AEDAT 4 (DV, dv-processing, jAER, neuroclip-live)",
        (".aedat4",),
        lambda head, path: head.startswith(b"#!AER-DAT4"),
        f"{_HERE}.aedat4_file:open_aedat4",
    ),
    FileFormat(
        "evt",
        "Prophesee RAW (EVT2, EVT2.1, EVT3)",
        (".raw",),
        _is_evt,
        f"{_HERE}.evt:EvtFile",
    ),
    FileFormat("dat", "Prophesee DAT", (".dat",), _is_dat, f"{_HERE}.dat:DatFile"),
    FileFormat(
        "aedat2",
        "AEDAT 2 (jAER: DVS128, DAVIS)",
        (".aedat", ".aedat2"),
        lambda head, path: head.startswith(b"#!AER-DAT2"),
        f"{_HERE}.aedat2:Aedat2File",
    ),
    FileFormat(
        "aedat3",
        "AEDAT 3.1 (cAER, DVS128 Gesture)",
        (".aedat", ".aedat3"),
        lambda head, path: head.startswith(b"#!AER-DAT3"),
        f"{_HERE}.aedat3:Aedat3File",
    ),
    FileFormat(
        "npy",
        "NumPy (structured, or N x 4)",
        (".npy",),
        lambda head, path: head.startswith(b"\x93NUMPY"),
        f"{_HERE}.numpy_files:NpyFile",
    ),
    FileFormat(
        "npz",
        "NumPy archive (N-ImageNet, arrays t, x, y, p)",
        (".npz",),
        lambda head, path: head.startswith((b"PK\x03\x04", b"PK\x05\x06")),
        f"{_HERE}.numpy_files:NpzFile",
    ),
    FileFormat(
        "hdf5",
        "HDF5 (OpenEB, DSEC, MVSEC, v2e, e2calib, EventCV)",
        (".h5", ".hdf5"),
        lambda head, path: head.startswith(b"\x89HDF\r\n\x1a\n"),
        f"{_HERE}.hdf5:Hdf5File",
        requires=("h5py",),
        install="neuroclip-live[hdf5]",
    ),
    FileFormat(
        "rosbag",
        "ROS 1 bag (dvs_msgs, prophesee_event_msgs, event_camera_msgs)",
        (".bag",),
        lambda head, path: head.startswith(b"#ROSBAG V2.0\n"),
        f"{_HERE}.bags:open_ros1",
    ),
    FileFormat(
        "mcap",
        "MCAP (the same messages, of ROS 1 or ROS 2)",
        (".mcap",),
        lambda head, path: head.startswith(b"\x89MCAP0\r\n"),
        f"{_HERE}.bags:open_mcap",
    ),
    FileFormat(
        "rosbag2",
        "ROS 2 bag (a folder, or its .db3)",
        (".db3",),
        lambda head, path: (
            head.startswith(b"SQLite format 3\0") or (not head and (path / "metadata.yaml").is_file())
        ),
        f"{_HERE}.bags:open_ros2",
    ),
    FileFormat(
        "text",
        "text (CSV, columns)",
        (".csv", ".txt"),
        _is_text,
        f"{_HERE}.text:TextFile",
    ),
)
"""In the order in which they are asked; text is last, as anything may look like it."""


@cache
def file_formats() -> tuple[FileFormat, ...]:
    """Return all formats: those of other packages first, so that they may do one better."""
    added: list[FileFormat] = []
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
        except Exception as error:  # noqa: BLE001 - another package's fault must not keep this one from starting
            logging.getLogger(__name__).warning("The file reader %s cannot be loaded: %s", entry.name, error)
            continue
        if isinstance(loaded, FileFormat):
            added.append(loaded)
        else:
            logging.getLogger(__name__).warning("The file reader %s is no FileFormat", entry.name)
    return (*added, *BUILT_IN)


def known_suffixes() -> tuple[str, ...]:
    """Return what recordings are usually called, without repeats, in the order of the formats."""
    return tuple(dict.fromkeys(suffix for each in file_formats() for suffix in each.suffixes))
