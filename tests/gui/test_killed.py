"""The real process, killed while predictions run: what was typed, taught and drawn is there the next time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import itertools, json, sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from fakes import FakeBackbone, ScriptedSource, packet
from neuroclip_gui.app import run_window
from neuroclip_gui.main_window import MainWindow
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.stream.box import Box

class Paced(ScriptedSource):
    def packets(self):
        for k in itertools.count():
            yield packet(k * 20_000, 400, step_us=50)
            if self.closed.wait(0.02):
                return

def factory():
    return Pipeline(Paced([]), lambda progress: FakeBackbone(), parse_prompts("a mug, a phone"))

def found():
    for window in QApplication.topLevelWidgets():
        if isinstance(window, MainWindow) and window.pipeline is not None and window.decided.scores:
            return window

done = []

def change():
    window = found()
    if window is None or done:
        return
    try:
        window.pipeline.teacher.teach("a red fox", 2.0)
    except Exception:
        return  # nothing passed by yet
    done.append(True)
    window.prompts.entry.setText('a red fox, -a hand, "salt, pepper"')
    window.prompts.add_typed()
    window.prompts.remove_selected()
    window.prompts.list.select(["a mug"])
    window.prompts.remove_selected()
    window.want_prompts(window.prompts.prompts.with_templates(("a picture of {{}}",)))
    window.prompts.threshold.setValue(55)
    window.prompt_sets.save("desk")
    window.pipeline.set_region(Box(2, 3, 30, 20))
    print("changed", flush=True)

def tell():
    window = found()
    if window is None or done or not window.pipeline.teacher.status().labels:
        return
    done.append(True)
    print(json.dumps({{
        "words": [[p.label, p.negative] for p in window.pipeline.prompts.prompts],
        "sentences": list(window.pipeline.prompts.templates),
        "lessons": [label for label, _ in window.pipeline.teacher.status().labels],
        "region": list(window.pipeline.region),
        "threshold": window.prompts.threshold.value(),
        "lists": window.prompt_sets.names,
    }}), flush=True)
    window.close()

app = QApplication([])
timer = QTimer()
timer.timeout.connect({look})
timer.start(20)
sys.exit(run_window(factory, settings_path={settings!r}))
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    made: list[subprocess.Popen] = []

    def begin(look: str) -> subprocess.Popen:
        code = SCRIPT.format(
            root=str(ROOT), tests=str(ROOT / "tests"), look=look, settings=str(tmp_path / "window.json")
        )
        made.append(
            subprocess.Popen(
                [sys.executable, "-c", code],
                env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return made[-1]

    yield begin
    for process in made:
        process.kill()
        process.communicate()


def kept(tmp_path: Path) -> bool:
    """Tell whether all of it is on the disk."""
    try:
        settings = json.loads((tmp_path / "window.json").read_text())
    except (OSError, ValueError):
        return False
    lessons = list(tmp_path.glob("window-lessons/*.safetensors"))
    return bool(
        lessons
        and "salt" in settings["words"].get("words", "")
        and settings["region"]
        and settings["threshold"] == 0.55
        and settings["prompt_sets"]
    )


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM at once"])
def test_nothing_typed_taught_or_drawn_is_lost(tmp_path, start, how):
    process = start("change")
    assert process.stdout.readline() == "changed\n", process.stderr.read()
    if "at once" not in how:
        until = time.monotonic() + 120
        while not kept(tmp_path) and time.monotonic() < until:
            time.sleep(0.02)
        assert kept(tmp_path)
    process.send_signal(getattr(signal, how.split()[0]))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == (-signal.SIGKILL if how == "SIGKILL" else 0), errors
    assert "Traceback" not in errors
    again = start("tell")
    told, errors = again.communicate(timeout=200)
    assert json.loads(told) == {
        "words": [["a phone", False], ["a red fox", False], ["a hand", True], ["salt, pepper", False]],
        "sentences": ["a picture of {}"],
        "lessons": ["a red fox"],
        "region": [2, 3, 30, 20],
        "threshold": 55,
        "lists": ["desk"],
    }, errors
