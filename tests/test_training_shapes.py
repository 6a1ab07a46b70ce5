"""What training alone is shown, and what simulated validation must go on being."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training import studio as studios
from training.bank import Bank
from training.mesh import box, normalized
from training.named_meshes import load_meshes, save_meshes
from training.solids import CATALOG
from training.solids_more import MORE
from training.studio import Studio
from training.third_part import SEVENTH
from training.trials import hard_trials, simulated_trials


def test_meshes_that_were_written_are_read_again(tmp_path: Path) -> None:
    written = [("brick", box(1.0, 2.0, 3.0, 0.25)), ("cube", box(1.0, 1.0, 1.0, 0.75))]
    save_meshes(written, tmp_path / "meshes.npz")
    read = load_meshes(tmp_path / "meshes.npz")
    assert [name for name, _ in read] == ["brick", "cube"]
    for (_, before), (_, after) in zip(written, read, strict=True):
        np.testing.assert_array_equal(after.corners, before.corners)
        np.testing.assert_allclose(after.normals, before.normals, atol=1e-6)
        np.testing.assert_allclose(after.gray, before.gray)


@pytest.mark.parametrize("key", MORE)
def test_what_training_alone_is_shown_can_be_seen_and_is_named(key: str) -> None:
    assert key not in CATALOG  # or validation would be another
    assert set(MORE[key][1]) <= set(Bank().nouns())  # training looks its names up there
    mesh = normalized(MORE[key][0](np.random.default_rng(3)))
    assert np.isfinite(mesh.corners).all()
    assert len(mesh.gray) > 10
    studio = Studio(Bank(), SEVENTH.mix, 5, 64, 2)
    filmed = [studio.scene("more", key) for _ in range(4)]
    assert any(frames for frames, _ in filmed)
    assert {noun for _, noun in filmed} <= set(MORE[key][1])


def test_validation_is_filmed_as_it_first_was_whatever_training_is_shown(monkeypatch: Any) -> None:
    shot, smeared = [], []

    def shoot(film: Any, resolution: Any, style: Any, random: Any, size: int, *rest: Any) -> Any:
        shot.append(rest[-1])
        return [np.full((size, size), 127, np.uint8)]

    def swift_film(*arguments: Any) -> Any:
        smeared.append(arguments[-1])
        return None, 2

    monkeypatch.setattr(studios, "shoot", shoot)
    monkeypatch.setattr(studios, "swift_film", swift_film)
    Studio(Bank(), (0, 0, 1), 0, 32).scene("swift")
    assert (shot, smeared) == ([studios.UNEVEN], [studios.SMEAR])
    shot.clear(), smeared.clear()
    simulated_trials({}, Bank().glyphs, 32, scenes=20)
    hard_trials([("steak", box(1, 1, 1))], 32, scenes=20)
    assert len(shot) > 100
    assert set(shot) == {0.0}
    assert len(smeared) == 20
    assert set(smeared) == {studios.FIRST_SMEAR}
