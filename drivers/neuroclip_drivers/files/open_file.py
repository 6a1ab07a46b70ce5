"""The one door to recorded files: looks into a file and opens it with the reader of its format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from neuroclip_drivers.aedat4.file_check import Read, beginning, open_checked, refuse_text_copy
from neuroclip_drivers.files.event_file import EventFile, FileOptions
from neuroclip_drivers.files.registry import HEAD_BYTES, READERS, TEXT_SUFFIXES, FileFormat, known_suffixes
from neuroclip_drivers.portable_io import read_at
from neuroclip_live.errors import UserError


def open_event_file(path: str | os.PathLike[str], options: FileOptions | None = None) -> EventFile:
    """Open a recording in any format that is known.

    Raises
    ------
    UserError
        When there is no such file, its format is not known, it needs a package that is not installed, or
        nothing in it can be played.
    """
    place = Path(path)
    found = find_format(place, _first_bytes(place, lambda read: read(HEAD_BYTES, 0)))
    if found is None:
        # The aedat4 reader knows best what happens to recordings on their way: copies in text mode, LFS
        # pointers.
        from neuroclip_drivers.files.aedat4_file import open_aedat4

        return open_aedat4(place, options or FileOptions())
    if found.name != "aedat4" and not place.is_dir():  # that reader looks for itself
        refuse_text_copy(place, _first_bytes(place, beginning))
    return found.open(place, options or FileOptions())


def find_format(path: Path, head: bytes) -> FileFormat | None:
    """Return the format of a file that begins with ``head``; None when it is not known."""
    return next((each for each in READERS.entries() if each.sniff(head, path)), None)


def is_recording(path: Path) -> bool:
    """Tell whether a file, or a folder, is a recording: what is in it decides.

    What is called like one, text apart, is one though nothing of it can be read, so that it is told.
    """
    suffix = path.suffix.lower()
    called_so = suffix in known_suffixes() and suffix not in TEXT_SUFFIXES
    if os.path.isdir(path):
        try:
            return find_format(path, b"") is not None
        except OSError:
            return False  # may not be looked into, which is told when it is entered
    try:
        if not path.is_file():
            # a pipe or a device would be waited for; a link to what is gone is a recording that is missing
            return called_so and path.is_symlink() and not path.exists()
        with path.open("rb") as file:
            found = find_format(path, file.read(HEAD_BYTES))
    except OSError:
        return called_so
    if found is None:
        return called_so
    return found.name != "text" or suffix in found.suffixes


def _first_bytes(path: Path, look: Callable[[Read], bytes]) -> bytes:
    """Return as many of a file's first bytes as are looked at, none for a folder that a format takes."""
    if path.is_dir():
        if find_format(path, b"") is not None:
            return b""
        raise UserError(f"{path} is a directory. Give one recording in it.")
    file = open_checked(path)
    try:
        return look(lambda count, position: read_at(file, count, position))
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}. Copy it from a disk that can.") from None
    finally:
        os.close(file)
