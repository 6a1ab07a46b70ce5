"""The table of an evaluation: rows are on disk as soon as made, so that a run can go on where it stopped."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuroclip_live import __version__
from neuroclip_live.atomic import write_atomically
from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.confusion import draw_confusion
from neuroclip_live.evaluation.metrics import Report, wilson_interval

METHODS = ("zero-shot", "weighted", "prototypes", "probe", "ann", "snn")
"""Only ``zero-shot`` needs no shots; ``weighted`` is zero-shot with timestep weights from the shots."""


@dataclass(frozen=True)
class Row:
    """One line of the table: a method on one draw of shots."""

    method: str
    shots: int
    seed: int
    accuracy: float
    low: float
    high: float
    ece: float
    tests: int
    seconds: float


@dataclass(frozen=True)
class Summary:
    """A method at one number of shots, over all seeds.

    Attributes
    ----------
    accuracy : float
        Mean over seeds.
    low, high : float
        Wilson's 95 % interval of the mean for the number of test samples.
    spread : float
        Standard deviation over seeds (sample); 0 for one seed.
    """

    method: str
    shots: int
    seeds: int
    accuracy: float
    low: float
    high: float
    spread: float
    ece: float
    tests: int


class Table:
    """The CSV: rows as they are made, those of an earlier run with the same key among them."""

    FIELDS = ("method", "shots", "seed", "accuracy", "low", "high", "ece", "tests", "seconds")

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        self.rows: dict[tuple[str, int, int], Row] = {}
        self._classes: list[tuple[str, int, int, str, str]] = []
        self._per_class = path.with_name(path.stem + ".per-class.csv")
        try:
            self._read()
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise UserError(f"{path} is there and is no table of this kind: choose another --out") from error

    def _read(self) -> None:
        if not self.path.exists():
            return
        with self.path.open(newline="", encoding="utf-8") as stream:
            for line in csv.DictReader(stream):
                if line["key"] == self.key:
                    row = Row(
                        line["method"],
                        int(line["shots"]),
                        int(line["seed"]),
                        float(line["accuracy"]),
                        float(line["low"]),
                        float(line["high"]),
                        float(line["ece"]),
                        int(line["tests"]),
                        float(line["seconds"]),
                    )
                    self.rows[row.method, row.shots, row.seed] = row
        if self._per_class.exists() and self.rows:
            with self._per_class.open(newline="", encoding="utf-8") as stream:
                for line in csv.DictReader(stream):
                    self._classes.append(
                        (
                            line["method"],
                            int(line["shots"]),
                            int(line["seed"]),
                            line["label"],
                            line["accuracy"],
                        )
                    )

    def add(self, row: Row, made: Report, labels: Sequence[str]) -> None:
        """Write a row, its accuracies per class and, for the first seed, its confusion matrix."""
        self.rows[row.method, row.shots, row.seed] = row
        for label, share in zip(labels, made.per_class, strict=True):
            value = "" if np.isnan(share) else f"{share:.4f}"
            self._classes.append((row.method, row.shots, row.seed, label, value))
        lines = [
            [f"{getattr(r, name):.4f}" if name in _REALS else getattr(r, name) for name in self.FIELDS]
            + [self.key, __version__]
            for r in self.rows.values()
        ]
        _write_csv(self.path, [*self.FIELDS, "key", "version"], lines)
        _write_csv(self._per_class, ["method", "shots", "seed", "label", "accuracy"], self._classes)
        if row.seed == 0:
            title = f"{row.method}, {row.shots} shots: {row.accuracy:.1%} of {row.tests}"
            image = draw_confusion(made.confusion, labels, title)
            name = f"{self.path.stem}.{row.method}-{row.shots}.png"
            write_atomically(self.path.with_name(name), lambda stream: stream.write(image))

    def summary(self) -> list[Summary]:
        """Return one entry for each method and number of shots."""
        groups: dict[tuple[int, str], list[Row]] = {}
        for row in self.rows.values():
            groups.setdefault((row.shots, row.method), []).append(row)
        made = []
        for shots, method in sorted(groups, key=lambda g: (g[0], METHODS.index(g[1]))):
            rows = groups[shots, method]
            shares = np.array([row.accuracy for row in rows])
            mean = float(shares.mean())
            low, high = wilson_interval(mean * rows[0].tests, rows[0].tests)
            spread = float(shares.std(ddof=1)) if len(rows) > 1 else 0.0
            ece = float(np.mean([row.ece for row in rows]))
            made.append(Summary(method, shots, len(rows), mean, low, high, spread, ece, rows[0].tests))
        return made


_REALS = ("accuracy", "low", "high", "ece", "seconds")


def _write_csv(path: Path, head: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    write_atomically(path, lambda stream: stream.write(text.getvalue().encode()))
