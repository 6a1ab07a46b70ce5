"""``evaluate``, ``train`` and ``teach``: the paper's experiments, and lessons, by one command each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from platformdirs import user_cache_path
from rich.console import Console

from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_live.cli.chosen_model import check_model, load_model
from neuroclip_live.cli.options import model_options
from neuroclip_live.cli.progress_bar import progress_bar
from neuroclip_live.cli.track_evaluation import evaluate_tracks, print_figures
from neuroclip_live.console import console
from neuroclip_live.datasets import SPECS
from neuroclip_live.errors import UserError
from neuroclip_live.extras import need
from neuroclip_live.option_names import about as naming
from neuroclip_live.option_names import at_least, refuse_blank, refuse_no_file
from neuroclip_live.prompting.templates import resolve_templates
from neuroclip_live.stream.slicing import parse_slice

if TYPE_CHECKING:
    from neuroclip_live.evaluation.results import Summary
    from neuroclip_live.learning.shots import Progress, ShotSource

MOST_DRAWS = 1_000_000
"""Shots, seeds, copies or samples that are believed to be meant."""
MOST_EPOCHS = 100_000
TRACKS = "tracks"

_DATA_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--dataset",
        required=True,
        help="n-mnist, cifar10-dvs, es-imagenet, n-cars, n-caltech101, "
        "folder (recordings or .bin samples by label), or, to evaluate, tracks (several things at once).",
    ),
    click.option(
        "--root",
        metavar="DIR",
        help="Where the data lies; nothing is downloaded. tracks: recordings with boxes; "
        "simulated scenes if left out.",
    ),
    click.option(
        "--templates", metavar="NAME|TEXT", help="Sentences for labels; the model's own if left out."
    ),
    click.option("--slice", default="auto", show_default=True, help="folder: as in live use."),
    click.option("--overlap", type=int, default=2, show_default=True, help="folder: as in live use."),
    click.option("--timesteps", type=int, default=10, show_default=True, help="T."),
    click.option("--threshold", type=int, help="A pixel needs more events than this to show."),
    click.option(
        "--limit",
        type=int,
        metavar="N",
        help="Test samples of each label at the most; tracks: recordings or kinds of scene.",
    ),
    click.option("--copies", type=int, default=4, show_default=True, help="Augmented versions of each shot."),
    click.option("--epochs", type=int, default=250, show_default=True, help="Of the adapters."),
    click.option(
        "--ratio", type=float, default=0.6, show_default=True, help="The adapter's share of a feature."
    ),
)


def _data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_DATA_OPTIONS):
        command = option(command)
    return model_options(command)


@click.command()
@_data_options
@click.option(
    "--shots", default="0,1,2,4,8,16", show_default=True, help="Shots of each label; 0 is zero-shot."
)
@click.option(
    "--seeds", type=int, default=5, show_default=True, help="Draws of the shots; tracks: of scenes."
)
@click.option(
    "--methods", metavar="LIST", help="zero-shot,weighted,prototypes,probe,ann,snn; all if left out."
)
@click.option("--reference", is_flag=True, help="The paper's protocol: √T logits, features as they come.")
@click.option("--out", required=True, metavar="CSV", help="Results; a run that finds its own goes on there.")
def evaluate(shots: str, seeds: int, methods: str | None, reference: bool, out: str, **values: Any) -> None:
    """Measure zero-shot and few-shot recognition on a data set, all methods side by side; or tracks."""
    _check(values, out, tracks=True)
    at_least({"--seeds": seeds}, 1, MOST_DRAWS)
    if values["dataset"] == TRACKS:
        with progress_bar() as bar:
            rows = evaluate_tracks(values, seeds, out, bar.tell)
        print_figures(rows)
        return
    need("evaluate", "torch", "spikingjelly")
    from neuroclip_live.evaluation import evaluate as evaluation
    from neuroclip_live.evaluation.results import METHODS

    drawn = _numbers(shots)
    chosen = tuple(m.strip() for m in methods.split(",")) if methods is not None else METHODS
    with naming("--methods"):  # before a model is loaded for nothing
        evaluation.EvaluateSettings(shots=drawn, methods=chosen)
    with progress_bar() as bar:
        source, model, settings, about = _prepare(values, bar.tell)
        settings = replace(settings, shots=drawn, seeds=seeds, reference=reference, methods=chosen)
        if reference:
            settings = replace(settings, train=replace(settings.train, feature_norm=None))
        summaries = evaluation.run(source, model, settings, Path(out), about=about, progress=bar.tell)
    _print_summaries(summaries, source)


@click.command()
@_data_options
@click.option("--shots", type=int, required=True, help="Shots of each label.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the shots.")
@click.option("--search-weights", is_flag=True, help="Also weigh the timesteps, on the shots.")
@click.option("--out", required=True, metavar="FILE", help="The adapter, .safetensors.")
def train(shots: int, seed: int, search_weights: bool, out: str, **values: Any) -> None:
    """Train the spiking adapter on a few shots, test it on the rest and save it for --adapter."""
    need("train", "torch", "spikingjelly")
    from neuroclip_live.evaluation import evaluate as evaluation

    _check(values, out)
    at_least({"--shots": shots}, 1, MOST_DRAWS)
    at_least({"--seed": seed}, 0, 2**63 - 1)
    with progress_bar() as bar:
        source, model, settings, _ = _prepare(values, bar.tell)
        settings = replace(settings, train=replace(settings.train, seed=seed))
        adapter = evaluation.train(
            source,
            model,
            shots,
            Path(out),
            settings=settings,
            search_weights=search_weights,
            progress=bar.tell,
        )
    _print_left_out(console(), source)
    metrics = adapter.info.metrics
    click.echo(
        f"{out}: {metrics['test accuracy']:.1%} of {metrics['tests']:.0f} test samples "
        f"(95 % interval {metrics['low']:.1%} to {metrics['high']:.1%})"
    )


@click.command()
@model_options
@click.option(
    "--show", "shows", multiple=True, required=True, metavar="LABEL=FILE", help="What a recording shows."
)
@click.option("--seconds", type=float, default=3.0, show_default=True, help="Learn from so much of each.")
@click.option("--slice", "slice_by", default="auto", show_default=True, help="As in live use.")
@click.option("--timesteps", type=int, default=10, show_default=True, help="As in live use.")
@click.option("--out", required=True, metavar="FILE", help="For --taught, in the window or headless.")
def teach(
    shows: tuple[str, ...], seconds: float, slice_by: str, timesteps: int, out: str, **values: Any
) -> None:
    """Teach labels from the beginning of recordings, as live teaching does from what passes by."""
    from neuroclip_live.recognition.lessons import Show, teach_from
    from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings

    check_model(values)
    refuse_no_file("--out", out)
    if not 0 < seconds < float("inf"):
        raise UserError(f"--seconds {seconds:g}: give a positive number")
    with naming("--slice"):
        by = parse_slice(slice_by)
    pairs = [show.rpartition("=") for show in shows]
    for label, _, path in pairs:
        if not label.strip() or not path:
            raise UserError(f"--show {label or path!r}: write LABEL=FILE, like 'a mug=mug.aedat4'")
    with progress_bar() as bar:
        with naming("--show"):
            sources = [open_source(SourceSpec("replay", path, None, end_s=seconds)) for _, _, path in pairs]
        model = load_model(values, bar.tell)
        recognizer = Recognizer(model, None, RecognizerSettings(timesteps=timesteps))
        bar.tell("learning", None)
        lessons = [Show(label.strip(), source) for (label, _, _), source in zip(pairs, sources, strict=True)]
        notes: list[str] = []
        with naming("--show"):
            taken = teach_from(lessons, recognizer, by, Path(out), notes.append)
    for note in notes:
        click.echo(note, err=True)
    click.echo(f"{out}: " + ", ".join(f"{label} ({count} windows)" for label, count in taken.items()))


def _check(values: dict[str, Any], out: str, tracks: bool = False) -> None:
    """Raise UserError for what is wrong whatever the data and the model are, before either is read."""
    from neuroclip_live.recognition.recognizer import RecognizerSettings

    check_model(values)
    refuse_blank({"--root": values["root"]}, "the folder in which the data lies")
    if values["root"] is None and values["dataset"] != TRACKS:
        raise UserError("--root is missing: give the folder in which the data lies")
    refuse_no_file("--out", out)
    refuse_blank({"--templates": values["templates"]}, "a set's name, or a sentence with {}")
    there = ("folder", *SPECS, *([TRACKS] if tracks else []))
    if values["dataset"] not in there:
        known = ", ".join(there)
        raise UserError(f"--dataset {values['dataset']!r}: choose {known}")
    at_least({"--limit": values["limit"], "--copies": values["copies"]}, 1, MOST_DRAWS)
    at_least({"--epochs": values["epochs"]}, 1, MOST_EPOCHS)
    at_least({"--ratio": values["ratio"]}, 0, 1)
    if values["dataset"] in ("folder", TRACKS) and values["slice"] not in ("number", "time"):
        with naming("--slice"):
            parse_slice(values["slice"], values["overlap"])
    RecognizerSettings(timesteps=values["timesteps"], threshold=values["threshold"])
    if values["templates"] is not None:
        with naming("--templates"):
            resolve_templates(values["templates"])


def _prepare(values: dict[str, Any], tell: Progress) -> Any:
    """Load the model and open the data set."""
    from neuroclip_live.evaluation.evaluate import EvaluateSettings
    from neuroclip_live.learning.shots import open_shots
    from neuroclip_live.learning.train_settings import TrainSettings

    model = load_model(values, tell)
    with naming("--root"):
        source, about = open_shots(
            values["dataset"],
            Path(values["root"]).expanduser(),
            model,
            timesteps=values["timesteps"],
            slices=values["slice"],
            overlap=values["overlap"],
            threshold=values["threshold"],
            limit=values["limit"],
            cache=_cache(),
            progress=tell,
        )
    templates = values["templates"]
    settings = EvaluateSettings(
        copies=values["copies"],
        templates=resolve_templates(templates) if templates is not None else model.info.templates,
        train=TrainSettings(epochs=values["epochs"], ratio=values["ratio"]),
    )
    return source, model, settings, about


def _cache() -> Path:
    return user_cache_path("neuroclip-live") / "features"


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"--shots {text!r}: write numbers like 0,1,2,4,8,16") from None


def _print_summaries(summaries: list[Summary], source: ShotSource) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("shots", "method", "accuracy", "95 % interval", "± seeds", "ECE", "tests", "seeds"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for row in summaries:
        table.add_row(
            str(row.shots),
            row.method,
            f"{row.accuracy:.1%}",
            f"{row.low:.1%} to {row.high:.1%}",
            f"{row.spread:.1%}",
            f"{row.ece:.3f}",
            str(row.tests),
            str(row.seeds),
        )
    out = console()
    out.print(table)
    _print_left_out(out, source)


def _print_left_out(out: Console, source: ShotSource) -> None:
    for name, why in source.skipped.items():
        out.print(f"skipped {name}: {why}", style="yellow", highlight=False, markup=False)
    for name, why in source.damaged.items():
        out.print(f"damaged {name}: {why}; what is left of it was used", style="yellow", markup=False)
