"""Where predictions go and it does not work: a full disk, a pipe nobody reads, a place that is none."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import PROMPTS, SETTINGS, Endless, FakeBackbone, wait_for
from making import dv_events

from neuroclip_live import session
from neuroclip_live.cli.headless import Stop, run_live
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.outputs import jsonl
from neuroclip_live.outputs.jsonl import JsonLines
from neuroclip_live.recognition import prediction_log
from neuroclip_live.recognition.pipeline import Pipeline, PipelineState

ROOT = Path(__file__).resolve().parents[2]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def live() -> Iterator[Callable[[], Pipeline]]:
    """Make pipelines that a headless run starts and stops."""
    made: list[Pipeline] = []

    def make() -> Pipeline:
        load = lambda progress: FakeBackbone()  # noqa: E731
        made.append(Pipeline(Endless([]), load, PROMPTS, SETTINGS))  # type: ignore[arg-type,return-value]
        return made[-1]

    yield make
    for pipeline in made:
        assert pipeline.status().state is PipelineState.STOPPED  # whatever became of the run
        assert pipeline.stop(60.0)


@pytest.fixture
def quick_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "loader", lambda options: lambda progress: FakeBackbone())


def lines(data: str) -> list[dict]:
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize("speed", ["max", "20"])
@pytest.mark.parametrize("target", ["/dev/full", "{}/no/such/folder/a.jsonl", "{}", "{}/file/a.jsonl"])
def test_a_sink_that_cannot_be_written_is_one_line_and_status_2(  # type: ignore[no-untyped-def]
    quick_model, tmp_path, capsys, target: str, speed: str
) -> None:
    if target == str(FULL) and not FULL.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "file").write_text("")
    where = target.format(tmp_path)
    arguments = ["--headless", "--speed", speed, "--end", "1", "--templates", "none", "--jsonl", where]
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith(f"neuroclip-live: {'writing' if target == str(FULL) else 'cannot write'} {where}")


@needs_full
@pytest.mark.parametrize("arguments", [(), ("--jsonl", "-")], ids=["table", "lines"])
def test_a_full_disk_under_standard_output_is_one_line(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom fakes import FakeBackbone\nfrom neuroclip_live.cli import main as cli\n"
        "from neuroclip_live import session\n"
        "session.loader = lambda options: lambda progress: FakeBackbone()\n"
        "cli.main(sys.argv[1:]) == 2 or sys.exit('not told')\nsys.stdout = None"
    )
    with FULL.open("w") as full:
        run = subprocess.run(
            [sys.executable, "-c", code, "--headless", "--speed", "max", "--end", "0.5", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=600,
            check=False,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        )
    assert run.stderr.startswith("neuroclip-live: ")
    assert run.stderr.count("\n") == 1
    assert "No space left on device" in run.stderr


class Filling:
    """A file on a disk with room for so many lines."""

    def __init__(self, file, room: int) -> None:  # type: ignore[no-untyped-def]
        self.file, self.room = file, room

    def write(self, line: memoryview) -> int:
        if not self.room:
            raise OSError(28, os.strerror(28))
        self.room -= 1
        return self.file.write(line)  # type: ignore[no-any-return]

    def close(self) -> None:
        self.file.close()
        raise OSError(28, os.strerror(28))


def test_a_disk_that_fills_up_ends_the_run_and_keeps_the_recording(live, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    path, opens = tmp_path / "p.jsonl", Path.open

    def filling(self: Path, *args: object, **kw: object) -> object:
        file = opens(self, *args, **kw)  # type: ignore[arg-type]
        return Filling(file, 6) if self == path and "wb" in args else file

    monkeypatch.setattr(Path, "open", filling)
    writer, pipeline = JsonLines(str(path)), live()
    pipeline.start_recording(tmp_path / "a.aedat4")
    with pytest.raises(UserError, match=r"p\.jsonl failed: No space left on device; what came before is"):
        run_live(pipeline, [writer])
    told = lines(path.read_text())
    assert [line["type"] for line in told] == ["header"] + ["prediction"] * 5
    assert len(dv_events(tmp_path / "a.aedat4")) > 500  # and it was closed: dv opens it


def test_a_pipe_whose_reader_leaves_ends_the_run_and_keeps_the_recording(live, tmp_path) -> None:  # type: ignore[no-untyped-def]
    reads, writes = os.pipe()
    writer, pipeline = JsonLines(f"/dev/fd/{writes}"), live()
    os.close(writes)
    pipeline.start_recording(tmp_path / "a.aedat4")

    def leave() -> None:
        os.read(reads, 100)
        os.close(reads)

    reader = threading.Thread(target=leave, daemon=True)
    reader.start()
    with pytest.raises(BrokenPipeError):
        run_live(pipeline, [writer])
    reader.join()
    assert len(dv_events(tmp_path / "a.aedat4")) > 0


def test_a_pipe_whose_reader_leaves_is_no_failure(quick_model, capfd) -> None:  # type: ignore[no-untyped-def]
    reads, writes = os.pipe()
    os.close(reads)
    out = os.dup(1)
    try:
        assert main(["--headless", "--speed", "max", "--end", "1", "--jsonl", f"/dev/fd/{writes}"]) == 0
    finally:
        os.dup2(out, 1)
        os.close(out)
        os.close(writes)
    assert capfd.readouterr().err == ""


def test_lines_that_nobody_reads_in_time_are_counted(live, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(prediction_log, "KEPT_PREDICTIONS", 30)
    reads, writes = os.pipe()
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
    writer, pipeline = JsonLines(f"/dev/fd/{writes}"), live()
    os.close(writes)
    came: list[bytes] = []

    def look_late() -> None:
        wait_for(lambda: pipeline.status().predictions > 100, 300.0)
        pipeline.source.close()  # the recording is over; lines wait for whoever reads them
        with os.fdopen(reads, "rb") as pipe:
            came.append(pipe.read())

    reader = threading.Thread(target=look_late, daemon=True)
    reader.start()
    run_live(pipeline, [writer])
    reader.join(300)
    told = lines(came[0].decode())
    summary = told[-1]
    assert summary["predictions"] > 100
    assert summary["unwritten_predictions"] > 0  # the pipe holds some ten
    written = sum(line["type"] == "prediction" for line in told)
    assert written + summary["unwritten_predictions"] == summary["predictions"]
    assert summary["windows"] == summary["predictions"] + summary["skipped_windows"]


@pytest.mark.parametrize("ends", ["duration", "signal"])
def test_a_reader_who_has_stopped_keeps_no_run_from_its_end(live, tmp_path, monkeypatch, capfd, ends) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(jsonl, "GIVE_UP_S", 0.3)
    reads, writes = os.pipe()  # nobody reads
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
    writer, beside, pipeline = JsonLines(f"/dev/fd/{writes}"), JsonLines(str(tmp_path / "p.jsonl")), live()
    os.close(writes)
    stop = Stop()

    def end() -> None:
        wait_for(lambda: pipeline.status().predictions > 100, 300.0)
        stop.set()

    if ends == "signal":
        threading.Thread(target=end, daemon=True).start()
    run_live(pipeline, [writer, beside], duration_s=1.0 if ends == "duration" else None, stop=stop)
    assert lines((tmp_path / "p.jsonl").read_text())[-1]["type"] == "summary"
    assert re.search(r"nobody reads /dev/fd/\d+: [\d,]+ lines were lost at the end\n", capfd.readouterr().err)
    came = os.read(reads, 1 << 16)
    assert json.loads(came.splitlines()[0])["type"] == "header"
    os.close(reads)


def test_a_reader_who_has_stopped_keeps_no_run_at_full_speed_from_its_end() -> None:
    reads, writes = os.pipe()
    room = select.poll()
    room.register(writes, select.POLLOUT)
    run = subprocess.Popen(
        [sys.executable, "-m", "neuroclip_live", "--headless", "--speed", "max", "--loop", "--jsonl", "-"],
        stdout=writes,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    wait_for(lambda: not room.poll(0), 300.0)  # it is full
    run.terminate()
    _, errors = run.communicate(timeout=300)
    assert b"nobody reads standard output" in errors
    assert b"Traceback" not in errors
    os.close(reads)
    os.close(writes)


def test_the_summary_of_a_run_cut_short_counts_its_lines(live, tmp_path) -> None:  # type: ignore[no-untyped-def]
    writer = JsonLines(str(tmp_path / "p.jsonl"))
    run_live(live(), [writer], duration_s=0.5)
    told = lines((tmp_path / "p.jsonl").read_text())
    assert told[-1]["unwritten_predictions"] == 0
    assert sum(line["type"] == "prediction" for line in told) == told[-1]["predictions"]
