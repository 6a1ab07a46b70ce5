"""Where an archive's index lies: a folder, or any place that fsspec knows (``s3://bucket/index``).

Only four things are asked of it: write a small file whole or not at all, read one, list a folder, remove one.
Nothing is ever appended to or changed in place, so a writer that is killed leaves nothing half done, and two
writers of the same file write the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from neuroclip_live.atomic import write_atomically
from neuroclip_live.bounded import home_expanded
from neuroclip_live.errors import UserError

_ABANDONED_S = 3600.0


class Store:
    """Files below one place, by names with ``/``.

    Parameters
    ----------
    place : str
        A folder, or a URL with ``://``.
    make : bool
        Make the folder where it is missing.

    Raises
    ------
    UserError
        When there is no such place, or no package that speaks its protocol.
    """

    def __init__(self, place: str | Path, *, make: bool = False) -> None:
        self.place = str(place)
        if not self.place.strip():
            raise UserError("the index's name is empty: give a folder, or a URL like s3://bucket/index")
        if self.place.startswith("file://"):
            self.place = self.place.removeprefix("file://")
        self.remote = "://" in self.place
        self._fs: Any = None
        if self.remote:
            self._fs, self._root = _remote(self.place)
            return
        self._folder = home_expanded(self.place).absolute()
        if self._folder.exists() and not self._folder.is_dir():
            raise UserError(f"{place} is a file; an index is a folder: choose another name")
        if make:
            with _named(self.place):
                self._folder.mkdir(parents=True, exist_ok=True)
        elif not self._folder.is_dir():
            raise UserError(
                f"there is no index {place}; make it with: neuroclip-live index FOLDER --into {place}"
            )

    @property
    def folder(self) -> Path | None:
        """The folder, where the store is one."""
        return None if self.remote else self._folder

    def url(self, name: str) -> str:
        """Return what others open a file by."""
        return f"{self.place.rstrip('/')}/{name}"

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        with _named(self.place):
            return (
                bool(self._fs.exists(f"{self._root}/{name}"))
                if self.remote
                else (self._folder / name).is_file()
            )

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, in order; none where it is missing."""
        with _named(self.place):
            if not self.remote:
                there = self._folder / folder
                if not there.is_dir():
                    return []
                return sorted(f.name for f in os.scandir(there) if not f.name.startswith("."))
            self._fs.invalidate_cache()  # others write there too
            try:
                found = self._fs.ls(f"{self._root}/{folder}", detail=False)
            except FileNotFoundError:
                return []
            return sorted(path.rpartition("/")[2] for path in found)

    def read(self, name: str) -> bytes:
        """Return a file's bytes; FileNotFoundError where it is missing."""
        with _named(self.place):
            if self.remote:
                return bytes(self._fs.cat_file(f"{self._root}/{name}"))
            return (self._folder / name).read_bytes()

    def read_all(self, names: Sequence[str]) -> list[bytes]:
        """Return the bytes of several files, read side by side where the place is far."""
        if not self.remote:
            return [self.read(name) for name in names]
        with _named(self.place):
            paths = [f"{self._root}/{name}" for name in names]
            found = self._fs.cat(paths) if paths else {}
            return [bytes(found[path]) for path in paths]

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all; one that is there is replaced."""
        if not self.remote:
            write_atomically(self._folder / name, lambda stream: stream.write(data))
            return
        with _named(self.place):
            path = f"{self._root}/{name}"
            try:
                self._fs.pipe_file(path, data)
            except FileNotFoundError:  # where folders are real ones, as over SFTP
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._fs.pipe_file(path, data)

    def remove(self, name: str) -> None:
        """Remove a file; nothing where it is gone already."""
        with _named(self.place), contextlib.suppress(FileNotFoundError):
            if self.remote:
                self._fs.rm_file(f"{self._root}/{name}")
            else:
                (self._folder / name).unlink()

    @contextlib.contextmanager
    def claimed(self, name: str) -> Iterator[bool]:
        """Claim a piece of work inside; False where another process has it.

        A claim ends with the process, however that ends. It saves work and is not needed for the result to be
        right; where the place is far there are none, and everything is free.
        """
        if self.remote:
            yield True
            return
        try:
            import fcntl
        except ImportError:  # not on Windows
            yield True
            return
        folder = self._folder / "claims"
        folder.mkdir(exist_ok=True)
        path = folder / name
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            except OSError:  # a disk that knows no locks
                pass
            yield True
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def clean(self) -> None:
        """Remove what killed writers left: unfinished files older than an hour."""
        if self.remote:
            return
        before = time.time() - _ABANDONED_S
        for path in self._folder.rglob(".*.tmp"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()


def _remote(place: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise UserError(f'{place} needs fsspec: pip install "neuroclip-live[archive]"') from None
    protocol = place.partition("://")[0]
    try:
        fs, root = fsspec.core.url_to_fs(place)
    except ImportError as error:
        raise UserError(f"{place}: {error}") from error
    except ValueError as error:
        raise UserError(f"{place}: nothing is known of {protocol}:// ({error})") from error
    return fs, str(root).rstrip("/")


@contextlib.contextmanager
def _named(place: str) -> Iterator[None]:
    """Tell which place cannot be reached; a missing file stays a FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise UserError(f"cannot use the index {place}: {reason}; check its name and your rights") from error
