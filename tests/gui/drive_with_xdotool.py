"""The real window on a real X server, driven from outside with keys and mouse.

    xvfb-run -a -s "-screen 0 1280x800x24" python tests/gui/drive_with_xdotool.py OUT_FOLDER [SESSION ...]

Starts the program as a user does: on the demo recording (words are typed, it plays, seeks, pauses, records,
teaches, undoes, saves a picture, turns space and time, goes to the demo desk, changes settings),
with ``--objects``, for a server that is not there, to serve, with a playlist, with files dragged onto it from
another program, and killed and started again. At the first start the window fits itself to the screen, so
``first`` is to be looked at on screens of 1024x700, 1280x800 and 1366x768. Leaves a picture of the screen
after each step. Needs a DISPLAY, xdotool, ImageMagick's ``import``, and openbox, for dialogs get the keyboard
from a window manager. It is no test of its own: it exits with 0 when the program lived through all and ended
with 0; the pictures are to be looked at.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEP_S = 2.5
Step = tuple[str, Callable[[], object], float]


def xdotool(*words: str) -> str:
    return subprocess.run(["xdotool", *words], capture_output=True, text=True, check=True).stdout.strip()


def keys(*combinations: str) -> None:
    for combination in combinations:
        xdotool("key", "--clearmodifiers", combination)
        time.sleep(0.15)


def text(words: str) -> None:
    xdotool("type", "--delay", "30", words)


def type_words(words: str) -> None:
    keys("ctrl+l")
    text(words)
    keys("Return")


def hold(key: str, seconds: float) -> None:
    xdotool("keydown", key)
    time.sleep(seconds)
    xdotool("keyup", key)


GIVER = """
import sys
from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QLabel

class Giver(QLabel):
    def mouseMoveEvent(self, event):
        drag, mime = QDrag(self), QMimeData()
        mime.setUrls([QUrl.fromLocalFile(path) for path in sys.argv[1:]])
        drag.setMimeData(mime)
        drag.exec(Qt.DropAction.CopyAction)
        QTimer.singleShot(5000, QApplication.quit)  # what is dropped is asked for afterwards

app = QApplication([])
giver = Giver("Files")
giver.setWindowFlags(Qt.WindowType.X11BypassWindowManagerHint)
giver.setGeometry(0, 30, 60, 60)
giver.show()
print(flush=True)
app.exec()
"""
"""A program that has files to be dragged from it."""


class Session:
    """The program with some arguments, from its start to its end.

    Parameters
    ----------
    out : Path
        Where pictures, settings and what the program writes to its standard error go.
    name : str
    arguments : str
        After the program's name.
    fitted : bool
        Leave the window where and as large as it makes itself.
    """

    def __init__(self, out: Path, name: str, *arguments: str, fitted: bool = False) -> None:
        self.out, self.name, self.number, self.window = out, name, 0, ""
        home = {"HOME": str(out), "XDG_CONFIG_HOME": str(out)}
        self._log = (out / f"{name}-stderr.txt").open("w")
        settings = str(out / f"{name}-settings.json")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "neuroclip_live", "-v", "--config", settings, *arguments],
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "xcb", **home},
            stderr=self._log,
        )
        until = time.monotonic() + 60
        while not self.window and time.monotonic() < until:
            search = ["xdotool", "search", "--onlyvisible", "--name", "neuroclip-live"]
            found = subprocess.run(search, capture_output=True, text=True).stdout.split()
            self.window = found[-1] if found else ""
            time.sleep(0.1)
        if not fitted:
            xdotool("windowsize", self.window, "1280", "800")
            xdotool("windowmove", self.window, "0", "0")
        xdotool("windowfocus", self.window)

    def click(self, x: int, y: int) -> None:
        xdotool("mousemove", "--window", self.window, str(x), str(y), "click", "1")

    def drag(self, x: int, y: int, by_x: int, by_y: int) -> None:
        xdotool("mousemove", "--window", self.window, str(x), str(y), "mousedown", "1")
        for part in range(1, 6):
            place = str(x + by_x * part // 5), str(y + by_y * part // 5)
            xdotool("mousemove", "--window", self.window, *place)
        xdotool("mouseup", "1")

    def drop(self, *paths: Path) -> None:
        """Drag files from a window of another program onto this one, and let them go there."""
        giver = subprocess.Popen([sys.executable, "-c", GIVER, *map(str, paths)], stdout=subprocess.PIPE)
        assert giver.stdout is not None
        giver.stdout.readline()  # its window is shown, in the upper left corner of the screen
        time.sleep(1.0)
        xdotool("mousemove", "30", "60", "mousedown", "1")
        for x in range(40, 320, 20):
            xdotool("mousemove", str(x), str(60 + x))
            time.sleep(0.05)
        self.look(f"over-it-{paths[0].name}", 1.5)
        xdotool("mouseup", "1")
        giver.wait(20)

    def kill(self) -> None:
        """End the program as a crash does."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def look(self, what: str, wait_s: float) -> None:
        time.sleep(wait_s)
        self.number += 1
        picture = self.out / f"{self.name}-{self.number:02d}-{what}.png"
        subprocess.run(["import", "-window", "root", str(picture)], check=True)
        code = self.process.poll()
        sys.stdout.write(f"{picture.name}: {'runs' if code is None else f'ended with {code}'}\n")
        sys.stdout.flush()

    def go(self, steps: list[Step]) -> int:
        """Take the steps, close the window by its key, and return the program's status; -1 where it hangs."""
        for what, do, wait_s in steps:
            do()
            self.look(what, wait_s)
        begun = time.monotonic()
        xdotool("windowfocus", self.window)
        keys("ctrl+q")
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = -1
        sys.stdout.write(f"{self.name}: ended with {status} after {time.monotonic() - begun:.1f} s\n")
        self._log.close()
        return status


