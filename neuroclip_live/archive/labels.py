"""Labels for an archive: every stretch in which one of some words is surely seen, and which to look at again.

A word's score is that of a search, with the other words as what competes: the probability it has beside
them, everyday nouns and "none of these". From a half on it is likelier than all else together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from neuroclip_live.archive.background import share
from neuroclip_live.archive.index import Index
from neuroclip_live.archive.moments import GAP_US
from neuroclip_live.archive.nearest import products
from neuroclip_live.archive.recordings import as_text
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet

FLOOR = 0.5
_BLOCK = 1 << 14

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LabelSettings:
    """What becomes a label.

    Attributes
    ----------
    floor : float
        Least score, 0 to 1.
    min_s : float
        Stretches that are shorter are left out.
    """

    floor: float = FLOOR
    min_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.floor <= 1:
            raise UserError(f"--floor {self.floor:g}: choose a score above 0, up to 1")
        if not 0 <= self.min_s < float("inf"):
            raise UserError(f"--min-duration {self.min_s:g}: give seconds, 0 or more")


def label(
    index: Index,
    prompts: PromptSet,
    settings: LabelSettings | None = None,
    only: Collection[str] | None = None,
) -> pa.Table:
    """Return the stretches of an archive in which one of the prompts fits best.

    Parameters
    ----------
    index : Index
    prompts : PromptSet
        Negative ones compete and are no labels.
    settings : LabelSettings, optional
    only : collection of str, optional
        Absolute paths of the recordings to label; all in the index if left out.

    Returns
    -------
    pyarrow.Table
        ``file``, ``from_s``, ``to_s`` (seconds from the first event), ``label``, ``score`` (mean over the
        stretch), ``second`` (the label next in line) and its ``second_score``, ``box`` (left, top, right,
        bottom in pixels at its surest moment; null for the whole picture), ``track`` and ``sure``: whether
        the score reaches the floor. By file and time; those that are not sure are there to be looked at.

    Raises
    ------
    UserError
        When there are no prompts, or one is too long for the model.
    """
    settings = settings or LabelSettings()
    table = PromptEncoder(index.backbone).encode(prompts)
    names = [name for name, negative in zip(table.labels, table.negative, strict=True) if not negative]
    if not names:
        raise UserError("all prompts are negative; give at least one label")
    if not len(index):
        return _table(index, names, np.zeros((0, len(names)), np.float32), [], settings, {})
    score = scores(index, table.features)[:, ~table.negative]
    stretches = _stretches(index, score, settings.floor)
    files: dict[int, str] = {}
    for number, held in enumerate(index.recordings):
        wanted = [path for path in held.paths if only is None or path in only]
        if wanted:
            files[number] = wanted[0]
    return _table(index, names, score, stretches, settings, files)


def scores(index: Index, texts: Floats, rows: npt.NDArray[np.int64] | None = None) -> Floats:
    """Return for each row (N) and text (K, C) the probability of the text beside all else, (N, K).

    ``rows`` numbers those that are asked for; all if left out.
    """
    info, background, held = index.backbone.info, index.background, index.rows
    near = [background.near(text) for text in texts]
    scale = np.float32(info.logit_scale)
    rows = np.arange(len(held)) if rows is None else rows
    out = np.empty((len(rows), len(texts)), np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        nouns = held.background[part]
        logits = scale * products(held.feature, texts, part).T
        most = logits.max(axis=1, keepdims=True)
        parts = np.exp((logits - most).astype(np.float64))
        total = parts.sum(axis=1)
        if info.none_logit is not None:
            total += np.exp(info.none_logit - most[:, 0].astype(np.float64))
        for number, close in enumerate(near):
            others = np.log(np.maximum(total - parts[:, number], 1e-30)) + most[:, 0]
            same = scale * products(held.feature, close, part)
            out[start : start + len(part), number] = share(nouns, same, logits[:, number], [others])
    return out


def _stretches(index: Index, score: Floats, floor: float) -> list[tuple[int, int]]:
    """Return the first row of each run of one thing that one label fits best, and the row behind it.

    Within a run all rows reach the floor, or none does.
    """
    held, best = index.rows, score.argmax(axis=1)
    sure = score.max(axis=1) >= floor
    apart = (np.diff(index.group) != 0) | (held.from_us[1:] - held.to_us[:-1] > GAP_US)
    apart |= (np.diff(best) != 0) | (sure[1:] != sure[:-1])
    cuts = [int(cut) + 1 for cut in np.flatnonzero(apart)]
    return list(zip([0, *cuts], [*cuts, len(best)], strict=True))


def _table(
    index: Index,
    names: list[str],
    score: Floats,
    stretches: list[tuple[int, int]],
    settings: LabelSettings,
    files: Mapping[int, str],
) -> pa.Table:
    held, rows = index.rows, []
    for begin, end in stretches:
        mean = score[begin:end].mean(axis=0)
        order = np.argsort(-mean, kind="stable")
        surest = begin + int(score[begin:end, order[0]].argmax())
        whole = held.track[surest] < 0
        from_s, to_s = held.from_us[begin] / 1e6, held.to_us[end - 1] / 1e6
        file = files.get(int(index.recording[surest]))
        if file is None or to_s - from_s < settings.min_s:
            continue
        rows.append(
            {
                "file": as_text(file),
                "from_s": round(float(from_s), 3),
                "to_s": round(float(to_s), 3),
                "label": names[order[0]],
                "score": round(float(mean[order[0]]), 4),
                "second": names[order[1]] if len(names) > 1 else None,
                "second_score": round(float(mean[order[1]]), 4) if len(names) > 1 else None,
                "box": None if whole else [int(v) for v in held.box[surest]],
                "track": None if whole else int(held.track[surest]),
                "sure": bool(mean[order[0]] >= settings.floor),
            }
        )
    rows.sort(key=lambda row: (row["file"], row["from_s"], row["track"] is not None))
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


_SCHEMA = pa.schema(
    {
        "file": pa.string(),
        "from_s": pa.float64(),
        "to_s": pa.float64(),
        "label": pa.string(),
        "score": pa.float64(),
        "second": pa.string(),
        "second_score": pa.float64(),
        "box": pa.list_(pa.int32()),
        "track": pa.int32(),
        "sure": pa.bool_(),
    }
)


def least_sure(labels: pa.Table, floor: float, count: int) -> pa.Table:
    """Return the stretches whose score lies nearest the floor, on either side, the nearest first."""
    distance = np.abs(labels["score"].to_numpy() - floor)
    return labels.take(np.argsort(distance, kind="stable")[:count])
