"""Which formats there are: one row for each, and what is needed to find it, open it and tell of it.

A format is found by what is in a file, not by what it is called. Its reader is imported when a file asks for
it. Another package adds one through an entry point that loads to a :class:`FileFormat`::

    [project.entry-points."neuroclip_live.readers"]
    my-format = "my_package.my_format:FORMAT"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from neuroclip_drivers.files.event_file import EventFile, FileOptions
from neuroclip_live.errors import UserError
from neuroclip_live.registry import Entry, Registry

HEAD_BYTES = 4096
"""How much of a file's beginning is looked at."""
TEXT_SUFFIXES = (".csv", ".txt")
"""Of text that may hold events, or anything else."""


def _nothing(head: bytes, path: Path) -> bool:
    return False


@dataclass(frozen=True)
class FileFormat(Entry):
    """A format of recordings.

    Attributes
    ----------
    name : str
        For the command line and messages: "evt".
    help : str
        One line: "Prophesee RAW (EVT2, EVT2.1, EVT3)".
    factory : str or callable
        What opens one: ``reader(path, options)`` returns an
        :class:`neuroclip_drivers.files.event_file.EventFile`.
    suffixes : tuple of str
        What such files are usually called, for dialogs; with the dot, in lower case.
    sniff : callable
        ``sniff(head, path)`` tells whether the first ``HEAD_BYTES`` bytes are of this format; ``head`` is
        empty for a folder.
    """

    suffixes: tuple[str, ...] = ()
    sniff: Callable[[bytes, Path], bool] = _nothing

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
                f'Install with: pip install "{self.install or " ".join(self.missing)}"'
            )
        opened: EventFile = self.load()(path, options)
        return opened


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


def _is_hdf5(head: bytes, path: Path) -> bool:
    """Return whether a file is HDF5, which may have a block of another program's before it."""
    return any(head.startswith(b"\x89HDF\r\n\x1a\n", place) for place in (0, 512, 1024, 2048))


BUILT_IN = (
    FileFormat(
        "aedat4",
        "AEDAT 4 (DV, dv-processing, jAER, neuroclip-live)",
        f"{_HERE}.aedat4_file:open_aedat4",
        suffixes=(".aedat4",),
        sniff=lambda head, path: head.startswith(b"#!AER-DAT4"),
    ),
    FileFormat(
        "evt", "Prophesee RAW (EVT2, EVT2.1, EVT3)", f"{_HERE}.evt:EvtFile", suffixes=(".raw",), sniff=_is_evt
    ),
    FileFormat("dat", "Prophesee DAT", f"{_HERE}.dat:DatFile", suffixes=(".dat",), sniff=_is_dat),
    FileFormat(
        "aedat2",
        "AEDAT 2 (jAER: DVS128, DAVIS)",
        f"{_HERE}.aedat2:Aedat2File",
        suffixes=(".aedat", ".aedat2"),
        sniff=lambda head, path: head.startswith(b"#!AER-DAT2"),
    ),
    FileFormat(
        "aedat3",
        "AEDAT 3.1 (cAER, DVS128 Gesture)",
        f"{_HERE}.aedat3:Aedat3File",
        suffixes=(".aedat", ".aedat3"),
        sniff=lambda head, path: head.startswith(b"#!AER-DAT3"),
    ),
    FileFormat(
        "npy",
        "NumPy (structured, or N x 4)",
        f"{_HERE}.numpy_files:NpyFile",
        suffixes=(".npy",),
        sniff=lambda head, path: head.startswith(b"\x93NUMPY"),
    ),
    FileFormat(
        "npz",
        "NumPy archive (N-ImageNet, arrays t, x, y, p)",
        f"{_HERE}.numpy_files:NpzFile",
        suffixes=(".npz",),
        sniff=lambda head, path: head.startswith((b"PK\x03\x04", b"PK\x05\x06")),
    ),
    FileFormat(
        "hdf5",
        "HDF5 (OpenEB, DSEC, MVSEC, v2e, e2calib, EventCV)",
        f"{_HERE}.hdf5:Hdf5File",
        requires=("h5py",),
        install="neuroclip-live[hdf5]",
        suffixes=(".h5", ".hdf5"),
        sniff=_is_hdf5,
    ),
    FileFormat(
        "rosbag",
        "ROS 1 bag (dvs_msgs, prophesee_event_msgs, event_camera_msgs)",
        f"{_HERE}.bags:open_ros1",
        suffixes=(".bag",),
        sniff=lambda head, path: head.startswith(b"#ROSBAG V2.0\n"),
    ),
    FileFormat(
        "mcap",
        "MCAP (the same messages, of ROS 1 or ROS 2)",
        f"{_HERE}.bags:open_mcap",
        suffixes=(".mcap",),
        sniff=lambda head, path: head.startswith(b"\x89MCAP0\r\n"),
    ),
    FileFormat(
        "rosbag2",
        "ROS 2 bag (a folder, or its .db3)",
        f"{_HERE}.bags:open_ros2",
        suffixes=(".db3",),
        sniff=lambda head, path: (
            head.startswith(b"SQLite format 3\0") or (not head and (path / "metadata.yaml").is_file())
        ),
    ),
    FileFormat(
        "text", "text (CSV, columns)", f"{_HERE}.text:TextFile", suffixes=TEXT_SUFFIXES, sniff=_is_text
    ),
)
"""In the order in which they are asked; text is last, as anything may look like it."""


READERS = Registry("reader", "neuroclip_live.readers", BUILT_IN, FileFormat, others_first=True)
"""All formats: those of other packages first, so that they may do one better."""


def known_suffixes() -> tuple[str, ...]:
    """Return what recordings are usually called, without repeats, in the order of the formats."""
    return tuple(dict.fromkeys(suffix for each in READERS.entries() for suffix in each.suffixes))
