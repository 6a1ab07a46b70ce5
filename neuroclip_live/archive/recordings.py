"""The recordings an archive is made of: finding them, telling whether one is known, keeping what is known.

An :class:`Entry` is what is known of one path, a small JSON file of its own: processes that index different
folders never write the same one. What a recording *holds* goes by the digest of its bytes
(:mod:`neuroclip_live.archive.parts`), so a moved file costs nothing but an entry.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from neuroclip_drivers.files.open_file import is_recording
from neuroclip_live.archive.store import Store
from neuroclip_live.bounded import home_expanded
from neuroclip_live.errors import UserError

FOLDER = "files"
State = Literal["ok", "broken", "deleted"]
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Entry:
    """What is known of one path.

    Attributes
    ----------
    path : str
        Absolute.
    size, mtime_ns : int
        As it was when its digest was taken: while both stay, the file is not read again.
    digest : str
        Of its bytes.
    state : {"ok", "broken", "deleted"}
    reason : str
        Why it cannot be read; empty otherwise.
    """

    path: str
    size: int
    mtime_ns: int
    digest: str
    state: State = "ok"
    reason: str = ""

    @property
    def name(self) -> str:
        """Its file's name in the store."""
        digest = hashlib.blake2b(self.path.encode(errors="surrogateescape"), digest_size=12)
        return f"{FOLDER}/{digest.hexdigest()}.json"


def read_entries(store: Store) -> dict[str, Entry]:
    """Return all entries, by path; those that cannot be read are as if they had never been."""
    names = [f"{FOLDER}/{name}" for name in store.names(FOLDER)]
    entries = {}
    for data in store.read_all(names):
        try:
            entry = Entry(**json.loads(data))
        except (ValueError, TypeError):
            continue
        entries[entry.path] = entry
    return entries


def write_entry(store: Store, entry: Entry) -> None:
    """Keep an entry in place of the one of the same path."""
    store.write(entry.name, json.dumps(asdict(entry)).encode())


Unread = Callable[[str, str], None]
"""Told of a folder that cannot be looked into, and why."""


def find_recordings(
    folders: Sequence[str | Path], unread: Unread = lambda folder, why: None
) -> Iterator[Path]:
    """Yield every recording in folders and below, in order of name; a file that is named is yielded as it is.

    What is in a file decides, not its name; only the suffixes that belong to recordings also let in what
    looks like none, so that a broken one is told. Links to folders are followed, no folder is entered twice.

    Raises
    ------
    UserError
        When a folder is not there.
    """
    seen: set[Path] = set()
    entered: set[tuple[int, int]] = set()
    for folder in folders:
        try:
            place = home_expanded(folder).resolve()
        except OSError as error:
            raise UserError(f"cannot read {folder}: {error.strerror or error}") from error
        if not place.exists():
            raise UserError(f"there is no folder {folder}: name one that holds recordings")
        below = place.is_dir() and not is_recording(place)
        for path in _below(place, entered, unread) if below else iter([place]):
            if path not in seen:
                seen.add(path)
                yield path


def _below(folder: Path, entered: set[tuple[int, int]], unread: Unread) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        unread(os.fsdecode(error.filename), error.strerror or str(error))

    for at, folders, files in os.walk(folder, onerror=refused, followlinks=True):
        here = Path(at)
        try:
            which = here.stat()
        except OSError as error:  # gone since
            refused(error)
            continue
        if (which.st_dev, which.st_ino) in entered:  # a link led here, or back
            folders.clear()
            continue
        entered.add((which.st_dev, which.st_ino))
        folders.sort()
        for name in [name for name in folders if is_recording(here / name)]:
            folders.remove(name)
            yield here / name
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in sorted(files):
            if not name.startswith(".") and is_recording(here / name):
                yield here / name


def size_of(path: Path) -> tuple[int, int]:
    """Return a recording's size in bytes and when it was last changed in ns; of a folder, of all in it."""
    stats = [file.stat() for file in _files(path)]
    return sum(each.st_size for each in stats), max((each.st_mtime_ns for each in stats), default=0)


def digest_of(path: Path) -> str:
    """Return a digest of a recording's bytes."""
    digest = hashlib.blake2b(digest_size=16)
    for file in _files(path):
        if file != path:
            digest.update(f"\0{file.relative_to(path)}\0".encode(errors="surrogateescape"))
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def marked_deleted(
    store: Store, entries: dict[str, Entry], found: set[str], folders: Sequence[str | Path]
) -> list[Entry]:
    """Mark the entries below ``folders`` whose recordings are gone; return them."""
    tops = [home_expanded(folder).resolve() for folder in folders]
    gone = []
    for path, entry in list(entries.items()):
        below = any(top == Path(path) or top in Path(path).parents for top in tops)
        if below and path not in found and entry.state != "deleted" and _is_gone(path):
            entries[path] = replace(entry, state="deleted")
            write_entry(store, entries[path])
            gone.append(entries[path])
    return gone


def _is_gone(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # in a folder that may not be looked into, say
    return False


def as_text(path: str) -> str:
    r"""Return a path as text: bytes of a name that are none, Python's surrogates, become like ``\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
