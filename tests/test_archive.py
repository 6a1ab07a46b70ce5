"""An archive through its commands: indexed once, searched for words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import wait_for

import neuroclip_live as nl
from neuroclip_live.cli.main import main
from neuroclip_live.recording.convert import convert

pytest.importorskip("pyarrow")
ROOT = Path(__file__).resolve().parents[1]


def test_index_again_reads_nothing_and_moves_and_damage_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, into = tmp_path / "in", str(tmp_path / "index")
    folder.mkdir()
    shutil.copy(ROOT / "recordings" / "dog.aedat4", folder / "dog.aedat4")
    line = ["index", str(folder), "--into", into]
    assert main(line) == 0
    assert "1 encoded" in capsys.readouterr().out
    assert main(line) == 0
    told = capsys.readouterr().out
    assert "1 unchanged" in told
    assert "0 encoded" in told

    assert main(["search", into, "a dog", "--json"]) == 0
    moments = json.loads(capsys.readouterr().out)
    assert moments
    assert all(set(moment) == {"file", "from_s", "to_s", "score", "box"} for moment in moments)
    assert [m["score"] for m in moments] == sorted((m["score"] for m in moments), reverse=True)

    (folder / "dog.aedat4").rename(folder / "moved.aedat4")
    (folder / "broken.aedat4").write_bytes(b"nothing")
    assert main(line) == 1
    captured = capsys.readouterr()
    assert "1 moved" in captured.out
    assert "1 deleted" in captured.out
    assert "0 encoded" in captured.out
    assert "broken.aedat4" in captured.err
    assert main(["search", into, "a dog", "--json"]) == 0
    assert {Path(m["file"]).name for m in json.loads(capsys.readouterr().out)} == {"moved.aedat4"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight short recordings with different contents."""
    place = tmp_path_factory.mktemp("recordings")
    for name, starts in (("dog", (0.0, 0.7)), ("digits", (0.0, 0.7, 1.4)), ("tour", (0.0, 2.0, 4.0))):
        for start in starts:
            out = place / f"{name}_{start:g}.aedat4"
            convert([ROOT / "recordings" / f"{name}.aedat4"], out, start_s=start, end_s=start + 0.7)
    return place


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the folder that nothing has disturbed."""
    into = tmp_path_factory.mktemp("archive") / "index"
    assert main(["index", str(folder), "--into", str(into)]) == 0
    return into


def moments_of(index: Path, *more: str) -> list[dict[str, Any]]:
    line = [sys.executable, "-m", "neuroclip_live", "search", str(index), *more, "--json"]
    out = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
    return list(json.loads(out.stdout))


def parts_in(index: Path) -> list[str]:
    return sorted(path.name for path in index.rglob("*.parquet"))


def begin(folder: Path, into: Path) -> subprocess.Popen[str]:
    line = [
        sys.executable,
        "-m",
        "neuroclip_live",
        "index",
        str(folder),
        "--into",
        str(into),
        "--threads",
        "1",
    ]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def same(one: Path, other: Path) -> None:
    assert parts_in(one) == parts_in(other)
    asked = ("a dog", "--least", "0", "--top", "1000")
    here, there = (
        sorted(moments_of(place, *asked), key=lambda m: (m["file"], m["from_s"])) for place in (one, other)
    )
    assert [(m["file"], m["from_s"], m["to_s"]) for m in here] == [
        (m["file"], m["from_s"], m["to_s"]) for m in there
    ]
    assert [m["score"] for m in here] == pytest.approx([m["score"] for m in there], abs=2e-3)


def test_killed_again_and_again_nothing_is_lost_and_nothing_is_there_twice(
    folder: Path, whole: Path, tmp_path: Path
) -> None:
    into, random, kills = tmp_path / "index", np.random.default_rng(17), 0
    while True:
        there = len(parts_in(into))
        run = begin(folder, into)
        # once it has written a part: each run is killed at work, whatever the machine's pace
        wait_for(lambda there=there, run=run: len(parts_in(into)) > there or run.poll() is not None)  # type: ignore[misc]
        time.sleep(random.uniform(0, 0.05))
        if run.poll() is None:
            kills += 1
        run.kill()
        told = run.communicate(timeout=300)
        if run.returncode >= 0:
            break
    assert run.returncode == 0, told
    assert kills >= 2
    same(into, whole)


def test_two_at_once_share_the_work(folder: Path, whole: Path, tmp_path: Path) -> None:
    into = tmp_path / "index"
    runs = [begin(folder, into) for _ in range(2)]
    for run in runs:
        told = run.communicate(timeout=300)
        assert run.returncode == 0, told
    same(into, whole)


def test_a_part_that_is_cut_short_is_named(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "index"
    shutil.copytree(whole, broken)
    part = next(broken.rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-100])
    assert main(["search", str(broken), "a dog"]) == 2
    line = capsys.readouterr().err
    assert part.name in line
    assert "index" in line.partition(part.name)[2]  # what to do


def test_words_that_narrow_it(whole: Path) -> None:
    dogs = moments_of(whole, "a dog", "--least", "0", "--top", "100")
    order = [Path(moment["file"]).name.split("_")[0] for moment in dogs]
    assert order.index("dog") < order.index("digits")
    only = moments_of(whole, "a dog", "--files", "*digits*", "--least", "0")
    assert {Path(m["file"]).name.split("_")[0] for m in only} == {"digits"}
    without = moments_of(whole, "a dog", "--not", "a dog", "--least", "0", "--top", "100")
    assert max(m["score"] for m in without) < dogs[0]["score"]
    first = dogs[0]
    like = moments_of(whole, "--like", f"{first['file']}@{first['from_s']}", "--top", "1")
    assert like[0]["file"] == first["file"]
    long = moments_of(whole, "a dog", "--least", "0", "--min-duration", "0.2")
    assert all(m["to_s"] - m["from_s"] >= 0.2 for m in long)


def test_clips_are_the_moments(whole: Path, tmp_path: Path) -> None:
    found = moments_of(whole, "a dog", "--top", "2", "--clips", str(tmp_path / "clips"))
    clips = sorted((tmp_path / "clips").iterdir())
    assert len(clips) == len(found) > 0
    for clip, moment in zip(clips, found, strict=True):
        with nl.open(str(clip)) as events:
            packets = list(events)
        length = (packets[-1]["t"][-1] - packets[0]["t"][0]) / 1e6
        assert 0 < length <= moment["to_s"] - moment["from_s"] + 0.001


def test_a_missing_index_and_a_missing_folder_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", str(tmp_path / "none"), "a dog"]) == 2
    assert main(["index", str(tmp_path / "none"), "--into", str(tmp_path / "index")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("none" in line for line in lines)
    assert not (tmp_path / "index").exists()
