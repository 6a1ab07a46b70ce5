"""A folder of bare samples, ``<label>/*.bin``: one sample a file, whatever sensor made them.

A few hundred milliseconds of events are too short to run through the live slicing, so they are cut in T
slices like the samples of the known data sets. ``Train/<label>/*.bin`` beside ``Test/<label>/*.bin`` is a
split to keep; otherwise a share of each label's files is held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuroclip_live.datasets import EventDataset, dataset_of, finding, layouts
from neuroclip_live.datasets.formats import read_atis, read_sample
from neuroclip_live.datasets.limits import UnreadableSample
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution

SENSORS = (Resolution(34, 34), Resolution(128, 128), Resolution(240, 180), Resolution(256, 240))
"""Sizes that data sets have and the format can hold: x and y are bytes, and row 240 is a clock mark."""
_LOOKED_AT = 500


def has_samples(root: Path) -> bool:
    """Tell whether a folder is laid out so, and holds no recordings by label."""
    if any(root.glob("*/*.aedat4")):
        return False
    return next(iter(finding.by_class(root, ".bin")), None) is not None


def open_samples(root: Path, seed: int = 0) -> EventDataset:
    """Find the samples under ``root`` and the size of the sensor that made them.

    Parameters
    ----------
    root : Path
    seed : int
        Of the split, where there is none.

    Raises
    ------
    UserError
        When not one sample can be read.
    """
    found = list(finding.by_class(root, ".bin"))
    spec = layouts.Spec(
        "folder",
        "a folder of samples",
        _sensor(root, [each.path for each in found]),
        0,
        "{}",
        False,  # digits and letters are not themselves in a mirror
        "",
        "<label>/*.bin",
        lambda folder: finding.by_class(folder, ".bin"),
        read_atis,
        labels=layouts.plain_label,
    )
    return dataset_of(spec, root, "official", found, seed)


def _sensor(root: Path, paths: Sequence[Path]) -> Resolution:
    """Return the smallest known size that holds the events of files taken evenly from all of them."""
    width = height = 0
    complaint = ""
    for index in np.linspace(0, len(paths) - 1, min(len(paths), _LOOKED_AT)).astype(int):
        try:
            events = read_sample(paths[index], read_atis)
        except UnreadableSample as error:
            complaint = complaint or f"{paths[index]}: {error}"
            continue
        width, height = max(width, int(events["x"].max()) + 1), max(height, int(events["y"].max()) + 1)
    for sensor in SENSORS:
        if 0 < width <= sensor.width and height <= sensor.height:
            return sensor
    raise UserError(
        f"{root} has no .bin sample that can be read ({complaint or 'events outside any sensor'})"
    )
