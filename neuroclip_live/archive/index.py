"""An archive's index, read: every moment of every recording, ready to be asked.

from neuroclip_live.archive.index import Index
Index("my-index").search("a mug", top=5).to_pandas()
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from neuroclip_live.archive import parts, settings
from neuroclip_live.archive.background import Background
from neuroclip_live.archive.nearest import Sketch, squares
from neuroclip_live.archive.parts import PartFacts, Rows
from neuroclip_live.archive.query import Query
from neuroclip_live.archive.recordings import as_text, read_entries
from neuroclip_live.archive.settings import ModelRecord
from neuroclip_live.archive.store import Store
from neuroclip_live.errors import UserError
from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.model.hub import Progress

_TRIES = 5
MANY_ROWS = 200_000
"""From so many on, rows are looked for by their sketches; below, all are scored."""


@dataclass(frozen=True)
class Held:
    """A recording in an index.

    Attributes
    ----------
    path : str
        Where it lies; the first of several places.
    paths : tuple of str
    digest : str
    facts : PartFacts
        Of its first piece.
    """

    path: str
    paths: tuple[str, ...]
    digest: str
    facts: PartFacts


class Index:
    """An index that was made with ``neuroclip-live index``.

    Parameters
    ----------
    place : str or Path
        A folder, or a URL that fsspec knows.
    backbone : Backbone, optional
        The model it was made with, where one is loaded already; loaded when words are asked for if left out.
    progress : callable, optional
        Told while the model loads.

    Attributes
    ----------
    recordings : tuple of Held
    rows : Rows
        Of all recordings, one after the other.
    recording, group : ndarray of int64, shape (N,)
        Of each row: which recording it is of, and which thing in which stretch of it.

    Raises
    ------
    UserError
        When there is no index, or a part of it is damaged.
    """

    def __init__(
        self, place: str | Path, backbone: Backbone | None = None, progress: Progress | None = None
    ) -> None:
        self.store = Store(place)
        self._backbone, self._progress = backbone, progress
        self._background: Background | None = None
        self._sketch: Sketch | None = None
        self._squares: npt.NDArray[np.float32] | None = None
        self.reload()

    def reload(self) -> None:
        """Read what is there now.

        Raises
        ------
        UserError
            When there is no index, or a part of it is damaged.
        """
        missing = ""
        for _ in range(_TRIES):
            try:
                self._read(settings.read_record(self.store, settings.current(self.store)))
            except FileNotFoundError as error:
                missing = str(error.filename or error)
                continue  # another model took over while it was read, and the one before is gone
            return
        place = self.store.place
        raise UserError(f"{place} lacks {missing}; run neuroclip-live index FOLDER --into {place} again")

    def _read(self, record: ModelRecord) -> None:
        there = parts.pieces_there(self.store, record.key)
        paths: dict[str, list[str]] = {}
        for path, entry in sorted(read_entries(self.store).items()):
            if entry.state == "ok" and parts.is_whole(there.get(entry.digest, [])):
                paths.setdefault(entry.digest, []).append(path)
        held: list[Held] = []
        blocks, recording, group, groups = [], [], [], 0
        for digest, where in sorted(paths.items(), key=lambda item: item[1]):
            facts = None
            for piece in sorted(there[digest]):
                rows, each = parts.read_part(self.store, record.key, piece)
                facts = facts or each
                rows = _by_track(rows)
                blocks.append(rows)
                recording.append(np.full(len(rows), len(held), np.int64))
                if len(rows):
                    new = np.cumsum(np.r_[0, np.diff(rows.track) != 0])
                    # the whole picture goes on from piece to piece, where no thing's rows lie between
                    groups += rows.track[0] != -1
                    group.append(groups + new)
                    groups += int(new[-1])
            groups += 1
            assert facts is not None
            held.append(Held(where[0], tuple(where), digest, facts))
        if record != getattr(self, "record", record):
            self._backbone = self._background = None  # of another model
        self.record = record
        self.recordings = tuple(held)
        self.rows = _joined(blocks)
        self.recording = np.concatenate(recording) if recording else np.zeros(0, np.int64)
        self.group = np.concatenate(group).astype(np.int64) if group else np.zeros(0, np.int64)
        self._sketch = self._squares = None

    def __len__(self) -> int:
        """Return how many moments it holds."""
        return len(self.rows)

    def use(self, backbone: Backbone) -> None:
        """Ask words of a model that is loaded already: the one that the index was made with."""
        self._backbone = backbone

    def offer(self, backbone: Backbone) -> bool:
        """Ask words of a model that is loaded already if it is the right one; return whether it is used."""
        if self._backbone is None and settings.is_record_of(self.record, backbone):
            self._backbone = backbone
        return self._backbone is backbone

    @property
    def places(self) -> dict[str, str]:
        """The paths of all recordings, by what tables call them."""
        return {as_text(path): path for held in self.recordings for path in held.paths}

    def place_of(self, recording: int, query: Query) -> str:
        """Return where a recording lies: of several copies, one that the query's filter lets in."""
        held = self.recordings[recording]
        wanted = (path for path in held.paths if query.files is None or _matches(path, query.files))
        return next(wanted, held.path)

    @property
    def backbone(self) -> Backbone:
        """The model it was made with.

        Raises
        ------
        UserError
            When it cannot be loaded, or is another one by now.
        """
        if self._backbone is None:
            options: Mapping[str, Any] = self.record.options
            loaded = load_backbone(**options, progress=self._progress)
            if not settings.is_record_of(self.record, loaded):
                raise UserError(
                    f"{self.store.place} was made with another {self.record.name} than the one installed; "
                    f"run neuroclip-live index FOLDER --into {self.store.place} again"
                )
            self._backbone = loaded
        return self._backbone

    @property
    def background(self) -> Background:
        """The nouns that every word competes with."""
        if self._background is None:
            self._background = Background(self.backbone)
        return self._background

    @property
    def sketch(self) -> Sketch | None:
        """Sketches of the rows, made when first asked for; None where there are few."""
        if self._sketch is None and len(self.rows) >= MANY_ROWS:
            self._sketch = Sketch.of(self.rows.feature)
        return self._sketch

    @property
    def squares(self) -> npt.NDArray[np.float32]:
        """The squared lengths of the rows (N,), computed when first asked for."""
        if self._squares is None:
            self._squares = squares(self.rows.feature, np.arange(len(self.rows)))
        return self._squares

    def chosen(self, query: Query) -> npt.NDArray[np.bool_]:
        """Return for each recording whether a query's filters let it in."""
        return np.array([self._fits(held, query) for held in self.recordings], np.bool_)

    def _fits(self, held: Held, query: Query) -> bool:
        facts = held.facts
        if query.files is not None and not any(_matches(path, query.files) for path in held.paths):
            return False
        if query.sensor is not None:
            asked = query.sensor.lower()
            if asked not in (f"{facts.width}x{facts.height}", facts.camera.lower()):
                return False
        if query.since_us is not None and facts.recorded_us + facts.seconds * 1e6 < query.since_us:
            return False
        return query.until_us is None or facts.recorded_us < query.until_us

    def search(self, text: str | None = None, **options: Any) -> pa.Table:
        r"""Return moments as a table; see :class:`neuroclip_live.archive.query.Query` for the options.

        Returns
        -------
        pyarrow.Table
            ``file`` (string; bytes of a name that are no text as ``\xff``), ``from_s`` and ``to_s``
            (seconds from the first event), ``score`` (0 to 1), ``box`` (left, top, right, bottom in pixels;
            null for the whole picture), ``track`` and ``best_s``, where in it the score was reached; the best
            first. The schema's metadata has ``notes``: what the user should know, one a line.

        Raises
        ------
        UserError
            When there is nothing to look for, or the model cannot be loaded.
        """
        from neuroclip_live.archive.search import search

        return search(self, Query(text, **options))


def _matches(path: str, pattern: str) -> bool:
    # a name may have brackets in it, which mean something else in a glob
    return any(name == pattern or fnmatch.fnmatch(name, pattern) for name in (path, os.path.basename(path)))


def _by_track(rows: Rows) -> Rows:
    """Order rows by thing, then by time: the whole picture last, where the next piece goes on with it."""
    order = np.lexsort((rows.from_us, np.where(rows.track < 0, 1 << 30, rows.track)))
    return rows if (order[:-1] < order[1:]).all() else Rows(*(getattr(rows, n)[order] for n in _NAMES))


_NAMES = ("from_us", "to_us", "events", "slices", "track", "box", "feature", "background")


def _joined(blocks: list[Rows]) -> Rows:
    if not blocks:
        return Rows(
            *(np.zeros(0, np.int64),) * 2,
            *(np.zeros(0, np.int32),) * 3,
            np.zeros((0, 4), np.int16),
            np.zeros((0, 0), np.float16),
            np.zeros(0, np.float32),
        )
    return Rows(*(np.concatenate([getattr(block, name) for block in blocks]) for name in _NAMES))
