"""Features of samples, computed once: in memory, and on disk so that an interrupted run goes on.

One folder holds what was made with one model and one way of making frames; its parts are small files, each
written whole. What the model is, is asked of the model itself: the features of a fixed frame go into the
folder's name, so a retrained model of the same name does not find the old one's features.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neuroclip_live.atomic import write_atomically
from neuroclip_live.datasets import EventDataset, Sample, SplitBy, UnreadableSample
from neuroclip_live.errors import UserError
from neuroclip_live.learning.augment import augment
from neuroclip_live.stream.frames import discriminate
from neuroclip_live.stream.representations.registry import REPRESENTATIONS, representation

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Progress = Callable[[str, "float | None"], None]

SAVE_EVERY_S = 10.0


@dataclass(frozen=True)
class FrameSettings:
    """How a sample becomes frames.

    Attributes
    ----------
    timesteps : int
    split : {"number", "time"}
    threshold : int
    """

    timesteps: int = 10
    split: SplitBy = "number"
    threshold: int = 0


def fingerprint(backbone: Backbone) -> str:
    """Return what identifies a model's image features, whatever its name: 16 hexadecimal digits."""
    ramp = np.linspace(0, 255, 64 * 64).astype(np.uint8).reshape(64, 64)
    frame = np.where(ramp // 32 % 2 == 0, np.uint8(127), ramp)
    feature = backbone.encode_frames(frame[None])[0]
    told = repr((backbone.info.features, backbone.info.image_size, backbone.info.fit, backbone.info.focus))
    # three digits: runtimes differ in the sixth, models in the first
    rounded = np.round(feature / max(float(np.abs(feature).max()), 1e-12), 3) + 0.0
    return hashlib.sha256(told.encode() + rounded.astype(np.float32).tobytes()).hexdigest()[:16]


class FeatureStore:
    """Encodes samples of one data set, remembering all it has encoded.

    Parameters
    ----------
    dataset : EventDataset
    backbone : Backbone
    settings : FrameSettings
    cache : Path or None
        Folder for the parts of all stores; None keeps features in memory only.

    Attributes
    ----------
    skipped : dict of str to str
        Samples that could not be read, by name, and why.

    Raises
    ------
    UserError
        When the data set does not hold what the model's representation is made of.
    """

    def __init__(
        self, dataset: EventDataset, backbone: Backbone, settings: FrameSettings, cache: Path | None
    ) -> None:
        chosen = backbone.info.representation
        if dataset.form == "frames" and "counts" not in REPRESENTATIONS.find(chosen).capabilities:
            raise UserError(
                f"{dataset.root} holds frames without the times of their events, which --representation "
                f"{chosen} is made of: take the data set as its authors publish it"
            )
        self.dataset = dataset
        self.settings = settings
        self.skipped: dict[str, str] = {}
        self._backbone = backbone
        self._known: dict[tuple[str, int], Floats] = {}
        self._new: list[tuple[str, int]] = []
        self._saved = monotonic()
        self._folder: Path | None = None
        if cache is not None:
            told = (
                dataset.spec.key,
                str(dataset.root.resolve()),
                dataset.form,
                settings,
                fingerprint(backbone),
            )
            self._folder = cache / hashlib.sha256(repr(told).encode()).hexdigest()[:20]
            self._load(self._folder)

    def features(self, sample: Sample, copies: int = 1) -> Floats | None:
        """Return a sample's features and those of its augmented versions.

        Returns
        -------
        ndarray of float32, shape (copies, T, C), or None
            Row 0 is the sample itself. None when it cannot be read; see ``skipped``.
        """
        if sample.name in self.skipped:
            return None
        wanted = [(sample.name, copy) for copy in range(copies)]
        missing = [key for key in wanted if key not in self._known]
        if missing:
            try:
                frames = self._frames(sample)
            except UnreadableSample as error:
                self.skipped[sample.name] = str(error)
                return None
            for name, copy in missing:
                turned = augment(frames, name, copy, self.dataset.spec.flip)
                self._known[name, copy] = self._backbone.encode_frames(turned)
                self._new.append((name, copy))
            if monotonic() - self._saved > SAVE_EVERY_S:
                self.save()
        return np.stack([self._known[key] for key in wanted])

    def _frames(self, sample: Sample) -> npt.NDArray[np.uint8]:
        """Return a sample's images, one for each timestep."""
        how, chosen = self.settings, self._backbone.info.representation
        if "counts" in REPRESENTATIONS.find(chosen).capabilities:
            counts = self.dataset.counts(sample, how.timesteps, how.split)
            return np.stack([discriminate(each, how.threshold) for each in counts])
        make, size = representation(chosen), self.dataset.spec.resolution
        pieces = self.dataset.slices(sample, how.timesteps, how.split)
        spans = [(int(p["t"][0]), int(p["t"][-1]) + 1) if len(p) else (0, 1) for p in pieces]
        return np.stack([make(p, size, how.threshold, *span) for p, span in zip(pieces, spans, strict=True)])

    def many(
        self, samples: Sequence[Sample], progress: Progress, text: str
    ) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Return features (N, T, C) and labels (N,) of the samples that can be read; saves at the end."""
        found, labels = [], []
        for done, sample in enumerate(samples):
            progress(text, done / len(samples))
            features = self.features(sample)
            if features is not None:
                found.append(features[0])
                labels.append(sample.label)
        self.save()
        return np.array(found, dtype=np.float32), np.array(labels, dtype=np.int64)

    def save(self) -> None:
        """Write what is new as one more part."""
        self._saved = monotonic()
        if self._folder is None or not self._new:
            return
        names = np.array([name for name, _ in self._new])
        copies = np.array([copy for _, copy in self._new])
        features = np.stack([self._known[key] for key in self._new])
        part = self._folder / f"part-{len(list(self._folder.glob('part-*.npz'))):05}.npz"
        write_atomically(part, lambda stream: np.savez(stream, names=names, copies=copies, features=features))
        self._new.clear()

    def _load(self, folder: Path) -> None:
        for part in sorted(folder.glob("part-*.npz")):
            try:
                with np.load(part, allow_pickle=False) as stored:
                    keys = zip(stored["names"].tolist(), stored["copies"].tolist(), strict=True)
                    self._known.update(zip(keys, stored["features"], strict=True))
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                log.warning("features in %s are damaged and made again: %s", part, error)
                part.unlink(missing_ok=True)
