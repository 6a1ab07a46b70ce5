"""Starting and being told to stop: Ctrl+C at any moment, the first line of a run, and what pipes get."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from making import dv_recording, make_events, packet_places

from neuroclip_live.cli.main import main
from neuroclip_live.outputs.jsonl import JsonLines

LONG_S = 300
"""What takes a second on an idle machine takes its time on a busy one; what hangs would for an hour."""

AT_IMPORT = """
import os, signal, sys
from neuroclip_live import start
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
start.program()
"""
PROGRAM = "from neuroclip_live import start; print('here', file=sys.stderr, flush=True); start.program()"


def environment(tmp_path: Path) -> dict[str, str]:
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "NEUROCLIP_LIVE_CONFIG": ""}
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HF_HUB_OFFLINE": "1", **home}


def child(code: str, arguments: list[str], tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys\n{code}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=LONG_S)
    finally:
        process.kill()
        process.communicate()


WINDOW = ["-p", "a, b"]
HEADLESS = ["--headless", "-p", "a, b", "--jsonl", "-"]
EVERY = [*HEADLESS, "--speed", "max"]
MODULES = {
    "window": (
        WINDOW,
        (
            *("neuroclip_live.cli.main", "click", "numpy", "PySide6", "shiboken6", "PySide6.QtCore"),
            *("PySide6.QtGui", "PySide6.QtWidgets", "neuroclip_gui.main_window", "numba"),
        ),
    ),
    "headless": (
        HEADLESS,
        ("neuroclip_live.cli.options", "numpy", "rich.console", "numba", "openvino", "scipy"),
    ),
    "every window": (EVERY, ("neuroclip_live.cli.headless", "numba", "openvino")),
    "doctor": (["doctor"], ("rich.console", "torch")),
    "teach": (["teach", "--show", "a=b.aedat4", "--out", "o"], ("neuroclip_live.learning", "numba")),
}
MOMENTS = [(kind, name) for kind, (_, names) in MODULES.items() for name in names]


@pytest.mark.parametrize(("kind", "name"), MOMENTS, ids=[" at ".join(m) for m in MOMENTS])
def test_ctrl_c_in_the_middle_of_an_import_ends_with_130(tmp_path: Path, kind: str, name: str) -> None:
    process = child(AT_IMPORT.format(name=name), MODULES[kind][0], tmp_path)
    _, errors = ended(process)
    if process.returncode == 2 and kind == "teach":
        pytest.skip(f"{name} is not imported on this way")
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Fatal" not in errors


def test_nothing_is_imported_before_ctrl_c_is_taken_over(tmp_path: Path) -> None:
    """Each import before it is a moment at which Python itself answers, with a traceback."""
    code = "before = set(sys.modules); import neuroclip_live.start; print(*set(sys.modules) - before)"
    names, trouble = ended(child(code, [], tmp_path))
    assert not trouble
    assert set(names.split()) <= {"__future__", "neuroclip_live", "neuroclip_live.start"}


@pytest.mark.parametrize("arguments", [WINDOW, HEADLESS, EVERY], ids=["window", "headless", "every window"])
@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.3, 0.6, 1.2, 2.5])
def test_ctrl_c_at_any_moment_ends_with_130(tmp_path: Path, arguments: list[str], after_s: float) -> None:
    process = child(PROGRAM, [*arguments, "--loop"], tmp_path)
    assert process.stderr is not None
    assert process.stderr.readline() == "here\n"
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    lines, errors = ended(process)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    kinds = [json.loads(line)["type"] for line in lines.splitlines()]
    if arguments is not WINDOW and kinds:  # it had begun: then it ends in order
        assert (kinds[0], kinds[-1]) == ("header", "summary")


def test_a_recording_interrupted_while_it_starts_is_closed(tmp_path: Path) -> None:
    where = tmp_path / "a.aedat4"
    arguments = [*HEADLESS, "--record", str(where)]
    process = child(AT_IMPORT.format(name="openvino"), arguments, tmp_path)
    _, errors = ended(process)
    assert process.returncode == 130, errors
    assert packet_places(where) == []  # a whole recording, of nothing
    assert list(tmp_path.glob("*.tmp")) == []


# ---- the first line, and how long a run lasts


def test_a_short_run_whose_model_takes_long_still_has_its_header_and_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As at a first start, with nothing converted or compiled yet: longer than the run is to last."""
    from neuroclip_live.model import backbone

    load = backbone.load_backbone

    def slow(*args: object, **options: object) -> object:
        time.sleep(1.5)
        return load(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(backbone, "load_backbone", slow)
    for speed in ("1", "max"):
        assert main([*HEADLESS, "--speed", speed, "--duration", "0.5"]) == 0
        kinds = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
        assert kinds[:2] == ["header", "prediction"], speed
        assert kinds[-1] == "summary"


# ---- pipes


def test_who_follows_a_file_sees_whole_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "a.jsonl"
    line = {"type": "prediction", "scores": {f"label {i}": 0.5 for i in range(2000)}}
    seen: list[bytes] = []
    writer = JsonLines(str(where))
    real = writer._file

    class Watched:
        def write(self, data: memoryview) -> int:
            assert real is not None
            written = real.write(data)
            seen.append(where.read_bytes())
            return written

        def close(self) -> None:
            assert real is not None
            real.close()

    monkeypatch.setattr(writer, "_file", Watched())
    for _ in range(3):
        writer._write(line)
    writer.close(None)
    assert len(seen) == 3
    assert all(data.endswith(b"}\n") for data in seen)


def test_a_pipe_that_is_not_waited_for_gets_every_line() -> None:
    """A parent's ``O_NONBLOCK`` is on our end too; a full pipe is then an error, not a wait."""
    if not hasattr(os, "set_blocking"):
        pytest.skip("no such pipes here")
    code = (
        "import os; os.set_blocking(1, False)\n"
        "from neuroclip_live.outputs.jsonl import JsonLines\n"
        "w = JsonLines('-')\n"
        "for n in range(2000): w._write({'n': n, 'long': 'x' * 500})\n"
    )
    for unbuffered in ("", "1"):
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
        time.sleep(0.5)
        out, errors = ended(process)
        assert process.returncode == 0, errors
        lines = out.splitlines()
        assert [json.loads(line)["n"] for line in lines] == list(range(2000))


@pytest.mark.parametrize("arguments", [["models"], ["--list-cameras"], ["--help"], ["doctor"], ["repair"]])
def test_a_reader_who_has_seen_enough_ends_it_quietly(tmp_path: Path, arguments: list[str]) -> None:
    if arguments == ["repair"]:
        arguments = ["repair", str(dv_recording(tmp_path / "a.aedat4", make_events()))]
    read, write = os.pipe()
    os.close(read)
    code = "import sys; from neuroclip_live import start; start.program()"
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
        timeout=LONG_S,
    )
    os.close(write)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_pipe_gets_names_in_one_piece(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "ViT-B-32/laion2b_s34b_b79k" in out
    assert not [line for line in out.splitlines() if line.endswith(" ")]
    arguments = ["--headless", "--speed", "max", "--end", "0.5"]
    assert main([*arguments, "-p", f"{'a very long name ' * 6}, b"]) == 0
    out = capsys.readouterr().out
    assert ("a very long name " * 6).strip() in out
    assert out.endswith("\n")


CLOSED = """
import os
for number in (0, 1, 2):
    os.close(number)
sys.stdin = sys.stdout = sys.stderr = None  # as Python has them where they were closed from the start
from neuroclip_live import start
start.program()
"""


def test_closed_streams_are_no_files_of_the_run(tmp_path):
    recording = dv_recording(tmp_path / "a.aedat4", make_events(3000))
    lines = tmp_path / "out.jsonl"
    run = ["--headless", "--replay", str(recording), "--speed", "max", "-p", "a, b", "--jsonl", str(lines)]
    process = child(CLOSED, run, tmp_path)
    assert ended(process) == ("", "")
    assert process.returncode == 0
    kinds = [json.loads(line)["type"] for line in lines.read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("header", "summary")
    refused = child(CLOSED, ["--headless", "--replay", "no.aedat4"], tmp_path)
    ended(refused)
    assert refused.returncode == 2
    seen = child(CLOSED, ["-p", "a, b", "--duration", "1"], tmp_path)
    ended(seen)
    assert seen.returncode == 0
