"""A window on a fake pipeline, and a watch over what it leaves behind."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gui_fakes import FakePipeline, FakeSource
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication

from gui.app import finish
from gui.main_window import MainWindow
from gui.settings import SettingsStore
from gui.theme import Theme
from neuroclip_live.prompts import parse_prompts

PROMPTS = "a mug, a phone, scissors"


@pytest.fixture(autouse=True)
def _leaves_nothing(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves threads, running timers or windows.

    Garbage is collected here, in Qt's thread: a worker that did it would destroy widgets from there.
    """
    threads = set(threading.enumerate())
    widgets = set(map(id, QApplication.topLevelWidgets()))
    gc.disable()
    yield
    for _ in range(3):
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        qapp.processEvents()
    for thread in threading.enumerate():
        if thread not in threads:
            thread.join(20)  # one that is deep in an import ends, but not at once
    left = [t.name for t in threading.enumerate() if t not in threads and t.is_alive()]
    assert not left, f"threads left: {left}"
    new = [w for w in QApplication.topLevelWidgets() if id(w) not in widgets and w.isVisible()]
    assert not new, f"windows left: {new}"
    timers = [t for t in qapp.findChildren(QTimer) if t.isActive()]
    assert not timers, f"timers left: {timers}"
    gc.collect()
    gc.enable()


@pytest.fixture
def make_window(qtbot, qapp: QApplication, tmp_path: Path) -> Iterator[Callable[..., MainWindow]]:
    """Make windows that are closed and finished at the end."""
    made: list[MainWindow] = []

    def make(source: FakeSource | None = None, *, attach: bool = True, **facts: object) -> MainWindow:
        store = SettingsStore(tmp_path / "window.json")
        settings = store.load()
        theme = Theme(settings.theme)
        theme.apply(qapp)
        window = MainWindow(theme, store, settings)
        window.snapshots.folder = window.recording.folder = tmp_path
        window.resize(1280, 720)
        window.show()
        made.append(window)
        if attach:
            window.attach(FakePipeline(parse_prompts(PROMPTS), source, **facts))
            qtbot.waitUntil(lambda: window.live.ready, timeout=60_000)
        return window

    yield make
    for window in made:
        window.close()
        assert finish(window) == 0
        assert not window.pulse.running


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    return make_window()


@pytest.fixture
def pipeline(window: MainWindow) -> FakePipeline:
    return window.pipeline
