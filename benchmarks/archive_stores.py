"""Stores an archive could be kept in, side by side: size, appending, a killed writer, search.

    pip install lancedb duckdb && python -m benchmarks.archive_stores --rows 1000000

The features are made: 300 directions with noise around them, of length below one, as those of a model are.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

WIDTH = 512
PART = 10_000  # rows of one recording: about an hour


def features(rows: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return (rows, WIDTH) float16."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((300, WIDTH), np.float32)
    made = centers[rng.integers(0, 300, rows)] + 0.8 * rng.standard_normal((rows, WIDTH), np.float32)
    return (0.9 * made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def table(rows: int, seed: int) -> pa.Table:
    """Return features with the recording and the time they are of."""
    flat = pa.array(features(rows, seed).reshape(-1), pa.float16())
    return pa.table(
        {
            "file": pa.array([f"recording-{seed}"] * rows),
            "from_us": pa.array(np.arange(rows, dtype=np.int64) * 400_000),
            "feature": pa.FixedSizeListArray.from_arrays(flat, WIDTH),
        }
    )


def append_parquet(folder: Path, seed: int, rows: int) -> None:
    """Write one immutable file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{seed}.tmp"
    pq.write_table(
        table(rows, seed),
        temporary,
        compression="zstd",
        use_dictionary=["file"],
        column_encoding={"feature.list.element": "BYTE_STREAM_SPLIT", "from_us": "DELTA_BINARY_PACKED"},
    )
    os.replace(temporary, folder / f"{seed}.parquet")


def append_lance(folder: Path, seed: int, rows: int) -> None:
    """Add to one table."""
    import lancedb

    store = lancedb.connect(folder)
    data = table(rows, seed)
    try:
        store.open_table("features").add(data)
    except (ValueError, FileNotFoundError):
        store.create_table("features", data)


APPEND: dict[str, Callable[[Path, int, int], None]] = {"parquet": append_parquet, "lance": append_lance}


