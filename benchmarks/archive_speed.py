"""How fast an archive of a million moments is searched, and how much of it the approximate search finds.

    python -m benchmarks.archive_speed --work FOLDER --rows 1000000

The features are made up: 300 random directions with noise around them, in parts of one hour each, as an
index has them. So the times hold for that size, and on this machine as busy as it is. What the approximate
search finds among random directions says nothing of recordings, whose features differ in few:
``--like INDEX`` puts noise around an index's own features instead.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import click
import numpy as np
import pyarrow as pa

from benchmarks.timing import load
from neuroclip_live.archive import parts, settings
from neuroclip_live.archive.background import Background
from neuroclip_live.archive.index import Index
from neuroclip_live.archive.parts import PartFacts, Piece, Rows
from neuroclip_live.archive.recordings import Entry, write_entry
from neuroclip_live.archive.settings import EVERY_US, ArchiveSettings
from neuroclip_live.archive.store import Store
from neuroclip_live.model.backbone import load_backbone

HOUR = 3_600_000_000 // EVERY_US
WORDS = ("a mug", "a dog", "scissors", "a car", "a person walking", "a red apple", "a drone", "the digit 3")
_LENGTH, _SPREAD = 0.8, 1.0
_NOISE = 0.3
"""Around an index's features: its length, as a share of theirs."""


def fill(store: Store, rows: int, model: str, like: Path | None = None) -> None:
    """Write parts of made-up features until there are so many rows; those that are there stay."""
    backbone, how = load_backbone(model), ArchiveSettings()
    record = settings.record_of(store, backbone, {"model": model}, how)
    settings.write_record(store, record)
    background, width = Background(backbone), backbone.info.embed_dim
    centers = np.random.default_rng(0).standard_normal((300, width), np.float32)
    spread, lengths = _SPREAD, np.full(len(centers), _LENGTH, np.float32)
    if like is not None:
        centers = Index(like, backbone).rows.feature.astype(np.float32)
        lengths = np.linalg.norm(centers, axis=1)
        spread = _NOISE * float(lengths.mean()) / np.sqrt(width)
    for number, start in enumerate(range(0, rows, HOUR)):
        count = min(HOUR, rows - start)
        piece = Piece(hashlib.blake2b(f"{number}".encode(), digest_size=16).hexdigest(), 0, 1)
        if store.exists(f"{parts.FOLDER}/{record.key}/{piece.name}"):
            continue
        random = np.random.default_rng(number)
        # a thing stays for some seconds, as in a recording
        shown = np.repeat(random.integers(0, len(centers), count // 10 + 1), 10)[:count]
        made = centers[shown] + np.float32(spread) * random.standard_normal((count, width), np.float32)
        made *= lengths[shown][:, None] / np.linalg.norm(made, axis=1, keepdims=True)
        feature = made.astype(np.float16)
        from_us = np.arange(count, dtype=np.int64) * EVERY_US
        ones = np.ones(count, np.int32)
        table = Rows(
            from_us,
            from_us + EVERY_US,
            ones * 1000,
            ones,
            -ones,
            np.zeros((count, 4), np.int16),
            feature,
            background.of(feature),
        )
        facts = PartFacts(count * EVERY_US / 1e6, 1000 * count, count, 640, 480, "made up", "made up", 0)
        parts.write_part(store, record.key, piece, table, facts)
        write_entry(store, Entry(f"/made-up/{number:05}.aedat4", 1, 1, piece.digest))


def asked(index: Index, exact: bool, rounds: int) -> tuple[list[tuple[float, float]], list[pa.Table]]:
    """Return how many milliseconds each search took, by the clock and of the processors; what each found."""
    took, found = [], []
    for _ in range(rounds):
        found = []
        for word in WORDS:
            begin, used = time.perf_counter(), time.process_time()
            found.append(index.search(word, exact=exact))
            took.append(((time.perf_counter() - begin) * 1e3, (time.process_time() - used) * 1e3))
    return took, found


def share_found(approximate: list[pa.Table], exact: list[pa.Table]) -> float:
    """Return the share of the exact search's moments that the approximate one found."""

    def places(table: pa.Table) -> set[tuple[str, float]]:
        return set(zip(table["file"].to_pylist(), table["from_s"].to_pylist(), strict=True))

    both = zip(approximate, exact, strict=True)
    return float(np.mean([len(places(a) & places(e)) / e.num_rows for a, e in both if e.num_rows]))


def main(arguments: list[str] | None = None) -> None:
    """Fill an index, search it, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="where the index is made")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--like", type=Path, metavar="INDEX", help="make features like those of an index")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--model", default="event-nano")
    wanted = parser.parse_args(arguments)
    store = Store(wanted.work, make=True)
    fill(store, wanted.rows, wanted.model, wanted.like)
    size = sum(path.stat().st_size for path in wanted.work.rglob("*.parquet"))
    begin = time.perf_counter()
    index = Index(wanted.work)
    opened = time.perf_counter() - begin
    asked(index, False, 1)  # loads the model, makes the sketches
    quick, approximate = asked(index, False, wanted.rounds)
    slow, exact = asked(index, True, max(1, wanted.rounds // 10))
    hours = len(index) * EVERY_US / 3.6e9
    click.echo(f"{len(index):,} moments, {hours:.0f} h, {size / 1e6 / hours:.1f} MB an hour; load {load()}")
    click.echo(f"opened in {opened:.1f} s")
    for name, took in (("search", quick), ("exact", slow)):
        (middle, used), (most, _) = np.percentile(took, (50, 95), axis=0)
        click.echo(
            f"{name}: p50 {middle:.0f} ms, p95 {most:.0f} ms, processor time {used:.0f} ms "
            f"of {len(took)} searches"
        )
    click.echo(f"of the exact search's moments {share_found(approximate, exact):.3f} are found")


if __name__ == "__main__":
    main()
