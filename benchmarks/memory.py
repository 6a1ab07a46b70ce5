"""Memory: the ring is as large as its setting says, caches stop growing, and the whole stays flat.

A minute at a high rate goes round the ring many times; ``benchmarks/soak.py`` is the test of an hour.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.events import VGA
from benchmarks.sampling import resident_mib
from benchmarks.stand_ins import PacedSource
from benchmarks.timing import Options, Row, load, told
from neuroclip_live.events import EVENT_DTYPE
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.stream.ring import EventRing

SECONDS, WARM_S = 45.0, 20.0
RATE_HZ = 2_000_000
FLAT_MIB = 16.0
_CACHED = 100


def run(options: Options) -> Iterator[Row]:
    """Measure ring, prompt cache, and a running pipeline."""
    from neuroclip_live.model.backbone import load_backbone

    ring = EventRing(1 << 20)
    yield told(
        "memory", f"ring of {ring.capacity:,} events", ring._events.nbytes / 2**20, "MiB",
        f"{EVENT_DTYPE.itemsize} bytes an event, allocated once",
    )  # fmt: skip
    backbone = load_backbone()
    encoder = PromptEncoder(backbone, cached_sentences=_CACHED)
    for start in range(0, 3 * _CACHED, 50):
        encoder.encode(parse_prompts(", ".join(f"thing {i}" for i in range(start, start + 50)), ("{}",)))
    yield told(
        "memory", "prompt cache after 300 sentences", len(encoder._cache), "sentences", f"limit {_CACHED}"
    )
    seconds, warm = (0.5, 1.0) if options.quick else (SECONDS, WARM_S)
    source = PacedSource(RATE_HZ, VGA)
    pipeline = Pipeline(
        source, lambda progress: backbone, parse_prompts("a mug, a phone", ("{}",)), PipelineSettings()
    )
    pipeline.start()
    time.sleep(warm)
    sizes = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sizes.append(resident_mib())
        time.sleep(min(0.5, seconds / 4))
    events = pipeline.status().total_events
    pipeline.stop()
    third = max(1, len(sizes) // 3)
    growth = float(np.median(sizes[-third:]) - np.median(sizes[:third]))
    yield Row(
        "memory", f"growth over {seconds:g} s at {RATE_HZ / 1e6:g} Mev/s", "grown", "limit", max(growth, 0.0),
        FLAT_MIB, "MiB", FLAT_MIB / max(growth, 1.0), goal=1.0,
        note=f"resident {sizes[-1]:.0f} MiB; {events / 1e6:.0f} M events seen", load=load(),
    )  # fmt: skip
