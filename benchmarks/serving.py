"""``--serve``: from the last event to the message at a client, and what watchers and readers of events cost.

The client is another process of this machine. Both read the same monotonic clock, so a message's way is the
time of its arrival there less the time at which its prediction's last event arrived here. The label's own
latency is that of the same predictions, so the difference is what serving adds. Those who watch get event
frames over WebSocket; those who read get every event of ``--serve-events``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.machine import ROOT
from benchmarks.timing import Options, Row, load
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.outputs.shared_events import SharedEvents, SharingSettings
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.server.live_run import LiveRun
from neuroclip_live.server.web_server import ServerSettings, WebServer

WATCHERS, FPS, READERS = 20, 30, 4
MORE_MS, MOST_SLOWDOWN = 5.0, 1.2
ROUNDS, SECONDS = 5, 20.0

_CLIENT = """
import json, sys, time
from websockets.sync.client import connect
with connect(sys.argv[1] + "api/v1/live", compression=None) as live:
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        line, at = json.loads(live.recv()), time.monotonic_ns()
        if line["type"] == "prediction":
            print(line["number"], at, flush=True)
"""
_WATCHERS = """
import sys, threading, time
from websockets.sync.client import connect
url, end, fps, seen = sys.argv[1], time.monotonic() + float(sys.argv[2]), sys.argv[4], []
def watch():
    with connect(f"{url}api/v1/frames?fps={fps}", compression=None) as pictures:
        while time.monotonic() < end:
            seen.append(len(pictures.recv()))
threads = [threading.Thread(target=watch) for _ in range(int(sys.argv[3]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(seen))
"""
_READERS = """
import sys, threading, time
from neuroclip_drivers.network.source import NetworkSource
end, seen = time.monotonic() + float(sys.argv[2]), []
def read():
    source = NetworkSource(sys.argv[1])
    for packet in source.packets():
        seen.append(len(packet))
        if time.monotonic() > end:
            source.close()
threads = [threading.Thread(target=read) for _ in range(int(sys.argv[3]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(seen))
"""


def run(options: Options) -> Iterator[Row]:
    """Measure rounds without watchers, with them, and with readers of events beside them, in turn."""
    rounds, seconds = (1, 2.0) if options.quick else (ROUNDS, SECONDS)
    backbone = load_backbone()
    pipeline = Pipeline(
        ReplaySource(ROOT / "recordings" / "tour.aedat4", loop=True),
        lambda progress: backbone,
        parse_prompts("a car, a dog, a giraffe", ("{}",)),
        PipelineSettings(),
    )
    server = WebServer(LiveRun(lambda: pipeline), ServerSettings("0"))
    own: list[float] = []
    whole: list[float] = []
    slower: list[float] = []
    slowest: list[float] = []
    events: list[float] = []
    pictures: list[float] = []
    shared = SharedEvents(SharingSettings("0"))
    shared.follow(pipeline)
    pipeline.start()
    server.start()
    try:
        address = server.url.replace("http", "ws", 1)
        while pipeline.prediction() is None:
            time.sleep(0.05)
        for _ in range(rounds):
            label, message = _one_client(pipeline, address, seconds)
            own += label
            whole += message
            watchers = _start(_WATCHERS, address, seconds + 2.0, WATCHERS, FPS)
            watched, _ = _one_client(pipeline, address, seconds)
            pictures.append(int(watchers.communicate()[0]) / (seconds + 2.0) / WATCHERS)
            slower.append(_p99(watched) / _p99(label))
            watchers = _start(_WATCHERS, address, seconds + 2.0, WATCHERS, FPS)
            readers = _start(_READERS, shared.address, seconds + 2.0, READERS)
            both, _ = _one_client(pipeline, address, seconds)
            pictures.append(int(watchers.communicate()[0]) / (seconds + 2.0) / WATCHERS)
            events.append(int(readers.communicate()[0]) / (seconds + 2.0) / READERS)
            slowest.append(_p99(both) / _p99(label))
    finally:
        shared.close(None)
        server.stop()
        pipeline.stop()
    limit = _p99(own) + MORE_MS
    added = statistics.median(m - o for m, o in zip(whole, own, strict=True))
    yield Row(
        "serving", "last event to message, p99", "client", f"label + {MORE_MS:g} ms",
        _p99(whole), limit, "ms", limit / _p99(whole), goal=1.0, repeats=len(whole), load=load(),
        note=f"of {len(whole)} messages; label p99 {_p99(own):.1f} ms; serving adds {added:.2f} ms (median)",
    )  # fmt: skip
    ratio = statistics.median(slower)
    yield Row(
        "serving", f"label's p99 with {WATCHERS} watchers", "watched", f"{MOST_SLOWDOWN:g} x unwatched",
        ratio, MOST_SLOWDOWN, "x", MOST_SLOWDOWN / ratio,
        low=MOST_SLOWDOWN / max(slower), high=MOST_SLOWDOWN / min(slower), goal=1.0, repeats=rounds,
        load=load(),
        note=f"each got {statistics.median(pictures):.1f} of {FPS} pictures a second",
    )  # fmt: skip
    ratio = statistics.median(slowest)
    yield Row(
        "serving", f"label's p99 with {WATCHERS} watchers, {READERS} readers of events", "watched, read",
        f"{MOST_SLOWDOWN:g} x neither", ratio, MOST_SLOWDOWN, "x", MOST_SLOWDOWN / ratio,
        low=MOST_SLOWDOWN / max(slowest), high=MOST_SLOWDOWN / min(slowest), goal=1.0, repeats=rounds,
        load=load(),
        note=f"each reader got {statistics.median(events) / 1e3:,.0f} kev/s; {shared.status().lost:,} lost",
    )  # fmt: skip


def _one_client(pipeline: Pipeline, url: str, seconds: float) -> tuple[list[float], list[float]]:
    """Return, for each prediction that a client got, the label's own latency and the message's, in ms."""
    newest = pipeline.prediction()
    number = newest.number if newest is not None else 0
    client = _start(_CLIENT, url, seconds)
    known: dict[int, tuple[int, float]] = {}
    while True:
        over = client.poll() is not None
        for prediction in pipeline.predictions(after=number):
            number = prediction.number
            if prediction.arrival_ns is not None and "total" in prediction.latency_ms:
                known[number] = prediction.arrival_ns, prediction.latency_ms["total"]
        if over:
            break
        time.sleep(0.2)
    own: list[float] = []
    whole: list[float] = []
    for line in client.communicate()[0].splitlines():
        arrived, at = (int(word) for word in line.split())
        if arrived in known:
            since, total = known[arrived]
            own.append(total)
            whole.append((at - since) / 1e6)
    if not own:
        raise RuntimeError("the client got no message")
    return own, whole


def _start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def _p99(values: list[float]) -> float:
    return float(np.percentile(values, 99))
