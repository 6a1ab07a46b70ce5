"""What was encoded of a recording: one Parquet file for each ten minutes of it, written once, never changed.

A part's name says which bytes it is of, which stretch, and by which model, and what is in it follows from
that alone. A part that is there is whole; so a killed run goes on at the part it was at, two processes that
make the same one do no harm, and no two runs disagree.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet

from neuroclip_live.archive.store import Store
from neuroclip_live.errors import UserError

FOLDER = "parts"
PIECE_S = 600
"""A long recording is cut so, whoever indexes it: each part for itself, with what leads up to it."""
_NAME = re.compile(r"(?P<digest>[0-9a-f]{32})-(?P<number>\d{4,})-of-(?P<count>\d{4,})\.parquet")
_FACTS = b"neuroclip-live"


@dataclass(frozen=True, order=True)
class Piece:
    """A stretch of a recording: ``number`` of ``count``, from 0."""

    digest: str
    number: int
    count: int

    @property
    def name(self) -> str:
        """Its file's name, within its model's folder."""
        return f"{self.digest}-{self.number:04}-of-{self.count:04}.parquet"

    @property
    def span_us(self) -> tuple[int, int | None]:
        """From where to where it goes, from the recording's first event; the last goes to the end."""
        begin = self.number * PIECE_S * 1_000_000
        return begin, begin + PIECE_S * 1_000_000 if self.number + 1 < self.count else None


def pieces_of(digest: str, seconds: float) -> list[Piece]:
    """Return how a recording is cut."""
    count = max(1, math.ceil(seconds / PIECE_S))
    return [Piece(digest, number, count) for number in range(count)]


def parse_name(name: str) -> Piece | None:
    """Return the piece a file is of; None for a file that is none."""
    found = _NAME.fullmatch(name)
    return Piece(found["digest"], int(found["number"]), int(found["count"])) if found else None


def pieces_there(store: Store, model: str) -> dict[str, list[Piece]]:
    """Return the pieces that are there for a model, by digest."""
    there: dict[str, list[Piece]] = {}
    for name in store.names(f"{FOLDER}/{model}"):
        piece = parse_name(name)
        if piece is not None:
            there.setdefault(piece.digest, []).append(piece)
    return there


def is_whole(pieces: Sequence[Piece]) -> bool:
    """Tell whether these are all pieces of their recording."""
    return bool(pieces) and len({piece.number for piece in pieces}) == pieces[0].count


@dataclass(frozen=True)
class PartFacts:
    """What is known of a piece beside its rows.

    ``recorded_us`` is when its recording began, microseconds since 1970 (UTC); ``damage`` what the reader of
    the file said of losses, empty when nothing.
    """

    seconds: float
    events: int
    slices: int
    width: int
    height: int
    camera: str
    format: str
    recorded_us: int
    damage: str = ""
    stray_events: int = 0
    outside_events: int = 0


@dataclass(frozen=True)
class Rows:
    """Moments, in order of time, those of things after that of the whole picture.

    Attributes
    ----------
    from_us, to_us : ndarray of int64, shape (N,)
        From the recording's first event.
    events, slices : ndarray of int32, shape (N,)
    track : ndarray of int32, shape (N,)
        -1 for the whole picture.
    box : ndarray of int16, shape (N, 4)
        Left, top, right, bottom in pixels, ends excluded; zeros for the whole picture.
    feature : ndarray of float16, shape (N, C)
        Its product with a text's unit feature is the mean cosine that live scores are made of.
    background : ndarray of float32, shape (N,)
        How well everyday nouns together fit it, as a logit (:mod:`neuroclip_live.archive.background`).
    """

    from_us: npt.NDArray[np.int64]
    to_us: npt.NDArray[np.int64]
    events: npt.NDArray[np.int32]
    slices: npt.NDArray[np.int32]
    track: npt.NDArray[np.int32]
    box: npt.NDArray[np.int16]
    feature: npt.NDArray[np.float16]
    background: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.from_us)


def write_part(store: Store, model: str, piece: Piece, rows: Rows, facts: PartFacts) -> int:
    """Write a part; return its size in bytes."""
    width = rows.feature.shape[1]
    flat = pa.array(np.ascontiguousarray(rows.feature).reshape(-1), pa.float16())
    boxes = pa.array(np.ascontiguousarray(rows.box).reshape(-1), pa.int16())
    table = pa.table(
        {
            "from_us": rows.from_us,
            "to_us": rows.to_us,
            "events": rows.events,
            "slices": rows.slices,
            "track": pa.array(rows.track, mask=rows.track < 0),
            "box": pa.FixedSizeListArray.from_arrays(boxes, 4),
            "feature": pa.FixedSizeListArray.from_arrays(flat, width),
            "background": rows.background,
        }
    )
    table = table.replace_schema_metadata({_FACTS: json.dumps(asdict(facts)).encode()})
    stream = io.BytesIO()
    pyarrow.parquet.write_table(
        table,
        stream,
        compression="zstd",
        use_dictionary=False,
        column_encoding={
            "feature.list.element": "BYTE_STREAM_SPLIT",
            "from_us": "DELTA_BINARY_PACKED",
            "to_us": "DELTA_BINARY_PACKED",
        },
    )
    data = stream.getvalue()
    store.write(f"{FOLDER}/{model}/{piece.name}", data)
    return len(data)


def read_part(store: Store, model: str, piece: Piece) -> tuple[Rows, PartFacts]:
    """Read a part.

    Raises
    ------
    UserError
        When it is damaged: the disk's fault, since parts are written whole.
    """
    name = f"{FOLDER}/{model}/{piece.name}"
    data = store.read(name)
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
        facts = PartFacts(**json.loads(table.schema.metadata[_FACTS]))
        width = table.schema.field("feature").type.list_size
        rows = Rows(
            table["from_us"].to_numpy(),
            table["to_us"].to_numpy(),
            table["events"].to_numpy(),
            table["slices"].to_numpy(),
            table["track"].fill_null(-1).to_numpy(),
            _flat(table["box"]).reshape(-1, 4),
            _flat(table["feature"]).reshape(-1, width),
            table["background"].to_numpy(),
        )
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{store.url(name)} is damaged ({error}); delete it and run neuroclip-live index again"
        ) from error
    return rows, facts


def _flat(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    chunks = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(chunks) if chunks else np.zeros(0)
