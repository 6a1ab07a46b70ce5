"""One piece of a recording into the rows of its part: the recognizer's own features, a row for every 0.4 s.

A row is the mean of the recognizer's summaries that end in its time, so its product with a text is the mean
of the cosines that live recognition would have scored there. Rows lie on a grid from the recording's first
event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.archive.background import Background
from neuroclip_live.archive.parts import PartFacts, Piece, Rows
from neuroclip_live.archive.settings import EVERY_US, ArchiveSettings
from neuroclip_live.errors import UserError
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.recognition.recognizer import Features, Recognizer
from neuroclip_live.recognition.replay_all import Totals, slices_of
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.slicing import Slice

LEAD_S = 2.0
"""A piece is read from so long before it: the window of its first slices is full by then."""
_TAIL_S = 0.5
_SINCE_1970_US = 946_684_800_000_000
"""Times from the year 2000 on are a clock's; smaller ones count from when the camera was switched on."""


@dataclass
class _Row:
    total: Features
    from_us: int
    to_us: int
    events: float = 0.0
    slices: int = 0
    box: list[int] = field(default_factory=lambda: [0, 0, 0, 0])


class Stopped(Exception):
    """Encoding was told to stop."""


def encode_piece(
    path: Path,
    piece: Piece,
    backbone: Backbone,
    background: Background,
    settings: ArchiveSettings,
    progress: Callable[[float], bool] = lambda seconds: True,
) -> tuple[Rows, PartFacts]:
    """Encode a piece of a recording.

    Parameters
    ----------
    path : Path
    piece : Piece
    backbone : Backbone
    background : Background
        By the same model.
    settings : ArchiveSettings
    progress : callable
        Told how many seconds of the piece are done; returns False to stop.

    Raises
    ------
    UserError
        When the recording cannot be read.
    Stopped
        When ``progress`` said so.
    """
    begin_us, end_us = piece.span_us
    start_s = max(0.0, begin_us / 1e6 - LEAD_S)
    end_s = end_us / 1e6 + _TAIL_S if end_us is not None else None
    source = ReplaySource(path, speed=None, start_s=start_s, end_s=end_s)
    try:
        collected, totals = _collect(source, piece, backbone, settings, progress)
        facts = _facts(source, path, totals)
    finally:
        source.close()
    return _as_rows(collected, backbone.info.embed_dim, background), facts


def _collect(
    source: ReplaySource,
    piece: Piece,
    backbone: Backbone,
    settings: ArchiveSettings,
    progress: Callable[[float], bool],
) -> tuple[dict[tuple[int, int], _Row], Totals]:
    recognizer = Recognizer(backbone, None, settings.recognizer())
    recognizer.begin(source.resolution)
    first_us = source.recording.first_us
    begin_us, end_us = piece.span_us
    rows: dict[tuple[int, int], _Row] = {}
    totals, told = Totals(), 0.0
    shifts: dict[int, int] = {}
    for number, slice_ in enumerate(slices_of(source, settings.slice_by(), totals)):
        if number % settings.stride:
            continue
        shift = shifts.setdefault(
            slice_.epoch, source.time_place(slice_.start_us) - slice_.start_us - first_us
        )
        end = slice_.end_us + shift
        prediction = recognizer.update(slice_)
        if begin_us < end <= (end_us if end_us is not None else end):
            totals.windows += 1
            if recognizer.summary is not None:
                cell = (end - 1) // EVERY_US
                _add(rows, (cell, -1), recognizer.summary, slice_, shift, settings, None)
                for thing in prediction.objects or ():
                    if thing.state == "seen" and thing.look is not None:
                        _add(rows, (cell, thing.id), thing.look, slice_, shift, settings, thing.box)
        done = max(0.0, (end - begin_us) / 1e6)
        if done - told > 1.0:
            told = done
            if not progress(done):
                raise Stopped
    return rows, totals


def _add(
    rows: dict[tuple[int, int], _Row],
    key: tuple[int, int],
    summary: Features,
    piece: Slice,
    shift: int,
    settings: ArchiveSettings,
    box: Box | None,
) -> None:
    begin, end = piece.start_us + shift, piece.end_us + shift
    row = rows.get(key)
    if row is None:
        row = rows[key] = _Row(np.zeros_like(summary), max(0, begin), end)
    row.total += summary
    row.to_us = end
    row.events += len(piece.events) / settings.overlap
    row.slices += 1
    if box is not None:
        row.box = list(box)


def _as_rows(collected: dict[tuple[int, int], _Row], width: int, background: Background) -> Rows:
    keys = sorted(collected)
    rows = [collected[key] for key in keys]
    features = np.stack([row.total / row.slices for row in rows]) if rows else np.zeros((0, width))
    halves = features.astype(np.float16)
    return Rows(
        np.array([row.from_us for row in rows], np.int64),
        np.array([row.to_us for row in rows], np.int64),
        np.array([round(row.events) for row in rows], np.int32),
        np.array([row.slices for row in rows], np.int32),
        np.array([track for _, track in keys], np.int32),
        np.array([row.box for row in rows], np.int16).reshape(-1, 4),
        halves,
        background.of(halves) if rows else np.zeros(0, np.float32),
    )


def _facts(source: ReplaySource, path: Path, totals: Totals) -> PartFacts:
    recording = source.recording
    first = recording.time_at(recording.first_us)
    if first < _SINCE_1970_US:
        changed = path.stat().st_mtime_ns // 1000
        first = changed - (recording.last_us - recording.first_us)
    return PartFacts(
        seconds=(recording.last_us - recording.first_us) / 1e6,
        events=totals.events,
        slices=totals.windows,
        width=source.resolution.width,
        height=source.resolution.height,
        camera=recording.camera,
        format=recording.format,
        recorded_us=first,
        damage=recording.losses,
        stray_events=totals.stray_events,
        outside_events=totals.outside_events,
    )


def seconds_of(path: Path) -> float:
    """Return how long a recording is.

    Raises
    ------
    UserError
        When it cannot be read.
    """
    recording = open_event_file(path)
    try:
        seconds = (recording.last_us - recording.first_us) / 1e6
    finally:
        recording.close()
    if not 0 <= seconds < 10 * 365 * 86400:
        raise UserError(f"{path} says that it lasts {seconds:g} s; its times are damaged")
    return seconds
