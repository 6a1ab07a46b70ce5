"""Words near the trained names are known, words far from them say so, and files come back as they went."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroclip_live.errors import UserError
from neuroclip_live.model.vocabulary import FEATURES_FILE, NAMES_FILE, Vocabulary

NAMES = [f"thing {i}" for i in range(40)]


@pytest.fixture
def features() -> np.ndarray:
    rows = np.random.default_rng(0).normal(size=(len(NAMES), 64)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_trained_name_is_fully_known_and_nearest_to_itself(features: np.ndarray) -> None:
    vocabulary = Vocabulary(NAMES, features)
    for name, feature in zip(NAMES, features, strict=True):
        known = vocabulary.familiarity(7 * feature)
        assert known.nearest[0] == name
        assert known.score == 1.0
        assert known.cosine == pytest.approx(1.0, abs=2e-3)
        assert not known.hardly_known


def test_a_far_word_is_hardly_known_but_still_names_its_neighbors(features: np.ndarray) -> None:
    vocabulary = Vocabulary(NAMES, features, low=0.6, high=0.9)
    far = vocabulary.familiarity(np.random.default_rng(1).normal(size=64).astype(np.float32), count=2)
    assert far.score == 0.0
    assert far.hardly_known
    assert len(far.nearest) == 2


def test_the_score_is_linear_between_the_limits(features: np.ndarray) -> None:
    vocabulary = Vocabulary(NAMES, features, low=0.5, high=0.9)
    across = np.linalg.svd(features[:, :])[2][-1]  # a direction no name leans to much
    mixed = 0.7 * features[3] + np.sqrt(1 - 0.7**2) * (across - (across @ features[3]) * features[3])
    found = vocabulary.familiarity(mixed)
    assert found.score == pytest.approx((found.cosine - 0.5) / 0.4, abs=1e-6)


def test_a_name_gives_back_the_feature_it_was_trained_with(features: np.ndarray) -> None:
    vocabulary = Vocabulary(NAMES, features)
    found = vocabulary.feature("  Thing   7 ")
    assert found is not None
    np.testing.assert_allclose(found, features[7], atol=3e-3)
    assert vocabulary.feature("thing") is None


def test_files_come_back_as_they_went(tmp_path: Path, features: np.ndarray) -> None:
    Vocabulary(NAMES, features, low=0.3, high=0.7).save(tmp_path)
    loaded = Vocabulary.load(tmp_path)
    assert loaded is not None
    assert loaded.names == tuple(NAMES)
    assert (loaded.low, loaded.high) == (pytest.approx(0.3), pytest.approx(0.7))
    assert (tmp_path / FEATURES_FILE).stat().st_size < features.size + 400
    before = Vocabulary(NAMES, features, low=0.3, high=0.7).familiarity(features[5])
    assert loaded.familiarity(features[5]).cosine == pytest.approx(before.cosine, abs=1e-3)


def test_a_model_without_a_vocabulary_has_none(tmp_path: Path) -> None:
    assert Vocabulary.load(tmp_path) is None


@pytest.mark.parametrize("damage", ["names missing", "names short", "features cut"])
def test_broken_files_say_what_to_do(tmp_path: Path, features: np.ndarray, damage: str) -> None:
    Vocabulary(NAMES, features).save(tmp_path)
    if damage == "names missing":
        (tmp_path / NAMES_FILE).unlink()
    elif damage == "names short":
        (tmp_path / NAMES_FILE).write_text("one\n", encoding="utf-8")
    else:
        (tmp_path / FEATURES_FILE).write_bytes((tmp_path / FEATURES_FILE).read_bytes()[:100])
    with pytest.raises(UserError, match="vocabulary"):
        Vocabulary.load(tmp_path)


def test_wrong_sizes_are_refused(features: np.ndarray) -> None:
    with pytest.raises(ValueError, match="names"):
        Vocabulary(NAMES[:-1], features)
    with pytest.raises(ValueError, match="feature"):
        Vocabulary(NAMES, features).familiarity(np.zeros(3, np.float32))
