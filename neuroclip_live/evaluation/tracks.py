"""Boxes, identities and words of several things at once, measured against what was where.

Each recording or scene goes through the recognizer as ``--headless --speed max --objects`` does. A true
moment is compared with the slice that ends nearest to it, each once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neuroclip_live import __version__
from neuroclip_live.atomic import write_atomically
from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.track_metrics import (
    Said,
    Sequence,
    average_precision,
    need_trackeval,
    tracking,
)
from neuroclip_live.evaluation.track_sets import Footage
from neuroclip_live.evaluation.track_truth import Moment, Truth
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.recognition.replay_all import Totals, recognize_all
from neuroclip_live.stream.slicing import SliceBy

Progress = Callable[[str, "float | None"], None]

SETTLED_US = 400_000
"""Nothing can have been confirmed before."""
WAITS = 0.5
"""How sure a box is whose thing is not seen, of one that is."""
WORDS = ("mAP50", "HOTA", "IDF1")
_DRAWS = 500


@dataclass(frozen=True)
class Figures:
    """A row: of one kind of scene or one recording, or of all.

    Attributes
    ----------
    name : str
    moments, boxes : int
        That were true.
    plain : dict
        mAP50, HOTA, DetA, AssA, IDF1 (0 to 1), switches, false and missed boxes, whatever the word.
    words : dict
        mAP50, HOTA and IDF1 as means over the true labels, a box being right only with its word; empty
        where no label is known.
    low, high : float or None
        95 % of the mean of each recording's own mAP50 when recordings are drawn again with repeats, not of
        the pooled mAP50 in ``plain``; None for fewer than five.
    """

    name: str
    moments: int
    boxes: int
    plain: dict[str, float]
    words: dict[str, float]
    low: float | None = None
    high: float | None = None


def run(
    footage: list[Footage],
    backbone: Backbone,
    settings: RecognizerSettings,
    by: SliceBy,
    out: Path,
    templates: tuple[str, ...],
    progress: Progress,
) -> list[Figures]:
    """Measure all, write the table and return its rows: one for each kind, the last for all together.

    Raises
    ------
    UserError
        When a recording or its boxes cannot be read, nothing is true in any, ``trackeval`` is missing, or
        the table cannot be written.
    """
    need_trackeval()
    kinds: dict[str, list[Sequence]] = {}
    for done, one in enumerate(footage):
        progress(one.name, done / len(footage))
        sequence = watched(one, backbone, settings, by, templates)
        kinds.setdefault(one.kind, []).append(sequence)
    every = [sequence for sequences in kinds.values() for sequence in sequences]
    if not any(moment for sequence in every for moment in sequence.true):
        raise UserError("no box of these files is near in time to any slice: are times and frameRate right?")
    rows = [figures(name, sequences) for name, sequences in kinds.items()]
    rows.append(figures("all", every))
    _write(out, rows)
    progress("done", 1.0)
    return rows


def watched(
    footage: Footage,
    backbone: Backbone,
    settings: RecognizerSettings,
    by: SliceBy,
    templates: tuple[str, ...],
) -> Sequence:
    """Return true and told boxes of a recording or scene, asked for its own words."""
    labels = footage.labels
    table = PromptEncoder(backbone).encode(PromptSet.of(labels, templates)) if labels else None
    recognizer = Recognizer(backbone, table, settings)
    told = list(recognize_all(footage, recognizer, by, Totals()))  # type: ignore[arg-type]
    return compared(footage.truth(), told)


def compared(truth: Truth, told: list[Prediction]) -> Sequence:
    """Return what was true and what was told, moment by moment."""
    sequence = Sequence()
    first = told[0].t_us if told else 0
    nearest: dict[int, tuple[int, Moment, Prediction]] = {}
    for prediction in told:
        moment = truth.at(prediction.t_us)
        if moment is None or prediction.t_us - first < SETTLED_US:
            continue
        far = abs(moment.t_us - prediction.t_us)
        if moment.t_us not in nearest or far < nearest[moment.t_us][0]:
            nearest[moment.t_us] = far, moment, prediction
    for _, moment, prediction in nearest.values():
        said = [
            Said(
                one.id,
                one.box,
                one.label or "",
                (one.probability or 1.0) * (1.0 if one.state == "seen" else WAITS),
                1.0 if one.state == "seen" else WAITS,
            )
            for one in prediction.objects or ()
        ]
        sequence.add(moment.things, tuple(said))
    return sequence


def figures(name: str, sequences: list[Sequence]) -> Figures:
    """Return a row of the table."""
    bare = [_bare(sequence) for sequence in sequences]
    plain = {"mAP50": average_precision(bare) or 0.0, **tracking(bare)}
    low = high = None
    if len(sequences) >= 5:
        random = np.random.default_rng(0)
        draws = random.integers(len(bare), size=(_DRAWS, len(bare)))
        each = [average_precision([s]) for s in bare]
        known = np.array([value if value is not None else np.nan for value in each])
        low, high = (float(x) for x in np.nanquantile(np.nanmean(known[draws], axis=1), (0.025, 0.975)))
    return Figures(
        name,
        sum(len(sequence.true) for sequence in sequences),
        sum(len(moment) for sequence in sequences for moment in sequence.true),
        plain,
        _with_words(sequences),
        low,
        high,
    )


def _bare(sequence: Sequence) -> Sequence:
    """Return a sequence in which words do not count."""
    told = [tuple(replace(one, label="", confidence=one.sure) for one in moment) for moment in sequence.told]
    return Sequence(sequence.true, told)


def _with_words(sequences: list[Sequence]) -> dict[str, float]:
    labels = sorted({label for s in sequences for moment in s.true for _, _, label in moment if label})
    if not labels:
        return {}
    each = []
    for label in labels:
        own = [
            Sequence(
                [tuple(thing for thing in moment if thing[2] == label) for moment in s.true],
                [tuple(one for one in moment if one.label == label) for moment in s.told],
            )
            for s in sequences
        ]
        each.append(tracking(own))
    means = {key: float(np.mean([one[key] for one in each])) for key in WORDS[1:]}
    return {"mAP50": average_precision(sequences, by_label=True) or 0.0, **means}


def _write(out: Path, rows: list[Figures]) -> None:
    lines = [
        {
            "scene": row.name,
            "moments": row.moments,
            "boxes": row.boxes,
            **{key: round(value, 4) for key, value in row.plain.items()},
            "mean_mAP50_low": "" if row.low is None else round(row.low, 4),
            "mean_mAP50_high": "" if row.high is None else round(row.high, 4),
            **{f"{key}_words": round(row.words[key], 4) if row.words else "" for key in WORDS},
            "version": __version__,
        }
        for row in rows
    ]
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    write_atomically(out, lambda stream: stream.write(text.getvalue().encode()))
