"""Walking the folders of data sets: which sample is of which class and part, as their makers lay them out.

Nothing is read but small lists. A sample is a file, or a stretch of time of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from neuroclip_live.bounded import read_bounded
from neuroclip_live.datasets.limits import inside
from neuroclip_live.errors import UserError

_MAX_LISTING_BYTES = 1 << 25
GESTURES = (
    "hand_clapping",
    "right_hand_wave",
    "left_hand_wave",
    "right_arm_clockwise",
    "right_arm_counter_clockwise",
    "left_arm_clockwise",
    "left_arm_counter_clockwise",
    "arm_roll",
    "air_drums",
    "air_guitar",
    "other_gestures",
)
"""Of DVS128 Gesture, by their number less one; ``gesture_mapping.csv`` names them so."""
_PARTS = {
    "train": "train",
    "training": "train",
    "val": "train",
    "validation": "train",
    "test": "test",
    "testing": "test",
}
"""What parts of a data set are called; a part for validation is for training here, where nothing is tuned."""


class Found(NamedTuple):
    """A sample that was found.

    Attributes
    ----------
    split : str
        ``train``, ``test`` or ``all``.
    folder : str
        The name its label has in the data set.
    path : Path
    span_us : (int, int) or None
        From when to before when, where a file holds several samples.
    """

    split: str
    folder: str
    path: Path
    span_us: tuple[int, int] | None = None


def _files(folder: Path, *suffixes: str) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith("."))


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _by_class(folder: Path, split: str, *suffixes: str) -> Iterator[Found]:
    for each in _folders(folder):
        for file in _files(each, *suffixes):
            yield Found(split, each.name, file)


def by_class(root: Path, suffix: str) -> Iterator[Found]:
    """Walk ``[Train|Test/]<class>/*<suffix>``."""
    split = list(_by_class(_child(root, "Train"), "train", suffix))
    if split:
        yield from split
        yield from _by_class(_child(root, "Test"), "test", suffix)
    else:
        yield from _by_class(root, "all", suffix)


def _child(folder: Path, *names: str) -> Path:
    """Return the child with one of these names, in any case; a path that is not there when there is none."""
    wanted = {name.lower() for name in names}
    if folder.is_dir():
        for each in sorted(folder.iterdir()):
            if each.name.lower() in wanted:
                return each
    return folder / names[0]


def n_mnist(root: Path) -> Iterator[Found]:
    """Walk ``Train|Test/<digit>/*.bin``."""
    yield from _by_class(_child(root, "Train"), "train", ".bin")
    yield from _by_class(_child(root, "Test"), "test", ".bin")


def cifar10_dvs(root: Path) -> Iterator[Found]:
    """Walk ``<class>/*.aedat``."""
    yield from _by_class(root, "all", ".aedat", ".aedat4")


def n_caltech101(root: Path) -> Iterator[Found]:
    """Walk ``Caltech101/<class>/*.bin``, or ``<part>/<class>/*.npy`` of Gehrig et al. 2019."""
    inner = _child(root, "Caltech101", "N-Caltech101")
    inner = inner if inner.is_dir() else root
    for found in (*_by_class(inner, "all", ".bin"), *_by_part(inner, ".npy")):
        if found.folder != "BACKGROUND_Google":  # pictures of anything at all: no class to name
            yield found


def n_cars(root: Path) -> Iterator[Found]:
    """Walk ``n-cars_train|test/<class>/*.dat``, or ``<part>/<sequence>/events.txt``."""
    for split in ("train", "test"):
        folder = _child(root, f"n-cars_{split}", f"n-cars-{split}", f"ncars_{split}", split)
        yield from _by_class(folder, split, ".dat")
    inner = _child(root, "N-Cars", "ncars")
    yield from _sequences(inner if inner.is_dir() else root)


def _sequences(root: Path) -> Iterator[Found]:
    """Walk N-Cars as text: a folder for each sequence, with its events and whether it is a car."""
    for folder in _folders(root):
        split = _PARTS.get(folder.name.lower())
        if split is None:
            continue
        for sequence in _folders(folder):
            told = sequence / "is_car.txt"
            if (sequence / "events.txt").is_file() and told.is_file():
                name = "cars" if _read_listing(told).strip() == "1" else "background"
                yield Found(split, name, sequence / "events.txt")


def _by_part(root: Path, suffix: str) -> Iterator[Found]:
    for folder in _folders(root):
        if split := _PARTS.get(folder.name.lower()):
            yield from _by_class(folder, split, suffix)


def asl_dvs(root: Path) -> Iterator[Found]:
    """Walk ``<letter>/*.mat``."""
    inner = _child(root, "ICCV2019_DVS_dataset")
    yield from _by_class(inner if inner.is_dir() else root, "all", ".mat")


def dvs128_gesture(root: Path) -> Iterator[Found]:
    """Walk the trials of ``*.aedat``; the ``*_labels.csv`` of each says what happens from when to when."""
    inner = _child(root, "DvsGesture")
    root = inner if inner.is_dir() else root
    for split in ("train", "test"):
        listing = root / f"trials_to_{split}.txt"
        if not listing.is_file():
            continue
        for name in filter(None, map(str.strip, _read_listing(listing).splitlines())):
            file = inside(root, name)
            if file is None:
                raise UserError(f"{listing} names {name!r}, which is not a file of its folder")
            for number, begin_us, end_us in _trials(file.with_name(f"{file.stem}_labels.csv")):
                yield Found(split, GESTURES[number - 1], file, (begin_us, end_us))


def _trials(path: Path) -> list[tuple[int, int, int]]:
    """Return the gestures of a file, each with its number, beginning and end in microseconds."""
    rows = [row.split(",") for row in _read_listing(path).splitlines()[1:] if row.strip()]
    try:
        trials = [(int(number), int(begin), int(end)) for number, begin, end in rows]
    except ValueError:
        raise UserError(f"{path} has a line that is not a gesture's number, beginning and end") from None
    if any(not 1 <= number <= len(GESTURES) for number, _, _ in trials):
        raise UserError(f"{path} has a gesture that is not one of 1 to {len(GESTURES)}")
    return trials


def es_imagenet(root: Path) -> Iterator[Found]:
    """Walk ``train/class<n>/*.npz``, and ``val`` by its list."""
    inner = _child(root, "ES-imagenet-0.18")
    root = inner if inner.is_dir() else root
    yield from _by_class(root / "train", "train", ".npz")
    listing = root / "vallabel.txt"
    if listing.is_file():
        for line in _read_listing(listing).splitlines():
            name, label, *_ = [*line.split(), "", ""]
            if label.isdecimal():
                file = inside(root / "val", name)
                if file is None:
                    raise UserError(f"{listing} names {name!r}, which is not a file of its folder val")
                yield Found("test", f"class{label}", file)


def _read_listing(path: Path) -> str:
    try:
        return read_bounded(path, _MAX_LISTING_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
