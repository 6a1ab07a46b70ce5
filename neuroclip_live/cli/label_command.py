"""``label``: an archive becomes a data set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from neuroclip_live.archive import settings as archive_settings
from neuroclip_live.archive.boxes import Written, labeled_moments, write_coco, write_yolo
from neuroclip_live.archive.index import Index
from neuroclip_live.archive.labels import FLOOR, LabelSettings, least_sure
from neuroclip_live.archive.labels import label as label_all
from neuroclip_live.archive.recordings import find_recordings
from neuroclip_live.atomic import write_atomically
from neuroclip_live.cli.archive_commands import (
    INTERRUPTED,
    SOME_BROKEN,
    bring_up_to_date,
    how_options,
    settings_of,
)
from neuroclip_live.cli.archive_progress import shown
from neuroclip_live.console import on_one_line
from neuroclip_live.errors import UserError
from neuroclip_live.option_names import about, refuse_blank
from neuroclip_live.prompting.prompts import read_prompts
from neuroclip_live.recording.convert import convert

MOST_REVIEWED = 100_000
_NO_NAME = re.compile(r'[\x00-\x1f/\\:*?"<>|]')


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option("--prompts", required=True, metavar="FILE", help="The labels, as for --prompt-file.")
@click.option("--out", required=True, metavar="FILE", help="The labels found: .parquet, or .csv.")
@click.option(
    "--index", "into", metavar="INDEX", help="What was encoded is kept there.  [default: OUT.index]"
)
@click.option("--floor", type=float, default=FLOOR, show_default=True, help="Least score, 0 to 1.")
@click.option("--min-duration", type=float, default=0.0, metavar="S", help="Leave shorter stretches out.")
@click.option("--review", type=int, default=50, show_default=True, help="So many of the least sure.")
@click.option("--folder", metavar="DIR", help="Also the recordings of each label, for train.")
@click.option("--yolo", metavar="DIR", help="Also pictures with boxes as YOLO reads them; needs --objects.")
@click.option("--coco", metavar="DIR", help="Also pictures with boxes as COCO has them; needs --objects.")
@how_options
@click.pass_context
def label(
    context: click.Context,
    /,
    folders: tuple[str, ...],
    prompts: str,
    out: str,
    into: str | None,
    floor: float,
    min_duration: float,
    review: int,
    folder: str | None,
    yolo: str | None,
    coco: str | None,
    **values: Any,
) -> None:
    """Label recordings with words: which is seen from when to when, and which to look at again.

    FOLDER holds recordings, or is an index that is there. Beside OUT, OUT's name with .review.csv lists the
    least sure. Exit status as for index.
    """
    how, found = settings_of(values), LabelSettings(floor, min_duration)
    if not 0 <= review <= MOST_REVIEWED:
        raise UserError(f"--review {review}: choose 0 to {MOST_REVIEWED}")
    refuse_blank({"--out": out, "--prompts": prompts}, "a file")
    folders_out = {"--folder": folder, "--yolo": yolo, "--coco": coco}
    refuse_blank({"--index": into, **folders_out}, "a folder")
    place = Path(out).expanduser()
    if place.suffix.lower() not in (".parquet", ".csv") or place.is_dir():
        raise UserError(f"--out {out}: give a file that ends in .parquet or .csv")
    for name, wanted in folders_out.items():
        if wanted is not None and Path(wanted).expanduser().exists():
            raise UserError(f"{name} {wanted} is there already; choose a new folder")
    kept = str(into or place.with_suffix(".index"))
    if Path(kept).expanduser().is_file():
        raise UserError(f"--index {kept} is a file; name a folder for the index")
    with about("--prompts"):
        words = read_prompts(prompts)
        words.validate()
        if all(prompt.negative for prompt in words.enabled):  # before hours of indexing
            raise UserError(f"all labels in {prompts} are negative; give at least one that is not")
    # an index may hold other folders as well
    given = _is_index(folders)
    if (yolo or coco) and not (given or how.objects):
        raise UserError(f"{'--yolo' if yolo else '--coco'} needs boxes: add --objects")
    only = None if given else {str(path) for path in find_recordings(folders)}
    status, opened = (0, _loaded(folders[0])) if given else _indexed(folders, kept, how, values)
    if opened is None:
        context.exit(status)
    labels = label_all(opened, words, found, only)
    sure = labels.filter(labels["sure"])
    _write(place, sure)
    _write(place.with_suffix(".review.csv"), least_sure(labels, floor, review))
    if folder is not None:
        _write_folder(sure, opened.places, Path(folder).expanduser())
    _tell(sure, out)
    if yolo is not None or coco is not None:
        names = tuple(prompt.label for prompt in words.enabled if not prompt.negative)
        moments, unsure = labeled_moments(opened, words, floor, only)
        for write, place_of_it in ((write_yolo, yolo), (write_coco, coco)):
            if place_of_it is not None:
                done = write(opened, moments, names, Path(place_of_it).expanduser())
                _tell_boxes(done, unsure, place_of_it)
    context.exit(status)


def _is_index(folders: tuple[str, ...]) -> bool:
    return len(folders) == 1 and (Path(folders[0]).expanduser() / archive_settings.CURRENT).is_file()


def _loaded(place: str) -> Index:
    with shown() as (_, loading):
        opened = Index(place, progress=loading)
        _ = opened.backbone  # while its progress can be shown
    return opened


def _indexed(
    folders: tuple[str, ...], into: str, how: archive_settings.ArchiveSettings, values: dict[str, Any]
) -> tuple[int, Index | None]:
    """Bring an index up to date; return the exit status so far and the index, None when it was stopped."""
    report, backbone = bring_up_to_date(folders, into, "--index", how, values)
    if report.stopped:
        return INTERRUPTED, None
    opened = Index(into)
    if opened.record.key == report.model:
        opened.use(backbone)
    return SOME_BROKEN if report.broken else 0, opened


def _write(path: Path, table: pa.Table) -> None:
    if path.suffix.lower() == ".parquet":
        write_atomically(path, lambda stream: pyarrow.parquet.write_table(table, stream, compression="zstd"))
        return
    boxes = [None if box is None else " ".join(map(str, box)) for box in table["box"].to_pylist()]
    flat = table.set_column(table.schema.get_field_index("box"), "box", pa.array(boxes, pa.string()))
    write_atomically(path, lambda stream: pyarrow.csv.write_csv(flat, stream))


def _write_folder(sure: pa.Table, places: dict[str, str], folder: Path) -> None:
    """Write stretches as recordings, a folder for each label; those of things once, for the whole picture."""
    for number, row in enumerate(sure.to_pylist()):
        if row["box"] is not None:
            continue  # train takes whole pictures
        inside = folder / (_NO_NAME.sub("_", row["label"]).strip(". ") or "_")
        try:
            inside.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--folder {folder}: {error.strerror}; choose another folder") from error
        out = inside / f"{number:06}.aedat4"
        try:
            convert([Path(places[row["file"]])], out, start_s=row["from_s"], end_s=row["to_s"])
        except UserError as error:
            click.echo(f"no recording of {on_one_line(row['file'])}: {error}", err=True)


def _tell_boxes(done: Written, unsure: int, place: str) -> None:
    for reason in done.unread:
        click.echo(on_one_line(reason), err=True)
    left_out = f"; {unsure:,} left out, as something in them is not sure" if unsure else ""
    click.echo(f"{place}: {done.pictures:,} pictures, {done.boxes:,} boxes{left_out}")


def _tell(sure: pa.Table, out: str) -> None:
    seconds: dict[str, float] = {}
    for row in sure.to_pylist():
        seconds[row["label"]] = seconds.get(row["label"], 0.0) + row["to_s"] - row["from_s"]
    told = ", ".join(f"{name} {total:,.1f} s" for name, total in sorted(seconds.items()))
    click.echo(f"{out}: {sure.num_rows:,} stretches{': ' if told else ''}{told}")
