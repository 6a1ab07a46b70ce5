"""The training command, end to end in the small: pictures in, a model that the product loads out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neuroclip_live.backbone import load_backbone
from training.bank import Bank, Studio, is_held_out, load_photos
from training.calibrate import calibrate, expected_calibration_error
from training.distill_text import DistillSettings
from training.image_tower import TextHead
from training.make import Settings, make
from training.mesh import box, normalised, render, rotation
from training.pictures import PictureSet, write_digit
from training.solids import CATALOGUE
from training.texts import Corpus
from training.train_image import Plan, load_averaged, rate_at, side_at
from training.vocabulary import build_vocabulary, fix_articles

PLAN = Plan(
    steps=2,
    batch=4,
    size=32,
    stages=((0.5, 32), (1.0, 32)),
    mix=(1, 0, 0, 0, 0),
    buffer=12,
    candidates=8,
    warm_up=1,
    imagenet=False,
)
TEXT_CFG = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
SETTINGS = Settings(
    plan=PLAN,
    text=DistillSettings(steps=2, batch=4),
    text_cfg=TEXT_CFG,
    processes=1,
    trial_scenes=4,
    held_out=(),
    solids=False,
)


def teach(sentences: Sequence[str]) -> np.ndarray:
    """Stand in for the teacher: a fixed random direction for each sentence."""
    rows = []
    for sentence in sentences:
        seed = int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:4], "big")
        rows.append(np.random.default_rng(seed).normal(size=384))
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for noun, shape in (("red_disc", 0), ("square", 1)):
        (folder / noun).mkdir()
        for i in range(4):
            picture = np.full((48, 48, 3), 30, np.uint8)
            if shape == 0:
                cv2.circle(picture, (24, 20 + i), 12, (20, 20, 240), -1)
            else:
                cv2.rectangle(picture, (10, 10 + i), (36, 36), (250, 250, 250), -1)
            assert cv2.imwrite(str(folder / noun / f"{i}.png"), picture)
    return folder


def test_the_command_makes_a_model_that_the_product_loads_and_goes_on(images: Path, tmp_path: Path) -> None:
    corpus = Corpus(("a red disc", "a square", "a dog", "the number seven"), ("big square", "old disc"))
    # the scenes to calibrate on come from the held-out class, so that two classes are enough
    settings = replace(SETTINGS, held_out=())
    caltech = tmp_path / "caltech"
    caltech.symlink_to(images)
    folder = make([caltech], tmp_path / "out", teach, settings, corpus=corpus)
    assert {file.name for file in folder.iterdir()} >= {
        "open_clip_config.json",
        "open_clip_model.safetensors",
    }
    backbone = load_backbone(f"local-dir:{folder}", device="cpu", runtime="torch")
    assert backbone.info.focus
    assert backbone.info.fit == "letterbox"
    features = backbone.encode_frames(np.full((2, 40, 60), 127, np.uint8))
    words = backbone.encode_texts(["red disc", "square"])
    assert features.shape[1] == words.shape[1] == 384
    _, _, saved = load_averaged(tmp_path / "out" / "image" / "checkpoint.pt", PLAN.size)
    assert saved["step"] == 2
    make([caltech], tmp_path / "out", teach, replace(settings, plan=replace(PLAN, steps=3)), corpus=corpus)
    _, _, saved = load_averaged(tmp_path / "out" / "image" / "checkpoint.pt", PLAN.size)
    assert saved["step"] == 3


def test_the_same_seed_films_the_same_scenes(images: Path) -> None:
    photos, _ = load_photos([images])
    assert sorted(set(photos.nouns)) == ["red disc", "square"]

    def film(seed: int) -> list[bytes]:
        studio = Studio(Bank(photos, PictureSet(), PictureSet()), (1, 0, 1, 1, 0), seed, 40)
        return [frame.tobytes() for _ in range(6) for frame in studio.scene()[0]]

    assert film(1) == film(1)
    assert film(1) != film(2)


def test_held_out_photographs_never_reach_training(images: Path, tmp_path: Path) -> None:
    caltech = tmp_path / "caltech_small"
    caltech.symlink_to(images)
    train, aside = load_photos([caltech], held_out_classes=["square"])
    assert set(train.nouns) == {"red disc"}
    assert set(aside["classes"].nouns) == {"square"}
    assert len(train.images) + len(aside["caltech"].images) == 4
    shares = [is_held_out(f"dog/{i}.jpg", 5) for i in range(2000)]
    assert 0.15 < np.mean(shares) < 0.25


@pytest.mark.parametrize("key", sorted(CATALOGUE))
def test_every_solid_can_be_seen(key: str) -> None:
    mesh = normalised(CATALOGUE[key][0](np.random.default_rng(0)))
    assert np.isfinite(mesh.corners).all()
    assert np.linalg.norm(mesh.corners, axis=-1).max() == pytest.approx(1, abs=1e-3)
    canvas, depth = np.full((48, 48), 255, np.float32), np.full((48, 48), np.inf, np.float32)
    light = np.array([0, -0.6, 0.8], np.float32)
    render(mesh, rotation("x", 40), light, canvas, depth, 22, (24, 24))
    assert np.isfinite(depth).sum() > 8


def test_nearer_faces_hide_farther_ones() -> None:
    near, far = box(1, 0.1, 1, 0.2).moved(0, -0.5), box(1, 0.1, 1, 0.9).moved(0, 0.5)
    canvas, depth = np.zeros((40, 40), np.float32), np.full((40, 40), np.inf, np.float32)
    render(far + near, rotation("x", 0), np.array([0, -1, 0], np.float32), canvas, depth, 20, (20, 30))
    assert canvas[22, 20] == pytest.approx(0.2 * 255, rel=0.05)


def test_digits_are_written_differently_each_time() -> None:
    random = np.random.default_rng(0)
    for digit in range(10):
        first, second = write_digit(digit, random), write_digit(digit, random)
        assert (first[1] > 0).mean() > 0.02
        assert not np.array_equal(first, second)


def test_near_names_are_no_rivals_and_articles_are_right() -> None:
    sentences: list[str] = []

    def encode(asked: Sequence[str]) -> np.ndarray:
        sentences.extend(fix_articles(s) for s in asked)
        return teach(asked)

    vocabulary = build_vocabulary(
        ["apple", "coffee cup", "cup", "mug"], [("mug", "cup")], encode, characters=False
    )
    index = vocabulary.index()
    assert vocabulary.near[index["coffee cup"], index["cup"]]
    assert vocabulary.near[index["mug"], index["cup"]]
    assert not vocabulary.near[index["apple"], index["cup"]]
    assert not vocabulary.near.diagonal().any()
    assert "a photo of an apple" in sentences
    assert "a mug" in sentences


def test_the_head_starts_as_the_identity() -> None:
    vectors = torch.from_numpy(teach(["a", "b"]))
    assert torch.allclose(TextHead()(vectors), vectors, atol=1e-6)


def test_the_plan_ends_small_and_at_full_size() -> None:
    plan = Plan(steps=100, warm_up=10)
    rates = [rate_at(plan, step) for step in range(100)]
    assert rates[0] < rates[9]
    assert max(rates) == pytest.approx(plan.rate, rel=0.01)
    assert rates[-1] < 0.05 * plan.rate
    assert side_at(plan, 0) == plan.stages[0][1]
    assert side_at(plan, 99) == plan.size


def test_calibration_finds_the_scale_that_made_the_answers() -> None:
    random = np.random.default_rng(0)
    cosines = random.normal(0, 0.1, (4000, 12))
    logits = 25 * cosines
    truths = np.array([random.choice(12, p=np.exp(row) / np.exp(row).sum()) for row in logits])
    found = calibrate([(cosines, truths)])
    assert found.logit_scale == pytest.approx(25, rel=0.15)
    assert found.ece < 0.05
    perfect = np.eye(4)[[0, 1, 2, 3]]
    assert expected_calibration_error(perfect, np.arange(4)) == 0
