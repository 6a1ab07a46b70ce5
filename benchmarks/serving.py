"""``--serve``: from the last event to the message at a client, and what watchers and readers of events cost.

The client is another process of this machine. Both read the same monotonic clock, so a message's way is the
time of its arrival there less the time at which its prediction's last event arrived here. The label's own
latency is that of the same predictions, so the difference is what serving adds. Those who watch get event
frames and messages over WebSocket, as a page does; those who read get every event of ``--serve-events``. A
crowd only follows the messages, while bad requests come in.
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
CROWD, BAD_HZ = 100, 200
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
def follow():
    with connect(f"{url}api/v1/live", compression=None) as live:
        while time.monotonic() < end:
            live.recv()
threads = [threading.Thread(target=do) for do in (watch, follow) for _ in range(int(sys.argv[3]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(seen))
"""
_CROWD = """
import http.client, sys, threading, time
from urllib.parse import urlsplit
from websockets.sync.client import connect
url, end, seen, refused = sys.argv[1], time.monotonic() + float(sys.argv[2]), [], []
def follow():
    with connect(f"{url}api/v1/live", compression=None) as live:
        while time.monotonic() < end:
            seen.append(len(live.recv()))
def flood():
    bad = (
        ("PUT", "/api/v1/prompts", "{"),
        ("GET", "/api/v1/../../etc", None),
        ("POST", "/api/v1/teach", "[" * 9000),
    )
    number = 0
    while time.monotonic() < end:
        way = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        try:
            way.request(*bad[number % 3][:2], body=bad[number % 3][2])
            refused.append(way.getresponse().status)
        except OSError:
            refused.append(0)
        way.close()
        number += 1
        time.sleep(max(0.0, 1 / float(sys.argv[4]) - 0.001))
threads = [threading.Thread(target=do) for do in (flood, *[follow] * int(sys.argv[3]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert all(status == 0 or status >= 400 for status in refused), set(refused)
print(len(seen), len(refused))
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
    crowded: list[float] = []
    messages, refused, missed = 0, 0, 0
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
            label, message, lost = _one_client(pipeline, address, seconds)
            own += label
            whole += message
            missed += lost
            watchers = _start(_WATCHERS, address, seconds + 2.0, WATCHERS, FPS)
            watched, *_ = _one_client(pipeline, address, seconds)
            pictures.append(int(watchers.communicate()[0]) / (seconds + 2.0) / WATCHERS)
            slower.append(_p99(watched) / _p99(label))
            watchers = _start(_WATCHERS, address, seconds + 2.0, WATCHERS, FPS)
            readers = _start(_READERS, shared.address, seconds + 2.0, READERS)
            both, *_ = _one_client(pipeline, address, seconds)
            pictures.append(int(watchers.communicate()[0]) / (seconds + 2.0) / WATCHERS)
            events.append(int(readers.communicate()[0]) / (seconds + 2.0) / READERS)
            slowest.append(_p99(both) / _p99(label))
            crowd = _start(_CROWD, address, seconds + 2.0, CROWD, BAD_HZ)
            among, *_ = _one_client(pipeline, address, seconds)
            told = crowd.communicate()[0].split()
            messages, refused = messages + int(told[0]), refused + int(told[1])
            crowded.append(_p99(among) / _p99(label))
    finally:
        shared.close(None)
        server.stop()
        pipeline.stop()
    limit = _p99(own) + MORE_MS
    added = statistics.median(m - o for m, o in zip(whole, own, strict=True))
    yield Row(
        "serving", "last event to message, p99", "client", f"label + {MORE_MS:g} ms",
        _p99(whole), limit, "ms", limit / _p99(whole), goal=1.0, repeats=len(whole), load=load(),
        note=f"of {len(whole)} messages; label p99 {_p99(own):.1f} ms; serving adds {added:.2f} ms (median); "
        f"{missed} never came",
    )  # fmt: skip
    yield _cost(
        f"label's p99 with {WATCHERS} watchers", "watched", "unwatched", slower,
        f"each got {statistics.median(pictures):.1f} of {FPS} pictures a second",
    )  # fmt: skip
    yield _cost(
        f"label's p99 with {WATCHERS} watchers, {READERS} readers of events", "watched, read", "neither",
        slowest,
        f"each reader got {statistics.median(events) / 1e3:,.0f} kev/s; {shared.status().lost:,} lost",
    )  # fmt: skip
    yield _cost(
        f"label's p99 with {CROWD} clients, bad requests", "crowded", "alone", crowded,
        f"{messages / rounds / CROWD / (seconds + 2):.1f} messages a second each; "
        f"{refused / rounds / (seconds + 2):.0f} bad requests a second, all refused",
    )  # fmt: skip


def _cost(case: str, subject: str, without: str, ratios: list[float], note: str) -> Row:
    """Return how many times the label's p99 it takes, by rounds."""
    ratio = statistics.median(ratios)
    return Row(
        "serving", case, subject, f"{MOST_SLOWDOWN:g} x {without}",
        ratio, MOST_SLOWDOWN, "x", MOST_SLOWDOWN / ratio,
        low=MOST_SLOWDOWN / max(ratios), high=MOST_SLOWDOWN / min(ratios), goal=1.0, repeats=len(ratios),
        load=load(), note=note,
    )  # fmt: skip


def _one_client(pipeline: Pipeline, url: str, seconds: float) -> tuple[list[float], list[float], int]:
    """Return what a client got.

    For each prediction the label's own latency and the message's, in ms; and how many that were made between
    the first and the last of them never came.
    """
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
    lines = client.communicate()[0].splitlines()
    for line in lines:
        arrived, at = (int(word) for word in line.split())
        if arrived in known:
            since, total = known[arrived]
            own.append(total)
            whole.append((at - since) / 1e6)
    if not own:
        raise RuntimeError("the client got no message")
    came = [int(line.split()[0]) for line in lines]
    expected = sum(min(came) <= one <= max(came) for one in known)
    return own, whole, expected - len(own)


def _start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def _p99(values: list[float]) -> float:
    return float(np.percentile(values, 99))
