"""Data sets of event recordings, one class a sample, for evaluation and few-shot training.

:func:`open_dataset` finds the samples under a root folder and splits them; :meth:`EventDataset.counts` reads
one as per-timestep counts, from which the one event-frame implementation
(:mod:`neuroclip_live.stream.frames`) goes on as it does live. Folders of recordings
are another matter: :mod:`neuroclip_live.datasets.recordings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from neuroclip_live.datasets.finding import Found
from neuroclip_live.datasets.formats import Decode, read_events_npz, read_frames_npz, read_sample
from neuroclip_live.datasets.layouts import SPECS, Spec
from neuroclip_live.datasets.limits import UnreadableSample
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet
from neuroclip_live.stream.frames import count_events

__all__ = [
    "SPECS",
    "EventDataset",
    "Sample",
    "Spec",
    "SplitBy",
    "UnreadableSample",
    "dataset_of",
    "open_dataset",
]

SplitBy = Literal["number", "time"]
Form = Literal["official", "events", "frames"]


@dataclass(frozen=True)
class Sample:
    """One labeled file.

    Attributes
    ----------
    path : Path
    name : str
        The path below the root, for messages and caches.
    label : int
    span_us : (int, int) or None
        From when to before when, where the file holds several samples.
    """

    path: Path
    name: str
    label: int
    span_us: tuple[int, int] | None = None


@dataclass(frozen=True)
class EventDataset:
    """Samples of a data set, split for good: no sample is in both parts.

    Attributes
    ----------
    spec : Spec
    root : Path
    labels : tuple of str
        As they go into prompts.
    train, test : tuple of Sample
    form : {"official", "events", "frames"}
        How the files were made: by the data set's makers, or by SpikingJelly.
    """

    spec: Spec
    root: Path
    labels: tuple[str, ...]
    train: tuple[Sample, ...]
    test: tuple[Sample, ...]
    form: Form

    def events(self, sample: Sample) -> Packet:
        """Read a sample's events, in order of time.

        Raises
        ------
        UnreadableSample
        """
        decode: Decode = self.spec.decode if self.form == "official" else read_events_npz
        if self.form == "events" and self.spec.key == "es-imagenet":
            decode = self.spec.decode  # SpikingJelly links to the official files
        if sample.span_us is not None:
            decode = partial(decode, span_us=sample.span_us)
        return read_sample(sample.path, decode)

    def counts(self, sample: Sample, timesteps: int, split: SplitBy) -> npt.NDArray[np.uint16]:
        """Read a sample as counts per timestep.

        Returns
        -------
        ndarray of uint16, shape (T, 2, H, W)

        Raises
        ------
        UnreadableSample
            Also for a sample with fewer events than timesteps.
        """
        if self.form == "frames":
            return read_frames_npz(sample.path)
        pieces = self.slices(sample, timesteps, split)
        return np.stack([count_events(piece, self.spec.resolution) for piece in pieces])

    def slices(self, sample: Sample, timesteps: int, split: SplitBy) -> list[Packet]:
        """Read a sample as the events of T timesteps; not of data sets in form of frames.

        Raises
        ------
        UnreadableSample
            Also for a sample with fewer events than timesteps.
        """
        return cut(self.events(sample), timesteps, split)


def cut(events: Packet, timesteps: int, split: SplitBy) -> list[Packet]:
    """Cut a sample in T slices, of equal numbers of events or of equal times.

    As SpikingJelly cuts by number: the last slice takes what does not divide. By time, a slice may be empty.

    Raises
    ------
    UnreadableSample
        When there are fewer events than timesteps.
    """
    if len(events) < timesteps:
        raise UnreadableSample(f"{len(events)} events for {timesteps} timesteps")
    if split == "number":
        each = len(events) // timesteps
        edges = np.append(np.arange(timesteps) * each, len(events))
    else:
        start, end = int(events["t"][0]), int(events["t"][-1])
        inner = np.linspace(start, end, timesteps + 1)[1:-1]
        edges = np.concatenate([[0], np.searchsorted(events["t"], inner), [len(events)]])
    return [events[a:b] for a, b in pairwise(edges)]


def open_dataset(
    key: str, root: Path, *, timesteps: int = 10, split: SplitBy = "number", seed: int = 0
) -> EventDataset:
    """Find a data set's samples under ``root``.

    Parameters
    ----------
    key : str
        One of :data:`SPECS`.
    root : Path
        The folder into which the official archives were unpacked, or SpikingJelly's root.
    timesteps, split
        Only to find SpikingJelly's frame folders, which are made for one of each.
    seed : int
        Of the split, where the makers made none.

    Raises
    ------
    UserError
        When the data set is unknown or not laid out as expected.
    """
    spec = SPECS.get(key)
    if spec is None:
        raise UserError(f"no data set is called {key!r}; choose folder, {', '.join(SPECS)}")
    if not root.is_dir():
        raise UserError(f"no folder {root}: {_advice(spec, root)}")
    for form, found in _candidates(spec, root, timesteps, split):
        samples = list(found)
        if samples:
            return dataset_of(spec, root, form, samples, seed)
    raise UserError(f"{root} does not look like {spec.title}: {_advice(spec, root)}")


def _candidates(
    spec: Spec, root: Path, timesteps: int, split: SplitBy
) -> Iterator[tuple[Form, Iterable[Found]]]:
    yield "official", spec.find(root)
    yield "official", spec.find(root / "extract")
    if (root / "events_np.building").exists():
        raise UserError(
            f"SpikingJelly did not finish making {root / 'events_np'}: "
            "delete it and events_np.building, or point --root at the official files"
        )
    yield "events", _processed(root / "events_np")
    yield "frames", _processed(root / f"frames_number_{timesteps}_split_by_{split}")


def _processed(folder: Path) -> Iterator[Found]:
    """Walk a folder that SpikingJelly made: ``[train|test/]<class>/*.npz``."""
    for file in sorted(folder.rglob("*.npz")):
        parts = file.relative_to(folder).parts
        if len(parts) == 3 and parts[0] in ("train", "test"):
            yield Found(parts[0], parts[1], file)
        elif len(parts) == 2:
            yield Found("all", parts[0], file)


def _advice(spec: Spec, root: Path) -> str:
    packed = []
    if root.is_dir():
        packed = sorted(p.name for p in root.rglob("*") if p.suffix.lower() in (".zip", ".rar", ".7z"))
    if packed:
        others = " and the others" if len(packed) > 1 else ""
        return f"unpack {packed[0]}{others}, so that there is {spec.expected}"
    return f"expected there {spec.expected}; get it from {spec.url}"


def _natural(name: str) -> tuple[int, int, str]:
    """Sort class2 before class10, and digits as numbers."""
    digits = "".join(c for c in name if c.isdigit())
    bare = name.removeprefix("class")
    return (0, int(digits), name) if bare.isdigit() else (1, 0, name.lower())


def dataset_of(spec: Spec, root: Path, form: Form, found: list[Found], seed: int) -> EventDataset:
    """Split samples that were found, as their makers did or else by ``seed``."""
    folders = sorted({each.folder for each in found}, key=_natural)
    index = {folder: k for k, folder in enumerate(folders)}
    parts: dict[str, list[Sample]] = {"train": [], "test": [], "all": []}
    for part, folder, path, span_us in found:
        name = path.relative_to(root).as_posix()
        name += "" if span_us is None else f"@{span_us[0]}"
        parts[part].append(Sample(path, name, index[folder], span_us))
    if parts["train"] and not parts["test"]:
        parts["all"], parts["train"] = parts["all"] + parts["train"], []
    held_in, held_out = _split(parts["all"], spec.test_share, seed)
    labels = tuple(spec.labels(folder) for folder in folders)
    return EventDataset(spec, root, labels, (*parts["train"], *held_in), (*parts["test"], *held_out), form)


def _split(samples: list[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Hold out a share of each class, drawn by seed; a class of one sample is for training."""
    random = np.random.default_rng(seed)
    train: list[Sample] = []
    test: list[Sample] = []
    for label in sorted({sample.label for sample in samples}):
        own = [sample for sample in samples if sample.label == label]
        order = random.permutation(len(own))
        out = min(len(own) - 1, max(1, round(share * len(own))))
        test.extend(own[k] for k in sorted(order[:out]))
        train.extend(own[k] for k in sorted(order[out:]))
    return train, test
