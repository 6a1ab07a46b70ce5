"""One session of the real window on a real X server, driven from outside with keys and mouse.

    xvfb-run -a -s "-screen 0 1280x800x24" python tests/gui/drive_with_xdotool.py OUT_FOLDER

Starts the program as a user does, types words, plays, seeks, teaches, records, changes settings and closes;
leaves a picture of the screen after each step. Needs a DISPLAY, xdotool, ImageMagick's ``import``, and
openbox, as dialogs want a window manager to get the keyboard. It is no test of its own: it exits with 0 when
the program lived through all and ended with 0; the pictures are to be looked at.
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


def xdotool(*words: str) -> str:
    return subprocess.run(["xdotool", *words], capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    out = Path(sys.argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "HOME": str(out), "XDG_CONFIG_HOME": str(out)}
    manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
    log = (out / "stderr.txt").open("w")
    command = [sys.executable, "-m", "neuroclip_live", "-v", "--config", str(out / "settings.json")]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
    window = ""
    for _ in range(300):
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "neuroclip-live"], capture_output=True, text=True
        ).stdout.split()
        if found:
            window = found[-1]
            break
        time.sleep(0.1)
    number = 0

    def look(what: str, wait_s: float = STEP_S) -> None:
        nonlocal number
        time.sleep(wait_s)
        number += 1
        picture = out / f"{number:02d}-{what}.png"
        subprocess.run(["import", "-window", "root", str(picture)], check=True)
        lives = process.poll() is None
        sys.stdout.write(f"{picture.name}: {'runs' if lives else f'ended with {process.returncode}'}\n")

    def keys(*combinations: str) -> None:
        for combination in combinations:
            xdotool("key", "--clearmodifiers", combination)
            time.sleep(0.15)

    def type_words(words: str) -> None:
        keys("ctrl+l")
        xdotool("type", "--delay", "30", words)
        keys("Return")

    def click(x: int, y: int) -> None:
        xdotool("mousemove", "--window", window, str(x), str(y), "click", "1")

    def hold(key: str, seconds: float) -> None:
        xdotool("keydown", key)
        time.sleep(seconds)
        xdotool("keyup", key)

    xdotool("windowsize", window, "1280", "800")
    xdotool("windowmove", window, "0", "0")
    xdotool("windowfocus", window)
    steps: list[tuple[str, Callable[[], object], float]] = [
        ("started", lambda: None, 12.0),
        ("typed", lambda: type_words("a red fox, -a hand"), STEP_S),
        ("paused", lambda: (click(300, 300), keys("space")), STEP_S),
        ("stepped", lambda: keys("period", "period", "comma"), 1.0),
        ("sought", lambda: (keys("space"), click(400, 618)), STEP_S),
        ("faster", lambda: keys("bracketright"), STEP_S),
        ("named", lambda: (keys("t"), xdotool("type", "a thing"), keys("Return")), 1.0),
        ("taught", lambda: (click(300, 300), hold("t", 2.5)), 6.0),
        ("recording", lambda: keys("ctrl+r"), 4.0),
        ("recorded", lambda: keys("ctrl+r"), STEP_S),
        ("undone", lambda: keys("ctrl+z"), 1.0),
        ("camera", lambda: click(990, 89), STEP_S),
        ("settings", lambda: keys("ctrl+comma"), STEP_S),
        ("settings-closed", lambda: keys("Escape"), 1.0),
        ("theme", lambda: keys("ctrl+shift+t"), STEP_S),
        ("desk", lambda: keys("F10"), STEP_S),
        ("back", lambda: keys("F10", "F1"), STEP_S),
    ]
    for what, do, wait_s in steps:
        do()
        look(what, wait_s)
    keys("Escape")
    begun = time.monotonic()
    xdotool("windowfocus", window)
    keys("ctrl+q")
    try:
        status = process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        status = -1
    sys.stdout.write(f"ended with {status} after {time.monotonic() - begun:.1f} s\n")
    log.close()
    manager.terminate()
    manager.wait(5)
    return 0 if status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