def size(folder: Path) -> float:
    """Return megabytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def killed(name: str, folder: Path, times: int) -> str:
    """Kill a writer at random moments and tell what is in the store beside what it said was done."""
    rng, said = np.random.default_rng(1), set()
    for _ in range(times):
        code = (
            "import sys; from pathlib import Path; from benchmarks import archive_stores as a\n"
            "n = int(sys.argv[2])\n"
            "while True:\n"
            f"    a.APPEND[{name!r}](Path(sys.argv[1]), n, 500); print(n, flush=True); n += 1\n"
        )
        first = max(said, default=0) + 1000
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(folder), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        said.add(int(writer.stdout.readline()))
        time.sleep(float(rng.random()))
        writer.send_signal(signal.SIGKILL)
        said.update(int(line) for line in writer.stdout if line.endswith("\n"))
        writer.wait()
    if name == "parquet":
        found = [p.stem for p in folder.glob("*.parquet") if pq.read_metadata(p).num_rows == 500]
        there = {int(stem) for stem in found}
    else:
        import lancedb

        files = lancedb.connect(folder).open_table("features").to_arrow()["file"].to_pylist()
        there = {int(file.rpartition("-")[2]) for file in files}
    return f"{len(said - there)} of {len(said)} lost, {len(there - said)} written and not yet said"


def timed(work: Callable[[], Any], times: int) -> str:
    """Return the median and the 95th percentile, and the median of the processor time, in milliseconds."""
    spent, used = [], []
    for _ in range(times):
        begin, started = time.perf_counter(), time.process_time()
        work()
        spent.append((time.perf_counter() - begin) * 1e3)
        used.append((time.process_time() - started) * 1e3)
    return (
        f"{np.median(spent):.0f} ms, p95 {np.percentile(spent, 95):.0f} ms, "
        f"processor time {np.median(used):.0f} ms"
    )


def searches(rows: int, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield how long each takes to find the best 1,000 rows, and how many of them are the exact ones."""
    import duckdb
    import lancedb

    from neuroclip_live.archive.nearest import Sketch, products

    stored = pq.read_table(folder / "parquet", columns=["feature"])["feature"].combine_chunks()
    matrix = stored.flatten().to_numpy().reshape(-1, WIDTH)
    query = features(20, 99)[:, :].astype(np.float32)
    query += 1.5 * np.random.default_rng(5).standard_normal(query.shape).astype(np.float32) / WIDTH**0.5
    exact = [np.argsort(-(matrix.astype(np.float32) @ each))[:1000] for each in query[:3]]

    begin = time.perf_counter()
    sketch = Sketch.of(matrix)
    built = time.perf_counter() - begin

    def found(text: np.ndarray[Any, Any], short: int) -> np.ndarray[Any, Any]:
        """Return the best rows: by their sketches the best ``short``, exactly the best of these."""
        guess = sketch.products(text[None], 0, rows)[0]
        among = np.sort(np.argpartition(-guess, short)[:short])
        return among[np.argsort(-products(matrix, text[None], among)[0])[:1000]]

    for short in (rows // 50, rows // 10):
        got = [found(each, short) for each in query[:3]]
        recall = np.mean([len(set(a) & set(b)) / 1000 for a, b in zip(exact, got, strict=True)])
        spent = timed(lambda s=short: found(query[0], s), 20)
        yield f"sketch, then {short:,} rows exactly", f"{spent}, recall {recall:.3f}, built {built:.0f} s"

    every = timed(lambda: np.argpartition(-products(matrix, query[:1], np.arange(rows))[0], 1000)[:1000], 20)
    yield "plain arrays, every row exactly", every

    database = duckdb.connect()
    database.execute(
        f"create table f as select feature::float[{WIDTH}] as feature from stored_table",
    ) if (
        database.register("stored_table", pa.table({"feature": stored.cast(pa.list_(pa.float32(), WIDTH))}))
    ) else None
    sql = f"select rowid from f order by array_inner_product(feature, ?::float[{WIDTH}]) desc limit 1000"
    yield "duckdb, exact", timed(lambda: database.execute(sql, [query[0].tolist()]).fetchall(), 5)
    database.close()

    lance = lancedb.connect(folder / "lance").open_table("features")
    begin = time.perf_counter()
    lance.create_index(metric="dot", vector_column_name="feature", index_type="IVF_PQ")
    built = time.perf_counter() - begin

    def ask(vector: np.ndarray[Any, Any], probes: int, refine: int) -> list[tuple[str, int]]:
        found = lance.search(vector, vector_column_name="feature").distance_type("dot")
        found = found.nprobes(probes).refine_factor(refine).limit(1000).select(["file", "from_us"])
        return [(row["file"], row["from_us"]) for row in found.to_list()]

    names = lance.to_arrow().select(["file", "from_us"]).to_pylist()
    order = {(row["file"], row["from_us"]): number for number, row in enumerate(names)}
    files = pq.read_table(folder / "parquet", columns=["file", "from_us"]).to_pylist()
    to_lance = np.array([order[row["file"], row["from_us"]] for row in files])
    for probes, refine in ((20, 2), (200, 5)):
        theirs = [[order[key] for key in ask(each, probes, refine)] for each in query[:3]]
        recall = np.mean([len(set(to_lance[a]) & set(b)) / 1000 for a, b in zip(exact, theirs, strict=True)])
        spent = timed(lambda p=probes, r=refine: ask(query[0], p, r), 10)
        yield (
            f"lancedb IVF_PQ, {probes} probes, refine {refine}",
            f"{spent}, recall {recall:.3f}, built {built:.0f} s",
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for store, append in APPEND.items():
            begin = time.perf_counter()
            for seed in range(options.rows // PART):
                append(folder / store, seed, PART)
            spent = (time.perf_counter() - begin) / max(1, options.rows // PART)
            click.echo(f"{store}: {size(folder / store):.0f} MB, {1e3 * spent:.0f} ms to add {PART:,} rows")
            click.echo(f"{store}: {killed(store, folder / f'killed-{store}', options.kills)}")
        for what, spent_on_it in searches(options.rows, folder):
            click.echo(f"{what}: {spent_on_it}")


if __name__ == "__main__":
    main()
