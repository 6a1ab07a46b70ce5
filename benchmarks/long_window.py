"""The window for an hour on a recording that loops: does its memory grow, does its latency.

``python -m benchmarks.long_window --minutes 60 --out window_hour.csv [--replay FILE]`` opens the real window
off the screen, on the bundled demo where no recording is given, and writes a row every five seconds. At the
end, or later with ``--read window_hour.csv``, it says how the last five minutes compare with the five that
follow the first ten. ``python -m benchmarks.soak --plot window_hour.csv --figure window_hour.png`` draws it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.real_window import RealWindow
from benchmarks.sampling import LATENCY_FIELDS, PROCESS_FIELDS, latency_since, of_process
from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState

SAMPLE_S = 5.0
SETTLED_S, SPAN_S = 600.0, 300.0
"""What is compared: a span once the window has settled, and the last one of that length."""
PROMPTS = "a mug, a phone, scissors, a hand, a person, a wheel, glasses, a car"
FIELDS = (
    "seconds", *PROCESS_FIELDS, "events_per_s", "predictions_per_s", "skipped_windows", "dropped_events",
    "paints_per_s", "longest_gap_ms", *LATENCY_FIELDS,
)  # fmt: skip


def run(minutes: float, out: Path, replay: Path | None, threads: int = 1) -> None:
    """Show the window for so long, writing rows to ``out`` as it goes."""
    from neuroclip_gui.garbage import collected_here
    from neuroclip_live.cli.malloc_tuning import keep_memory
    from neuroclip_live.model.backbone import load_backbone

    keep_memory()  # as the command line does
    spec = SourceSpec("demo", "tour", loop=True)
    if replay is not None:
        spec = SourceSpec("replay", str(replay), loop=True)
    pipeline = Pipeline(
        open_source(spec),
        lambda progress: load_backbone(threads=threads, progress=progress),
        parse_prompts(PROMPTS),
        PipelineSettings(wait_for_model=False),
    )
    with out.open("w", newline="", encoding="utf-8") as file, RealWindow(pipeline) as real, collected_here():
        table = csv.DictWriter(file, FIELDS)
        table.writeheader()
        real.run(1.0, lambda: pipeline.status().state is PipelineState.RUNNING)
        before, number = pipeline.status(), 0
        for sample in range(1, round(minutes * 60 / SAMPLE_S) + 1):
            turning = real.run(SAMPLE_S)
            status = pipeline.status()
            number, latency = latency_since(pipeline, number)
            row: dict[str, Any] = {
                "seconds": sample * SAMPLE_S,
                **of_process(),
                "events_per_s": round((status.total_events - before.total_events) / SAMPLE_S),
                "predictions_per_s": round((status.predictions - before.predictions) / SAMPLE_S, 1),
                "skipped_windows": status.skipped_windows,
                "dropped_events": status.dropped_events,
                "paints_per_s": round(turning.paints_hz, 1),
                "longest_gap_ms": round(turning.longest_gap_ms, 1),
                **latency,
            }
            table.writerow(row)
            file.flush()
            before = status
    sys.stdout.write(told(out))


def told(table: Path) -> str:
    """Return in words how a run went.

    Raises
    ------
    ValueError
        When the run was too short to compare anything.
    """
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    end = float(rows[-1]["seconds"]) if rows else 0.0
    if end < SETTLED_S + 2 * SPAN_S:
        raise ValueError(
            f"{table}: {end:.0f} s are too short to compare; it takes {SETTLED_S + 2 * SPAN_S:.0f}"
        )
    first = [row for row in rows if SETTLED_S < float(row["seconds"]) <= SETTLED_S + SPAN_S]
    last = [row for row in rows if float(row["seconds"]) > end - SPAN_S]

    def medians(name: str) -> tuple[float, float]:
        return tuple(float(np.median([float(r[name]) for r in part if r[name]])) for part in (first, last))  # type: ignore[return-value]

    lines = [f"{end / 60:.1f} minutes; medians of five minutes after the first ten, and of the last five:"]
    for name in (
        "rss_mb",
        "own_mb",
        "p50_ms",
        "p99_ms",
        "paints_per_s",
        "longest_gap_ms",
        "descriptors",
        "threads",
    ):
        if name not in rows[0]:
            continue
        a, b = medians(name)
        lines.append(f"  {name:>15}: {a:9.2f} -> {b:9.2f}  ({100 * (b / a - 1):+.2f} %)")
    lines.append(
        f"  dropped events {rows[-1]['dropped_events']}, skipped windows {rows[-1]['skipped_windows']}"
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=Path("window_hour.csv"))
    parser.add_argument("--replay", type=Path, help="a recording; the bundled demo by default")
    parser.add_argument("--threads", type=int, default=1, help="of the encoder")
    parser.add_argument("--read", type=Path, help="say how this run went instead of running")
    options = parser.parse_args()
    if options.read is not None:
        sys.stdout.write(told(options.read))
    else:
        run(options.minutes, options.out, options.replay, options.threads)


if __name__ == "__main__":
    main()
