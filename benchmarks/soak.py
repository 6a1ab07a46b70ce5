"""Hours of everything at once: sources, prompts, lessons and recordings that change; does anything grow.

``python -m benchmarks.soak --minutes 60 --out soak.csv`` runs the pipeline without a window, in this order
again and again: the bundled recording in a loop, the simulator, and a storm of 5 million events a second.
Meanwhile prompts change, labels are taught and forgotten, and recordings are begun, ended, compared and
deleted. Every five seconds a row is written: memory, file descriptors, threads, rates, latency.
``python -m benchmarks.soak --plot soak.csv --figure soak.png`` draws it.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from benchmarks.events import RATE_HZ, VGA, moving_edge
from benchmarks.sampling import LATENCY_FIELDS, PROCESS_FIELDS, latency_since, of_process
from benchmarks.stand_ins import LiveStandIn
from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_drivers.source import EventSource
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, copy_packet, empty_packet
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings, PipelineState

SAMPLE_S = 5.0
PROMPTS_S, TEACH_S, RECORD_S = 10.0, 30.0, 20.0
SEGMENTS = (("replay", 60.0), ("simulator", 40.0), ("storm", 20.0))
PROMPTS = (
    "a car, a giraffe, an umbrella, a chair",
    "a dog, a hand; -a car",
    "a mug, a phone, scissors, a bottle, a box, a person, glasses, a bicycle",
)
FIELDS = (
    "seconds", "source", *PROCESS_FIELDS, "events_total", "events_per_s", "windows_per_s",
    "predictions_per_s", "skipped_per_s", "dropped_events", *LATENCY_FIELDS, "recordings",
    "recordings_whole", "recorded_events", "recording_dropped", "lessons", "errors", "state",
)  # fmt: skip


class Storm(LiveStandIn):
    """Five million events a second in real time; a live source."""

    name, resolution = "storm", VGA

    def packets(self) -> Iterator[Packet]:
        """Yield 2 ms of events every 2 ms, time running on."""
        events = moving_edge(RATE_HZ // 4, VGA)
        size = RATE_HZ // 500
        begin, number = monotonic(), 0
        while not self._closed.is_set():
            wait = begin + number / 500 - monotonic()
            if wait > 0:
                self._closed.wait(min(wait, 0.02))
                yield empty_packet()
                continue
            at = number * size % len(events)
            packet = copy_packet(events[at : at + size])
            packet["t"] += number * size // len(events) * 250_000
            number += 1
            yield packet


@dataclass
class Soak:
    """One run: the pipeline, what was done to it, and what was counted before the present source."""

    pipeline: Pipeline
    folder: Path
    events: int = 0
    windows: int = 0
    predictions: int = 0
    skipped: int = 0
    dropped: int = 0
    recordings: int = 0
    whole: int = 0
    recorded: int = 0
    recording_dropped: int = 0
    lessons: int = 0
    errors: int = 0
    said: set[str] = field(default_factory=set)

    def totals(self) -> dict[str, int]:
        """Return counters over all sources so far; raises AssertionError when they do not add up."""
        status = self.pipeline.status()
        assert status.windows == status.predictions + status.skipped_windows, status
        return {
            "events": self.events + status.total_events,
            "windows": self.windows + status.windows,
            "predictions": self.predictions + status.predictions,
            "skipped": self.skipped + status.skipped_windows,
            "dropped": self.dropped + status.dropped_events,
        }

    def open(self, kind: str) -> None:
        """Change to another source."""
        totals = self.totals()
        self.pipeline.open(source_of(kind))
        self.collect()
        for name, value in totals.items():
            setattr(self, name, value)

    def toggle_recording(self) -> None:
        """Begin a recording, or end it, count it and delete it."""
        if self.pipeline.recording() is not None:
            self.collect()
            return
        self.recordings += 1
        self.pipeline.start_recording(self.folder / f"{self.recordings}.aedat4")

    def collect(self) -> None:
        """End a recording, if there is one."""
        try:
            report = self.pipeline.stop_recording()
        except UserError:
            return  # none was running
        self.whole += report.whole
        self.recorded += report.events
        self.recording_dropped += report.dropped_events
        if not report.whole:
            self.tell(report.message)
        report.path.unlink(missing_ok=True)
        if report.sidecar is not None:
            report.sidecar.unlink(missing_ok=True)

    def teach(self, number: int) -> None:
        """Teach one of three labels; forget everything now and then."""
        teacher = self.pipeline.teacher
        if teacher is None:
            return
        try:
            if number % 8 == 7:
                teacher.clear()
            else:
                self.pipeline.teach(("grey noise", "a mug", "my thing")[number % 3], last_s=1.0)
                self.lessons += 1
        except UserError as error:
            self.tell(f"teaching: {error}")

    def tell(self, text: str) -> None:
        """Count something that did not go as it should, and say it once."""
        self.errors += 1
        if text not in self.said:
            self.said.add(text)
            sys.stderr.write(f"{text}\n")


def source_of(kind: str) -> EventSource:
    """Open one of the three sources."""
    if kind == "storm":
        return Storm()
    if kind == "simulator":
        return open_source(SourceSpec("simulator"))
    return open_source(SourceSpec("demo", "tour", loop=True))


def run(minutes: float, out: Path, threads: int = 1) -> None:
    """Run for so long, writing rows to ``out`` as it goes."""
    from neuroclip_live.model.backbone import load_backbone

    pipeline = Pipeline(
        source_of("replay"),
        lambda progress: load_backbone(threads=threads, progress=progress),
        parse_prompts(PROMPTS[0]),
        PipelineSettings(wait_for_model=False),
    )
    pipeline.start()
    while pipeline.status().state is PipelineState.LOADING:
        sleep(0.1)
    with tempfile.TemporaryDirectory() as folder, out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, FIELDS)
        table.writeheader()
        try:
            _run(Soak(pipeline, Path(folder)), minutes * 60, table, file.flush)
        finally:
            pipeline.stop()


def _run(soak: Soak, seconds: float, table: Any, flush: Any) -> None:
    begin = monotonic()
    due = {"sample": SAMPLE_S, "prompts": PROMPTS_S, "teach": TEACH_S, "record": RECORD_S, "source": 0.0}
    segment, kind, steps, number, before = 0, SEGMENTS[0][0], dict.fromkeys(due, 0), 0, soak.totals()
    due["source"] = SEGMENTS[0][1]
    sampled = 0.0
    while (now := monotonic() - begin) < seconds:
        for name in [name for name, when in due.items() if now >= when]:
            steps[name] += 1
            if name == "source":
                segment = (segment + 1) % len(SEGMENTS)
                kind, length = SEGMENTS[segment]
                soak.open(kind)
                number = 0
                due[name] = now + length
            elif name == "prompts":
                soak.pipeline.set_prompts(parse_prompts(PROMPTS[steps[name] % len(PROMPTS)]))
                due[name] = now + PROMPTS_S
            elif name == "teach":
                soak.teach(steps[name])
                due[name] = now + TEACH_S
            elif name == "record":
                soak.toggle_recording()
                due[name] = now + RECORD_S
            else:
                number, latency = latency_since(soak.pipeline, number)
                totals = soak.totals()
                table.writerow(_row(soak, kind, now, now - sampled, totals, before, latency))
                flush()
                before, sampled = totals, now
                due[name] = now + SAMPLE_S
        sleep(0.05)


def _row(
    soak: Soak,
    kind: str,
    now: float,
    span: float,
    totals: dict[str, int],
    before: dict[str, int],
    latency: dict[str, Any],
) -> dict[str, Any]:
    rates = {name: round((totals[name] - before[name]) / span, 1) for name in totals}
    return {
        "seconds": round(now, 1),
        "source": kind,
        **of_process(),
        "events_total": totals["events"],
        "events_per_s": rates["events"],
        "windows_per_s": rates["windows"],
        "predictions_per_s": rates["predictions"],
        "skipped_per_s": rates["skipped"],
        "dropped_events": totals["dropped"],
        **latency,
        "recordings": soak.recordings,
        "recordings_whole": soak.whole,
        "recorded_events": soak.recorded,
        "recording_dropped": soak.recording_dropped,
        "lessons": soak.lessons,
        "errors": soak.errors,
        "state": soak.pipeline.status().state.value,
    }


def plot(table: Path, figure: Path) -> None:
    """Draw a run: memory, descriptors and threads, rate, latency."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    minutes = [float(row["seconds"]) / 60 for row in rows]

    def column(name: str) -> list[float]:
        return [float(row[name]) if row[name] else float("nan") for row in rows]

    shown, (memory, handles, rate, latency) = plt.subplots(4, 1, sharex=True, figsize=(9, 9))
    memory.plot(minutes, column("rss_mb"), label="resident")
    if "own_mb" in rows[0]:
        memory.plot(minutes, column("own_mb"), label="of it the process's own, not pages of files")
    memory.set(ylabel="memory, MB", ylim=(0, None))
    memory.legend()
    handles.plot(minutes, column("descriptors"), label="file descriptors")
    handles.plot(minutes, column("threads"), label="threads")
    handles.set(ylim=(0, None))
    handles.legend()
    rate.semilogy(minutes, [max(r, 1.0) for r in column("events_per_s")])
    rate.set(ylabel="events/s")
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        latency.semilogy(minutes, column(name), label=name.removesuffix("_ms"))
    latency.set(ylabel="event to prediction, ms", xlabel="minutes")
    latency.legend()
    shown.tight_layout()
    shown.savefig(figure, dpi=80)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=Path("soak.csv"))
    parser.add_argument("--threads", type=int, default=1, help="of the encoder")
    parser.add_argument("--plot", type=Path, help="draw this CSV instead of running")
    parser.add_argument("--figure", type=Path, default=Path("soak.png"))
    options = parser.parse_args()
    if options.plot is not None:
        plot(options.plot, options.figure)
    else:
        run(options.minutes, options.out, options.threads)


if __name__ == "__main__":
    main()
