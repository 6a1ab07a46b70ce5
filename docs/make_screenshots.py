"""Make the pictures in ``docs/screenshots`` from the real window on a real session.

    python docs/make_screenshots.py [--replay FILE] [--prompts "a mug, a phone"] [--model NAME] [--out DIR]

Without arguments: the demo recording that ships with the project, and the bundled model. Needs a screen of
1400 x 900, which may be virtual (``xvfb-run -s "-screen 0 1400x900x24"``, with ``QT_QPA_PLATFORM=xcb``). The
window fits itself to a smaller one, such as that of Qt's offscreen platform. Every picture is taken two
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
    from neuroclip_gui.main_window import MainWindow

SIZE = (1280, 800)
GIVE_UP_S = 600.0
AFTER_S = 2.0


@dataclass(frozen=True)
class Shot:
    """One picture, or only a step on the way to one where ``name`` is empty.

    What to do first, how many seconds to let pass, what to wait for, where in the recording to be (seconds;
    None stays), and which part of the window to take, by the name of its dock (else a dialog, or all of it).
    """

    name: str
    prepare: Callable[[MainWindow], object]
    wait_s: float = 1.0
    until: Callable[[MainWindow], bool] = lambda window: True
    seek_s: float | None = 0.0
    part: str = ""


def choose(window: MainWindow, choice: str, value: object) -> None:
    """Choose in a menu, as a user does."""
    window.actions_.choices[choice][value].trigger()


def close_dialogs(window: MainWindow) -> None:
    """Close what a shot before has opened."""
    from PySide6.QtWidgets import QDialog

    for dialog in window.findChildren(QDialog):
        dialog.close()


def draw_region(window: MainWindow) -> None:
    """Draw a rectangle over the right half of the picture, as the mouse does."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    window.actions_.by_name["region"].trigger()
    sheet = window.region.sheet
    width, height = sheet.width(), sheet.height()
    points = QPoint(width * 42 // 100, height * 12 // 100), QPoint(width * 72 // 100, height * 88 // 100)
    QTest.mousePress(sheet, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[0])
    QTest.mouseMove(sheet, points[1])
    QTest.mouseRelease(sheet, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[1])


def ask_settings(window: MainWindow) -> None:
    """Open the settings; they say where they are kept, which is a folder of no interest here."""
    real, window.store.path = window.store.path, Path("~/.config/neuroclip-live/window.json")
    window.recognition.ask()
    window.store.path = real


def trained(window: MainWindow) -> bool:
    """Tell whether what was taught is learned."""
    return bool(window.pipeline.teacher.status().trained)


def enter(window: MainWindow, text: str) -> None:
    """Type words and press Enter."""
    window.prompts.entry.setText(text)
    window.prompts.entry.returnPressed.emit()


def open_actions(window: MainWindow) -> None:
    """Open a file of actions, as a dry run."""
    path = window.recording.folder / "giraffe.toml"
    path.write_text(
        '[[action]]\nname = "a giraffe came"\nlabel = "a giraffe"\nrun = ["notify-send", "{label}"]\n'
        '[[action]]\nname = "keep the car"\nlabel = "a car"\nclip = "/home/me/clips/{name}-{time}.aedat4"\n'
        '[[action]]\nlabel = "a kettle"\nrun = ["notify-send", "{label}"]\n'
    )
    window.panels["acting"].open(str(path))


def show(name: str) -> Callable[[MainWindow], object]:
    """Return what brings a panel to the front."""
    return lambda window: window.docks[name].raise_()


def index_demos(window: MainWindow) -> None:
    """Index the recordings that ship with the project."""
    window.settings.index = str(window.store.path.parent / "my recordings")
    window.panels["search"].index_folder(str(ROOT / "recordings"))


def search(window: MainWindow, words: str) -> None:
    """Look for words in what was indexed."""
    window.panels["search"].focus()
    window.panels["search"].panel.entry.setText(words)
    window.panels["search"].panel.entry.returnPressed.emit()


SHOTS = (
    Shot("window", lambda w: None, 12.0),
    Shot("health", show("health")),
    Shot("light", lambda w: (w.docks["timeline"].raise_(), w.do.set_theme("light"))),
    Shot("color-blind-safe", lambda w: w.do.set_theme("safe")),
    Shot("fading", lambda w: (w.do.set_theme("dark"), choose(w, "accumulate", ("fade", 50)))),
    Shot("", lambda w: choose(w, "accumulate", ("time", 33)), 0.1),
    Shot("desk", lambda w: w.actions_.by_name["desk"].trigger(), 3.0),
    Shot("shortcuts", lambda w: (w.actions_.by_name["desk"].trigger(), w.do.show_shortcuts())),
    Shot("", close_dialogs, 0.1),
    # panel by panel
    Shot("prompts", lambda w: enter(w, "a zwxqk, -a hand"), 3.0, part="prompts"),
    Shot("", lambda w: w.prompts.list.select(["a zwxqk", "a hand"]), 0.1),
    Shot("", lambda w: w.prompts.remove_selected(), 16.0),
    Shot("timeline", show("timeline"), 1.0, part="timeline", seek_s=None),
    Shot("sentences", lambda w: w.do.ask_templates()),
    Shot("encoder", lambda w: (close_dialogs(w), w.panels["strip"].strip.opened.emit(7)), seek_s=None),
    Shot("settings", lambda w: (close_dialogs(w), ask_settings(w)), 2.0),
    Shot("region", lambda w: (close_dialogs(w), draw_region(w))),
    Shot("", lambda w: (w.region.clear(), w.transport.seek_s(2.7), show("teach")(w)), 0.4, seek_s=None),
    Shot(
        "",
        lambda w: (w.panels["teach"].widget.entry.setCurrentText("my giraffe"), w.panels["teach"].press()),
        1.4,
        seek_s=None,
    ),
    Shot("", lambda w: w.panels["teach"].release(), 1.0, trained, seek_s=None),
    Shot("teach", lambda w: None, 0.5, lambda w: w.panels["strip"].raster.isVisible(), seek_s=1.2),
    Shot("spikes", lambda w: None, 0.2, seek_s=None, part="strip"),
    Shot("actions", open_actions, 6.0, seek_s=1.5, part="acting"),
    Shot("", lambda w: (w.panels["acting"].close_file(), w.docks["acting"].hide()), 0.1, seek_s=None),
    Shot("", lambda w: w.serving.serve_page("8080"), 0.1, lambda w: w.serving.page is not None, seek_s=None),
    Shot("serve", lambda w: w.serving.ask(), seek_s=None),
    Shot("", lambda w: (w.serving.end_page(), close_dialogs(w)), 0.1, seek_s=None),
    Shot("", index_demos, 0.5, lambda w: not w.panels["search"].run.running, seek_s=None),
    Shot(
        "",
        lambda w: search(w, "a car"),
        0.5,
        lambda w: w.panels["search"].panel.list.count() > 0,
        seek_s=None,
    ),
    Shot("search", lambda w: w.panels["search"].panel.list.setCurrentRow(0), 4.0, part="search", seek_s=None),
    Shot("", show("prompts"), 0.1, seek_s=None),
    Shot("record", lambda w: w.recording.toggle(), 3.0),
    Shot("", lambda w: w.recording.toggle(), 1.0, lambda w: not w.recording.on, seek_s=None),
    Shot(
        "",
        lambda w: (w.actions_.by_name["undo"].trigger(), w.actions_.by_name["simulator"].trigger()),
        0.5,
        lambda w: "Noise" in w.panels["camera"].widget.rows,
        seek_s=None,
    ),
    Shot("", lambda w: (show("camera")(w), w.panels["camera"].set_control("Noise", 3.0)), 0.1, seek_s=None),
    Shot("", lambda w: (w.prompts.remove_all(), enter(w, "a mug, headphones, scissors")), 0.1, seek_s=None),
    Shot("", lambda w: w.panels["camera"].widget.show_values(w.pipeline.source.controls()), 0.1, seek_s=None),
    Shot("camera", lambda w: w.panels["camera"].widget.noise.setValue(60), 5.5, seek_s=None),
)


def shots(only: str | None) -> tuple[Shot, ...]:
    """Return every picture, or one with the steps that lead to it from the picture before."""
    if only is None:
        return SHOTS
    names = [shot.name for shot in SHOTS]
    if not only or only not in names:
        raise SystemExit(f"no picture is called {only!r}; there is {', '.join(filter(None, names))}")
    last = first = names.index(only)
    while first and not names[first - 1]:
        first -= 1
    return SHOTS[first : last + 1]


def main() -> int:
    """Make every picture; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replay", help="a recording instead of the demo")
    parser.add_argument("--prompts", help="labels separated by commas")
    parser.add_argument("--model", default="event-nano")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--only", help="the name of one picture: it alone, with the steps on the way to it")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication, QDialog

    from neuroclip_gui.app import check_binding, finish
    from neuroclip_gui.main_window import MainWindow
    from neuroclip_gui.settings import SettingsStore
    from neuroclip_gui.style.theme import Theme

    check_binding()
    qInstallMessageHandler(lambda *_: None)
    app = QApplication(["neuroclip-live"])
    theme = Theme()
    theme.apply(app)
    with tempfile.TemporaryDirectory() as folder:
        store = SettingsStore(Path(folder) / "window.json")
        window = MainWindow(theme, store, store.load())
        window.recording.folder = Path(folder)
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

        let_pass(lambda: window.live.ready and window.decided.kind != "waiting", "the first decision")
        for shot in shots(options.only):
            shot.prepare(window)
            begin = time.monotonic()
            let_pass(lambda b=begin, s=shot: time.monotonic() - b > s.wait_s, shot.name)
            let_pass(lambda s=shot: s.until(window), shot.name or "a step")
            if not shot.name:
                continue
            if shot.seek_s is not None:
                window.transport.seek_s(shot.seek_s)
                begin = time.monotonic()
                let_pass(lambda b=begin: time.monotonic() - b > AFTER_S, shot.name)
                let_pass(lambda: window.decided.kind == "label", "a decision")
            dialogs = [d for d in window.findChildren(QDialog) if d.isVisible()]
            target = window.docks[shot.part] if shot.part else dialogs[-1] if dialogs else window
            path = options.out / f"{shot.name}.png"
            if not target.grab().save(str(path), "PNG", 0):
                raise SystemExit(f"could not write {path}")
            sys.stdout.write(f"{path}\n")
            sys.stdout.flush()
        for dialog in window.findChildren(QDialog):
            dialog.close()
        window.close()
        return finish(window)


def _pipeline(options: argparse.Namespace):
    from neuroclip_drivers.demo import DEMO, DEMO_PROMPTS
    from neuroclip_drivers.opening import SourceSpec, open_source
    from neuroclip_live.model.backbone import load_backbone
    from neuroclip_live.prompting.prompts import parse_prompts
    from neuroclip_live.recognition.pipeline import Pipeline

    demo = options.replay is None
    target = Path(DEMO).stem if demo else options.replay
    source = open_source(SourceSpec(kind="demo" if demo else "replay", target=target, loop=True))
    prompts = parse_prompts(options.prompts or DEMO_PROMPTS)
    return Pipeline(source, lambda progress: load_backbone(options.model, progress=progress), prompts)


if __name__ == "__main__":
    sys.exit(main())
