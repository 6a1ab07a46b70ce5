"""Where inputs that have to be files are written: in memory, where the system has such a place."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


def folder() -> Path:
    """Return a folder of this process; one that is forked off has another."""
    return _folder(os.getpid())


@cache
def _folder(_process: int) -> Path:
    shared = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="neuroclip-fuzz-", dir=shared if shared.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def file(data: bytes, name: str) -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path
