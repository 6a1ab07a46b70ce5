"""Reading small files that somebody else may have written: never more of them than they can sensibly hold."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

MAX_SETTINGS_BYTES = 1 << 22
"""Settings, configurations of models and the like: four mebibytes are hundreds of times what they take."""
MAX_PROMPTS_BYTES = 1 << 20


def home_expanded(path: str | Path) -> Path:
    """Return a path with ``~`` written out.

    Raises
    ------
    OSError
        Where ``~name`` names nobody.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, "there is no such user", str(path)) from error


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Read a whole file.

    Also a pipe or a device, which have no size to look at first, is not read any further than allowed.

    Raises
    ------
    OSError
        Where it cannot be read, or (EFBIG) holds more than ``most_bytes``.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "there is a zero byte in its name")
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes:,} bytes")
    return data


def read_json(path: Path, most_bytes: int = MAX_SETTINGS_BYTES) -> Any:
    """Read a JSON file; see :func:`parse_json`.

    Raises
    ------
    OSError, ValueError
    """
    return parse_json(read_bounded(path, most_bytes).decode("utf-8"))


def parse_json(text: str) -> Any:
    """Read JSON.

    Raises
    ------
    ValueError
        Also where it is nested so deeply that Python gives up.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
