"""How well boxes and identities fit the truth: mAP50 here, HOTA, IDF1 and switches by ``trackeval``."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.stream.box import Box

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """One box that was told: of a track, with a label, how sure that is, and how sure the box alone."""

    id: int
    box: Box
    label: str = ""
    confidence: float = 1.0
    sure: float = 1.0


@dataclass
class Sequence:
    """True and told boxes of one recording, slice by slice; each true thing is (id, box, label)."""

    true: list[tuple[tuple[int, Box, str], ...]] = field(default_factory=list)
    told: list[tuple[Said, ...]] = field(default_factory=list)

    def add(self, true: tuple[tuple[int, Box, str], ...], told: tuple[Said, ...]) -> None:
        """Take in a slice."""
        self.true.append(true)
        self.told.append(told)


def overlaps(true: list[Box], told: list[Box]) -> Floats:
    """Return intersection over union, (true, told)."""
    a = np.array(true, np.float64).reshape(-1, 4)[:, None]
    b = np.array(told, np.float64).reshape(-1, 4)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.prod(np.maximum(sides, 0), axis=-1)
    areas = [np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b)]
    share: Floats = common / np.maximum(areas[0] + areas[1] - common, 1e-9)
    return share


def average_precision(sequences: list[Sequence], least: float = 0.5, by_label: bool = False) -> float | None:
    """Return mAP at an overlap, 0 to 1; None where nothing is true.

    Without labels one class; with them the mean over the labels that are true somewhere. A true box is found
    once; what finds it again is false. The area below the precision made monotonic, at every recall.
    """
    if not by_label:
        return _precision(sequences, least, None)
    labels = sorted({label for s in sequences for moment in s.true for _, _, label in moment if label})
    each = [_precision(sequences, least, label) for label in labels]
    known = [value for value in each if value is not None]
    return float(np.mean(known)) if known else None


def _precision(sequences: list[Sequence], least: float, label: str | None) -> float | None:
    total, hits = 0, []
    for sequence in sequences:
        for true, told in zip(sequence.true, sequence.told, strict=True):
            boxes = [box for _, box, name in true if label is None or name == label]
            total += len(boxes)
            left = set(range(len(boxes)))
            wanted = sorted(told, key=lambda said: -said.confidence)
            wanted = [said for said in wanted if label is None or said.label == label]
            shares = overlaps(boxes, [said.box for said in wanted])
            for column, said in enumerate(wanted):
                best = max(left, key=lambda row: shares[row, column], default=None)
                hit = best is not None and shares[best, column] >= least
                if hit:
                    left.discard(best)
                hits.append((said.confidence, hit))
    if not total:
        return None
    hits.sort(key=lambda pair: -pair[0])
    right = np.cumsum([hit for _, hit in hits])
    if not len(right):
        return 0.0
    precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float(np.diff(right, prepend=0) @ precision / total)


def need_trackeval() -> None:
    """Raise UserError where ``trackeval`` is not installed, before anything is measured."""
    try:
        import trackeval.metrics  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"tracks are measured with trackeval ({error}): pip install 'neuroclip-live[tracks]'"
        ) from None


def tracking(sequences: list[Sequence]) -> dict[str, float]:
    """Return HOTA, DetA, AssA, IDF1 (0 to 1), IDSW and false boxes of all sequences, by ``trackeval``.

    Raises
    ------
    UserError
        Where ``trackeval`` is not installed.
    """
    need_trackeval()
    from trackeval.metrics import CLEAR, HOTA, Identity

    data = {str(number): _data(sequence) for number, sequence in enumerate(sequences)}
    figures = []
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its settings
        for metric in (HOTA(), Identity(), CLEAR()):
            results = {name: metric.eval_sequence(each) for name, each in data.items()}
            figures.append(metric.combine_sequences(results))
    hota, identity, clear = figures
    return {
        **{name: float(np.mean(hota[name])) for name in ("HOTA", "DetA", "AssA")},
        "IDF1": float(identity["IDF1"]),
        "switches": float(clear["IDSW"]),
        "false": float(clear["CLR_FP"]),
        "missed": float(clear["CLR_FN"]),
    }


def _data(sequence: Sequence) -> dict[str, Any]:
    true, told = {}, {}  # type: ignore[var-annotated]
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for things, said in zip(sequence.true, sequence.told, strict=True):
        rows = [true.setdefault(key, len(true)) for key, _, _ in things]
        columns = [told.setdefault(one.id, len(told)) for one in said]
        data["gt_ids"].append(np.array(rows, int))
        data["tracker_ids"].append(np.array(columns, int))
        data["similarity_scores"].append(overlaps([box for _, box, _ in things], [one.box for one in said]))
    return {
        **data,
        "num_gt_ids": len(true),
        "num_tracker_ids": len(told),
        "num_gt_dets": sum(map(len, sequence.true)),
        "num_tracker_dets": sum(map(len, sequence.told)),
        "num_timesteps": len(sequence.true),
    }
