"""Start: command → window on the screen, and → first prediction, against importing what everybody imports.

Both are whole processes, started in turn with warm disk and caches. The window is there at its first tick,
which Qt's loop gives after showing it; it plays the bundled tour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.machine import ROOT
from benchmarks.timing import Options, Row, Samples, compared, load

IMPORT = "import torch, open_clip, PySide6.QtWidgets"
WINDOW_S = 2.0
FIRST_PREDICTION = 1 / 1.5
"""Least ratio of that import's time to ours."""

_WATCHED = """
import json, sys, time
began = float(sys.argv[1])
from neuroclip_gui.window_updater import Follower
from neuroclip_live.cli.main import main
seen, tick = {}, Follower.tick

def watched(follower, step_s):
    window = follower._window
    seen.setdefault("window", time.time() - began)
    tick(follower, step_s)
    if window.pipeline is not None and window.pipeline.prediction() is not None:
        seen.setdefault("prediction", time.time() - began)
        window.close()

Follower.tick = watched
main(["--duration", "90"])
print(json.dumps(seen))
"""


def run(options: Options) -> Iterator[Row]:
    """Start each in turn; the first round does not count."""
    samples: Samples = {"window": [], "first prediction": [], "import": [], "limit": []}
    for turn in range(-1, options.repeats):
        seen = _start()
        imported = _import()
        if turn < 0 and not options.quick:
            continue
        samples["window"].append(seen["window"])
        samples["first prediction"].append(seen["prediction"])
        samples["import"].append(imported)
        samples["limit"].append(WINDOW_S)
        if options.quick:
            break
    yield compared(
        "startup", "command to window", samples, "window", "limit", goal=1.0, note=f"limit {WINDOW_S:g} s"
    )
    yield compared("startup", "command to window", samples, "window", "import", note=f'python -c "{IMPORT}"')
    yield compared(
        "startup",
        "command to first prediction",
        samples,
        "first prediction",
        "import",
        goal=round(FIRST_PREDICTION, 3),
        note=f'at most 1.5 x python -c "{IMPORT}"',
    )
    yield Row(
        "startup", "neuroclip-live --help", "help", "", 1e3 * _help(options.repeats), None, "ms", None,
        note="median", load=load(),
    )  # fmt: skip


def _environment(folder: str) -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": folder, "PYTHONPATH": str(ROOT)}


def _start() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _WATCHED, str(time.time())],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=_environment(folder),
            timeout=180,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    seen: dict[str, float] = json.loads(lines[-1]) if lines else {}
    if "prediction" not in seen:
        raise RuntimeError(f"the window ended without a prediction: {done.stderr.strip()[-300:]}")
    return seen


def _import() -> float:
    begin = time.time()
    subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, timeout=180)
    return time.time() - begin


def _help(repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        begin = time.time()
        subprocess.run(
            [sys.executable, "-m", "neuroclip_live", "--help"], check=True, capture_output=True, cwd=ROOT
        )
        seconds.append(time.time() - begin)
    return sorted(seconds)[len(seconds) // 2]
