"""``index`` and ``search``: an archive of recordings, asked for words."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from neuroclip_live.archive.index import Index
from neuroclip_live.archive.indexer import IndexReport
from neuroclip_live.archive.indexer import index as run_index
from neuroclip_live.archive.query import Query, parse_date, parse_like
from neuroclip_live.archive.ray_engine import on_ray
from neuroclip_live.archive.recordings import find_recordings
from neuroclip_live.archive.search import search as look
from neuroclip_live.archive.settings import CURRENT, ArchiveSettings, current, read_record
from neuroclip_live.archive.store import Store
from neuroclip_live.archive.work import Engine
from neuroclip_live.cli.archive_driven import driven, say_report
from neuroclip_live.cli.archive_progress import Loading, Tell, shown
from neuroclip_live.cli.chosen_model import check_model, load_model
from neuroclip_live.cli.headless import interrupted
from neuroclip_live.cli.options import model_options
from neuroclip_live.console import console, on_one_line
from neuroclip_live.errors import UserError
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.option_names import about, refuse_blank
from neuroclip_live.plain_output import json_for_stdout
from neuroclip_live.recording.convert import convert
from neuroclip_live.stream.motion_setting import parse_motion
from neuroclip_live.stream.slicing import parse_slice

_KEPT = ("model", "weights", "representation", "fit", "focus", "normalization")
"""Options of the model that an index keeps."""
SOME_BROKEN = 1
INTERRUPTED = 130
_HOW: tuple[Callable[[Any], Any], ...] = (
    click.option("--slice", default="auto", show_default=True, help="As in live use."),
    click.option("--overlap", type=int, default=2, show_default=True, help="As in live use."),
    click.option("--timesteps", type=int, default=10, show_default=True, help="T, as in live use."),
    click.option("--motion", default="auto", show_default=True, metavar="auto|HZ", help="As in live use."),
    click.option("--threshold", type=int, help="A pixel needs more events than this to show."),
    click.option(
        "--stride",
        type=int,
        default=1,
        show_default=True,
        help="Encode every so many slices: faster, coarser.",
    ),
    click.option(
        "--objects/--no-objects", default=False, show_default=True, help="Also each thing, with a box."
    ),
)


def how_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of how recordings are encoded, and of the model."""
    command = model_options(command)
    for option in reversed(_HOW):
        command = option(command)
    return command


def settings_of(values: dict[str, Any]) -> ArchiveSettings:
    """Return how to encode; UserError names the option that is wrong."""
    check_model(values)
    with about("--slice"):
        slice_by = parse_slice(values["slice"], values["overlap"]).describe()
    return ArchiveSettings(
        slice_by,
        values["overlap"],
        values["timesteps"],
        values["threshold"],
        parse_motion(values["motion"]),
        values["stride"],
        values["objects"],
    )


def model_of(values: dict[str, Any], tell: Any) -> tuple[Backbone, dict[str, Any]]:
    """Load the model; return it and what an index keeps of how it was loaded."""
    backbone = load_model(values, tell)
    kept = {name: values[name] for name in _KEPT}
    if kept["weights"] not in (None, "random"):
        kept["weights"] = str(Path(kept["weights"]).expanduser().absolute())
    return backbone, kept


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--into", required=True, metavar="INDEX", help="The index: a folder, or a URL like s3://bucket/index."
)
@how_options
@click.option(
    "--as-before", is_flag=True, help="With the model and the options INDEX was made with, if it is there."
)
@click.option(
    "--ray",
    is_flag=False,
    flag_value="",
    metavar="[=ADDRESS]",
    help="On a Ray cluster whose machines all see FOLDER and INDEX; alone: the one here, else all cores.",
)
@click.option("--driven", "is_driven", is_flag=True, hidden=True)  # neuroclip_live.cli.archive_driven
@click.pass_context
def index(
    context: click.Context,
    /,
    folders: tuple[str, ...],
    into: str,
    as_before: bool,
    ray: str | None,
    is_driven: bool,
    **values: Any,
) -> None:
    """Encode every recording in folders once, so that `search` finds words in them in no time.

    What is there already is not read again; a run that was stopped, or killed, goes on where it was. Several
    may run at once. Exit status: 0 when all is indexed, 1 when recordings could not be read (they are named),
    2 when nothing could be done, 130 when it was stopped.
    """
    how = settings_of(values)
    refuse_blank({"--into": into}, "a folder for the index")
    next(find_recordings(folders), None)  # a folder that is not there is told before a model is loaded
    if Path(into).is_file():
        raise UserError(f"--into {into} is a file; name a folder for the index")
    engine = _engine(ray) if ray is not None else None
    if as_before:
        how = _as_before(into, values) or how
    if is_driven:
        report, _ = _indexed(folders, into, "--into", how, values, driven, engine)
        say_report(report)
    else:
        report, _ = bring_up_to_date(folders, into, "--into", how, values, engine)
    context.exit(INTERRUPTED if report.stopped else SOME_BROKEN if report.broken else 0)


