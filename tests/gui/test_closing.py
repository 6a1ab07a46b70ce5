"""Closing the window in the middle of things: the process ends soon, with status 0, and files are whole."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from neuroclip_drivers.aedat4.format import MAGIC, parse_header
from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.events import Resolution

ROOT = Path(__file__).resolve().parents[2]
SOON_S = 60.0
"""3 s on a machine that has nothing else to do; tests run on others too. What hangs would for ten minutes."""

SCRIPT = """
import sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from fakes import FakeBackbone, ScriptedSource, packet
from neuroclip_gui.app import run_window
from neuroclip_gui.main_window import MainWindow
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.prompting.prompts import parse_prompts

class Paced(ScriptedSource):
    def packets(self):
        for each in super().packets():
            yield each
            self.closed.wait(0.02)

def camera():
    return Paced([packet(k * 20_000, 400, step_us=50) for k in range(20_000)])

def pipeline(source, load=lambda progress: FakeBackbone()):
    return Pipeline(source, load, parse_prompts("a mug, a phone"))

{body}

app = QApplication([])
timer = QTimer()

def look():
    for window in QApplication.topLevelWidgets():
        if isinstance(window, MainWindow) and window.pipeline is not None and ready(window):
            timer.stop()
            print(time.monotonic(), flush=True)
            window.close()

timer.timeout.connect(look)
timer.start(50)
sys.exit(run_window(factory, settings_path={settings!r}))
"""


def closes(tmp_path: Path, body: str) -> float:
    """Run a window until it is ``ready``, close it, and return how many seconds the process then takes."""
    code = SCRIPT.format(
        root=str(ROOT),
        tests=str(ROOT / "tests"),
        body=textwrap.dedent(body),
        settings=str(tmp_path / "window.json"),
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        closed, errors = process.communicate(timeout=400)
        ended = time.monotonic()
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    assert closed, errors
    assert "Traceback" not in errors, errors
    sys.stdout.write(f"closed in {ended - float(closed):.2f} s\n")
    return ended - float(closed)


def test_while_the_model_loads(tmp_path):
    body = """
        loading = threading.Event()
        def load(progress):
            progress("reading the model", 0.1)
            loading.set()
            time.sleep(600)
        def factory():
            return pipeline(camera(), load)
        def ready(window):
            return loading.is_set()
    """
    assert closes(tmp_path, body) < SOON_S


def test_while_a_label_is_being_trained(tmp_path):
    body = """
        from neuroclip_live.learning import lesson_training
        lesson_training.MOST_STEPS = 1_000_000
        begun = []
        def factory():
            return pipeline(camera())
        def ready(window):
            teacher = window.pipeline.teacher
            if teacher is None:
                return False
            if not begun:
                try:
                    window.pipeline.teach("a phone")
                    window.pipeline.teach("a mug")
                    begun.append(True)
                except Exception:
                    return False
            return teacher.status().training is not None
    """
    assert closes(tmp_path, body) < SOON_S


def test_while_recording_and_the_files_are_whole(tmp_path):
    film = tmp_path / "film.aedat4"
    body = f"""
        from pathlib import Path
        def factory():
            return pipeline(camera())
        def ready(window):
            if not window.recording.on:
                window.recording.start(Path({str(film)!r}))
                return False
            status = window.pipeline.recording()
            return status is not None and status.events > 4000 and window.decided.scores
    """
    assert closes(tmp_path, body) < SOON_S
    source = ReplaySource(film, speed=None)
    events = sum(len(packet) for packet in source.packets())
    assert events > 4000
    assert not source.status().message  # nothing to salvage: it has its index
    source.close()
    lines = (tmp_path / "film.labels.jsonl").read_text().splitlines()
    assert len(lines) > 1
    assert all(json.loads(line) for line in lines)


@pytest.mark.parametrize("header", [b"", "header"], ids=["never said a word", "fell silent"])
def test_with_a_network_source_that_is_dead(tmp_path, header):
    if header:
        file = tmp_path / "a.aedat4"
        Aedat4Writer(file, Resolution(32, 24), "dead").close()
        data = file.read_bytes()
        header = data[len(MAGIC) : parse_header(data).end]
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        serving = threading.Thread(target=_greet, args=(server, header), daemon=True)
        serving.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        body = f"""
            asked = []
            def factory():
                return pipeline(camera())
            def ready(window):
                if not asked:
                    window.sources.open_stream({address!r})
                    asked.append(time.monotonic())
                connected = window.pipeline.source.name != "script" or not {bool(header)}
                return connected and time.monotonic() - asked[0] > 1.0
        """
        try:
            assert closes(tmp_path, body) < SOON_S
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes who still waits for a client, which closing does not
    serving.join(60)


def _greet(server: socket.socket, words: bytes) -> None:
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            connection.sendall(words)
            connection.settimeout(600)
            while connection.recv(1024):  # until the other side has gone
                pass
