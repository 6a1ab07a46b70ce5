"""Words as CLIP knows them: a third space beside the sentence encoder's and looks.

CLIP's own tower cannot be had here, but its vectors of some names can: ``detic_named.npz`` (OpenAI's
ViT-B/32, "a NAME", from Detic, Apache-2.0, which may be shipped) and tables of single words (for training
only). Centerd and on their first :data:`AXES` principal axes they are the *words that were seen*; a name that
is not stored gets the mean of those whose definitions are alike.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.meanings import Meanings
from training.measuring import Array, unit

AXES = 256
"""Principal axes kept."""

TEMPERATURE = 0.06
"""Softness of the mean over stored names, for a name that is not."""

Words = Callable[[Sequence[str]], Array]


@dataclass(frozen=True)
class ClipWords:
    """Stored names.

    Attributes
    ----------
    names : tuple of str
    vectors : ndarray (N, 256)
        Unit rows, centerd, on the principal axes.
    told : ndarray (N, C)
        The sentence encoder's vectors of "name: definition".
    shipped : ndarray (N,) bool
        Those whose license lets them be shipped.
    """

    names: tuple[str, ...]
    vectors: Array
    told: Array
    shipped: np.ndarray

    def of(self, names: Sequence[str], told: Array) -> Array:
        """Return vectors (N, 256): a stored name's own, else the mean of those with like definitions."""
        out = unit(np.exp((told @ self.told.T - 1) / TEMPERATURE) @ self.vectors)
        row = {name: i for i, name in enumerate(self.names)}
        for i, name in enumerate(names):
            stored = row.get(plain(name))
            if stored is not None:
                out[i] = self.vectors[stored]
        return out


def plain(name: str) -> str:
    """Return a name as tables are asked for it: lower case, single spaces, no article."""
    spaced = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
    return re.sub(r"^(an?|the) ", "", spaced)


def read_tables(folder: Path) -> tuple[list[str], Array, np.ndarray]:
    """Read names, raw CLIP vectors (N, 512) and which may be shipped, each name once."""
    with np.load(folder / "detic_named.npz") as stored:
        rows = list(zip(stored["names"].tolist(), stored["vectors"].astype(np.float32), strict=True))
    several: dict[str, list[Array]] = {}
    for name, vector in rows:
        for each in _names(name):
            several.setdefault(each, []).append(vector / np.linalg.norm(vector))
    shipped = set(several)
    words = folder / "sem-wat_wat_clip_base.npy"
    if words.exists():
        listed = [
            row["text1"]
            for row in csv.DictReader((folder / "sem-wat_manifest.csv").open(encoding="utf-8-sig"))
        ]
        for name, vector in zip(listed, np.load(words).astype(np.float32), strict=True):
            if plain(name) not in several:
                several[plain(name)] = [vector / np.linalg.norm(vector)]
    names = list(several)
    vectors = np.stack([np.mean(several[name], 0) for name in names])
    return names, vectors, np.array([name in shipped for name in names])


def _names(name: str) -> list[str]:
    """Return what a table's entry is called: "arctic (type of shoe)" → "arctic"; "a/b" → both."""
    bare = re.sub(r"\(.*?\)", " ", name)
    return [plain(part) for part in bare.split("/") if plain(part)]


def build_clip_words(folder: Path, teacher: Words, meanings: Meanings) -> ClipWords:
    """Read the tables in ``folder`` and find the axes from what may be shipped."""
    names, raw, shipped = read_tables(folder)
    vectors, _, _ = on_axes(raw, shipped)
    asked = [f"{name}: {meanings.of(name)}" if meanings.of(name) else name for name in names]
    return ClipWords(tuple(names), vectors, np.asarray(teacher(asked), np.float32), shipped)


def on_axes(raw: Array, shipped: np.ndarray) -> tuple[Array, Array, Array]:
    """Return unit rows on the principal axes, the mean, and the axes (512, 256)."""
    raw = unit(raw)
    mean = raw[shipped].mean(0)
    axes = np.linalg.svd(raw[shipped] - mean, full_matrices=False)[2][:AXES].T
    return unit((raw - mean) @ axes), mean, np.asarray(axes, np.float32)
