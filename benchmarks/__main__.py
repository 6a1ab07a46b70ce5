"""The command line: ``python -m benchmarks NAME|all --out results.csv``, ``python -m benchmarks plot``."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.results import ResultsFile, line, missed
from benchmarks.timing import Options, Row, load

NAMES = (
    "frames",
    "noise",
    "recording",
    "file_formats",
    "decision",
    "objects",
    "encoder",
    "freshness",
    "capture",
    "paint",
    "window",
    "webcam",
    "serving",
    "adapter_p99",
    "startup",
    "memory",
    "size",
)
"""Modules with ``run(options) -> Iterator[Row]``, in the order of ``all``."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Measure neuroclip-live side by side with what else does the same work."""


def _command(name: str) -> click.Command:
    names = NAMES if name == "all" else (name,)

    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV there.")
    @click.option("--quick", is_flag=True, help="Tiny sizes, one round: checks that work is equal.")
    @click.option("--device", default="cpu", show_default=True, help="For the encoder: cpu or cuda.")
    def measure(out: Path | None, quick: bool, device: str) -> None:
        run_all(names, Options(quick=quick, device=device), out)

    described = "All of them." if name == "all" else _first_line(name)
    return click.command(name, help=described)(measure)


def _first_line(name: str) -> str:
    """Return a module's first line, without importing it and what it needs."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return source.split('"""')[1].strip().splitlines()[0]


def run_all(names: tuple[str, ...], options: Options, out: Path | None) -> list[Row]:
    """Run benchmarks by name, tell each row and write it to ``out``; return the rows.

    One that fails is told and has a row that says so: the others go on.
    """
    facts = machine.facts()
    click.echo(f"{facts['machine']}, commit {facts['commit']}, load {load()}\n{machine.versions()}")
    file = ResultsFile(out, facts) if out is not None else None
    rows: list[Row] = []
    try:
        for name in names:
            for row in _rows(name, options):
                rows.append(row)
                click.echo(line(row))
                if file is not None:
                    file.add(row)
    finally:
        if file is not None:
            file.close()
    for row in missed(rows):
        click.echo(f"missed: {line(row)}")
    return rows


def _rows(name: str, options: Options) -> Iterator[Row]:
    try:
        yield from importlib.import_module(f"benchmarks.{name}").run(options)
    except Exception as error:  # noqa: BLE001 - an hour's other figures must not be lost with it
        reason = f"failed: {type(error).__name__}: {error}"
        yield Row(name, "", "", "", None, None, "", None, note=reason, load=load())


@click.command()
@click.argument(
    "results", type=click.Path(exists=True, path_type=Path), default="docs/performance/results.csv"
)
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), default="docs/performance")
def plot(results: Path, to: Path) -> None:
    """Draw the plots of docs/performance.md from a results file."""
    from benchmarks.plots import draw

    for path in draw(results, to):
        click.echo(path)


@click.command()
@click.argument(
    "results", type=click.Path(exists=True, path_type=Path), default="docs/performance/results.csv"
)
@click.option("--goals", is_flag=True, help="Only rows with a goal.")
def table(results: Path, goals: bool) -> None:
    """Write a results file as a Markdown table."""
    from benchmarks.results import markdown, read

    click.echo(markdown([row for row in read(results) if row["goal"] or not goals]))


cli.add_command(plot)
cli.add_command(table)
for _name in (*NAMES, "all"):
    cli.add_command(_command(_name))

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    cli(prog_name="python -m benchmarks")
