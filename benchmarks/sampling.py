"""What every row of a long run holds: of the process, and how late labels came since the row before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from neuroclip_live.recognition.pipeline import Pipeline

PROCESS_FIELDS = ("rss_mb", "own_mb", "descriptors", "threads")
LATENCY_FIELDS = ("p50_ms", "p95_ms", "p99_ms")


def of_process() -> dict[str, Any]:
    """Return :data:`PROCESS_FIELDS` of this process, memory in megabytes."""
    return {
        "rss_mb": round(resident_mib() * 2**20 / 1e6, 1),
        "own_mb": round(own_mib() * 2**20 / 1e6, 1),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
    }


def latency_since(pipeline: Pipeline, number: int) -> tuple[int, dict[str, Any]]:
    """Return the newest prediction's number, and :data:`LATENCY_FIELDS` of those after ``number``.

    Empty strings where there were none.
    """
    recent = pipeline.predictions(after=number)
    number = recent[-1].number if recent else number
    latency = [p.latency_ms["total"] for p in recent if "total" in p.latency_ms]
    parts = np.percentile(latency, (50, 95, 99)).round(2) if latency else ("", "", "")
    return number, dict(zip(LATENCY_FIELDS, parts, strict=True))


def resident_mib() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def own_mib() -> float:
    """Return what of it is the process's own, in MiB: no pages of files, which the system may take back."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) / 2**10
