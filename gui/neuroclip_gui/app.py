"""Starting and ending the window: shown first, filled afterwards, closed within seconds come what may."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclip_live import interrupts

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_gui.panels.serving.serve_commands import Served
    from neuroclip_live.actions.running import Acting
    from neuroclip_live.config import Config
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol

log = logging.getLogger(__name__)

ICON = Path(__file__).parent / "style" / "assets" / "neuroclip-live.svg"
_STOP_S = 2.0
_THREADS = ("teaching", "recorder", "window-jobs", "capture", "inference", "model-load")


def run_window(
    pipeline_factory: Callable[[], PipelineProtocol],
    *,
    settings_path: str | Path | None = None,
    duration_s: float | None = None,
    screenshot: str | Path | None = None,
    config: Config | None = None,
    served: Served = (None, None),
    acting: Acting | None = None,
) -> int:
    """Show the window until it is closed.

    Parameters
    ----------
    pipeline_factory : callable
        Makes the pipeline, not started; called in a thread of its own once the window is on the screen.
        What it raises becomes a banner.
    settings_path : path-like, optional
        Instead of the platform's own place.
    duration_s : float, optional
        Close after so many seconds.
    screenshot : path-like, optional
        Save a picture of the window there just before it closes.
    config : Config, optional
        What the command line asked for: it decides for this run, saved settings fill in the rest, and models
        chosen in the window are run as it says.
    served : (WebServer or None, SharedEvents or None)
        What the command line serves already: the window shows it, and can end it.
    acting : Actions, optional
        The actions that the command line asked for, likewise; who made them ends them.

    Returns
    -------
    int
        The exit status: 0.
    """
    from PySide6.QtCore import QTimer, qInstallMessageHandler
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from neuroclip_gui.garbage import collected_here
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_gui.panels.acting.acting_commands import ActingCommands
    from neuroclip_gui.settings import SettingsStore, settings_file
    from neuroclip_gui.style.theme import Theme

    check_binding()
    qInstallMessageHandler(_log_qt)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(["neuroclip-live"])
    app.setApplicationName("neuroclip-live")
    app.setDesktopFileName("neuroclip-live")  # by which Wayland finds the icon
    app.setWindowIcon(QIcon(str(ICON)))
    store = SettingsStore(Path(settings_path) if settings_path is not None else settings_file())
    settings = store.load()
    theme = Theme(settings.theme)
    theme.apply(app)
    window = MainWindow(theme, store, settings)
    if config is not None:
        window.recognition.take_up(config)
    window.serving.take_up(*served)
    window.panel(ActingCommands).take_up(acting)
    with collected_here(unless=_is_stuck):  # until the threads have ended: they must not collect the window
        with _reporting(window):
            window.show()
            if store.complaint:
                window.complain(store.complaint)
            window.jobs.do(pipeline_factory, window.attach, lambda message: _refuse(window, message))
            end = QTimer()
            end.setSingleShot(True)
            end.timeout.connect(lambda: _end(window, screenshot))
            if duration_s is not None:
                end.start(max(1, round(duration_s * 1000)))
            app.exec()
            end.stop()
        return finish(window)


def _log_qt(kind: Any, context: Any, text: str) -> None:
    """Send what Qt has to say to the log: it is of no use to whoever started the program."""
    log.info("Qt: %s", text)


def check_binding() -> None:
    """Refuse a PySide6 that would bring the process down after a while.

    PySide6 6.12.0 does not count its references to None, which matters until Python 3.11: every call takes
    one away, and the interpreter aborts when none is left.

    Raises
    ------
    UserError
        With such a PySide6.
    """
    from PySide6.QtCore import QObject, qVersion

    if sys.version_info >= (3, 12):
        return
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(64):
        thing.setObjectName("")
    if before - sys.getrefcount(None) > 32:
        from neuroclip_live.errors import UserError

        raise UserError(
            f"PySide6 {qVersion()} crashes under Python {sys.version_info[0]}.{sys.version_info[1]}: "
            "pip install 'PySide6-Essentials<6.12'"
        )


def finish(window: MainWindow) -> int:
    """Stop everything behind a window that is closed; return the exit status."""
    window.serving.close()
    ended = all([presenter.close() for presenter in window.panels.values()])
    ended &= window.pipeline is None or window.pipeline.stop(_STOP_S)
    with_jobs = (
        window.recording,
        window.export,
        window.waiting,
        window.serving,
    )
    jobs_ended = [each.jobs.close() for each in (*with_jobs, window)]
    if not (all(jobs_ended) and ended):
        log.info("left behind, as they did not end in time: %s", ", ".join(_stuck()) or "threads")
        atexit.register(_leave_if_stuck)
    window.deleteLater()
    return 0


def _stuck() -> list[str]:
    """Return the names of the program's threads that are still at work."""
    return [thread.name for thread in threading.enumerate() if thread.name in _THREADS]


def _is_stuck() -> bool:
    return bool(_stuck())


def _leave_if_stuck() -> None:
    """Leave the process at once where a thread cannot end, say one that is deep in loading a model.

    It must neither hold the process up nor crash it while the interpreter takes itself apart.
    """
    if _is_stuck():
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _end(window: MainWindow, screenshot: str | Path | None) -> None:
    if screenshot is not None:
        window.grab().save(str(screenshot))
    window.close()


def _refuse(window: MainWindow, message: str) -> None:
    window.banner.say(message, "error")
    window.decision.show_refused()


@contextlib.contextmanager
def _reporting(window: MainWindow) -> Iterator[None]:
    """Turn exceptions nobody caught into a log entry and a banner, and signals to end into a close."""
    before, before_thread = sys.excepthook, threading.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        log.error("uncaught", exc_info=(kind, error, trace))
        window.banner.say(f"Something went wrong: {kind.__name__}: {error}", "error")

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        log.error("uncaught in %s", args.thread, exc_info=args.exc_value)

    sys.excepthook, threading.excepthook = hook, thread_hook
    # whoever logs out or shuts down asks to end: the window is closed as by hand, and nothing is lost
    asked = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def close(number: int, _frame: object) -> None:
        interrupts.note(number)
        window.close()

    try:
        with interrupts.handled(close, *asked):
            yield
    finally:
        sys.excepthook, threading.excepthook = before, before_thread
