"""``evaluate --dataset tracks``: boxes, identities and words of several things at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from neuroclip_live.cli.chosen_model import load_model
from neuroclip_live.console import console
from neuroclip_live.evaluation import track_sets, tracks
from neuroclip_live.evaluation.track_metrics import need_trackeval
from neuroclip_live.evaluation.tracks import WORDS, Figures
from neuroclip_live.objects.found import ObjectsSettings
from neuroclip_live.option_names import about as naming
from neuroclip_live.prompting.templates import resolve_templates
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.slicing import parse_slice

Progress = Callable[[str, "float | None"], None]


def evaluate_tracks(values: dict[str, Any], seeds: int, out: str, tell: Progress) -> list[Figures]:
    """Measure simulated scenes, or the recordings with boxes below ``--root``.

    Raises
    ------
    UserError
        When something given cannot be used, or ``trackeval`` is not installed.
    """
    need_trackeval()
    with naming("--slice"):
        by = parse_slice(values["slice"], values["overlap"])
    limit = values["limit"]
    if values["root"] is None:
        footage = track_sets.simulated(seeds, limit)
    else:
        with naming("--root"):
            footage = track_sets.in_folder(Path(values["root"]).expanduser(), limit)
    model = load_model(values, tell)
    templates = values["templates"]
    settings = RecognizerSettings(
        timesteps=values["timesteps"],
        threshold=values["threshold"],
        objects=ObjectsSettings(True, budget_ms=float("inf")),
    )
    return tracks.run(
        footage,
        model,
        settings,
        by,
        Path(out),
        resolve_templates(templates) if templates is not None else model.info.templates,
        tell,
    )


def print_figures(rows: list[Figures]) -> None:
    """Print the table; figures with words stand behind those without."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("scene", "mAP50", "HOTA", "IDF1", "switches", "false", "missed", "boxes"):
        table.add_column(name, justify="left" if name == "scene" else "right")
    for name in WORDS:
        table.add_column(f"{name}, words", justify="right")
    for row in rows:
        told = row.plain
        table.add_row(
            row.name,
            *(f"{told[name]:.3f}" for name in WORDS),
            *(f"{told[name]:.0f}" for name in ("switches", "false", "missed")),
            str(row.boxes),
            *(f"{row.words[name]:.3f}" if row.words else "" for name in WORDS),
        )
    out = console()
    out.print(table)
    last = rows[-1]
    if last.low is not None and last.high is not None:
        out.print(
            f"mean of each recording's own mAP50: 95 % interval {last.low:.3f} to {last.high:.3f} "
            "(mAP50 above is of all boxes together)",
            highlight=False,
        )
