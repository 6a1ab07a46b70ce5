"""By which model and with what settings an archive was encoded: its features depend on both."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.archive.store import Store
from neuroclip_live.errors import UserError
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.objects.found import ObjectsSettings
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.slicing import SliceBy, parse_slice

FOLDER = "models"
CURRENT = "current.json"
EVERY_US = 400_000
"""Time that one moment covers: at 640 halves each an hour that is never at rest takes 10 MB."""
_SAME = 0.999
"""Cosine between features of one frame by the same model in different runtimes; others are far below."""


@dataclass(frozen=True)
class ArchiveSettings:
    """How recordings are encoded for an archive.

    Attributes
    ----------
    slice : str
        As ``--slice`` has it.
    overlap, timesteps : int
    threshold : int or None
    motion : float or None
    stride : int
        Every so many slices one is encoded; 1 is what recognition does.
    objects : bool
        Also a feature for each thing that is followed.
    """

    slice: str = "auto"
    overlap: int = 2
    timesteps: int = 10
    threshold: int | None = None
    motion: float | None = None
    stride: int = 1
    objects: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.stride <= 64:
            raise UserError(f"--stride {self.stride}: choose 1 (every slice) to 64")
        parse_slice(self.slice, self.overlap)
        self.recognizer()

    def slice_by(self) -> SliceBy:
        """Return how to cut."""
        return parse_slice(self.slice, self.overlap)

    def recognizer(self) -> RecognizerSettings:
        """Return how to recognize: nothing is in a hurry."""
        objects = ObjectsSettings(enabled=self.objects, budget_ms=float("inf"))
        return RecognizerSettings(self.timesteps, self.threshold, self.motion, objects=objects)


FORMAT = 2
"""Of records; raised where one of an earlier program could not be used as it stands."""


@dataclass(frozen=True)
class ModelRecord:
    """A model as an index knows it.

    ``options`` is what :func:`neuroclip_live.model.backbone.load_backbone` is called with; ``probe`` are the
    model's features of three drawn frames, flat, by which it is known again whatever runs it; ``templates``
    the sentences that the nouns beside each moment were put in, None in an index of before they were kept.
    """

    key: str
    name: str
    options: Mapping[str, Any]
    settings: ArchiveSettings
    probe: tuple[float, ...] = field(repr=False)
    format: int = FORMAT
    templates: tuple[str, ...] | None = None

    def to_json(self) -> bytes:
        """Return it as the index keeps it."""
        return json.dumps(asdict(self), indent=1).encode()


def record_of(
    store: Store, backbone: Backbone, options: Mapping[str, Any], settings: ArchiveSettings
) -> ModelRecord:
    """Return the index's record of a model with these settings; a new one is not yet written."""
    probe = probe_of(backbone)
    for record in records(store):
        alike = record.settings == settings and record.templates == backbone.info.templates
        if alike and is_record_of(record, backbone, probe):
            return record
    rounded = [round(float(number), 4) for number in probe]
    told = json.dumps([backbone.info.name, asdict(settings), rounded, backbone.info.templates])
    key = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
    return ModelRecord(
        key,
        backbone.info.name,
        dict(options),
        settings,
        tuple(rounded),
        templates=backbone.info.templates,
    )


def is_record_of(
    record: ModelRecord, backbone: Backbone, probe: npt.NDArray[np.float32] | None = None
) -> bool:
    """Tell whether a record is of a model: of one name, with the same features and the same templates.

    ``probe`` is the model's, where it is known already.
    """
    if record.name != backbone.info.name or record.templates not in (None, backbone.info.templates):
        return False
    kept = np.array(record.probe, np.float32)
    return is_same(kept, probe_of(backbone) if probe is None else probe)


def records(store: Store) -> list[ModelRecord]:
    """Return all models an index knows."""
    found = []
    for name in store.names(FOLDER):
        with contextlib.suppress(FileNotFoundError):  # another run has just replaced it
            found.append(read_record(store, name.removesuffix(".json")))
    return found


def read_record(store: Store, key: str) -> ModelRecord:
    """Read one; UserError where it is damaged or of another version, FileNotFoundError where it is gone."""
    name = f"{FOLDER}/{key}.json"
    try:
        data = json.loads(store.read(name))
        if data.get("format") != FORMAT:
            raise UserError(
                f"{store.place} was made by another version of neuroclip-live; make the index again elsewhere"
            )
        settings = ArchiveSettings(**data.pop("settings"))
        data |= {"settings": settings, "probe": tuple(data["probe"])}
        if data.get("templates") is not None:
            data["templates"] = tuple(data["templates"])
        return ModelRecord(**data)
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{store.url(name)} is damaged; make the index again elsewhere") from error


def write_record(store: Store, record: ModelRecord) -> None:
    """Keep a record, and take it as the current one where there is none."""
    store.write(f"{FOLDER}/{record.key}.json", record.to_json())
    if not store.exists(CURRENT):
        set_current(store, record.key)


def current(store: Store) -> str:
    """Return the key of the model that is searched by.

    Raises
    ------
    UserError
        When the place holds no index.
    """
    try:
        return str(json.loads(store.read(CURRENT))["model"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{store.place} holds no index; make one with: neuroclip-live index FOLDER --into {store.place}"
        ) from None


def set_current(store: Store, key: str) -> None:
    """Search by this model from now on."""
    store.write(CURRENT, json.dumps({"model": key}).encode())


def probe_of(backbone: Backbone) -> npt.NDArray[np.float32]:
    """Return a model's features of three frames that are always the same, (3 C,)."""
    y, x = np.mgrid[0:64, 0:64]
    ring = np.abs(np.hypot(x - 32, y - 30) - 18) < 2
    cross = (np.abs(x - y) < 3) | ((np.abs(x + y - 64) < 3) & (x < 40))
    bars = (x // 6) % 3 == 0
    frames = np.full((3, 64, 64), 127, np.uint8)
    for frame, shape in zip(frames, (ring, cross, bars & (y > 20)), strict=True):
        frame[shape & (x < 32)], frame[shape & (x >= 32)] = 0, 255
    return np.asarray(backbone.encode_frames(frames).reshape(-1), np.float32)


def is_same(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> bool:
    """Tell whether two probes are of the same model."""
    if a.shape != b.shape:
        return False
    a, b = a.reshape(3, -1), b.reshape(3, -1)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return bool(((a * b).sum(axis=1) >= _SAME * lengths).all())
