"""What every figure of event-nano goes through: features by the product's door, intervals, a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.backbone import Backbone

Array = npt.NDArray[np.float32]

ENSEMBLE = ("{}", "a {}", "the outline of a {}", "an event camera image of a {}", "a photo of a {}")
RESAMPLES = 400
"""How often scenes are drawn anew for an interval that has no formula."""


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    measured_on: str
    value: float
    low: float
    high: float
    n: int
    chance: str = ""
    note: str = ""


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson interval of a share."""
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)


def share(name: str, right: Any, chance: str = "", note: str = "") -> Line:
    """Make a row of a list of hits."""
    right = np.asarray(right, bool)
    return Line(name, float(right.mean()), *wilson(int(right.sum()), len(right)), len(right), chance, note)


def unit(vectors: Array) -> Array:
    """Scale rows to length one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)


def encode(backbone: Backbone, frames: Sequence[npt.NDArray[np.uint8]]) -> Array:
    """Return unit features of frames of one size."""
    parts = [backbone.encode_frames(np.stack(frames[i : i + 32])) for i in range(0, len(frames), 32)]
    return unit(np.concatenate(parts))


def texts(backbone: Backbone, names: Sequence[str], templates: Sequence[str] = ("{}",)) -> Array:
    """Return unit features of names, averaged over templates."""
    total = sum(backbone.encode_texts([t.format(name) for name in names]) for t in templates)
    return unit(np.asarray(total))


def resampled(
    name: str, statistic: Callable[[npt.NDArray[np.int64]], float], n: int, chance: str = "", note: str = ""
) -> Line:
    """Make a row of a statistic of ``n`` scenes; its interval is the bootstrap's, over scenes.

    Parameters
    ----------
    statistic : callable
        Indices of scenes, some of them several times → a number.
    """
    random = np.random.default_rng(0)
    values = [statistic(random.integers(0, n, n)) for _ in range(RESAMPLES)]
    low, high = np.quantile(values, (0.025, 0.975))
    return Line(name, statistic(np.arange(n)), float(low), float(high), n, chance, note)


def write(lines: Sequence[Line], out: Path) -> None:
    """Write the table as CSV and as Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "results.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["measured_on", "value", "low95", "high95", "n", "chance", "note"])
        for line in lines:
            rows.writerow(
                [
                    line.measured_on,
                    f"{line.value:.4f}",
                    f"{line.low:.4f}",
                    f"{line.high:.4f}",
                    line.n,
                    line.chance,
                    line.note,
                ]
            )
    with (out / "results.md").open("w") as file:
        file.write("| measured on | value | 95 % | n | chance | note |\n|---|---|---|---|---|---|\n")
        for line in lines:
            file.write(
                f"| {line.measured_on} | {line.value:.3f} | {line.low:.3f} – {line.high:.3f} "
                f"| {line.n} | {line.chance} | {line.note} |\n"
            )
