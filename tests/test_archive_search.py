"""Searching an archive of many moments: products of halves, and sketches in place of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from neuroclip_live.archive import index as index_module
from neuroclip_live.archive import parts, search, settings
from neuroclip_live.archive.index import Index
from neuroclip_live.archive.nearest import Sketch, in_blocks, products, squares
from neuroclip_live.archive.parts import PartFacts, Piece, Rows
from neuroclip_live.archive.recordings import Entry, write_entry
from neuroclip_live.archive.settings import EVERY_US, ArchiveSettings
from neuroclip_live.archive.store import Store
from neuroclip_live.model.backbone import Backbone, load_backbone

WORDS = ("a mug", "a dog", "scissors", "a car")
ROWS = 1500


def test_products_of_halves_are_those_of_numpy() -> None:
    rows = np.random.default_rng(0).standard_normal((50, 33)).astype(np.float16)
    rows[3, :4] = (
        np.float16(6e-8),
        np.float16(-3e-5),
        0,
        np.float16(65504),
    )  # below normal ones, and the largest
    queries = np.random.default_rng(1).standard_normal((3, 33)).astype(np.float32)
    which = np.array([3, 49, 0, 3])
    wide = rows.astype(np.float32)[which]
    assert products(rows, queries, which) == pytest.approx(queries @ wide.T, rel=1e-5, abs=1e-5)
    assert squares(rows, which) == pytest.approx((wide**2).sum(axis=1), rel=1e-5)
    one = np.eye(33, dtype=np.float32)[:2]
    assert products(rows, one, np.array([3])).ravel().tolist() == wide[0, :2].tolist()


def test_blocks_are_all_rows_once() -> None:
    for count in (0, 1, 1 << 14, (1 << 16) + 3):
        seen = np.zeros(count, int)

        def work(begin: int, end: int, seen: np.ndarray = seen) -> None:
            seen[begin:end] += 1

        in_blocks(count, work)
        assert (seen == 1).all()


def test_a_sketch_gives_nearly_the_products() -> None:
    random = np.random.default_rng(2)
    rows = (random.standard_normal((4000, 8)) @ random.standard_normal((8, 40)) + 3).astype(np.float16)
    queries = random.standard_normal((2, 40)).astype(np.float32)
    found = Sketch.of(rows, 8).products(queries, 1000, 3000)
    true = queries @ rows[1000:3000].astype(np.float32).T
    assert np.abs(found - true).max() < 0.05 * true.std()


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone(threads=1)


@pytest.fixture(scope="module")
def place(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings of made-up moments: some near a word, each for a few rows, among many near none."""
    into = tmp_path_factory.mktemp("made") / "index"
    store = Store(into, make=True)
    record = settings.record_of(store, backbone, {"model": "event-nano"}, ArchiveSettings())
    settings.write_record(store, record)
    background = index_module.Background(backbone)
    texts = backbone.encode_texts([*WORDS, "a tree", "a chair", "a bird", "a book", "a lamp", "a shoe"])
    for number in range(2):
        random = np.random.default_rng(number)
        shown = np.repeat(random.integers(0, len(texts), ROWS // 5), 5)
        feature = 0.3 * texts[shown] + 0.02 * random.standard_normal((ROWS, texts.shape[1]))
        feature = feature.astype(np.float16)
        from_us = np.arange(ROWS, dtype=np.int64) * EVERY_US
        ones, none = np.ones(ROWS, np.int32), np.zeros((ROWS, 4), np.int16)
        rows = Rows(from_us, from_us + EVERY_US, ones, ones, -ones, none, feature, background.of(feature))
        piece = Piece(f"{number:032x}", 0, 1)
        facts = PartFacts(ROWS * 0.4, ROWS, ROWS, 640 if number else 128, 480, "made up", "made up", 0)
        parts.write_part(store, record.key, piece, rows, facts)
        write_entry(store, Entry(f"/made-up/{number}.aedat4", 1, 1, piece.digest))
    return into


@pytest.mark.parametrize(
    "asked",
    [
        *({"text": word} for word in WORDS),
        {"text": "a mug", "without": ("a dog",)},
        {"like": ("/made-up/0.aedat4", 101.0)},
        {"text": "a car", "sensor": "640x480"},
        {"text": "a dog", "files": "0.*", "min_s": 1.0},
    ],
    ids=str,
)
def test_what_is_found_by_sketches_is_what_scoring_every_row_finds(
    place: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch, asked: dict[str, object]
) -> None:
    exact = Index(place, backbone).search(top=5, **asked)
    monkeypatch.setattr(index_module, "MANY_ROWS", 1000)
    monkeypatch.setattr(search, "_FOR_EACH", 80)
    index, looked_at = Index(place, backbone), []
    scores = search.Scorer.scores
    monkeypatch.setattr(
        search.Scorer, "scores", lambda self, rows: (looked_at.append(len(rows)), scores(self, rows))[1]
    )
    quick = index.search(top=5, **asked)
    assert exact.num_rows == 5
    assert quick.to_pylist() == exact.to_pylist()
    assert looked_at[0] < ROWS, "a part of the 3,000 rows is scored"
    index.search(top=5, exact=True, **asked)
    assert looked_at[1] >= ROWS
