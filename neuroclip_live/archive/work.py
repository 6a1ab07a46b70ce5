"""Encoding the pieces that are missing, here: what another place to do it in has to give back as well.

A piece is done by :func:`do`, wherever; an :data:`Engine` decides where and when, and tells what came of it.
:mod:`neuroclip_live.archive.ray_engine` is the other one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from neuroclip_live.archive import parts
from neuroclip_live.archive.background import Background
from neuroclip_live.archive.encode import Stopped, encode_piece
from neuroclip_live.archive.parts import Piece
from neuroclip_live.archive.recordings import size_of
from neuroclip_live.archive.settings import ModelRecord
from neuroclip_live.archive.store import Store
from neuroclip_live.model.backbone import Backbone

_WAIT_S = 0.5
CHANGED = "it changed while it was read; run index again when it is complete"


@dataclass(frozen=True)
class Work:
    """A piece that is missing, where its recording lies, and its size and time when its digest was taken."""

    path: str
    piece: Piece
    seconds: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Done:
    """What came of a piece: its size and facts; ``error`` says why it could not be read, empty otherwise."""

    bytes: int = 0
    events: int = 0
    damage: str = ""
    error: str = ""


At = Callable[[Work, float], bool]
"""Told which piece is at work and how many seconds of it are done; returns False to stop."""
Engine = Callable[[Sequence[Work], Store, ModelRecord, At], Iterator[tuple[Work, Done]]]
"""Does every piece of a list by a model's record, in any order; yields what came of each, once.
Raises :class:`~neuroclip_live.archive.encode.Stopped` when told to stop."""


def reason_of(error: Exception | str) -> str:
    """Return in one line why a recording cannot be read; its path is named anyway."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def do(
    work: Work,
    store: Store,
    backbone: Backbone,
    background: Background,
    record: ModelRecord,
    progress: Callable[[float], bool] = lambda seconds: True,
) -> Done:
    """Encode one piece and write its part, unless it is there by now."""
    if store.exists(f"{parts.FOLDER}/{record.key}/{work.piece.name}"):
        return Done()
    path = Path(work.path)
    try:
        if size_of(path) != work.size:
            return Done(error=CHANGED)
        rows, facts = encode_piece(path, work.piece, backbone, background, record.settings, progress)
        if size_of(path) != work.size:
            return Done(error=CHANGED)
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001 - one recording must not end a run over a thousand
        return Done(error=reason_of(error))
    size = parts.write_part(store, record.key, work.piece, rows, facts)
    return Done(size, facts.events, facts.damage)


def here(backbone: Backbone) -> Engine:
    """Return what does the pieces one after the other in this process, with a model that is loaded."""

    def outcomes(
        todo: Sequence[Work], store: Store, record: ModelRecord, at: At
    ) -> Iterator[tuple[Work, Done]]:
        background, waiting = Background(backbone), list(todo)
        while waiting:
            left = []
            for work in waiting:
                with store.claimed(work.piece.name) as free:
                    if not free:
                        left.append(work)
                        continue
                    yield work, do(work, store, backbone, background, record, partial(at, work))
            if len(left) == len(waiting):
                if not at(left[0], 0.0):
                    raise Stopped
                time.sleep(_WAIT_S)  # another process is at it: what it leaves, if it dies, is taken up here
            waiting = left

    return outcomes