def bring_up_to_date(
    folders: Sequence[str],
    into: str,
    option: str,
    how: ArchiveSettings,
    values: dict[str, Any],
    engine: Engine | None = None,
) -> tuple[IndexReport, Backbone]:
    """Index folders, and say what that did; return it and the model. ``option`` is what names the index."""
    report, backbone = _indexed(folders, into, option, how, values, shown, engine)
    tell_report(report, into)
    return report, backbone


def _indexed(
    folders: Sequence[str],
    into: str,
    option: str,
    how: ArchiveSettings,
    values: dict[str, Any],
    showing: Callable[[Event], AbstractContextManager[tuple[Tell, Loading]]],
    engine: Engine | None,
) -> tuple[IndexReport, Backbone]:
    with interrupted() as stop, showing(stop) as (tell, loading):
        backbone, options = model_of(values, loading)
        with about(option):  # after the model: what is wrong about it leaves no empty index behind
            store = Store(into, make=True)
        return run_index(folders, store, backbone, options, how, tell=tell, engine=engine), backbone


def _engine(ray: str) -> Engine:
    if ray and Path(ray).exists():  # the word after --ray is taken for an address
        raise UserError(
            f"--ray {ray}: that is a place on this disk; write --ray=ADDRESS, or --ray at the end"
        )
    return on_ray(ray)


def _as_before(into: str, values: dict[str, Any]) -> ArchiveSettings | None:
    """Put the model's options that an index was made with into ``values``; return its other settings."""
    try:
        store = Store(into)
        if not store.exists(CURRENT):
            return None
    except UserError:
        return None  # there is none yet
    record = read_record(store, current(store))
    values.update({name: record.options.get(name) for name in _KEPT})
    return record.settings


def tell_report(report: IndexReport, into: str) -> None:
    """Say what a run did; what went wrong goes to standard error."""
    for path, reason in report.broken.items():
        told = on_one_line(reason.removeprefix(f"{path} "))
        click.echo(f"passed over {on_one_line(path)}: {told}", err=True)
    for path, reason in report.damaged.items():
        click.echo(f"damaged {on_one_line(path)}: {on_one_line(reason)}", err=True)
    if not report.recordings:
        click.echo(
            "no recordings were found there; neuroclip-live doctor lists the formats that are", err=True
        )
    if report.left:
        click.echo(
            f"{report.left} recordings are not encoded by this model, or not with these options; until they "
            "are, searches use those of before, where there were some: index the other folders as well",
            err=True,
        )
    rate = report.seconds / report.wall_s if report.wall_s else 0.0
    parts = [
        f"{report.recordings:,} recordings",
        f"{report.unchanged:,} unchanged",
        f"{report.encoded:,} encoded ({report.seconds:,.1f} s, {report.events:,} events)",
        *([f"{report.moved:,} moved or copied"] if report.moved else []),
        *([f"{report.deleted:,} deleted"] if report.deleted else []),
        *([f"{len(report.broken):,} broken"] if report.broken else []),
    ]
    done = f"; {rate:,.0f} times real time, {report.bytes / 1e6:,.1f} MB written" if report.seconds else ""
    click.echo(f"{into}: {', '.join(parts)}{done}{'; stopped, the rest is left' if report.stopped else ''}")


