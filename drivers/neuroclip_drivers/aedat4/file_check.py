"""Whether a file is a recording at all, and if not, why not, in words for the user."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import MAGIC, MAX_HEADER_BYTES, Header, parse_header
from neuroclip_drivers.portable_io import open_readable, read_at
from neuroclip_live.errors import UserError

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def open_checked(path: Path) -> int:
    """Open a file and return its descriptor; raises UserError unless it is one with contents."""
    try:
        file = open_readable(path)
    except FileNotFoundError:
        raise UserError(f"No such file: {path}. Check the path.") from None
    except PermissionError:
        raise UserError(
            f"May not read {path}: permission denied. Change its permissions or copy it."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"Cannot open {path}: {error}. Check the path.") from None
    mode = os.fstat(file)
    if stat.S_ISREG(mode.st_mode) and mode.st_size:
        return file
    os.close(file)
    if stat.S_ISDIR(mode.st_mode):
        raise UserError(f"{path} is a directory. Give one recording in it.")
    if not stat.S_ISREG(mode.st_mode):
        raise UserError(f"{path} is not a file on disk. Give a recording that is.")
    raise UserError(f"{path} is empty (0 bytes). Nothing was recorded; choose another recording.")


def read_header(path: Path, file: int) -> Header:
    """Read the header of an open file; raises UserError where it is not that of an aedat4 recording."""
    data = read_at(file, MAX_HEADER_BYTES + len(MAGIC) + 4, 0)
    if data[: len(MAGIC)] != MAGIC:
        hint = "Run 'neuroclip-live doctor' to see which formats are."
        if data.startswith(MAGIC.replace(b"\r\n", b"\n")) or data.startswith(
            MAGIC.replace(b"\r\n", b"\r\r\n")
        ):
            raise UserError(
                f"{path} was changed by a copy in text mode, which turned its line ends. "
                "Copy it again in binary mode (git: mark *.aedat4 as binary)."
            )
        if data.startswith(_LFS_POINTER):
            raise UserError(
                f"{path} is a Git LFS pointer, not the recording. Run 'git lfs pull' in its repository."
            )
        if data.startswith(b"#!AER-DAT") and not MAGIC.startswith(data):
            version = data[9:12].decode("ascii", "replace").strip()
            raise UserError(
                f"{path} is an AEDAT {version} file, not AEDAT 4. Convert it with DV (dv-gui) first."
            )
        if not MAGIC.startswith(data):
            raise UserError(f"{path} is not a recording that is known here. {hint}")
    try:
        return parse_header(data)
    except FormatError as error:
        raise UserError(
            f"{path} is damaged: {error}. Nothing of it can be played; use another copy."
        ) from None
