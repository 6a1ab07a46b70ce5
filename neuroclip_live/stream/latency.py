"""Where the time goes: percentiles per stage, in fixed memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

STAGES = ("slice", "frame", "encode", "score", "objects", "total", "shown")
"""In the order an event walks: last event's arrival → slice taken up → event frame → encoder → scores
(→ things found beside the whole picture, where they are looked for).
``total`` is last event to label; ``shown`` is last event to its first painting."""
KEPT = 4096


@dataclass(frozen=True)
class Percentiles:
    """Median and 99th percentile in milliseconds of the newest ``count`` samples."""

    p50_ms: float
    p99_ms: float
    count: int


class LatencyStats:
    """The newest :data:`KEPT` samples of each stage; written by one thread, read by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples = {stage: np.zeros(KEPT, dtype=np.float32) for stage in STAGES}
        self._counts = dict.fromkeys(STAGES, 0)

    def add(self, latency_ms: Mapping[str, float]) -> None:
        """Add one sample for each stage named."""
        with self._lock:
            for stage, value in latency_ms.items():
                self._samples[stage][self._counts[stage] % KEPT] = value
                self._counts[stage] += 1

    def percentiles(self) -> dict[str, Percentiles]:
        """Return p50 and p99 of every stage that has samples."""
        with self._lock:
            copies = {s: self._samples[s][: min(n, KEPT)].copy() for s, n in self._counts.items() if n}
        result = {}
        for stage, samples in copies.items():
            p50, p99 = np.percentile(samples, [50, 99])
            result[stage] = Percentiles(round(float(p50), 2), round(float(p99), 2), len(samples))
        return result