def on_the_demo(out: Path) -> int:
    s = Session(out, "demo")
    return s.go(
        [
            ("started", lambda: None, 12.0),
            ("typed", lambda: type_words("a red fox, -a hand"), STEP_S),
            # a word is renamed while events play: what is typed survives the predictions of three seconds
            ("renaming", lambda: (s.click(1000, 207), keys("F2", "ctrl+a"), text("a parasol")), 3.0),
            ("renamed", lambda: keys("Return"), STEP_S),
            ("rename-undone", lambda: keys("ctrl+z"), 1.0),
            ("paused", lambda: (s.click(300, 300), keys("space")), STEP_S),
            ("stepped", lambda: keys("period", "period", "comma"), 1.0),
            ("sought-paused", lambda: s.click(250, 598), STEP_S),
            ("sought-paused-again", lambda: s.click(500, 598), STEP_S),
            ("plays-on", lambda: (s.click(300, 300), keys("space")), STEP_S),
            ("faster", lambda: keys("bracketright"), STEP_S),
            ("rate", lambda: s.click(1102, 542), STEP_S),
            (
                "named",
                lambda: (
                    s.click(985, 542),
                    s.click(900, 593),
                    keys("ctrl+a"),
                    text("a thing"),
                    keys("Return"),
                ),
                1.0,
            ),
            ("taught", lambda: (s.click(300, 300), hold("t", 2.5)), 6.0),
            ("recording", lambda: keys("ctrl+r"), 4.0),
            ("recorded", lambda: keys("ctrl+r"), STEP_S),
            ("lesson-undone", lambda: keys("ctrl+z"), 1.0),
            ("picture-saved", lambda: keys("ctrl+s"), STEP_S),
            ("space-and-time", lambda: keys("F9"), STEP_S),
            ("space-and-time-turned", lambda: s.drag(200, 350, 120, 60), STEP_S),
            ("space-and-time-closed", lambda: keys("F9"), 1.0),
            ("camera", lambda: s.click(990, 89), STEP_S),
            ("settings", lambda: keys("ctrl+comma"), STEP_S),
            ("settings-closed", lambda: keys("Escape"), 1.0),
            ("theme", lambda: keys("ctrl+shift+t"), STEP_S),
            ("theme-again", lambda: keys("ctrl+shift+t"), STEP_S),
            ("desk", lambda: keys("F10"), 1.5),
            ("desk-hint-gone", lambda: None, 8.0),
            ("desk-left", lambda: keys("Escape"), STEP_S),
            ("keys", lambda: keys("F1"), STEP_S),
            ("keys-closed", lambda: keys("Escape"), 1.0),
        ]
    )


def with_objects(out: Path) -> int:
    s = Session(out, "objects", "--objects", "--simulate")
    return s.go(
        [
            ("boxes", lambda: None, 14.0),
            ("one-chosen", lambda: s.click(237, 385), STEP_S),
            ("simulated-camera-panel", lambda: s.click(990, 89), STEP_S),
        ]
    )


