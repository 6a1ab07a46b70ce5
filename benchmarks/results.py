"""Rows as CSV, and CSV as rows."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from benchmarks.timing import Row

COLUMNS = (*(field.name for field in fields(Row)), "met", "commit", "machine", "date")
_FIGURES = ("ours", "peers", "ratio", "low", "high", "goal", "load")


def show(row: Mapping[str, object]) -> None:
    """Print a row of a table as soon as it is measured."""
    sys.stdout.write("  ".join(f"{key} {value}" for key, value in row.items()) + "\n")
    sys.stdout.flush()


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of one kind, at least one, as CSV with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


class ResultsFile:
    """A CSV that grows row by row, so that a run that is cut off has left what it measured.

    Parameters
    ----------
    path : Path
        Overwritten.
    facts : mapping
        Commit, machine and date, written beside every row.
    """

    def __init__(self, path: Path, facts: dict[str, str]) -> None:
        self._facts = facts
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, COLUMNS, lineterminator="\n")
        self._writer.writeheader()

    def add(self, row: Row) -> None:
        """Write a row at once."""
        values: dict[str, object] = {**asdict(row), "met": row.met, **self._facts}
        for name in _FIGURES:
            value = values[name]
            values[name] = "" if value is None else f"{value:.4g}"
        self._writer.writerow(values)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a results file, as text by column."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(row: dict[str, str], column: str) -> float | None:
    """Return a figure of a row, None where there is none."""
    return float(row[column]) if row[column] else None


def line(row: Row) -> str:
    """Return a row for the terminal."""
    if row.ratio is None:
        figure = "" if row.ours is None else f"{row.ours:.4g} {row.unit}"
        return f"{row.benchmark:10} {row.case:34} {figure:24} {row.peer} {row.note}"
    spread = "" if row.low is None or row.high is None else f" ({row.low:.2f} to {row.high:.2f})"
    goal = "" if row.goal is None else f"  goal {row.goal:g}: {row.met}"
    return (
        f"{row.benchmark:10} {row.case:34} {row.subject} {row.ours:.4g}, {row.peer} {row.peers:.4g}"
        f" {row.unit}  x{row.ratio:.2f}{spread}{goal}  {row.note}"
    )


def markdown(rows: list[dict[str, str]]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| work | ours | peer | ratio (min to max) | goal | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = f"**{float(row['ratio']):.2f}**" if row["ratio"] else row["note"]
        if row["low"]:
            ratio += f" ({float(row['low']):.2f} to {float(row['high']):.2f})"
        ours = f"{row['subject']} {row['ours']} {row['unit']}".strip()
        peer = f"{row['peer']} {row['peers']}".strip()
        goal = f"≥ {row['goal']}" if row["goal"] else ""
        lines.append(
            f"| {row['benchmark']}: {row['case']} | {ours} | {peer} | {ratio} | {goal} | {row['met']} |"
        )
    return "\n".join(lines)


def missed(rows: Iterable[Row]) -> list[Row]:
    """Return the rows with a goal that they did not reach."""
    return [row for row in rows if row.met not in ("", "yes")]
