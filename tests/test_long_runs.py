"""What the long measurements say of what they saw."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks import long_window, realtime


def hour(path: Path, minutes: int, growth: float) -> Path:
    """Write a run whose memory grows by so much a minute, with a wild beginning."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, long_window.FIELDS)
        table.writeheader()
        for seconds in range(5, minutes * 60 + 1, 5):
            row = dict.fromkeys(long_window.FIELDS, 10)
            table.writerow(
                row | {"seconds": seconds, "rss_mb": 5 if seconds < 500 else 500 + growth * seconds / 60}
            )
    return path


def test_memory_is_compared_after_the_window_has_settled(tmp_path: Path) -> None:
    assert "500.00 ->    500.00  (+0.00 %)" in long_window.told(hour(tmp_path / "flat.csv", 60, 0.0))
    assert "(+8.78 %)" in long_window.told(hour(tmp_path / "grown.csv", 60, 1.0))


def test_too_short_a_run_is_not_judged(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="600 s are too short"):
        long_window.told(hour(tmp_path / "short.csv", 10, 0.0))


def test_predictions_are_counted_where_there_is_motion() -> None:
    records = [
        {"type": "prediction", "t_us": 50_000 * i, "state": "no-motion" if i >= 80 else "ok"}
        for i in range(120)
    ]
    summary = {
        "type": "summary", "events": 7, "dropped_events": 0, "windows": 120, "skipped_windows": 0,
        "latency_ms": {"p50": 4.0, "p99": 9.0},
    }  # fmt: skip
    row = realtime.row_of("x.aedat4", [{"type": "header"}, *records, summary])
    assert (row["moving_windows"], row["predictions_per_s"], row["fewest_per_s"]) == (80, 20.0, 20)
    assert (row["p50_ms"], row["p99_ms"]) == (4.0, 9.0)


def test_a_recording_without_motion_has_a_row_too() -> None:
    summary = {
        "type": "summary", "events": 0, "dropped_events": 0, "windows": 0, "skipped_windows": 0,
        "latency_ms": {"p50": None, "p99": None},
    }  # fmt: skip
    assert realtime.row_of("still.aedat4", [{"type": "header"}, summary])["predictions_per_s"] == 0.0
