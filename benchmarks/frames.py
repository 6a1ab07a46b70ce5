"""One slice of events → event frame, over sensor sizes and slice lengths."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.events import DAVIS346, HD, VGA, moving_edge
from benchmarks.frame_peers import FramePeer, peers
from benchmarks.timing import Options, Row, absent, alternate, compared, fastest
from neuroclip_live.events import Resolution
from neuroclip_live.stream.frames import count_events, event_frame

COUNTS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
GOAL, GOAL_FROM = 2.0, 10_000
"""Times the fastest peer, for slices of so many events and more."""
FRAME, COUNT = "event_frame", "count_events"


def run(options: Options) -> Iterator[Row]:
    """Measure all sizes."""
    sensors = (DAVIS346,) if options.quick else (DAVIS346, VGA, HD)
    counts = (1_000,) if options.quick else COUNTS
    missing: dict[str, str] = {}
    for sensor in sensors:
        for count in counts:
            yield from _one_size(sensor, count, options, missing)
    for name, reason in missing.items():
        yield absent("frames", name, reason)


def _one_size(sensor: Resolution, count: int, options: Options, missing: dict[str, str]) -> Iterator[Row]:
    events = moving_edge(count, sensor)
    found: list[FramePeer] = []
    for peer in peers(events, sensor):
        if isinstance(peer, tuple):
            missing[peer[0]] = peer[1]
        elif count <= peer.most:
            found.append(peer)
    for peer in found:
        if not peer.matches(peer.run()):
            raise RuntimeError(f"{peer.name} makes another frame than ours of {count} events at {sensor}")
    samples = alternate(
        {
            FRAME: lambda: event_frame(events, sensor),
            COUNT: lambda: count_events(events, sensor),
            **{peer.name: peer.run for peer in found},
        },
        options.repeats,
    )
    case, work = f"{sensor} {count:,} events", count / 1e6
    for peer in found:
        ours = FRAME if peer.kind == "image" else COUNT
        yield compared("frames", case, samples, ours, peer.name, work=work, unit="ev")
    best = fastest(samples, [peer.name for peer in found])
    goal = GOAL if count >= GOAL_FROM else None
    yield compared(
        "frames", case, samples, FRAME, best, goal=goal, note="the fastest peer", work=work, unit="ev"
    )
