"""``neuroclip-live convert IN... OUT``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from neuroclip_live.errors import UserError
from neuroclip_live.option_names import about


def convert_files(
    files: Sequence[str],
    *,
    start: float | None,
    end: float | None,
    stream: str | None,
    sensor: str | None,
    time_unit: str | None,
) -> None:
    """Convert all files but the last into the last, with a bar on a terminal, and say what was written."""
    from neuroclip_drivers.files.event_file import FileOptions, parse_sensor
    from neuroclip_live.recording.convert import convert

    *inputs, out = map(Path, files)
    if not inputs:
        raise UserError("convert needs an input and an output: neuroclip-live convert IN OUT.aedat4")
    with about("--sensor"):
        size = parse_sensor(sensor) if sensor is not None else None
    if start is not None and not 0 <= start < float("inf"):
        raise UserError(f"--start {start:g}: give seconds from the first event, 0 or more")
    if end is not None and not (start or 0.0) < end < float("inf"):
        raise UserError(f"--end {end:g}: give seconds from the first event, after --start")
    options = FileOptions(stream, size, time_unit)
    with click.progressbar(
        length=1000, label="converting", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        done = convert(
            inputs,
            out,
            options,
            start_s=start or 0.0,
            end_s=end,
            progress=lambda share: bar.update(max(0, round(1000 * share) - bar.pos)),
        )
    if done.notes:
        click.echo(done.notes, err=True)
    click.echo(f"{done.path}: {done.events:,} events")
