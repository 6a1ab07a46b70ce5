"""A window on a fake pipeline, and a watch over what it leaves behind."""

from __future__ import annotations

import atexit
import gc
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from gui_fakes import FakePipeline, FakeSource
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from neuroclip_gui import app
from neuroclip_gui.main_window import MainWindow
from neuroclip_gui.panels.picture import live_view
from neuroclip_gui.panels.search import search_commands
from neuroclip_gui.settings import SettingsStore
from neuroclip_gui.style import banner
from neuroclip_gui.style.theme import Theme
from neuroclip_live.prompting.prompts import parse_prompts

PROMPTS = "a mug, a phone, scissors"
HERE = Path(__file__).parent
LEAST_MS = 120_000
"""What comes at once on an idle machine takes its time on a busy one: no wait gives up sooner."""


class PatientBot(QtBot):
    """Waits for what has to come, however busy the machine is."""

    def waitUntil(self, callback: Callable[[], object], *, timeout: int = LEAST_MS) -> None:
        super().waitUntil(callback, timeout=max(timeout, LEAST_MS))

    wait_until = waitUntil

    def settle(self, window: MainWindow) -> None:
        """Wait until a window has looked at everything anew: what was not to happen would have by then."""
        until = time.monotonic() + 0.3  # longer than anything in it waits between two looks
        self.waitUntil(lambda: bool(window.pulse._ticks) and window.pulse._ticks[-1] > until)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """Take the place of pytest-qt's."""
    return PatientBot(request)


@pytest.fixture(scope="session", autouse=True)
def _nothing_goes_by_itself() -> Iterator[None]:
    """Keep messages and pictures that go after a while: a busy machine would let them go before a look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(banner, "_STAYS_MS", {"info": 3_600_000, "hint": 3_600_000, "warn": 3_600_000})
        patch.setattr(live_view, "_STALE_S", 3600.0)
        yield


@pytest.fixture(autouse=True)
def _leaves_nothing(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves threads, running timers or windows.

    Garbage is collected here, in Qt's thread: a worker that did it would destroy widgets from there.
    """
    threads = set(threading.enumerate())
    widgets = set(map(id, QApplication.topLevelWidgets()))
    gc.disable()
    gc.freeze()  # what is there before the test is not looked through after it: that took two seconds a test
    yield
    try:
        for _ in range(3):
            qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            qapp.processEvents()
        for thread in threading.enumerate():
            if thread not in threads:
                thread.join(120)  # one that is deep in an import ends, but not at once
        left = [t.name for t in threading.enumerate() if t not in threads and t.is_alive()]
        assert not left, f"threads left: {left}"
        new = [w for w in QApplication.topLevelWidgets() if id(w) not in widgets and w.isVisible()]
        assert not new, f"windows left: {new}"
        timers = [t for t in qapp.findChildren(QTimer) if t.isActive()]
        assert not timers, f"timers left: {timers}"
    finally:
        atexit.unregister(app._leave_if_stuck)  # it would end pytest with status 0, whatever failed
        gc.collect()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """After the last test here, keep what is left of Qt from being collected in other tests' threads."""
    yield
    if nextitem is None or HERE not in nextitem.path.parents:
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def _archive_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no test index into what belongs to whoever runs it."""
    monkeypatch.setattr(search_commands, "user_data_path", lambda _: tmp_path / "kept")


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
        window.pictures.folder = window.recording.folder = tmp_path
        window.setProperty("fitted", True)  # the screen that is none has 800 x 800; here it is larger
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
        assert app.finish(window) == 0
        assert not window.pulse.running


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    return make_window()


@pytest.fixture
def pipeline(window: MainWindow) -> FakePipeline:
    return window.pipeline
