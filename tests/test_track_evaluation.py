"""``evaluate --dataset tracks``: which recordings go with which boxes, and what is compared with what."""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import pytest

from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.track_sets import FIRST_SEED, in_folder, simulated
from neuroclip_live.evaluation.track_truth import Moment, Truth
from neuroclip_live.evaluation.tracks import SETTLED_US, compared
from neuroclip_live.objects.found import FoundObject
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.stream.box import Box

ROOT = Path(__file__).resolve().parents[1]
BOX = Box(10, 10, 30, 30)
LINES = "1,7,10,10,20,20,1,1,1\n51,7,60,60,30,30,1,2,1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings with boxes, as MOT lays them out in two ways, and one without."""
    for name in ("dog", "seq", "other"):
        (tmp_path / name).mkdir()
        shutil.copy(ROOT / "recordings" / "dog.aedat4", tmp_path / name / f"{name}.aedat4")
    (tmp_path / "dog" / "dog.txt").write_text(LINES)
    (tmp_path / "seq" / "gt").mkdir()
    (tmp_path / "seq" / "gt" / "gt.txt").write_text(LINES)
    (tmp_path / "seq" / "seqinfo.ini").write_text("[Sequence]\nname=seq\nframeRate=50\n")
    (tmp_path / "labels.txt").write_text("a dog\na cat\n")
    return tmp_path


def test_boxes_go_with_their_recordings_and_frame_one_is_the_first_event(folder: Path) -> None:
    beside, below = in_folder(folder)
    assert [one.name for one in (beside, below)] == ["dog.aedat4", "seq.aedat4"]
    assert beside.labels == ("a cat", "a dog")
    for one, fps in ((beside, 30), (below, 50)):
        first = int(next(iter(one.packets()))["t"][0])
        times = [moment.t_us for moment in one.truth().moments]
        assert times == [first, first + round(50e6 / fps)]
        assert one.truth().moments[0].things == ((7, BOX, "a dog"),)
    assert len(in_folder(folder, limit=1)) == 1


def test_what_cannot_be_used_is_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder"):
        in_folder(tmp_path / "none")
    with pytest.raises(UserError, match="no recordings with boxes: expected there"):
        in_folder(folder / "other")
    for text in ("[Sequence]\n", "nonsense", "[Sequence]\nframeRate=0\n", "[Sequence]\nframeRate=fast\n"):
        (folder / "seq" / "seqinfo.ini").write_text(text)
        with pytest.raises(UserError, match="frameRate"):
            in_folder(folder)


def test_scenes_are_others_than_those_that_tracks_were_tuned_on() -> None:
    from benchmarks.tracks import SCENES

    scenes = simulated(3)
    seeds = {one.settings.seed for one in scenes}
    assert len(seeds) == len(scenes)
    assert min(seeds) >= FIRST_SEED > max(scene.seed for scene in SCENES)
    assert len(simulated(2, limit=1)) == 2


def told(t_us: int, *objects: FoundObject) -> Prediction:
    return Prediction(t_us, 1, "ok", objects=objects)


def test_each_true_moment_is_compared_once_with_the_slice_nearest_to_it() -> None:
    truth = Truth(Moment(t, ((1, BOX, "a dog"),)) for t in (0, 500_000, 600_000))
    one = FoundObject(4, BOX, label="a dog", probability=0.7, state="seen")
    waiting = FoundObject(4, BOX, label="a dog", probability=0.7, state="waiting")
    sequence = compared(
        truth, [told(0, one), told(480_000), told(505_000, one), told(530_000), told(610_000, waiting)]
    )
    assert len(sequence.true) == 2  # what lies before SETTLED_US is not judged
    assert SETTLED_US > 0
    first, second = sequence.told
    assert [(said.id, said.label, said.confidence, said.sure) for said in first] == [(4, "a dog", 0.7, 1.0)]
    assert [(said.confidence, said.sure) for said in second] == [(0.35, 0.5)]


def test_without_trackeval_it_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackeval", None)
    assert main(["evaluate", "--dataset", "tracks", "--out", str(tmp_path / "out.csv")]) == 2
    assert "neuroclip-live[tracks]" in capsys.readouterr().err


def test_data_sets_need_their_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--dataset", "n-mnist", "--out", str(tmp_path / "out.csv")]) == 2
    assert "--root is missing" in capsys.readouterr().err


def test_a_folder_is_measured_end_to_end(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("trackeval", reason="trackeval is an extra: it brings another OpenCV")
    out = tmp_path / "out.csv"
    line = ["evaluate", "--dataset", "tracks", "--root", str(folder), "--out", str(out), "--limit", "1"]
    assert main(line) == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["scene"] for row in rows] == ["dog.aedat4", "all"]
    assert rows[0]["mAP50_words"] != ""
