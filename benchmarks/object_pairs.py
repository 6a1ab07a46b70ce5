"""Real recordings placed together: ``python -m benchmarks.object_pairs RECORDINGS --out pairs.csv``.

Pairs and triples of a folder's ``.aedat4`` files, drawn at random, are laid side by side on a larger sensor,
and every window is asked for the names of all of them, the file names being the labels. Beside it stand the
same windows of each recording alone, without objects. A true box holds the middle 96 % of a recording's own
supported events. Nothing was tuned on these files.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import show, write_table
from benchmarks.timing import load
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.evaluation.track_metrics import overlaps
from neuroclip_live.events import Packet, Resolution, join_packets
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.objects.found import ObjectsSettings
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.filters import Treater, Treatment
from neuroclip_live.stream.slicing import SliceBy, Slicer

BY = SliceBy("time", 100_000)
VIEWS = (Resolution(320, 240), Resolution(640, 480))
SETTLED_US = 1_000_000
"""A window counts once T timesteps can have been seen."""


def read(path: Path, start_s: float, seconds: float) -> tuple[Packet, Resolution]:
    """Return a part of a recording, counted from its own beginning."""
    source = ReplaySource(path, speed=None)
    events = join_packets([packet for packet in source.packets() if len(packet)])
    source.close()
    t = events["t"] - events["t"][0] - round(start_s * 1e6)
    kept = events[(t >= 0) & (t < seconds * 1e6)].copy()
    kept["t"] = t[(t >= 0) & (t < seconds * 1e6)]
    kept["t"][:1] = 0  # windows are cut from the first event on: so all have the same
    return kept, source.resolution


def places(rng: np.random.Generator, sizes: list[Resolution], view: Resolution) -> list[tuple[int, int]]:
    """Return corners drawn at random; of 300 draws the one in which pictures overlap the least."""
    best, least = [(0, 0)] * len(sizes), np.inf
    for _ in range(300):
        corners = [
            (int(rng.integers(view.width - w + 1)), int(rng.integers(view.height - h + 1))) for w, h in sizes
        ]
        boxes = [Box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sizes, strict=True)]
        shared = float(np.triu(overlaps(boxes, boxes), 1).sum())
        if shared < least:
            best, least = corners, shared
    return best


def predicted(recognizer: Recognizer, events: Packet, size: Resolution) -> dict[int, Any]:
    """Return the predictions of all windows by their end."""
    recognizer.begin(size)
    slicer = Slicer(BY, size)
    return {piece.end_us: recognizer.update(piece) for piece in [*slicer.push(events), *slicer.flush()]}


def true_box(events: Packet, end_us: int) -> Box | None:
    """Return where a recording's events of the newest half window are; None for too few."""
    first, last = np.searchsorted(events["t"], (end_us - 50_000, end_us))
    x, y = events["x"][first:last], events["y"][first:last]
    if len(x) < 50:
        return None
    left, right = np.quantile(x, (0.02, 0.98))
    top, bottom = np.quantile(y, (0.02, 0.98))
    return Box(int(left), int(top), int(right) + 1, int(bottom) + 1)


def main() -> None:
    """Measure pairs and triples."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=6, help="of pairs and of triples, in each view")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    files = sorted(options.recordings.glob("*.aedat4"))
    backbone = load_backbone()
    table = PromptEncoder(backbone).encode(parse_prompts(", ".join(f.stem.replace("_", " ") for f in files)))
    with_objects = RecognizerSettings(objects=ObjectsSettings(True, budget_ms=float("inf")))
    rng, rows = np.random.default_rng(0), []
    for view in VIEWS:
        for count in (2, 3):
            totals: dict[str, float] = dict.fromkeys(
                ("windows", "asked", "found", "alone", "boxes", "fit", "false", "switches"), 0.0
            )
            for _ in range(options.draws):
                _draw(rng, rng.choice(len(files), count, False), files, view, (backbone, table, with_objects),
                      options.seconds, totals)  # fmt: skip
            t = totals
            row = {
                "view": str(view), "things": count, "windows": int(t["windows"]),
                "recall": round(t["found"] / t["asked"], 3), "alone": round(t["alone"] / t["asked"], 3),
                "of_alone": round(t["found"] / max(t["alone"], 1), 3),
                "iou50": round(t["fit"] / max(t["boxes"], 1), 3),
                "false_a_window": round(t["false"] / t["windows"], 3),
                "switches_a_minute": round(t["switches"] / (t["windows"] * 0.05 / 60), 2), "load": load(),
            }  # fmt: skip
            rows.append(row)
            show(row)
    write_table(options.out, rows)


def _draw(
    rng: np.random.Generator, chosen: Any, files: list[Path], view: Resolution, how: Any, seconds: float,
    totals: dict[str, float],
) -> None:  # fmt: skip
    backbone, table, settings = how
    parts = [read(files[i], float(rng.uniform(0, 8)), seconds) for i in chosen]
    names = [files[i].stem.replace("_", " ") for i in chosen]
    alone = [
        predicted(Recognizer(backbone, table, RecognizerSettings()), events, size) for events, size in parts
    ]
    corners = places(rng, [size for _, size in parts], view)
    moved, clean = [], []
    for (events, size), (x, y) in zip(parts, corners, strict=True):
        supported = Treater(size).treat(events, Treatment(support_us=5_000)).copy()
        for each, kept in ((events.copy(), moved), (supported, clean)):
            each["x"] += x
            each["y"] += y
            kept.append(each)
    together = join_packets(moved)
    together = together[np.argsort(together["t"], kind="stable")]
    before: dict[int, int] = {}
    for end_us, prediction in predicted(Recognizer(backbone, table, settings), together, view).items():
        if end_us < SETTLED_US or any(end_us not in each for each in alone):
            continue
        found = prediction.objects or ()
        truth = [true_box(events, end_us) for events in clean]
        totals["windows"] += 1
        shares = overlaps([box or Box(0, 0, 0, 0) for box in truth], [one.box for one in found])
        for number, name in enumerate(names):
            if truth[number] is None:
                continue
            totals["asked"] += 1
            totals["found"] += any(one.label == name for one in found)
            totals["alone"] += alone[number][end_us].label == name
            totals["boxes"] += 1
            best = int(shares[number].argmax()) if len(found) else None
            if best is not None and shares[number, best] >= 0.5:
                totals["fit"] += 1
                totals["switches"] += before.get(number, found[best].id) != found[best].id
                before[number] = found[best].id
        for column, one in enumerate(found):
            totals["false"] += one.state == "seen" and not (shares[:, column] >= 0.1).any()


if __name__ == "__main__":
    main()
