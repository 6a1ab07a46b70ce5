"""Learning from cached features: schedule, resumption, baselines, and what is refused."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest
import torch

from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.metrics import calibration_error, report, wilson_interval
from neuroclip_live.learning.adapter_training import Interrupted, check_shots, train_adapter, window_logits
from neuroclip_live.learning.baselines import (
    LinearProbe,
    prototype_logits,
    prototypes,
    search_timestep_weights,
    zero_shot_logits,
)
from neuroclip_live.learning.train_settings import TrainSettings
from neuroclip_live.learning.training_run import smoothed_cross_entropy
from neuroclip_live.model.scoring import normalized

K, T, C = 4, 5, 96
QUICK = TrainSettings(epochs=20)


def problem(shots: int, seed: int = 0, noise: float = 1.0) -> tuple[Any, Any, Any]:
    """Return windows of K classes around fixed centers, their labels, and texts that know nothing of them."""
    fixed = np.random.default_rng(99)
    centers, text = fixed.normal(size=(K, C)), normalized(fixed.normal(size=(K, C)))
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(K), shots)
    windows = centers[labels][:, None] + noise * random.normal(size=(len(labels), T, C))
    return windows.astype(np.float32), labels, text


def train(features: Any, labels: Any, text: Any, **more: Any) -> Any:
    more = {"settings": QUICK, **more}
    names = [f"label {k}" for k in range(len(text))]
    return train_adapter(features, labels, text, names=names, model="tiny", logit_scale=30.0, **more)


@pytest.mark.parametrize("kind", ["snn", "ann"])
def test_it_learns_what_the_text_does_not_know(kind: str) -> None:
    features, labels, text = problem(8)
    adapter = train(features, labels, text, settings=TrainSettings(epochs=120, kind=kind))  # type: ignore[arg-type]
    tests, truth, _ = problem(25, seed=1)
    before = report(zero_shot_logits(tests, text, 30.0), truth)
    after = report(window_logits(adapter.transform(tests), text, 30.0), truth)
    assert before.accuracy < 0.6
    assert after.accuracy > 0.9
    assert adapter.info.metrics["training accuracy"] > 0.9
    assert adapter.info.shots == dict.fromkeys(adapter.info.labels, 8)


def test_the_same_seed_gives_the_same_adapter_and_another_does_not() -> None:
    data = problem(3)
    tests, _, _ = problem(2, seed=5)
    torch.manual_seed(123)
    one, again = train(*data), train(*data)
    after = torch.rand(1)
    torch.manual_seed(123)
    assert torch.equal(after, torch.rand(1)), "training must not touch the process's random numbers"
    other = train(*data, settings=TrainSettings(epochs=20, seed=1))
    np.testing.assert_array_equal(one.transform(tests), again.transform(tests))
    assert np.abs(one.transform(tests) - other.transform(tests)).max() > 1e-3


def test_interrupted_training_goes_on_to_the_same_end(tmp_path: Path) -> None:
    data, path = problem(5), tmp_path / "a.partial"
    whole = train(*data)
    calls = iter(range(100))
    for stop_at in (7, 3):
        calls = iter(range(100))
        with pytest.raises(Interrupted):
            train(*data, checkpoint=path, should_stop=lambda calls=calls, at=stop_at: next(calls) >= at)
        assert path.exists()
    told: list[float] = []
    resumed = train(*data, checkpoint=path, progress=told.append)
    assert told[0] == pytest.approx(13 / 20)
    assert told[-1] == 1.0
    assert not path.exists()
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[key]), key


def test_a_checkpoint_of_other_shots_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "a.partial"
    with pytest.raises(Interrupted):
        train(*problem(5), checkpoint=path, should_stop=lambda: True)
    told: list[float] = []
    train(*problem(5, seed=1), checkpoint=path, progress=told.append)
    assert len(told) == QUICK.epochs


def test_a_damaged_checkpoint_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.partial"
    path.write_bytes(b"half of it")
    with pytest.raises(UserError, match="is damaged: delete it"):
        train(*problem(2), checkpoint=path)


def test_augmented_versions_are_drawn() -> None:
    features, labels, text = problem(4)
    random = np.random.default_rng(3)
    versions = features[:, None] + random.normal(size=(len(labels), 3, T, C)).astype(np.float32)
    adapter = train(versions, labels, text)
    assert adapter.transform(features).shape == features.shape


def test_odd_batches_of_one_are_joined() -> None:
    features, labels, text = problem(9)  # 36 windows; 33 leave a last batch of one
    adapter = train(features[:33], labels[:33], text, settings=TrainSettings(epochs=2))
    assert np.isfinite(adapter.transform(features)).all()


def test_short_features_are_scaled_to_clips_norm() -> None:
    features, labels, text = problem(4)
    small, large = train(features / 1000, labels, text), train(features * 1000, labels, text)
    np.testing.assert_allclose(small.transform(features / 1000), large.transform(features * 1000), atol=1e-4)
    raw = train(features, labels, text, settings=TrainSettings(epochs=2, feature_norm=None))
    assert raw.info.feature_scale == 1.0


def test_schedule_and_smoothing_are_the_references() -> None:
    settings = TrainSettings()
    assert settings.rate(0) == 1e-5
    assert settings.rate(1) == pytest.approx(0.01)
    assert settings.rate(249) < 1e-5
    logits = torch.randn(3, 5)
    smooth = torch.full((3, 5), 0.2 / 4)
    targets = torch.tensor([0, 3, 4])
    smooth[range(3), targets] = 0.8
    expected = -(smooth * torch.log_softmax(logits, 1)).sum(1).mean()
    torch.testing.assert_close(smoothed_cross_entropy(logits, targets, 0.2), expected)


def test_too_little_to_learn_from_is_refused() -> None:
    features, labels, text = problem(2)
    with pytest.raises(UserError, match="1 shots, 4 labels: an adapter needs 2 of each"):
        train(features[:1], labels[:1], text)
    with pytest.raises(UserError, match="8 shots, 1 labels"):
        train(features, labels * 0, text[:1])
    with pytest.raises(UserError, match="not finite"):
        train(np.full_like(features, np.nan), labels, text)
    with pytest.raises(UserError, match="no shots of 'c'"):
        check_shots(features, np.zeros(8, int) + np.arange(8) % 2, ["a", "b", "c"])
    with pytest.raises(UserError, match="one label only"):
        check_shots(features, np.zeros(8, int), ["a"])


def test_prototypes_and_probe_learn_too() -> None:
    features, labels, _ = problem(8)
    tests, truth, _ = problem(25, seed=1)
    means = prototypes(features, labels, K)
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1.0, rtol=1e-5)
    assert report(prototype_logits(tests, means, 30.0), truth).accuracy > 0.9
    assert report(LinearProbe(features, labels, K).logits(tests), truth).accuracy > 0.9


def test_weights_find_the_timesteps_that_know() -> None:
    _, labels, text = problem(16)
    random = np.random.default_rng(0)
    features = random.normal(size=(len(labels), T, C)).astype(np.float32)
    features[:, 2] += 3 * text[labels] * np.sqrt(C)
    weights = search_timestep_weights(features, labels, text, 30.0)
    assert weights.argmax() == 2
    assert weights.mean() == pytest.approx(1.0)
    none = search_timestep_weights(features[:1] * 0, labels[:1], text, 30.0)
    np.testing.assert_allclose(none, 1.0, atol=1e-3)


def test_wilson_interval_and_calibration() -> None:
    low, high = wilson_interval(93, 100)  # Newcombe 1998 style reference value
    assert (low, high) == (pytest.approx(0.8625, abs=5e-4), pytest.approx(0.9657, abs=5e-4))
    assert wilson_interval(0, 10)[0] == 0.0
    assert wilson_interval(10, 10)[1] == pytest.approx(1.0)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    sure = np.tile([0.9, 0.1], (10, 1))
    assert calibration_error(sure, np.array([0] * 9 + [1])) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(sure, np.ones(10, int)) == pytest.approx(0.9)


def test_report_counts() -> None:
    logits = np.eye(3)[[0, 1, 1, 2]] * 5
    made = report(logits, np.array([0, 1, 0, 0]))
    assert made.accuracy == 0.5
    np.testing.assert_array_equal(made.confusion, [[1, 1, 1], [0, 1, 0], [0, 0, 0]])
    assert np.isnan(made.per_class[2])


def test_five_labels_of_sixteen_shots_train_in_seconds_of_one_processor() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(80, 10, 384)).astype(np.float32)
    text = normalized(random.normal(size=(5, 384)))
    train(features, np.repeat(np.arange(5), 16), text, settings=TrainSettings(epochs=1))  # imports
    times = []
    for _ in range(3):
        begin = process_time()
        train(features, np.repeat(np.arange(5), 16), text, settings=TrainSettings(epochs=25))
        times.append((process_time() - begin) * 250 / 25)
    assert min(times) <= 40.0  # 7 s of the processor it was written on; a slow or shared one takes longer
