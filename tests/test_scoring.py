"""The zero-shot head against a plain torch implementation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from neuroclip_live.model.scoring import normalized, score, softmax, summary
from neuroclip_live.prompting.prompts import PromptTable
from neuroclip_live.recognition.history import Past, rescore


def table(features: np.ndarray, none_logit: float | None = None) -> PromptTable:
    k = len(features)
    return PromptTable(tuple(f"p{i}" for i in range(k)), np.zeros(k, bool), normalized(features), none_logit)


@pytest.fixture
def inputs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return (
        (rng.standard_normal((10, 64)) * 7).astype(np.float32),
        rng.standard_normal((5, 64)).astype(np.float32),
    )


def test_logits_are_scaled_mean_cosines(inputs):
    features, texts = inputs
    expected = 30 * torch.nn.functional.cosine_similarity(
        torch.from_numpy(features)[:, None], torch.from_numpy(texts)[None], dim=-1
    )
    scores = score(features, table(texts), 30.0)
    np.testing.assert_allclose(scores.logits, expected.mean(0), atol=1e-4)
    np.testing.assert_allclose(scores.step_cosines, expected / 30, atol=1e-5)
    np.testing.assert_allclose(scores.probabilities, expected.mean(0).softmax(-1), atol=1e-5)
    assert scores.probabilities.dtype == scores.logits.dtype == scores.step_cosines.dtype == np.float32


def test_reference_logits_are_those_of_the_concatenated_form(inputs):
    features, texts = inputs
    steps = len(features)
    unit = torch.nn.functional.normalize(torch.from_numpy(features), dim=-1)
    text = torch.from_numpy(texts).repeat(1, steps)  # T copies side by side
    text = text / text.norm(dim=-1, keepdim=True)
    expected = 30 * unit.reshape(-1) @ text.T
    plain = score(features, table(texts), 30.0)
    reference = score(features, table(texts), 30.0, reference_logits=True)
    np.testing.assert_allclose(reference.logits, expected, atol=1e-4)
    np.testing.assert_allclose(reference.logits, plain.logits * math.sqrt(steps), atol=1e-4)


def test_weights_count_by_their_ratios(inputs):
    features, texts = inputs
    weights = np.arange(10.0)
    expected = (
        torch.from_numpy(weights / 45) @ torch.from_numpy(normalized(features) @ normalized(texts).T).double()
    ) * 30
    np.testing.assert_allclose(
        score(features, table(texts), 30.0, weights=weights).logits, expected, atol=1e-4
    )
    np.testing.assert_allclose(
        score(features, table(texts), 30.0, weights=weights * 5).logits, expected, atol=1e-4
    )


def test_none_of_these_is_a_row_more(inputs):
    features, texts = inputs
    without = score(features, table(texts), 30.0)
    scores = score(features, table(texts, none_logit=2.5), 30.0)
    assert scores.logits.shape == (6,)
    assert scores.logits[-1] == np.float32(2.5)
    np.testing.assert_array_equal(scores.logits[:-1], without.logits)
    assert scores.step_cosines.shape == (10, 5)
    assert scores.probabilities.sum() == pytest.approx(1, abs=1e-6)


def test_extreme_logits_and_empty_frames_stay_finite():
    assert softmax(np.array([1e4, -1e4, 1e4], np.float32)).tolist() == [0.5, 0.0, 0.5]
    scores = score(np.zeros((2, 4), np.float32), table(np.eye(4, dtype=np.float32)), 100.0)
    np.testing.assert_allclose(scores.probabilities, 0.25)


@pytest.mark.parametrize(
    ("features", "weights"),
    [
        (np.zeros((0, 4)), None),
        (np.zeros((2, 5)), None),
        (np.zeros(4), None),
        (np.zeros((2, 4)), [1.0]),
        (np.zeros((2, 4)), [0.0, 0.0]),
        (np.zeros((2, 4)), [-1.0, 2.0]),
        (np.zeros((2, 4)), [np.nan, 2.0]),
    ],
)
def test_what_does_not_fit_is_refused(features, weights):
    with pytest.raises(ValueError, match=r"fit|weights"):
        score(features, table(np.eye(4, dtype=np.float32)), 1.0, weights=weights)


def test_none_of_these_is_relative_to_the_nouns_of_the_model(inputs):
    features, texts = inputs
    rivals = normalized(np.random.default_rng(5).standard_normal((700, 64)).astype(np.float32))
    best = (normalized(features).mean(0) @ rivals.T).max()
    plain = table(texts, none_logit=-1.5)
    scores = score(features, replace(plain, rivals=rivals), 30.0)
    assert scores.logits[-1] == pytest.approx(30 * best - 1.5, abs=1e-4)
    np.testing.assert_allclose(scores.logits[:-1], score(features, plain, 30.0).logits[:-1])

    past = Past(np.arange(600), np.repeat(summary(features)[None], 600, 0), np.full(600, 10))
    found = rescore(past, replace(plain, rivals=rivals), 30.0)
    np.testing.assert_allclose(found.scores, np.repeat(scores.probabilities[None, :-1], 600, 0), atol=1e-4)
