"""Shots to learn from and windows to be tested on, whatever they come from.

Two kinds of source behind one face: sample data sets, whose features are computed when they are drawn, and
recordings by label, whose windows are all there after one pass. Draws are nested: the 4 shots of a seed are
among its 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from neuroclip_live.datasets import EventDataset, SplitBy, open_dataset
from neuroclip_live.datasets.recordings import Open, Windows, find_recordings, open_recording, read_windows
from neuroclip_live.datasets.samples import has_samples, open_samples
from neuroclip_live.errors import UserError
from neuroclip_live.learning.feature_store import FeatureStore, FrameSettings

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.recognition.recognizer import RecognizerSettings
    from neuroclip_live.stream.slicing import SliceBy

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Progress = Callable[[str, "float | None"], None]


class ShotSource(Protocol):
    """What few-shot evaluation and training draw from."""

    labels: tuple[str, ...]
    skipped: dict[str, str]
    """Samples and recordings that were left out, and why."""
    damaged: dict[str, str]
    """Recordings of which what is left was taken, and what is not."""
    available: tuple[int, ...]
    """How many samples of each label can be drawn at the most."""

    def draw(self, shots: int, seed: int, copies: int, progress: Progress) -> tuple[Floats, Labels]:
        """Return features (N, copies, T, C) and labels (N,) of ``shots`` samples of each label."""
        ...

    def test(self, progress: Progress) -> tuple[Floats, Labels]:
        """Return features (M, T, C) and labels (M,) of what no draw can give."""
        ...


class SampleShots:
    """Draws from a sample data set.

    Parameters
    ----------
    dataset : EventDataset
    store : FeatureStore
    limit : int or None
        Test samples of each label at the most.
    """

    def __init__(self, dataset: EventDataset, store: FeatureStore, limit: int | None = None) -> None:
        self.labels = dataset.labels
        self.skipped = store.skipped
        self.damaged: dict[str, str] = {}
        self._store = store
        self._train = [[s for s in dataset.train if s.label == k] for k in range(len(self.labels))]
        self.available = tuple(map(len, self._train))
        tests = [[s for s in dataset.test if s.label == k][:limit] for k in range(len(self.labels))]
        self._test = [sample for each in tests for sample in each]
        self._dataset = dataset

    def draw(self, shots: int, seed: int, copies: int, progress: Progress) -> tuple[Floats, Labels]:
        """Draw by seed; samples that cannot be read are passed over."""
        found: list[Floats] = []
        labels: list[int] = []
        for label, pool in enumerate(self._train):
            progress(f"features of {shots} shots, seed {seed}", label / len(self._train))
            taken = 0
            for index in np.random.default_rng([seed, label]).permutation(len(pool)):
                if taken == shots:
                    break
                features = self._store.features(pool[index], copies)
                if features is not None:
                    found.append(features)
                    labels.append(label)
                    taken += 1
            if taken < shots:
                raise _too_few(self.labels[label], taken, shots)
        self._store.save()
        return np.array(found, dtype=np.float32), np.array(labels, dtype=np.int64)

    def test(self, progress: Progress) -> tuple[Floats, Labels]:
        """Encode the test part."""
        features, labels = self._store.many(self._test, progress, "features of the test samples")
        if not len(labels):
            raise UserError(
                f"{self._dataset.root} has no test sample that can be read: {_named(self.skipped)}"
            )
        return features, labels


class WindowShots:
    """Draws from recordings by label; see :mod:`neuroclip_live.datasets.recordings` for the split.

    Parameters
    ----------
    root : Path
    backbone : Backbone
    settings : RecognizerSettings
    by : SliceBy
    progress : callable
    opener : callable, optional
        Opens a recording; for tests.
    """

    def __init__(
        self,
        root: Path,
        backbone: Backbone,
        settings: RecognizerSettings,
        by: SliceBy,
        progress: Progress,
        opener: Open = open_recording,
    ) -> None:
        self.labels, files = find_recordings(root)
        self.skipped: dict[str, str] = {}
        self.damaged: dict[str, str] = {}
        by_label: list[list[Windows]] = [[] for _ in self.labels]
        for done, (path, label) in enumerate(files):
            progress(f"features of {path.name}", done / len(files))
            try:
                windows = read_windows(opener(path), backbone, settings, by)
            except UserError as error:
                self.skipped[path.relative_to(root).as_posix()] = str(error)
                continue
            if not len(windows.features):
                self.skipped[path.relative_to(root).as_posix()] = (
                    f"no window of {settings.timesteps} timesteps with motion"
                )
                continue
            if windows.losses:
                self.damaged[path.relative_to(root).as_posix()] = windows.losses
            by_label[label].append(windows)
        self._train: list[Floats] = []
        self._test: list[Floats] = []
        for name, recordings in zip(self.labels, by_label, strict=True):
            if not recordings:
                raise UserError(f"{root} has no usable recording of {name!r}: {_named(self.skipped)}")
            train, test = _split(recordings)
            self._train.append(train)
            self._test.append(test)
        self.available = tuple(map(len, self._train))

    def draw(self, shots: int, seed: int, copies: int, progress: Progress) -> tuple[Floats, Labels]:
        """Draw windows by seed; there are no augmented copies: neighboring windows vary by themselves."""
        check_available(self, shots)
        found: list[Floats] = []
        for label, pool in enumerate(self._train):
            found.append(pool[np.random.default_rng([seed, label]).permutation(len(pool))[:shots]])
        labels = np.repeat(np.arange(len(self.labels)), shots)
        return np.concatenate(found)[:, None], labels

    def test(self, progress: Progress) -> tuple[Floats, Labels]:
        """Return all test windows."""
        sizes = [len(each) for each in self._test]
        if not sum(sizes):
            raise UserError("no window with motion in the last third of the recordings: record longer")
        return np.concatenate(self._test), np.repeat(np.arange(len(self.labels)), sizes)


def _split(recordings: Sequence[Windows]) -> tuple[Floats, Floats]:
    if len(recordings) == 1:
        return recordings[0].part(0.0, 1 / 3), recordings[0].part(2 / 3, 1.0)
    half = (len(recordings) + 1) // 2
    return tuple(
        np.concatenate([w.features for w in part]) for part in (recordings[:half], recordings[half:])
    )  # type: ignore[return-value]


def check_available(source: ShotSource, shots: int) -> None:
    """Raise UserError where a label has fewer samples than are to be drawn."""
    for label, found in zip(source.labels, source.available, strict=True):
        if found < shots:
            raise _too_few(label, found, shots)


def _too_few(label: str, found: int, shots: int) -> UserError:
    return UserError(f"{label!r} has only {found} samples to draw {shots} shots from: ask for fewer --shots")


def _named(skipped: dict[str, str]) -> str:
    if not skipped:
        return "there is none"
    name, why = next(iter(skipped.items()))
    more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
    return f"{name}: {why}{more}"


def open_shots(
    key: str,
    root: Path,
    backbone: Backbone,
    *,
    timesteps: int = 10,
    slices: str = "auto",
    overlap: int = 2,
    threshold: int | None = None,
    limit: int | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> tuple[ShotSource, str]:
    """Open a data set, or a folder of recordings, to draw from.

    Parameters
    ----------
    key : str
        One of :data:`neuroclip_live.datasets.SPECS`, or ``folder``: recordings by label, or bare ``*.bin``
        samples by label.
    root : Path
    backbone : Backbone
    timesteps : int
        T.
    slices : str
        For samples ``number`` (or ``auto``) or ``time``: T slices of equal number of events or of equal time.
        For recordings as in live use: ``auto``, ``100ms``, ``5000``.
    overlap : int
        For recordings, as in live use.
    threshold : int, optional
        Of the discrimination strategy; the data set's, or for recordings the model's, where left out.
    limit : int, optional
        Test samples of each label at the most (samples only).
    cache : Path, optional
        Folder that keeps features between runs (samples only).
    progress : callable, optional

    Returns
    -------
    source : ShotSource
    about : str
        What decides its numbers, in one line; for the table's key.

    Raises
    ------
    UserError
    """
    tell: Progress = progress or (lambda text, share: None)
    if not 1 <= timesteps <= 64:
        raise UserError(f"--timesteps {timesteps}: choose 1 to 64")
    if key == "folder" and not has_samples(root):
        from neuroclip_live.recognition.recognizer import RecognizerSettings
        from neuroclip_live.stream.slicing import parse_slice

        by = parse_slice(slices, overlap)
        settings = RecognizerSettings(timesteps=timesteps, threshold=threshold)
        about = f"folder {root.resolve()} T={timesteps} slice={by.describe()}/{overlap} threshold={threshold}"
        return WindowShots(root, backbone, settings, by, tell), about
    if slices not in ("auto", "number", "time"):
        raise UserError(f"--slice {slices}: samples of {key} are cut by number or time")
    split: SplitBy = "time" if slices == "time" else "number"
    if key == "folder":
        dataset = open_samples(root)
    else:
        dataset = open_dataset(key, root, timesteps=timesteps, split=split)
    speaks = dataset.spec.threshold if threshold is None else threshold
    store = FeatureStore(dataset, backbone, FrameSettings(timesteps, split, speaks), cache)
    about = f"{key} {root.resolve()} {dataset.form} T={timesteps} {split} threshold={speaks} limit={limit}"
    return SampleShots(dataset, store, limit), about
