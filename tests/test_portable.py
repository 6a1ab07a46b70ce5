"""Reading, recording and repairing without what Windows lacks: the same results, in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from making import SIZE, index_position, join, make_events, same
from tiny_model import make_tiny_model

from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.portable_io import open_readable, read_at, write_at
from neuroclip_live.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
MISSING = ("O_NONBLOCK", "O_CLOEXEC", "pread", "pwrite", "preadv", "pwritev", "geteuid", "fork", "mkfifo")
RUN = f"""
import os, select, signal, socket, sys
for name in {MISSING!r}:
    if hasattr(os, name): delattr(os, name)
for module, name in ((socket, "AF_UNIX"), (select, "poll"), (signal, "SIGKILL")):
    if hasattr(module, name): delattr(module, name)
sys.modules["fcntl"] = sys.modules["resource"] = sys.modules["pwd"] = None
from neuroclip_live.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def as_on_windows(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


def test_replaying_and_recording_at_every_speed(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.aedat4"
    events = make_events(6000)
    write_aedat4(path, [events], SIZE)
    options = ("--headless", "--runtime", "torch", "--model", model, "-p", "a, b", "--jsonl", "-")
    assert main(["--replay", str(path), "--speed", "max", *options]) == 0
    usual = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for speed in ("max", "100"):
        recorded = tmp_path / f"recorded at {speed}.aedat4"
        done = as_on_windows("--replay", str(path), "--speed", speed, "--record", str(recorded), *options)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines[-1]["events"] == len(events)
        assert lines[-1]["dropped_events"] == 0
        if speed == "max":
            assert [line.get("scores") for line in lines] == [line.get("scores") for line in usual]
        assert "file verified" in done.stderr
        assert same(join(Recording(recorded).read()), events)


def test_repairing(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat4"
    events = make_events(6000)
    write_aedat4(path, [events], SIZE)
    path.write_bytes(path.read_bytes()[: index_position(path) * 3 // 4])
    done = as_on_windows("repair", str(path))
    assert done.returncode == 0, done.stderr
    given = join(Recording(tmp_path / "a.repaired.aedat4").read())
    assert same(given, events[: len(given)])
    assert len(given) > 3000


def test_a_unix_socket_where_there_are_none_is_one_line(model: str) -> None:
    done = as_on_windows(
        "--connect", "/tmp/no.socket", "--headless", "--model", model, "-p", "a", "--duration", "1"
    )
    assert done.returncode == 2
    assert "has no UNIX sockets" in done.stderr


@pytest.mark.parametrize("there", [True, False], ids=["pread", "seek and read"])
def test_reading_and_writing_at_a_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    if not there:
        monkeypatch.delattr("os.pread", raising=False)
        monkeypatch.delattr("os.pwrite", raising=False)
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    file = open_readable(path)
    assert read_at(file, 10, 95) == bytes(range(95, 100))
    assert read_at(file, 3, 7) == bytes(range(7, 10))
    assert read_at(file, 3, 200) == b""
    with path.open("r+b", buffering=0) as writable:
        write_at(writable.fileno(), b"xy", 8)
    assert read_at(file, 4, 7) == b"\x07xy\x0a"
