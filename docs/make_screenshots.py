"""Make the pictures in ``docs/screenshots`` from the real window on a real session.

    python docs/make_screenshots.py [--replay FILE] [--prompts "a mug, a phone"] [--model NAME] [--out DIR]

Without arguments: the demo recording that ships with the project, and the bundled model. Needs no screen:
Qt's offscreen platform draws the window, with whatever fonts the machine has. Every picture is taken two
seconds into the recording, whatever is decided there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from gui.main_window import MainWindow

SIZE = (1280, 800)
GIVE_UP_S = 180.0
AFTER_S = 2.0


@dataclass(frozen=True)
class Shot:
    """One picture: what to do before it, and how many seconds to let pass."""

    name: str
    prepare: Callable[[MainWindow], object]
    wait_s: float


def choose(window: MainWindow, choice: str, value: object) -> None:
    """Choose in a menu, as a user does."""
    window.actions_.choices[choice][value].trigger()


SHOTS = (
    Shot("window", lambda w: None, 12.0),
    Shot("health", lambda w: w.docks["health"].raise_(), 1.0),
    Shot("light", lambda w: (w.docks["timeline"].raise_(), w.set_theme("light")), 1.0),
    Shot("colour-blind-safe", lambda w: w.set_theme("safe"), 1.0),
    Shot("fading", lambda w: (w.set_theme("dark"), choose(w, "accumulate", ("fade", 50))), 1.0),
    Shot(
        "desk", lambda w: (choose(w, "accumulate", ("time", 33)), w.actions_.by_name["desk"].trigger()), 3.0
    ),
    Shot("shortcuts", lambda w: (w.actions_.by_name["desk"].trigger(), w.show_shortcuts()), 1.0),
)


def main() -> int:
    """Make every picture; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replay", help="a recording instead of the demo")
    parser.add_argument("--prompts", help="labels separated by commas")
    parser.add_argument("--model", default="event-nano")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication, QDialog

    from gui.app import check_binding, finish
    from gui.main_window import MainWindow
    from gui.settings import SettingsStore
    from gui.theme import Theme

    check_binding()
    qInstallMessageHandler(lambda *_: None)
    app = QApplication(["neuroclip-live"])
    theme = Theme()
    theme.apply(app)
    with tempfile.TemporaryDirectory() as folder:
        store = SettingsStore(Path(folder) / "window.json")
        window = MainWindow(theme, store, store.load())
        window.resize(*SIZE)
        window.show()
        window.attach(_pipeline(options))

        def let_pass(until: Callable[[], bool], what: str) -> None:
            begin = time.monotonic()
            while not until():
                if time.monotonic() - begin > GIVE_UP_S:
                    raise SystemExit(
                        f"gave up waiting for {what}: {window.banner.text or 'no reason was given'}"
                    )
                app.processEvents()
                time.sleep(0.002)

        let_pass(
            lambda: window.live.ready and window.decider.decision.kind != "waiting", "the first decision"
        )
        for shot in SHOTS:
            shot.prepare(window)
            begin = time.monotonic()
            let_pass(lambda b=begin, s=shot: time.monotonic() - b > s.wait_s, shot.name)
            window.transport.seek_s(0.0)
            begin = time.monotonic()
            let_pass(lambda b=begin: time.monotonic() - b > AFTER_S, shot.name)
            let_pass(lambda: window.decider.decision.kind == "label", "a decision")
            dialogs = [d for d in window.findChildren(QDialog) if d.isVisible()]
            target = dialogs[0] if dialogs else window
            path = options.out / f"{shot.name}.png"
            if not target.grab().save(str(path), "PNG", 0):
                raise SystemExit(f"could not write {path}")
            sys.stdout.write(f"{path}\n")
        for dialog in window.findChildren(QDialog):
            dialog.close()
        window.close()
        return finish(window)


def _pipeline(options: argparse.Namespace):
    from drivers.opening import SourceSpec, open_source
    from neuroclip_live.backbone import load_backbone
    from neuroclip_live.pipeline import Pipeline
    from neuroclip_live.prompts import parse_prompts
    from recordings import DEMO, DEMO_PROMPTS

    demo = options.replay is None
    target = Path(DEMO).stem if demo else options.replay
    source = open_source(SourceSpec(kind="demo" if demo else "replay", target=target, loop=True))
    prompts = parse_prompts(options.prompts or DEMO_PROMPTS)
    return Pipeline(source, lambda progress: load_backbone(options.model, progress=progress), prompts)


if __name__ == "__main__":
    sys.exit(main())
