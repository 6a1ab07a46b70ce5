"""An archive through its commands: indexed once, searched for words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import wait_for
from tiny_model import make_tiny_model

import neuroclip_live as nl
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.recording.convert import convert

pytest.importorskip("pyarrow")

from neuroclip_live.archive.index import Index
from neuroclip_live.archive.indexer import Progress
from neuroclip_live.archive.indexer import index as run_index
from neuroclip_live.archive.settings import ArchiveSettings
from neuroclip_live.archive.store import Store
from neuroclip_live.cli.archive_driven import driven

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


def test_a_run_is_driven_by_the_program_that_started_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It rests at ``pause``, goes on at ``go``, and stops where the program that started it is gone."""
    there, here = os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(there, "r"))
    monkeypatch.setattr(os, "nice", lambda by: by)
    at, told = Progress(30.0, 120.0, "/in/dog.aedat4", time.monotonic() - 3), []
    with driven() as (tell, loading):
        loading("loading the model", 0.5)
        assert tell(at)
        os.write(here, b"pause\n")
        resting = threading.Thread(target=lambda: [told.append(tell(at)) for _ in range(50)])
        wait_for(lambda: not tell_at_once(tell, at))
        resting.start()
        os.write(here, b"go\n")
        resting.join(120)
        assert told == [True] * 50
        os.close(here)
        wait_for(lambda: not tell(at))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"doing": "loading the model", "share": 0.5}
    assert lines[1]["share"] == 0.25
    assert lines[1]["doing"].startswith("dog.aedat4  ")


def tell_at_once(tell: Any, at: Progress) -> bool:
    """Return whether a run goes on when it tells where it is; one that rests does not come back."""
    asked = threading.Thread(target=tell, args=(at,), daemon=True)
    asked.start()
    asked.join(1.0)
    return not asked.is_alive()


def test_as_before_adds_to_an_index_with_the_options_it_was_made_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, into = tmp_path / "in", str(tmp_path / "index")
    folder.mkdir()
    convert([ROOT / "recordings" / "dog.aedat4"], folder / "dog.aedat4", start_s=0, end_s=0.7)
    line = ["index", str(folder), "--into", into, "--as-before"]
    assert main([*line, "--slice", "40ms", "--timesteps", "4", "--no-focus"]) == 0  # there was none before
    convert([ROOT / "recordings" / "tour.aedat4"], folder / "tour.aedat4", start_s=0, end_s=0.7)
    capsys.readouterr()
    assert main(line) == 0
    told = capsys.readouterr().out
    assert "1 unchanged, 1 encoded" in told
    record = Index(into).record
    assert (record.settings.slice, record.settings.timesteps) == ("40ms", 4)
    assert record.options["focus"] is False
    assert len(Index(into).recordings) == 2


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


DOG = ROOT / "recordings" / "dog.aedat4"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights: what is indexed of which folder does not depend on it."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny")


def test_odd_names_and_links(tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, into = tmp_path / "in", str(tmp_path / "index")
    (folder / "sub").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    convert([DOG], folder / "dög [1]\n.aedat4", end_s=0.6)
    convert([DOG], elsewhere / "linked.aedat4", start_s=0.7, end_s=1.2)
    try:
        shutil.copy(folder / "dög [1]\n.aedat4", os.fsencode(folder) + b"/\xff.aedat4")
    except OSError:
        pytest.skip("this disk takes no such names")
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "there").symlink_to(elsewhere)
    (folder / "gone.aedat4").symlink_to("nowhere")
    assert main(["index", str(folder), "--into", into, "--model", str(tiny)]) == 1
    told = capsys.readouterr()
    assert told.out.count("\n") == 1
    assert "4 recordings" in told.out
    assert "2 encoded" in told.out
    assert "gone.aedat4" in told.err
    for glob, name in (("dög [1]\n.aedat4", "dög [1]\n.aedat4"), ("\udcff*", "\\xff.aedat4")):
        clips = tmp_path / f"clips{name[0]}"
        line = ["search", into, "a dog", "--least", "0", "--files", glob, "--clips", str(clips), "--json"]
        assert main(line) == 0
        moments = json.loads(capsys.readouterr().out)
        assert {os.path.basename(moment["file"]) for moment in moments} == {name}
        assert len(list(clips.iterdir())) == len(moments) > 0
    assert main(["search", into, "a dog", "--least", "0"]) == 0
    assert "\\n" in capsys.readouterr().out


