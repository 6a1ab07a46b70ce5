"""Whether a file is a recording at all, and if not, why not, in words for the user."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from neuroclip_drivers.aedat4.flatbuffer import FormatError
from neuroclip_drivers.aedat4.format import MAGIC, MAX_HEADER_BYTES, Header, parse_header
from neuroclip_drivers.portable_io import open_readable
from neuroclip_live.errors import LFS_POINTER, UserError, pointer_message

LOOKED_AT_BYTES = MAX_HEADER_BYTES + len(MAGIC) + 4
"""So much of a file's beginning is looked at."""
Read = Callable[[int, int], bytes]
"""Reads (count, position) of the file; fewer bytes at its end."""
_ENOUGH = 64
"""So many line ends, or bytes beyond ASCII, that are all as in text are no chance (1 in 256, or 3, each)."""


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


def read_header(path: Path, read: Read) -> Header:
    """Read the header of an open file, by what reads (count, position) of it.

    Raises UserError where it is not that of an aedat4 recording.
    """
    data = beginning(read)
    refuse_text_copy(path, data)
    if data[: len(MAGIC)] != MAGIC:
        hint = "Run 'neuroclip-live doctor' to see which formats are."
        if data.startswith((MAGIC.replace(b"\r\n", b"\n"), MAGIC.replace(b"\r\n", b"\r\r\n"))):
            raise UserError(turned_message(path))
        if data.startswith(LFS_POINTER):
            raise UserError(pointer_message(path, "the recording"))
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
        data = read(LOOKED_AT_BYTES, 0)
        if _is_header(MAGIC + data[len(MAGIC) :].replace(b"\r\n", b"\n")):
            raise UserError(turned_message(path)) from None
        raise UserError(
            f"{path} is damaged: {error}. Nothing of it can be played; use another copy."
        ) from None


def beginning(read: Read) -> bytes:
    """Return what is looked at of a file's beginning, by what reads of it.

    Of most recordings a few kilobytes hold the header, and tell that they are no copy as text. All of it
    would take as long as the rest of opening them.
    """
    data = read(_FIRST_BYTES, 0)
    start = data.find(b"\0") + 1
    first = data[start : start + _FIRST_LOOK]
    header = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "little") if data.startswith(MAGIC) else 0
    tells = start and len(first) == _FIRST_LOOK and not _may_be_text(first)
    whole = len(data) < _FIRST_BYTES or (tells and len(MAGIC) + 4 + header <= len(data))
    return data if whole else read(LOOKED_AT_BYTES, 0)


def refuse_text_copy(path: Path, data: bytes) -> None:
    """Raise UserError where the beginning of a recording shows that it was copied as if it were text.

    Turned line ends move all that follows them: what such a file still gives is mostly made up. A file of
    text, which may well be copied so, has no zero byte, and nothing is said of it.
    """
    start = data.find(b"\0") + 1
    if not start:
        return
    first = data[start : start + _FIRST_LOOK]
    body = data[start:] if _may_be_text(first) else b""  # all of it takes milliseconds
    if body.count(b"\n") >= _ENOUGH and _ends_turned(body):
        raise UserError(turned_message(path))
    if _is_utf8(body) and len(body) - len(body.translate(None, _BEYOND_ASCII)) >= _ENOUGH:
        raise UserError(
            f"{path} was read and written as text, which replaced its bytes: it is lost. "
            "Copy it again in binary mode."
        )


_BEYOND_ASCII = bytes(range(128, 256))
_FIRST_BYTES, _FIRST_LOOK = 1 << 16, 1 << 14


def _may_be_text(body: bytes) -> bool:
    return _ends_turned(body) or _is_utf8(body)


def _ends_turned(body: bytes) -> bool:
    """Tell whether there is no line end but those of Windows."""
    return body.count(b"\n") == body.count(b"\r\n")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # cut in the middle of a character
    return True


def _is_header(data: bytes) -> bool:
    try:
        parse_header(data)
    except FormatError:
        return False
    return True


def turned_message(path: Path) -> str:
    """Say that a copy in text mode changed a file, and what to do."""
    return (
        f"{path} was changed by a copy in text mode, which turned its line ends. "
        f"Copy it again in binary mode (git: mark *{path.suffix} as binary)."
    )
