"""``neuroclip-live index``: every recording in some folders encoded once, whatever stops it in between.

A run looks at what is there, reads the digest of what is new or changed, and encodes the pieces that are
missing for it. Nothing else is remembered between runs: what a killed run had done is there, the rest is
missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neuroclip_live.archive import parts, settings
from neuroclip_live.archive.encode import Stopped, seconds_of
from neuroclip_live.archive.parts import Piece
from neuroclip_live.archive.recordings import (
    Entry,
    digest_of,
    find_recordings,
    marked_deleted,
    read_entries,
    size_of,
    write_entry,
)
from neuroclip_live.archive.settings import ArchiveSettings, ModelRecord
from neuroclip_live.archive.store import Store
from neuroclip_live.archive.work import Engine, Work, here, reason_of
from neuroclip_live.model.backbone import Backbone


@dataclass
class IndexReport:
    """What a run did.

    ``recordings`` are those found; ``encoded`` those of which something was encoded in this run; ``moved``
    those known by their bytes under another name. ``broken`` maps a path, of a folder too, to why it cannot
    be read, ``damaged`` to what it lacks. ``seconds`` of recordings were encoded, in ``wall_s``;
    ``bytes`` is what was written; ``model`` is the key of the record it was done by.
    """

    recordings: int = 0
    unchanged: int = 0
    encoded: int = 0
    moved: int = 0
    deleted: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    events: int = 0
    bytes: int = 0
    wall_s: float = 0.0
    left: int = 0
    stopped: bool = False
    model: str = ""


@dataclass(frozen=True)
class Progress:
    """Where a run stands: seconds of recordings done and to do in all, and the recording at work."""

    done_s: float
    total_s: float
    path: str
    begun: float

    @property
    def rate(self) -> float:
        """Times real time."""
        return self.done_s / max(1e-9, time.monotonic() - self.begun)

    @property
    def left_s(self) -> float:
        """Seconds until the end, at this rate."""
        return (self.total_s - self.done_s) / self.rate if self.done_s else float("inf")


Tell = Callable[[Progress], bool]
"""Told where it stands now and then; returns False to stop."""


def index(
    folders: Sequence[str | Path],
    store: Store,
    backbone: Backbone,
    options: Mapping[str, Any],
    how: ArchiveSettings,
    *,
    tell: Tell = lambda progress: True,
    engine: Engine | None = None,
) -> IndexReport:
    """Bring an index up to date with folders.

    Parameters
    ----------
    folders : sequence of path-like
    store : Store
    backbone : Backbone
    options : mapping
        What the model was loaded with, for searching later.
    how : ArchiveSettings
    tell : callable
    engine : Engine, optional
        Where the pieces are encoded; in this process, by ``backbone``, if left out.

    Raises
    ------
    UserError
        When a folder is not there or the index cannot be written.
    """
    begun, report = time.monotonic(), IndexReport()
    store.clean()
    record = settings.record_of(store, backbone, options, how)
    report.model = record.key
    settings.write_record(store, record)
    entries = read_entries(store)
    known = {entry.digest for entry in entries.values()}
    unread: dict[str, str] = {}
    found = [str(path) for path in find_recordings(folders, unread.__setitem__)]
    report.recordings = len(found)
    report.deleted = len(marked_deleted(store, entries, set(found), folders))
    there = parts.pieces_there(store, record.key)
    todo: list[Work] = []
    for path in found:
        if not tell(Progress(0.0, 0.0, path, begun)):
            report.stopped = True
            break
        entry = _looked_at(store, entries, path, known, report)
        if entry.state == "ok" and not parts.is_whole(there.get(entry.digest, [])):
            todo += _missing(store, entries, entry, there)
    report.broken = unread | {
        path: entries[path].reason for path in found if entries.get(path, _NONE).state == "broken"
    }
    if todo and not report.stopped:
        _work(todo, store, engine or here(backbone), record, entries, report, tell)
    report.left = _finish(store, record, entries)
    report.wall_s = time.monotonic() - begun
    return report


_NONE = Entry("", 0, 0, "")


def _looked_at(
    store: Store, entries: dict[str, Entry], path: str, known: set[str], report: IndexReport
) -> Entry:
    """Return what is known of a path, reading its digest where it is new or changed."""
    before = entries.get(path)
    try:
        size, mtime = size_of(Path(path))
        if before is not None and before.digest and (before.size, before.mtime_ns) == (size, mtime):
            if before.state == "ok":
                report.unchanged += 1
                return before
            # what was broken may have lacked a package that is there now, or rights
            entry = replace(before, state="ok", reason="")
        else:
            digest = digest_of(Path(path))
            report.moved += before is None and digest in known
            entry = Entry(path, size, mtime, digest)
    except OSError as error:
        entry = Entry(path, 0, 0, "", "broken", error.strerror or str(error))
    entries[path] = entry
    write_entry(store, entry)
    return entry


def _missing(
    store: Store, entries: dict[str, Entry], entry: Entry, there: dict[str, list[Piece]]
) -> list[Work]:
    """Return the pieces of a recording that are not there; one that cannot be opened is marked broken."""
    try:
        seconds = seconds_of(Path(entry.path))
    except Exception as error:  # noqa: BLE001 - one recording must not end a run over a thousand
        _break(store, entries, entry, error)
        return []
    pieces = parts.pieces_of(entry.digest, seconds)
    missing = [piece for piece in pieces if piece not in there.get(entry.digest, [])]
    there.setdefault(entry.digest, []).extend(missing)  # a copy of it needs no second encoding
    size = entry.size, entry.mtime_ns
    return [Work(entry.path, piece, _length(piece, seconds), size) for piece in missing]


def _length(piece: Piece, seconds: float) -> float:
    begin, end = piece.span_us
    return (end / 1e6 if end is not None else seconds) - begin / 1e6


def _break(store: Store, entries: dict[str, Entry], entry: Entry, error: Exception | str) -> str:
    reason = reason_of(error)
    entries[entry.path] = replace(entry, state="broken", reason=reason)
    write_entry(store, entries[entry.path])
    return reason


def _work(
    todo: Sequence[Work],
    store: Store,
    engine: Engine,
    record: ModelRecord,
    entries: dict[str, Entry],
    report: IndexReport,
    tell: Tell,
) -> None:
    total, begun = sum(work.seconds for work in todo), time.monotonic()
    encoded: set[str] = set()

    def at(work: Work, seconds: float) -> bool:
        return tell(Progress(report.seconds + seconds, total, work.path, begun))

    try:
        for work, done in engine(todo, store, record, at):
            if done.error:
                report.broken[work.path] = _break(store, entries, entries[work.path], done.error)
                total -= work.seconds
            else:
                report.events, report.bytes = report.events + done.events, report.bytes + done.bytes
                report.seconds += work.seconds
                encoded.add(work.path)
                if done.damage:
                    report.damaged[work.path] = done.damage
            if not at(work, 0.0):
                raise Stopped
    except Stopped:
        report.stopped = True
    report.encoded = len(encoded - report.broken.keys())


def _finish(store: Store, record: ModelRecord, entries: Mapping[str, Entry]) -> int:
    """Search by this model once it has everything the one before had; return how many recordings it lacks."""
    there = parts.pieces_there(store, record.key)
    wanted = {entry.digest for entry in entries.values() if entry.state == "ok"}
    lacking = sum(not parts.is_whole(there.get(digest, [])) for digest in wanted)
    now = settings.current(store)
    if now != record.key and not lacking:
        settings.set_current(store, record.key)
        for name in store.names(f"{parts.FOLDER}/{now}"):
            store.remove(f"{parts.FOLDER}/{now}/{name}")
        store.remove(f"{settings.FOLDER}/{now}.json")
    return lacking