def test_a_folder_that_may_not_be_read_is_named(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, into = tmp_path / "in", str(tmp_path / "index")
    (folder / "locked").mkdir(parents=True)
    convert([DOG], folder / "a.aedat4", end_s=0.5)
    convert([DOG], folder / "locked" / "b.aedat4", start_s=0.7, end_s=1.2)
    line = ["index", str(folder), "--into", into, "--model", str(tiny)]
    assert main(line) == 0
    (folder / "locked").chmod(0)
    if os.access(folder / "locked", os.R_OK):
        pytest.skip("this user may read everything")
    try:
        assert main(line) == 1
    finally:
        (folder / "locked").chmod(0o700)
    told = capsys.readouterr()
    assert "passed over" in told.err
    assert "locked" in told.err
    assert "deleted" not in told.out


def test_a_recording_that_grows_is_not_taken_for_what_it_was(tmp_path: Path, tiny: Path) -> None:
    folder, into = tmp_path / "in", Store(tmp_path / "index", make=True)
    folder.mkdir()
    convert([DOG], folder / "a.aedat4", end_s=0.5)
    convert([DOG], folder / "b.aedat4", start_s=0.7, end_s=1.2)
    backbone = load_backbone(str(tiny))

    def grow(at: Progress) -> bool:
        if at.done_s:  # the first is done, the second waits
            with (folder / "b.aedat4").open("ab") as stream:
                stream.write(b"more")
        return True

    report = run_index([folder], into, backbone, {"model": str(tiny)}, ArchiveSettings(), tell=grow)
    assert "changed" in report.broken[str(folder / "b.aedat4")]
    assert len(Index(into.place, backbone).recordings) == 1
    report = run_index([folder], into, backbone, {"model": str(tiny)}, ArchiveSettings())
    assert report.encoded == 1
    assert not report.broken
    assert len(Index(into.place, backbone).recordings) == 2


def test_nothing_there_is_no_fault(tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert main(["index", str(tmp_path / "in"), "--into", str(tmp_path / "i"), "--model", str(tiny)]) == 0
    assert "no recordings" in capsys.readouterr().err
    assert main(["search", str(tmp_path / "i"), "a dog", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_filters_that_let_nothing_in_are_told(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", str(whole), "a dog", "--until", "9999-12-31", "--least", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert main(["search", str(whole), "a dog", "--sensor", "1x1", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == []
    assert "none of the 8 recordings" in told.err


def test_another_model_takes_over_while_it_is_read(tmp_path: Path, tiny: Path) -> None:
    convert([DOG], tmp_path / "a.aedat4", end_s=0.5)
    backbone, place = load_backbone(str(tiny)), tmp_path / "index"
    store, how = Store(place, make=True), {"model": str(tiny)}
    run_index([tmp_path / "a.aedat4"], store, backbone, how, ArchiveSettings())
    index = Index(place, backbone)
    run_index([tmp_path / "a.aedat4"], store, backbone, how, ArchiveSettings(stride=2))
    before = index.record.key
    index.reload()
    assert index.record.key != before
    assert len(index) > 0
    (place / "models" / f"{index.record.key}.json").unlink()
    with pytest.raises(UserError, match="run neuroclip-live index"):
        index.reload()


def test_other_templates_are_another_model(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a moment competes with was put in them: its scores would be of two kinds."""
    into = tmp_path / "index"
    convert([DOG], tmp_path / "a.aedat4", end_s=0.5)
    line = ["index", str(tmp_path / "a.aedat4"), "--into", str(into), "--model", str(tiny)]
    assert main(line) == 0
    (record,) = (into / "models").glob("*.json")
    data = json.loads(record.read_text())
    assert data["templates"] == ["{}"]
    record.write_text(json.dumps(data | {"templates": ["a photo of {}"]}))
    assert main(["search", str(into), "a dog"]) == 2
    assert "run neuroclip-live index" in capsys.readouterr().err
    del data["templates"]  # of before they were kept: searched as it is, and replaced in time
    record.unlink()
    (into / "models" / "0.json").write_text(json.dumps(data | {"key": "0"}))
    (into / "parts" / data["key"]).rename(into / "parts" / "0")
    (into / "current.json").write_text('{"model": "0"}')
    assert main(["search", str(into), "a dog"]) == 0
    capsys.readouterr()
    assert main(line) == 0
    assert "1 encoded" in capsys.readouterr().out
    assert main(line) == 0
    assert "0 encoded" in capsys.readouterr().out


def test_an_index_of_another_version_is_one_line(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "index"
    shutil.copytree(whole, place)
    (record,) = (place / "models").glob("*.json")
    record.write_text(record.read_text().replace('"format": 2', '"format": 1'))
    assert main(["search", str(place), "a mug"]) == 2
    assert "was made by another version of neuroclip-live; make the index again" in capsys.readouterr().err


def test_things_have_boxes(tmp_path: Path) -> None:
    convert([ROOT / "recordings" / "tour.aedat4"], tmp_path / "a.aedat4", start_s=2.0, end_s=3.5)
    line = ["index", str(tmp_path / "a.aedat4"), "--into", str(tmp_path / "index"), "--objects"]
    assert main(line) == 0
    found = nl.Index(tmp_path / "index").search("a dog", least=0.0).to_pylist()
    boxes = [moment["box"] for moment in found if moment["box"] is not None]
    assert boxes
    assert all(0 <= left < right and 0 <= top < bottom for left, top, right, bottom in boxes)
    assert any(moment["box"] is None for moment in found)
