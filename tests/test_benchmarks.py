"""The benchmarks' harness and, at tiny sizes, that everybody does equal work. Nothing is timed here."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import file_formats, frames, noise, serving, size
from benchmarks.events import VGA, moving_edge
from benchmarks.frame_peers import FramePeer, peers
from benchmarks.recording import Contender, _require_equal
from benchmarks.results import COLUMNS, ResultsFile, number, read
from benchmarks.stand_ins import PacedSource
from benchmarks.timing import Options, Row, absent, alternate, compared, fastest
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live.events import Resolution
from neuroclip_live.stream.frames import count_events

QUICK = Options(quick=True)
SMALL = Resolution(48, 32)
ROOT = Path(__file__).resolve().parents[1]


def test_everybody_runs_equally_often_and_in_turn() -> None:
    order: list[str] = []
    runs = {name: lambda name=name: (order.append(name), np.sum(np.zeros(200_000)))[0] for name in "abc"}
    samples = alternate(runs, 4)
    assert {len(s) for s in samples.values()} == {4}
    assert set(order) == {"a", "b", "c"}


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    samples = {"ours": [1.0, 2.0, 1.0], "peer": [2.0, 10.0, 3.0], "slow": [9.0, 9.0, 9.0]}
    row = compared("b", "c", samples, "ours", "peer", goal=3.5)
    assert (row.ratio, row.low, row.high, row.met) == (3.0, 2.0, 5.0, "no")
    assert compared("b", "c", samples, "ours", "peer", goal=3.0).met == "yes"
    assert compared("b", "c", samples, "ours", "peer", work=2.0, unit="ev").ours == 2.0
    assert fastest(samples, ["peer", "slow"]) == "peer"


def test_results_can_be_read_back_and_carry_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.csv"
    file = ResultsFile(path, {"commit": "abc", "machine": "m, 2 cores", "date": "d"})
    file.add(Row("frames", "1 event", "ours", "peer", 1.0, 2.0, "ms", 2.0, 1.5, 2.5, 2.0, 7, "a, b", 0.5))
    file.add(absent("frames", "tonic", "No module named 'tonic'"))
    file.close()
    first, second = read(path)
    assert tuple(first) == COLUMNS
    assert (first["commit"], first["machine"], first["met"]) == ("abc", "m, 2 cores", "yes")
    assert (number(first, "ratio"), number(second, "ratio")) == (2.0, None)
    assert second["note"].startswith("absent")


def test_every_peer_that_is_here_makes_the_same_frame() -> None:
    events = moving_edge(2_000, SMALL)
    found = [peer for peer in peers(events, SMALL) if isinstance(peer, FramePeer)]
    assert {"dv EventVisualizer", "dv Accumulator", "np.bincount", "SpikingJelly"} <= {p.name for p in found}
    for peer in found:
        assert peer.matches(peer.run()), peer.name


def test_another_frame_is_noticed() -> None:
    events = moving_edge(2_000, SMALL)
    other = moving_edge(2_000, SMALL, seed=1)
    wrong = {p.name: p.run() for p in peers(other, SMALL) if isinstance(p, FramePeer)}
    for peer in peers(events, SMALL):
        if isinstance(peer, FramePeer) and peer.name != "dv Accumulator":  # it looks at its own sums
            assert not peer.matches(wrong[peer.name]), peer.name


def test_a_peer_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tonic", "tonic.transforms", "evlib", "polars"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    rows = list(frames.run(QUICK))
    assert {row.peer for row in rows if row.note.startswith("absent")} == {"tonic", "evlib"}
    assert all(row.ratio for row in rows if not row.note.startswith("absent"))


def test_recordings_are_replayed_alike_by_everybody(tmp_path: Path) -> None:
    path = tmp_path / "small.aedat4"
    events = moving_edge(300_000, VGA)  # 60 ms: six slices
    write_aedat4(path, [events[i : i + 50_000].copy() for i in range(0, 300_000, 50_000)], VGA)
    seen = {}
    for name in ("ours", "ours bare", "dv loop", "dv bare"):
        with Contender(name, path) as contender:
            seen[name] = contender.ask("check")
            assert contender.ask("go")["seconds"] > 0
    _require_equal(seen)
    assert seen["ours"]["events"] == 300_000
    assert len(seen["ours"]["slices"]) == 6
    seen["dv loop"]["pictures"][0] += 1
    with pytest.raises(RuntimeError, match="other pixels"):
        _require_equal(seen)


def test_formats_of_others_are_read_alike_and_memory_is_told() -> None:
    rows = list(file_formats.run(QUICK))
    compared = [row for row in rows if row.peer]
    assert [row.peer for row in compared] == [
        "EventCV", "h5py, bare", "h5py, bare", "rosbags, bare", "rosbags, decoded", "limit",
    ]  # fmt: skip
    assert all(row.ratio is not None for row in compared)


def test_counting_on_a_device_gives_the_same_counts() -> None:
    from benchmarks.cuda import count_on

    events = np.array(moving_edge(5_000, SMALL))
    events["x"][:10] = [-1, 48, 500, -300, 0, 47, 1, 2, 3, 4]
    events["p"][20:24] = [-1, 2, 127, -128]
    assert np.array_equal(count_on(events, SMALL, "cpu"), count_events(events, SMALL))


def test_without_a_gpu_the_cuda_benchmark_says_so() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    from benchmarks import encoder

    rows = list(encoder.run(Options(quick=True, device="cuda")))
    assert [row.note for row in rows] == ["absent: this machine has no CUDA device"]


def test_decisions_are_equal_to_the_reference_ways() -> None:
    from benchmarks import decision

    rows = list(decision.run(QUICK))  # raises where cosines differ
    assert rows[0].ratio is not None


def test_the_paced_camera_loses_what_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("benchmarks.stand_ins.time.monotonic", lambda: now[0])
    source = PacedSource(100_000, SMALL)
    packets = source.packets()
    now[0] = 100.0
    monkeypatch.setattr(source._closed, "wait", lambda seconds: now.__setitem__(0, now[0] + seconds))
    first = next(packets)
    assert (len(first), source.made, source.lost) == (1_000, 1_000, 0)
    now[0] += 1.0  # nobody comes for a second: all but the last tenth overflows
    second = next(packets)
    assert source.lost == pytest.approx(90_000, abs=2_000)
    assert second["t"][0] > first["t"][-1]
    source.close()
    assert list(packets) == []


def test_sizes_add_up_and_two_packages_are_imported_by_others_alone() -> None:
    rows = {row.case: row for row in size.run(QUICK)}
    assert rows["with all dependencies"].ours > rows["neuroclip-live itself"].ours > 30
    alone = set(rows["dependencies never imported"].note.split(", "))
    assert alone <= {"torchvision", "websockets", ""}  # open_clip imports the one, uvicorn the other


def test_the_command_writes_a_csv_and_draws_it(tmp_path: Path) -> None:
    results = tmp_path / "results.csv"
    done = CliRunner().invoke(command.cli, ["frames", "--quick", "--out", str(results)])
    assert done.exit_code == 0, done.output
    with results.open() as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert all(row["machine"] and row["date"] and row["load"] for row in rows)
    pytest.importorskip("matplotlib")
    done = CliRunner().invoke(command.cli, ["plot", str(results), "--to", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "frames.png").stat().st_size > 1_000


def test_one_that_fails_does_not_take_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(options: Options) -> object:
        raise OSError("no disk")

    monkeypatch.setattr(frames, "run", broken)
    rows = command.run_all(("frames", "size"), QUICK, None)
    assert rows[0].note == "failed: OSError: no disk"
    assert any(row.benchmark == "size" for row in rows)


def test_noise_is_told_against_dv_processing_and_the_goal() -> None:
    rows = list(noise.run(QUICK))
    assert {row.peer for row in rows} == {"dv BackgroundActivity", "goal"}
    assert all(row.ours for row in rows)


def test_the_window_under_load_is_measured_by_its_own_event_loop(tmp_path: Path) -> None:
    # in a process of its own: what is left of a window must not be collected in other tests' threads
    results = tmp_path / "results.csv"
    arguments = [sys.executable, "-m", "benchmarks", "window", "--quick", "--out", str(results)]
    subprocess.run(arguments, check=True, cwd=ROOT, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    rows = {row["case"]: row for row in read(results)}
    assert (number(rows["longest gap between turns"], "ours") or 0) > 0
    assert (number(rows["paints"], "ours") or 0) >= 0
    assert {row["peer"] for row in rows.values()} == {"limit"}


def test_a_message_is_timed_from_its_last_event_in_another_process() -> None:
    message, watched, read, crowded = serving.run(QUICK)
    assert message.ours is not None
    assert message.ours > 0
    assert message.repeats > 10
    assert watched.ours is not None
    assert float(watched.note.split()[2]) > 0  # pictures a second that each watcher got
    assert read.ours is not None
    assert (
        float(read.note.split()[3].replace(",", "")) > 0
    )  # thousands of events a second that each reader got
    assert crowded.ours is not None
    assert float(crowded.note.split()[0]) > 0  # messages a second that each of the crowd got
    assert "all refused" in crowded.note


def test_every_name_is_a_benchmark() -> None:
    folder = Path(command.__file__).parent
    for name in command.NAMES:
        assert "def run(options: Options)" in (folder / f"{name}.py").read_text()
