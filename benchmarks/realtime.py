"""Recordings in real time: does every event come through, how many predictions a second, how late is a label.

``python -m benchmarks.realtime RECORDINGS --out realtime.csv`` runs the product headless at speed 1 on every
``.aedat4`` under the folder, each as a process of its own, and takes the figures from what it writes.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.timing import load

FIELDS = (
    "recording", "seconds", "events", "dropped_events", "windows", "skipped_windows", "moving_windows",
    "predictions_per_s", "fewest_per_s", "p50_ms", "p99_ms", "load",
)  # fmt: skip


def measure(recording: Path) -> dict[str, Any]:
    """Run one recording in real time; return a row.

    ``predictions_per_s`` counts those with motion over the seconds that hold any, ``fewest_per_s`` is the
    fewest in a whole second in the midst of motion, empty where there is none.

    Raises
    ------
    RuntimeError
        When the run fails.
    """
    command = [sys.executable, "-m", "neuroclip_live", "--replay", str(recording)]
    ended = subprocess.run(
        [*command, "--headless", "--speed", "1", "--jsonl", "-"], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{recording}: exit status {ended.returncode}: {ended.stderr.strip()}")
    return row_of(recording.name, [json.loads(line) for line in ended.stdout.splitlines()])


def row_of(name: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of one run from the records it wrote."""
    summary = records[-1]
    predictions = [record for record in records if record["type"] == "prediction"]
    begin = predictions[0]["t_us"] if predictions else 0
    span_s = (predictions[-1]["t_us"] - begin) / 1e6 if predictions else 0.0
    by_second = Counter(
        int((record["t_us"] - begin) / 1e6) for record in predictions if record["state"] != "no-motion"
    )
    between = [
        count for second, count in by_second.items()
        if second + 1 < span_s and second - 1 in by_second and second + 1 in by_second
    ]  # fmt: skip
    moving = sum(by_second.values())
    return {
        "recording": name,
        "seconds": round(span_s, 1),
        "events": summary["events"],
        "dropped_events": summary["dropped_events"],
        "windows": summary["windows"],
        "skipped_windows": summary["skipped_windows"],
        "moving_windows": moving,
        "predictions_per_s": round(moving / min(max(span_s, 0.001), len(by_second)), 1) if moving else 0.0,
        "fewest_per_s": min(between, default=""),
        "p50_ms": summary["latency_ms"]["p50"],
        "p99_ms": summary["latency_ms"]["p99"],
        "load": load(),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("folder", type=Path, help="of recordings; those in folders below it too")
    parser.add_argument("--out", type=Path, default=Path("realtime.csv"))
    options = parser.parse_args()
    recordings = sorted(options.folder.rglob("*.aedat4"))
    if not recordings:
        parser.error(f"{options.folder}: no .aedat4 files in it")
    with options.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, FIELDS)
        table.writeheader()
        for recording in recordings:
            row = measure(recording)
            table.writerow(row)
            file.flush()
            sys.stdout.write(
                f"{row['recording']:>32}  {row['events']:>9,} events, {row['dropped_events']} dropped, "
                f"{row['skipped_windows']} skipped, {row['predictions_per_s']:.1f} predictions/s "
                f"(fewest {row['fewest_per_s']}), label after {row['p50_ms']} / {row['p99_ms']} ms\n"
            )


if __name__ == "__main__":
    main()
