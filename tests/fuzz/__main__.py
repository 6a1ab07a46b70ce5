"""Run millions of bad inputs: ``python -m tests.fuzz --inputs 10000000 --out fuzz.csv``.

Targets take turns of some seconds, each in a process of its own that may not grow by more than a gibibyte.
What a run did stands in the CSV file; a run that finds its own goes on there. Inputs that failed are kept.
"""

from __future__ import annotations

import csv
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import click

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from .dice import dice_for
from .turns import Turn


@dataclass
class Row:
    """What was done with one target."""

    target: str
    seed: int = 0
    inputs: int = 0
    seconds: float = 0.0
    inputs_per_s: float = 0.0
    slowest_ms: float = 0.0
    grown_mib: float = 0.0
    failures: int = 0
    crashes: int = 0
    hangs: int = 0

    def add(self, turn: Turn) -> None:
        self.inputs += turn.inputs
        self.seconds = round(self.seconds + turn.seconds, 2)
        self.inputs_per_s = round(self.inputs / max(self.seconds, 1e-9), 1)
        self.slowest_ms = round(max(self.slowest_ms, turn.slowest_ms), 1)
        self.grown_mib = round(max(self.grown_mib, turn.grown_mib), 1)
        self.failures += turn.failures
        self.crashes += turn.crashed
        self.hangs += turn.hangs


def read(out: Path, names: list[str], seed: int) -> dict[str, Row]:
    rows = {name: Row(name, seed) for name in names}
    if out.exists():
        with out.open(encoding="utf-8", newline="") as stream:
            for line in csv.DictReader(stream):
                kinds = {item.name: type(item.default) for item in fields(Row) if item.name != "target"}
                values = {name: kind(line[name]) for name, kind in kinds.items()}
                if line["target"] in rows and values["seed"] == seed:
                    rows[line["target"]] = Row(line["target"], **values)
    return rows


def write(out: Path, rows: dict[str, Row]) -> None:
    beside = out.with_suffix(".new")
    with beside.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, [item.name for item in fields(Row)])
        table.writeheader()
        table.writerows(asdict(row) for row in rows.values())
    beside.replace(out)


@click.command()
@click.option("--inputs", type=int, default=100_000, show_default=True, help="In all, earlier runs included.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--target", "names", multiple=True, help="Only these; all if left out.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("fuzz.csv"), show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), default=Path("fuzz-failures"), show_default=True)
@click.option("--turn-s", type=float, default=10.0, show_default=True, help="Length of a turn.")
def main(inputs: int, seed: int, names: tuple[str, ...], out: Path, keep: Path, turn_s: float) -> None:
    """Feed bad bytes to everything that reads bytes."""
    from .targets import TARGETS

    chosen = [TARGETS[name] for name in names] if names else list(TARGETS.values())
    rows = read(out, [target.name for target in chosen], seed)
    for target in chosen:  # imports and caches once, here: processes that are forked off begin with them
        target.run(target.input(dice_for(target.name, 0, 0)))
    whole = sum(target.share for target in chosen)
    wanted = {target.name: max(target.batch, round(inputs * target.share / whole)) for target in chosen}
    while True:
        late = min(chosen, key=lambda target: rows[target.name].inputs / wanted[target.name])
        row = rows[late.name]
        if row.inputs >= wanted[late.name]:
            break
        turn = Turn.take(late.name, seed, row.inputs, wanted[late.name] - row.inputs, turn_s, keep)
        row.add(turn)
        write(out, rows)
        done = sum(row.inputs for row in rows.values())
        click.echo(f"{time.strftime('%H:%M:%S')} {done:>10,}  {row}")
    click.echo(f"{sum(row.inputs for row in rows.values()):,} inputs: {out}")


if __name__ == "__main__":
    main()