def without_a_server(out: Path) -> int:
    s = Session(out, "waiting", "--connect", "127.0.0.1:9")
    return s.go(
        [
            ("waits", lambda: None, 10.0),
            ("words-meanwhile", lambda: type_words("a kettle"), STEP_S),
            ("nothing-to-record", lambda: keys("ctrl+r"), 1.0),
            ("simulated-camera", lambda: (keys("F6", "Tab"), keys("space")), 6.0),
        ]
    )


def serving(out: Path) -> int:
    s = Session(out, "serving")
    start = "Tab", "Tab", "space"  # from the port over the choice of readers to the button
    return s.go(
        [
            ("started", lambda: None, 12.0),
            ("serve-asked", lambda: keys("ctrl+shift+v"), STEP_S),
            ("serves", lambda: keys(*start), 4.0),
            ("shares-events", lambda: keys(*["Tab"] * 5, "space"), 4.0),
            ("page-ended", lambda: keys(*["shift+Tab"] * 5, "space"), 4.0),
            ("dialog-closed", lambda: keys("Escape"), 1.0),
        ]
    )


def with_a_playlist(out: Path) -> int:
    recordings = [str(ROOT / "recordings" / f"{name}.aedat4") for name in ("dog", "tour", "digits")]
    s = Session(out, "playlist", "--replay", *recordings)
    return s.go(
        [
            ("first", lambda: None, 12.0),
            ("word-kept", lambda: type_words("the digit 3"), STEP_S),
            ("next", lambda: keys("ctrl+Next"), STEP_S),
            ("previous", lambda: keys("ctrl+Prior"), STEP_S),
            ("follows", lambda: keys("ctrl+Prior"), 8.0),
            ("recording", lambda: keys("ctrl+r"), STEP_S),
            ("ended", lambda: keys("ctrl+r"), STEP_S),
        ]
    )


def first_start(out: Path) -> int:
    s = Session(out, "first", fitted=True)
    return s.go(
        [
            ("started", lambda: None, 20.0),
            ("menu", lambda: keys("alt+f"), 1.0),
            ("keys", lambda: keys("Escape", "F1"), STEP_S),
            ("settings", lambda: keys("Escape", "ctrl+comma"), STEP_S),
            ("desk", lambda: keys("Escape", "F10"), STEP_S),
            ("desk-left-for-words", lambda: keys("ctrl+l"), STEP_S),
        ]
    )


def with_files_dropped(out: Path) -> int:
    s = Session(out, "dropped")
    recordings = [ROOT / "recordings" / f"{name}.aedat4" for name in ("dog", "digits")]
    picture = ROOT / "docs" / "screenshots" / "desk.png"
    return s.go(
        [
            ("started", lambda: None, 12.0),
            ("recordings", lambda: s.drop(*recordings), 4.0),
            ("picture", lambda: s.drop(picture), 4.0),
            ("no-recording", lambda: s.drop(ROOT / "README.md"), STEP_S),
        ]
    )


def killed_and_back(out: Path) -> int:
    s = Session(out, "killed")
    s.look("started", 12.0)
    type_words("a red fox, a tractor, -a hand")
    s.look("typed", STEP_S)
    text("a very " + "long " * 60 + "word, a spoon")
    keys("Return")
    s.look("too-long-stays", STEP_S)
    keys("ctrl+a", "Delete")
    s.kill()
    s = Session(out, "killed")
    s.number = 3
    return s.go(
        [
            ("back-with-its-words", lambda: None, 12.0),
            ("letters-go-to-the-entry", lambda: (keys("ctrl+l", "Tab"), text("kettle")), 1.0),
            ("film-asked", lambda: (keys("ctrl+a", "Delete"), keys("ctrl+shift+e")), STEP_S),
            ("film-left", lambda: keys("Escape"), 1.0),
        ]
    )


SESSIONS = {
    "demo": on_the_demo,
    "objects": with_objects,
    "waiting": without_a_server,
    "serving": serving,
    "playlist": with_a_playlist,
    "first": first_start,
    "dropped": with_files_dropped,
    "killed": killed_and_back,
}


def main() -> int:
    out = Path(sys.argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
    try:
        statuses = [SESSIONS[name](out) for name in sys.argv[2:] or SESSIONS]
    finally:
        manager.terminate()
        manager.wait(5)
    return 0 if not any(statuses) else 1


if __name__ == "__main__":
    sys.exit(main())