@click.command()
@click.argument("index", metavar="INDEX")
@click.argument("text", required=False, metavar="[WORD]")
@click.option("--and", "both", multiple=True, metavar="WORD", help="Seen at the same time.")
@click.option(
    "--not", "without", multiple=True, metavar="WORD", help="Moments that look more like it score low."
)
@click.option("--like", metavar="FILE@SECONDS", help="Moments that look like this one.")
@click.option("--top", type=int, default=20, show_default=True, help="So many moments at the most.")
@click.option("--least", type=float, default=0.02, show_default=True, help="Least score, 0 to 1.")
@click.option("--min-duration", type=float, default=0.0, metavar="S", help="Leave shorter moments out.")
@click.option("--files", metavar="GLOB", help="Only in these recordings, by path or by name.")
@click.option("--sensor", metavar="WxH|CAMERA", help="Only of this sensor or camera.")
@click.option(
    "--since", metavar="DATE", help="Recorded then or later: 2026-11-28, or 2026-11-28T14:30 (UTC)."
)
@click.option("--until", metavar="DATE", help="Recorded before, or on that day.")
@click.option("--exact", is_flag=True, help="Score every moment, also where there are millions.")
@click.option("--json", "as_json", is_flag=True, help="A list of file, from_s, to_s, score and box.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as CSV.")
@click.option("--clips", metavar="DIR", help="Write each moment as a recording there.")
def search(
    index: str, text: str | None, as_json: bool, as_csv: bool, clips: str | None, **values: Any
) -> None:
    """Find the moments of an archive in which something is seen, the best first."""
    refuse_blank({"--files": values["files"]}, "a glob like *desk*.aedat4")
    refuse_blank({"--sensor": values["sensor"]}, "640x480, or a camera's name")
    refuse_blank({"--clips": clips}, "a folder")
    for name, words in (("--and", values["both"]), ("--not", values["without"])):
        for word in words:
            refuse_blank({name: word}, "a word or a phrase")
    with about("--like"):
        like = parse_like(values["like"]) if values["like"] is not None else None
    with about("--since"):
        since = parse_date(values["since"]) if values["since"] is not None else None
    with about("--until"):
        until = parse_date(values["until"], end=True) if values["until"] is not None else None
    if as_json and as_csv:
        raise UserError("choose one of --json and --csv")
    query = Query(
        text,
        values["both"],
        values["without"],
        like,
        values["top"],
        values["least"],
        values["min_duration"],
        values["files"],
        values["sensor"],
        since,
        until,
        values["exact"],
    )
    if clips is not None and Path(clips).exists() and not Path(clips).is_dir():
        raise UserError(f"--clips {clips} is no folder; choose another place")

    if clips is not None:
        try:
            Path(clips).expanduser().mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--clips {clips}: {error.strerror}; choose another folder") from error
    with shown() as (_, loading):
        opened = Index(index, progress=loading)
        found = look(opened, query)
    for note in (found.schema.metadata or {}).get(b"notes", b"").decode().splitlines():
        click.echo(note, err=True)
    moments = found.select(["file", "from_s", "to_s", "score", "box"]).to_pylist()
    if as_json:
        click.echo(json_for_stdout(moments))
    elif as_csv:
        click.echo(_as_csv(moments), nl=False)
    else:
        _print(moments)
    if clips is not None:
        _write_clips(moments, opened.places, Path(clips).expanduser(), text or values["like"] or "moment")


def _as_csv(moments: list[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file", "from_s", "to_s", "score", "box"])
    for moment in moments:
        box = "" if moment["box"] is None else " ".join(map(str, moment["box"]))
        writer.writerow([moment["file"], moment["from_s"], moment["to_s"], moment["score"], box])
    return stream.getvalue()


def _print(moments: list[dict[str, Any]]) -> None:
    out = console()
    if not moments:
        out.print("nothing found: lower --least, or ask for something else", markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("score", "right"), ("from", "right"), ("to", "right"), ("file", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for moment in moments:
        times = (f"{moment[name]:.1f} s" for name in ("from_s", "to_s"))
        table.add_row(f"{moment['score']:.3f}", *times, Text(on_one_line(moment["file"])))
    out.print(table)


def _write_clips(moments: list[dict[str, Any]], places: Mapping[str, str], folder: Path, what: str) -> None:
    slug = _slug(what.rpartition("/")[2])
    for number, moment in enumerate(moments, 1):
        name = f"{number:03}_{slug}_{_slug(Path(moment['file']).stem)}_{moment['from_s']:.1f}s.aedat4"
        out = folder / name
        if out.exists():
            click.echo(f"{out} is there already", err=True)
            continue
        try:
            convert([Path(places[moment["file"]])], out, start_s=moment["from_s"], end_s=moment["to_s"])
        except UserError as error:
            click.echo(f"no clip of {on_one_line(moment['file'])}: {error}", err=True)


def _slug(text: str) -> str:
    """Return what a file can be called by; two of them stay below the 255 bytes of a name."""
    return re.sub(r"\W+", "_", text).strip("_")[:30] or "moment"
