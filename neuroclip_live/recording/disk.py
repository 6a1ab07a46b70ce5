"""The disk under a recording: whether there is room, and whether the file is still where it was made."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO

from neuroclip_live.errors import UserError

LOW_SPACE_BYTES = 1 << 30
LOW_SPACE_S = 120.0


class WatchedFile:
    """A file that grows.

    Parameters
    ----------
    path : Path
        It is there already.

    Attributes
    ----------
    free_bytes : int
        Room on its disk when it was last looked at.
    warning : str
        What the user should know, in one line, or "".
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.free_bytes = _free_bytes(path)
        self.warning = ""
        self._identity = _identity(path)

    @property
    def gone(self) -> bool:
        """Whether the file was moved, deleted or replaced."""
        return _identity(self.path) != self._identity

    def look(self, size: int, seconds: float) -> None:
        """Look at it; it has grown to ``size`` bytes in ``seconds``."""
        self.free_bytes = _free_bytes(self.path)
        left = self.free_bytes / max(size / max(seconds, 1.0), 1.0)
        self.warning = ""
        if self.gone:
            self.warning = f"{self.path.name} was moved or deleted while it is being recorded"
        elif self.free_bytes < LOW_SPACE_BYTES or left < LOW_SPACE_S:
            self.warning = f"the disk is nearly full: {self.free_bytes / 1e6:,.0f} MB, {_time(left)} left"


def make_file(path: Path, replace: bool) -> IO[bytes]:
    """Make a file to write; raises UserError where that cannot be done."""
    try:
        return path.open("wb" if replace else "xb")
    except FileExistsError:
        raise UserError(f"{path} exists already. Choose another name.") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"Cannot write {path}: {reason}. Choose another place.") from None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _free_bytes(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return 0


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
