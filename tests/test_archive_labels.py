"""An archive becomes a data set."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import neuroclip_live as nl
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_live.cli.main import main
from neuroclip_live.datasets.recordings import find_recordings
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet, parse_prompts
from neuroclip_live.recording.convert import convert

pytest.importorskip("pyarrow")

import pyarrow.parquet

from neuroclip_live.archive.boxes import _pictures, labeled_moments
from neuroclip_live.archive.labels import scores
from neuroclip_live.archive.query import Query
from neuroclip_live.archive.search import Scorer

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thing and a digit, a second each."""
    place = tmp_path_factory.mktemp("recordings")
    convert([RECORDINGS / "tour.aedat4"], place / "one.aedat4", start_s=0.0, end_s=1.2)
    convert([RECORDINGS / "digits.aedat4"], place / "two.aedat4", start_s=0.0, end_s=1.2)
    return place


@pytest.fixture(scope="module")
def index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their index."""
    into = tmp_path_factory.mktemp("index") / "index"
    assert main(["index", str(folder), "--into", str(into)]) == 0
    return into


def test_labels_a_review_list_and_a_folder_to_train_from(
    folder: Path, index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, out, made = tmp_path / "words.txt", tmp_path / "labels.parquet", tmp_path / "made"
    words.write_text("# things\na car, the digit 3\n-a hand\n")
    line = ["label", str(index), "--prompts", str(words), "--out", str(out), "--folder", str(made)]
    assert main([*line, "--review", "3"]) == 0
    told = capsys.readouterr().out
    assert "a car" in told
    labels = pyarrow.parquet.read_table(out).to_pylist()
    shown = {(Path(row["file"]).name, row["label"]) for row in labels}
    assert shown == {("one.aedat4", "a car"), ("two.aedat4", "the digit 3")}
    assert all(row["score"] >= 0.5 and row["sure"] for row in labels)
    assert all(row["from_s"] < row["to_s"] <= 1.3 for row in labels)

    with (tmp_path / "labels.review.csv").open(newline="") as stream:
        review = [float(row["score"]) for row in csv.DictReader(stream)]
    assert 0 < len(review) <= 3
    assert review == sorted(review, key=lambda score: abs(score - 0.5))

    names, found = find_recordings(made)
    assert set(names) == {"a car", "the digit 3"}
    assert len(found) == len(labels)
    longest = max(row["to_s"] - row["from_s"] for row in labels)
    for path, _ in found:
        recording = open_event_file(path)
        try:
            assert 0 < (recording.last_us - recording.first_us) / 1e6 <= longest + 0.001
        finally:
            recording.close()


def test_recordings_are_indexed_first_and_only_once(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, out = tmp_path / "words.txt", tmp_path / "labels.csv"
    words.write_text("a car")
    line = ["label", str(folder), "--prompts", str(words), "--out", str(out)]
    assert main(line) == 0
    assert "2 encoded" in capsys.readouterr().out
    assert main([*line, "--floor", "1"]) == 0
    assert "0 encoded" in capsys.readouterr().out
    assert len(out.read_text().splitlines()) == 1  # nothing is that sure
    line[1] = str(folder / "two.aedat4")  # of an index that holds the other one too
    assert main([*line, "--floor", "0.0001"]) == 0
    assert "one.aedat4" not in out.read_text() + (tmp_path / "labels.review.csv").read_text()
    assert "two.aedat4" in (tmp_path / "labels.review.csv").read_text()
    assert len((tmp_path / "labels.review.csv").read_text().splitlines()) > 1


def test_a_label_scores_as_in_a_search_with_the_others_against_it(index: Path) -> None:
    opened = nl.Index(index)
    words = ("a car", "the digit 3", "a hand")
    texts = PromptEncoder(opened.backbone).encode(PromptSet.of(words, opened.backbone.info.templates))
    every = np.arange(len(opened.rows))
    found = scores(opened, texts.features)
    for number, word in enumerate(words):
        others = tuple(other for other in words if other != word)
        searched = Scorer(opened, Query(word, without=others)).scores(every)
        np.testing.assert_allclose(found[:, number], searched, atol=1e-3)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--floor", "0"], "--floor"),
        (["--review", "-1"], "--review"),
        (["--min-duration", "nan"], "--min-duration"),
        (["--prompts", "none.txt"], "none.txt"),
        (["--out", "labels.xlsx"], ".parquet"),
        (["--folder", "."], "--folder"),
    ],
)
def test_what_is_wrong_is_one_line(
    index: Path, tmp_path: Path, more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.txt").write_text("a car")
    line = ["label", str(index), "--prompts", str(tmp_path / "words.txt"), "--out", str(tmp_path / "l.csv")]
    assert main([*line, *more]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
    assert not (tmp_path / "l.csv").exists()


def test_negatives_alone_label_nothing(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.txt").write_text("-a car")
    line = ["label", str(index), "--prompts", str(tmp_path / "words.txt"), "--out", str(tmp_path / "l.csv")]
    assert main(line) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_boxes_become_pictures_for_yolo_and_coco(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, yolo, coco = tmp_path / "words.txt", tmp_path / "yolo", tmp_path / "coco"
    words.write_text("a car, the digit 3, -a hand\n")
    line = ["label", str(folder), "--prompts", str(words), "--out", str(tmp_path / "labels.csv")]
    assert main([*line, "--yolo", str(yolo)]) == 2
    assert "--yolo needs boxes: add --objects" in capsys.readouterr().err
    line += ["--objects", "--floor", "0.2", "--threads", "1"]
    assert main([*line, "--yolo", str(yolo), "--coco", str(coco)]) == 0
    told = capsys.readouterr().out
    made = json.loads((coco / "annotations.json").read_text())
    names = {category["id"]: category["name"] for category in made["categories"]}
    assert names == {1: "a car", 2: "the digit 3"}
    assert made["annotations"]
    assert f"{coco}: {len(made['images'])} pictures, {len(made['annotations'])} boxes" in told
    assert 'names:\n  0: "a car"\n  1: "the digit 3"\n' in (yolo / "data.yaml").read_text()
    for image in made["images"]:
        frame = cv2.imread(str(coco / "images" / image["file_name"]), cv2.IMREAD_GRAYSCALE)
        assert frame.shape == (image["height"], image["width"])
        boxes = [each for each in made["annotations"] if each["image_id"] == image["id"]]
        lines = (yolo / "labels" / image["file_name"]).with_suffix(".txt").read_text().splitlines()
        assert len(lines) == len(boxes) > 0
        for box, text in zip(boxes, lines, strict=True):
            left, top, width, height = box["bbox"]
            number, *shares = text.split()
            assert int(number) + 1 == box["category_id"]
            middle_x, middle_y, wide, high = map(float, shares)
            assert middle_x * image["width"] == pytest.approx(left + width / 2, abs=0.01)
            assert middle_y * image["height"] == pytest.approx(top + height / 2, abs=0.01)
            assert (wide * image["width"], high * image["height"]) == pytest.approx((width, height), abs=0.01)
            assert 0.2 <= box["score"] <= 1
            events = frame != 127  # more of them inside than beside it, for its size
            inside = events[top : top + height, left : left + width].mean()
            assert inside > 2 * events.mean() or width * height > 0.4 * frame.size


def test_an_index_without_things_has_no_boxes(index: Path) -> None:
    opened = nl.Index(index)
    with pytest.raises(UserError, match="without --objects"):
        labeled_moments(opened, parse_prompts("a car"), 0.5)


def test_pictures_of_a_row_are_those_of_its_last_moment() -> None:
    recording = np.array([0, 0, 0, 0, 1])
    until = np.array([100_000, 390_000, 390_000, 800_000, 390_000])
    assert [sorted(group) for group in _pictures(recording, until)] == [[1, 2], [3], [4]]
