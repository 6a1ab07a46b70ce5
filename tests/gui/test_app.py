"""Starting and ending, with the fake and with the real pipeline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import FakeBackbone, ScriptedSource, packet
from gui_fakes import FakePipeline
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from neuroclip_gui.app import run_window
from neuroclip_gui.main_window import MainWindow
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline

ROOT = Path(__file__).resolve().parents[2]
LONG_S = 120.0


@pytest.fixture(scope="module", autouse=True)
def _painting_is_loaded() -> None:
    """Compile the painting code first: it is not what is timed here."""
    from neuroclip_gui.panels.picture import painting

    painting.warm_up()


def main_window() -> MainWindow | None:
    shown = (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
    return next(shown, None)


def look(seen: list, what) -> None:
    """Note what ``what(window)`` says as soon as it says something, and close the window."""

    def ask() -> None:
        window = main_window()
        if window is not None and (words := what(window)):
            seen.append(words)
            window.close()
        elif time.monotonic() < until:
            QTimer.singleShot(50, ask)

    until = time.monotonic() + LONG_S

    QTimer.singleShot(50, ask)


@pytest.mark.usefixtures("qapp")
def test_a_run_ends_by_itself_and_leaves_a_picture_and_settings(tmp_path):
    made = []

    def factory():
        made.append(FakePipeline(parse_prompts("a mug")))
        return made[-1]

    shot, settings = tmp_path / "window.png", tmp_path / "window.json"
    for seconds in (1.0, 5.0, 25.0):  # on a busy machine it takes long until the pipeline is there
        assert run_window(factory, settings_path=settings, duration_s=seconds, screenshot=shot) == 0
        if made and made[-1].started:
            break
    assert made[-1].started
    assert made[-1].stopped
    assert QImage(str(shot)).width() > 600
    assert settings.is_file()


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("error", [UserError("no such thing"), RuntimeError("odd")])
def test_a_pipeline_that_cannot_be_made_becomes_a_banner(tmp_path, error):
    seen = []

    def factory():
        raise error

    look(seen, lambda w: w.banner.text and (w.banner.text, w.decision.words()[0]))
    assert run_window(factory, settings_path=tmp_path / "w.json", duration_s=LONG_S) == 0
    assert str(error) in seen[0][0]
    assert seen[0][1] == "Recognition is off"


@pytest.mark.usefixtures("qapp")
def test_an_exception_nobody_caught_becomes_a_banner_and_the_hook_goes_back(tmp_path):
    seen, before = [], sys.excepthook
    QTimer.singleShot(100, lambda: sys.excepthook(ValueError, ValueError("surprise"), None))
    look(seen, lambda w: w.banner.text)
    run_window(
        lambda: FakePipeline(parse_prompts("a mug")), settings_path=tmp_path / "w.json", duration_s=LONG_S
    )
    assert "surprise" in seen[0]
    assert sys.excepthook is before


@pytest.mark.usefixtures("qapp")
def test_broken_settings_are_said(tmp_path):
    seen, settings = [], tmp_path / "w.json"
    settings.write_text("{nonsense")
    look(seen, lambda w: w.banner.text and (w.banner.text, w.banner.level))
    run_window(lambda: FakePipeline(parse_prompts("a mug")), settings_path=settings, duration_s=LONG_S)
    assert "settings file" in seen[0][0]
    assert seen[0][1] == "hint"  # it was kept


def test_the_real_pipeline_scores_a_word_typed_while_it_runs(qtbot, make_window):
    events = [packet(i * 20_000, 400, step_us=50) for i in range(4000)]
    source = Paced(events)
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug, a phone"))
    window = make_window(attach=False)
    window.attach(pipeline)
    qtbot.waitUntil(lambda: window.decided.scores.keys() == {"a mug", "a phone"}, timeout=20_000)
    window.prompts.entry.setText("a tree")
    window.prompts.entry.returnPressed.emit()
    qtbot.waitUntil(lambda: "a tree" in window.decided.scores)
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=20_000)
    qtbot.waitUntil(lambda: "shown" in pipeline.status().latency)


class Paced(ScriptedSource):
    """Gives its packets at about the speed of a camera."""

    def packets(self):
        for each in super().packets():
            yield each
            self.closed.wait(0.02)


HANG = """
import sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
from neuroclip_gui.app import run_window
from gui_fakes import FakePipeline
from neuroclip_live.prompting.prompts import parse_prompts
{body}
sys.exit(run_window(factory, settings_path={settings!r}, duration_s={duration}))
"""
BODIES = {
    "making it hangs": "def factory():\n    time.sleep(3600)",
    "it does not stop": (
        "class Stuck(FakePipeline):\n"
        "    def stop(self, timeout_s=3.0):\n"
        "        time.sleep(timeout_s)\n"
        "        return False\n"
        "def factory():\n"
        "    threading.Thread(target=time.sleep, args=(3600,), name='inference', daemon=True).start()\n"
        "    return Stuck(parse_prompts('a mug'))\n"
    ),
}


def child(tmp_path: Path, body: str, duration: float | None) -> subprocess.Popen:
    code = HANG.format(
        root=str(ROOT),
        tests=str(ROOT / "tests"),
        body=body,
        settings=str(tmp_path / "w.json"),
        duration=duration,
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen) -> tuple[str, str]:
    """Wait for a process that ends within seconds on an idle machine; what hangs in it would for an hour."""
    try:
        return process.communicate(timeout=LONG_S)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("body", list(BODIES.values()), ids=list(BODIES))
def test_closing_is_quick_whatever_hangs(tmp_path, body):
    process = child(tmp_path, body, 1.0)
    _, errors = ended(process)
    assert process.returncode == 0, errors


def test_ctrl_c_closes_the_window(tmp_path):
    body = (
        "class Up(FakePipeline):\n"
        "    def start(self):\n"  # called by the event loop, once the window is there
        "        print('up', flush=True)\n"
        "def factory():\n"
        "    return Up(parse_prompts('a mug'))\n"
    )
    process = child(tmp_path, body, None)
    assert process.stdout.readline().strip() == "up"
    process.send_signal(signal.SIGINT)
    _, errors = ended(process)
    assert process.returncode == 0, errors


def test_the_window_is_there_without_torch(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import neuroclip_gui.app, neuroclip_gui.main_window;"
        "print(sorted({'torch', 'numba', 'open_clip'} & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert out.stdout.strip() == "[]"
