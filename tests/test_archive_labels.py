"""An archive becomes a data set."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import neuroclip_live as nl
from neuroclip_drivers.files.open_file import open_event_file
from neuroclip_live.cli.main import main
from neuroclip_live.datasets.recordings import find_recordings
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet
from neuroclip_live.recording.convert import convert

pytest.importorskip("pyarrow")

import pyarrow.parquet

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
