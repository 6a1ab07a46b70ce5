"""Git LFS pointers: three lines of text that a clone holds in place of a large file, until it is pulled."""

from __future__ import annotations

from pathlib import Path

from neuroclip_live.errors import LFS_POINTER, UserError, pointer_message


def refuse_pointer(path: str | Path, what: str) -> None:
    """Raise UserError where a file is a pointer and not ``what`` it should be; unreadable ones are none."""
    try:
        if not Path(path).is_file():  # a pipe would wait for its writer
            return
        with Path(path).open("rb") as file:
            pointer = file.read(len(LFS_POINTER)) == LFS_POINTER
    except (OSError, ValueError):
        return
    if pointer:
        raise UserError(pointer_message(path, what))
