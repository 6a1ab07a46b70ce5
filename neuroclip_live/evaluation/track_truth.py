"""What is where: the true boxes of a recording, simulated or read from a file.

Read are MOT challenge text (``frame,id,left,top,width,height,conf,class,...``) and the boxes of GEN1 and
1 Mpx (``.npy`` with the fields ``t`` or ``ts``, ``x``, ``y``, ``w``, ``h``, ``class_id``, ``track_id``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuroclip_live.errors import UserError
from neuroclip_live.stream.box import Box

_NEAR_US = 60_000
"""A slice without a true moment this near is not measured."""
MOT_FPS = 30.0
_MOST_BOXES = 5_000_000


@dataclass(frozen=True)
class Moment:
    """The things at one time: (id, box, label) each; a label may be empty."""

    t_us: int
    things: tuple[tuple[int, Box, str], ...]


class Truth:
    """Moments in order of time.

    Parameters
    ----------
    moments : iterable of Moment
    """

    def __init__(self, moments: Iterable[Moment]) -> None:
        self.moments = sorted(moments, key=lambda moment: moment.t_us)
        self._times = [moment.t_us for moment in self.moments]

    def at(self, t_us: int) -> Moment | None:
        """Return the moment nearest to a time; None where there is none within 60 ms."""
        place = bisect_left(self._times, t_us)
        near = [self.moments[i] for i in (place - 1, place) if 0 <= i < len(self.moments)]
        best = min(near, key=lambda moment: abs(moment.t_us - t_us), default=None)
        return best if best is not None and abs(best.t_us - t_us) <= _NEAR_US else None


def read_mot(path: Path, fps: float = MOT_FPS, names: tuple[str, ...] = ()) -> Truth:
    """Read MOT challenge text; frame 1 lies at time 0. Lines whose confidence is 0 are left out.

    Raises
    ------
    UserError
        When it is no such file.
    """
    try:
        rows = np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float64, max_rows=_MOST_BOXES)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no MOT boxes ({error}); a line is frame,id,left,top,width,height") from None
    if rows.size and rows.shape[1] < 6:
        raise UserError(f"{path}: {rows.shape[1]} columns; MOT has frame,id,left,top,width,height")
    if not np.isfinite(rows).all():
        raise UserError(f"{path}: a number is missing or infinite")
    boxes = []
    for row in rows:
        if len(row) > 6 and row[6] == 0:
            continue
        number = int(row[7]) - 1 if len(row) > 7 else -1
        label = names[number] if 0 <= number < len(names) else ""
        left, top, width, height = row[2:6]
        boxes.append((round((row[0] - 1) * 1e6 / fps), int(row[1]), left, top, width, height, label))
    return _by_time(boxes)


def read_npy(path: Path, names: tuple[str, ...] = ()) -> Truth:
    """Read the boxes of GEN1 or 1 Mpx.

    Raises
    ------
    UserError
        When it is no such file.
    """
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no NumPy boxes ({error})") from None
    fields = rows.dtype.names or ()
    time = "t" if "t" in fields else "ts"
    wanted = (time, "x", "y", "w", "h")
    missing = [name for name in wanted if name not in fields]
    if missing or rows.ndim != 1:
        raise UserError(f"{path}: no boxes of GEN1 or 1 Mpx, the fields {', '.join(missing)} are missing")
    if not all(np.isfinite(rows[name]).all() for name in wanted):
        raise UserError(f"{path}: a number is missing or infinite")
    boxes = []
    for number, row in enumerate(rows[:_MOST_BOXES]):
        kind = int(row["class_id"]) if "class_id" in fields else -1
        label = names[kind] if 0 <= kind < len(names) else ""
        track = int(row["track_id"]) if "track_id" in fields else number + 1
        left, top, width, height = (float(row[name]) for name in ("x", "y", "w", "h"))
        boxes.append((int(row[time]), track, left, top, width, height, label))
    return _by_time(boxes)


def read_truth(path: Path, fps: float = MOT_FPS, names: tuple[str, ...] = ()) -> Truth:
    """Read boxes in either format, by the file's ending."""
    return read_npy(path, names) if path.suffix == ".npy" else read_mot(path, fps, names)


def _by_time(boxes: list[tuple[int, int, float, float, float, float, str]]) -> Truth:
    moments: dict[int, list[tuple[int, Box, str]]] = {}
    for t_us, track, left, top, width, height, label in boxes:
        if width <= 0 or height <= 0:
            continue
        box = Box(*(int(np.clip(side, -1e6, 1e6)) for side in (left, top, left + width, top + height)))
        moments.setdefault(t_us, []).append((track, box, label))
    return Truth(Moment(t_us, tuple(things)) for t_us, things in moments.items())
