"""Boxes that an archive was labeled with, for training detectors: pictures with the files of YOLO or COCO.

A picture is the event frame of the slice in which the boxes were seen, at the sensor's size, one for each row
of time in the index. One in which something is seen that no label surely fits is left out: training would
take it for background.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.archive.index import Index
from neuroclip_live.archive.labels import scores
from neuroclip_live.archive.recordings import as_text
from neuroclip_live.archive.settings import EVERY_US, ArchiveSettings
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet
from neuroclip_live.recognition.replay_all import Totals, slices_of
from neuroclip_live.stream.frames import event_frame

IMAGES, LABELS = "images", "labels"


@dataclass(frozen=True)
class LabeledBox:
    """A thing in a picture: left, top, right and bottom in pixels, ends excluded."""

    label: str
    score: float
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class LabeledMoment:
    """A moment of a recording, microseconds from its first event, and all that is seen in it."""

    path: str
    at_us: int
    boxes: tuple[LabeledBox, ...]


@dataclass(frozen=True)
class Written:
    """What was written; ``unread`` says which recordings could not be read."""

    pictures: int
    boxes: int
    unread: tuple[str, ...]


def labeled_moments(
    index: Index, prompts: PromptSet, floor: float, only: Collection[str] | None = None
) -> tuple[list[LabeledMoment], int]:
    """Return the moments in which every thing that is seen is surely one of the prompts; how many are not.

    Parameters
    ----------
    index : Index
        Made with ``--objects``.
    prompts : PromptSet
        Negative ones compete; a thing that is surely one of them has no box.
    floor : float
        Least score, 0 to 1.
    only : collection of str, optional
        Absolute paths of the recordings; all in the index if left out.

    Raises
    ------
    UserError
        When the index holds no things.
    """
    rows = index.rows
    things = np.flatnonzero(rows.track >= 0)
    if not index.record.settings.objects:
        raise UserError(f"{index.store.place} was made without --objects, so there are no boxes in it")
    table = PromptEncoder(index.backbone).encode(prompts)
    score = scores(index, table.features, things)
    best, most = score.argmax(axis=1), score.max(axis=1)
    recording, until = index.recording[things], rows.to_us[things]
    found: list[LabeledMoment] = []
    unsure = 0
    for group in _pictures(recording, until):
        held = index.recordings[int(recording[group[0]])]
        wanted = [path for path in held.paths if only is None or path in only]
        if not wanted:
            continue
        if (most[group] < floor).any():
            unsure += 1
            continue
        boxes = [
            LabeledBox(table.labels[best[i]], float(most[i]), _box(rows.box[things[i]]))
            for i in group
            if not table.negative[best[i]]
        ]
        if boxes:
            found.append(LabeledMoment(wanted[0], int(until[group[0]]), tuple(boxes)))
    return found, unsure


def _pictures(recording: npt.NDArray[np.int64], until: npt.NDArray[np.int64]) -> Iterator[list[int]]:
    """Yield, for each row of time of each recording, the numbers of the things of its last moment."""
    order = np.lexsort((until, recording))
    cell = (until[order] - 1) // EVERY_US
    group: list[int] = []
    for place, number in enumerate(order.tolist()):
        if group:
            last = group[-1]
            if recording[last] != recording[number] or cell[place - 1] != cell[place]:
                yield group
                group = []
            elif until[last] != until[number]:
                group = []  # an earlier moment of the same row
        group.append(number)
    if group:
        yield group


def _box(box: npt.NDArray[np.int16]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(side) for side in box)
    return left, top, right, bottom


def write_yolo(index: Index, moments: Sequence[LabeledMoment], names: Sequence[str], folder: Path) -> Written:
    """Write ``images/*.png``, ``labels/*.txt`` and ``data.yaml``.

    Raises
    ------
    UserError
        When the folder cannot be written.
    """

    def take(stem: str, moment: LabeledMoment, size: tuple[int, int]) -> None:
        lines = [_yolo_line(names.index(thing.label), thing.box, size) for thing in moment.boxes]
        _write(folder / LABELS / f"{stem}.txt", "".join(lines).encode())

    written = _write_pictures(index, moments, folder, take)
    listed = "".join(f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(names))
    told = f"path: .\ntrain: {IMAGES}\nval: {IMAGES}\nnames:\n{listed}"
    _write(folder / "data.yaml", told.encode())
    return written


def _yolo_line(number: int, box: tuple[int, int, int, int], size: tuple[int, int]) -> str:
    left, top, right, bottom = box
    width, height = size
    middle = (left + right) / 2 / width, (top + bottom) / 2 / height
    extent = (right - left) / width, (bottom - top) / height
    return " ".join([str(number), *(f"{share:.6f}" for share in (*middle, *extent))]) + "\n"


def write_coco(index: Index, moments: Sequence[LabeledMoment], names: Sequence[str], folder: Path) -> Written:
    """Write ``images/*.png`` and ``annotations.json``, which also tells where each picture is from.

    Raises
    ------
    UserError
        When the folder cannot be written.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []

    def take(stem: str, moment: LabeledMoment, size: tuple[int, int]) -> None:
        images.append(
            {
                "id": len(images) + 1,
                "file_name": f"{stem}.png",
                "width": size[0],
                "height": size[1],
                "recording": as_text(moment.path),
                "to_s": round(moment.at_us / 1e6, 6),
            }
        )
        for thing in moment.boxes:
            left, top, right, bottom = thing.box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": names.index(thing.label) + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                    "score": round(thing.score, 4),
                }
            )

    written = _write_pictures(index, moments, folder, take)
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    told = {"images": images, "annotations": annotations, "categories": categories}
    _write(folder / "annotations.json", json.dumps(told).encode())
    return written


def _write_pictures(
    index: Index,
    moments: Sequence[LabeledMoment],
    folder: Path,
    take: Callable[[str, LabeledMoment, tuple[int, int]], None],
) -> Written:
    """Write the picture of each moment, reading each recording once; ``take`` is told its name and size."""
    how = index.record.settings
    if how.threshold is None:
        how = replace(how, threshold=index.backbone.info.threshold)
    by_path: dict[str, dict[int, LabeledMoment]] = {}
    for moment in moments:
        by_path.setdefault(moment.path, {})[moment.at_us] = moment
    pictures, boxes, unread = 0, 0, []
    for path, wanted in sorted(by_path.items()):
        frames = _frames(path, wanted, how)
        while True:
            try:
                at_us, frame = next(frames)
            except StopIteration:
                break
            except UserError as error:
                unread.append(str(error))
                break
            stem = f"{pictures:06}"
            _, png = cv2.imencode(".png", frame)
            _write(folder / IMAGES / f"{stem}.png", png.tobytes())
            take(stem, wanted[at_us], (frame.shape[1], frame.shape[0]))
            pictures, boxes = pictures + 1, boxes + len(wanted[at_us].boxes)
    return Written(pictures, boxes, tuple(unread))


def _frames(
    path: str, wanted: Collection[int], how: ArchiveSettings
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Yield the frames of the slices that end at these times, as recognition saw them.

    Those of a recording that was cut to be encoded may be cut otherwise: it is the first that ends no sooner.
    """
    due = sorted(wanted, reverse=True)
    source = ReplaySource(path, speed=None)
    try:
        for piece in slices_of(source, how.slice_by(), Totals()):
            at_us = source.time_place(piece.end_us) - source.recording.first_us
            while due and due[-1] <= at_us:
                yield due.pop(), event_frame(piece.events, source.resolution, how.threshold or 0)
    finally:
        source.close()


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another folder") from error
