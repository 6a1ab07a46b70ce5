"""The training command, end to end in the small: pictures in, a model that the product loads out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from click.testing import CliRunner
from torch import nn

from neuroclip_live.model.backbone import load_backbone
from training.bank import Bank, font_files, is_held_out, load_photos, split_fonts
from training.blend import blended
from training.calibrate import calibrate, expected_calibration_error
from training.distill_text import through_head
from training.distillation import DistillSettings
from training.gathering import important_names, limited, names_of
from training.image_tower import TextHead, build_tower, widened
from training.joint import speaker
from training.lessons import Batch, HeadLesson, LooksLesson
from training.make import main
from training.meanings import Meanings, imagenet_classes
from training.measure_photographs import held_out_classes, left_out
from training.measuring import unit
from training.mesh import box, normalized, render, rotation
from training.photographs import photo_targets
from training.pictures import PictureSet, write_digit
from training.settings import Settings, TextPlan, quick, seeded
from training.shots import laid
from training.solids import CATALOG
from training.studio import Studio
from training.text_stages import inside, polishing, train_text
from training.texts import Corpus
from training.train_image import Plan, Turn, load_averaged, rate_at, side_at, train, turn_at
from training.visual_prototypes import LOOKS, Looks, build_looks, join
from training.vocabulary import build_vocabulary

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
STAGE = DistillSettings(steps=2, batch=4)
TEXT = TextPlan(
    plain=STAGE, through_head=STAGE, polish=STAGE, looks=STAGE, cfg=TEXT_CFG, important=2, others=2, lemmas=3
)
CORPUS = Corpus(("a red disc", "a square", "a dog", "the number seven"), ("big square", "old disc"))
SETTINGS = Settings(
    plan=PLAN,
    second=replace(PLAN, gentle=0.5, turns=()),
    text=TEXT,
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


def untrained() -> nn.Module:
    """Stand in for ImageNet's classifier."""
    torch.manual_seed(0)
    network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    return network


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


def stamps(folder: Path) -> dict[str, int]:
    """Return when each of the towers below a folder was written."""
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("*.safetensors")}


@pytest.mark.timeout(400)
def test_the_command_makes_a_model_that_the_product_loads_and_goes_on(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every stage runs, in the small, from one command; a second run does only what is not done."""
    out = tmp_path / "out"
    monkeypatch.setattr("training.teacher.MiniLM", lambda: teach)
    monkeypatch.setattr("training.make.imagenet_classifier", untrained)
    monkeypatch.setattr("training.make.quick", lambda settings: SETTINGS)
    monkeypatch.setattr("training.text_stages.build_corpus", lambda **options: CORPUS)
    monkeypatch.setattr("training.measure_text.held_out_lemmas", lambda: list(CORPUS.held_out))
    result = CliRunner().invoke(main, ["--images", str(images), "--out", str(out), "--quick"])
    assert result.exit_code == 0, result.output
    folder = out / "event_nano"
    assert {file.name for file in folder.iterdir()} == {
        "open_clip_config.json",
        "open_clip_model.safetensors",
        "vocabulary.safetensors",
        "vocabulary.txt",
    }
    facts = json.loads((folder / "open_clip_config.json").read_text())["neuroclip_live"]
    assert facts.keys() >= {"logit_scale", "none_cosine", "focus", "fit", "description"}
    backbone = load_backbone(f"local-dir:{folder}", device="cpu", runtime="torch")
    assert backbone.info.focus
    assert backbone.info.fit == "letterbox"
    features = backbone.encode_frames(np.full((2, 40, 60), 127, np.uint8))
    words = backbone.encode_texts(["red disc", "square"])
    assert features.shape[1] == words.shape[1] == 384 + LOOKS
    table = (out / "results" / "results.md").read_text()
    for measured in (
        "simulated, photographs: 2-way",
        "its targets",
        "mean cosine with the teacher",
        "ECE, ten-way",
        "milliseconds",
    ):
        assert measured in table
    assert "held-out lemmas: cosine" in (out / "make.log").read_text()
    for half in ("image", "image_second"):
        assert (out / half / "log.jsonl").read_text().startswith('{"step": 2')
    assert '"looks"' in (out / "image_second" / "log.jsonl").read_text()

    written = stamps(out / "text")
    assert {Path(name).parts[0] for name in written} == {
        "1_plain",
        "2_through_head",
        "3_names",
        "4_looks",
    }
    nouns, head = ["red disc", "square"], out / "text_head.safetensors"
    told = speaker(teach, through_head(head), (), untrained())
    last = train_text(out / "text", teach, head, nouns, nouns, TEXT, CORPUS, told)
    assert stamps(out / "text") == written
    assert last.parent.name == "4_looks"


def test_a_quick_run_goes_through_the_same_stages_with_less_of_everything() -> None:
    full, few = Settings(), quick(Settings())
    assert few.text.cfg == full.text.cfg
    assert few.plan.size == full.plan.size
    assert few.plan.turns == full.plan.turns
    assert few.plan.steps < 100
    assert few.text.limit is not None
    assert few.most_nouns is not None
    assert few.most_pictures is not None
    assert few.second.steps < 100
    for stage in ("plain", "through_head", "polish", "looks"):
        assert getattr(few.text, stage).steps < 50
        assert getattr(few.text, stage).lr == getattr(full.text, stage).lr
    again = seeded(full, 5)
    assert [again.plan.seed, again.second.seed, again.text.plain.seed, again.text.looks.seed] == [5] * 4


def test_turns_change_the_mix_the_reuse_and_the_head_once_their_share_is_done() -> None:
    turns = (Turn(0.5, mix=(0, 1, 0, 0, 0)), Turn(0.8, reuse=1.0, freeze_head=True))
    plan = replace(PLAN, steps=10, turns=turns, reuse=2.0)
    assert [turn_at(plan, step).mix for step in (4, 5, 9)] == [plan.mix, turns[0].mix, turns[0].mix]
    assert [turn_at(plan, step).reuse for step in (7, 8)] == [2.0, 1.0]
    assert [turn_at(plan, step).freeze_head for step in (7, 8, 9)] == [False, True, True]


def test_a_frozen_head_stays_as_it_was_on_average(images: Path, tmp_path: Path) -> None:
    photos, _ = load_photos([images])
    bank = Bank(photos, solids=False)
    vocabulary = build_vocabulary(bank.nouns(), [], teach)
    heads = {}
    for steps in (2, 3, 4):  # each goes on from the checkpoint of the one before
        plan = replace(PLAN, steps=steps, turns=(Turn(2 / steps, freeze_head=True),))
        lesson = HeadLesson(build_tower(plan.size, imagenet=False), vocabulary, plan.candidates)
        path = train(plan, lesson, bank, vocabulary.index(), tmp_path)
        head = load_averaged(path, PLAN.size)[1]
        assert head is not None
        heads[steps] = head.down.weight
    assert heads[2].abs().max() > 0
    assert torch.equal(heads[3], heads[2])
    assert torch.equal(heads[4], heads[2])
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [2, 3, 4]


def test_one_font_in_nine_is_kept_out_and_the_order_is_fixed(tmp_path: Path) -> None:
    for name in ["b.ttf", "a.OTF", "readme.txt", *(f"c{i}.woff" for i in range(8))]:
        (tmp_path / name).touch()
    fonts = font_files([tmp_path])
    assert [font.name for font in fonts[:3]] == ["a.OTF", "b.ttf", "c0.woff"]
    kept, spare = split_fonts(fonts)
    assert [font.name for font in spare] == ["c2.woff"]
    assert sorted([*kept, *spare]) == fonts


def test_kinds_without_pictures_get_no_share(images: Path) -> None:
    photos, _ = load_photos([images])
    studio = Studio(Bank(photos, solids=False), (0.0, 5, 5, 0.1, 5), 0, 32)
    assert all(studio.scene()[1].startswith("digit ") for _ in range(5))
    with pytest.raises(ValueError, match="nothing to show"):
        studio.use((0, 1, 1, 0, 1))


def test_the_last_text_stage_shows_important_names_again_and_no_held_out_lemma() -> None:
    plan = replace(TEXT, again=2, others=1)
    corpus = polishing(CORPUS, ["mug", "a mug", "big square", "square"], ["mug"], plan)
    assert corpus.texts[:3] == ("mug", "a mug", "square")
    assert len(corpus.texts) == 4
    assert sorted(corpus.again) == ["a mug", "a mug", "mug", "mug"]


def test_names_are_of_two_pictures_and_limits_keep_the_commonest() -> None:
    pictures = PictureSet(list(range(6)), ["mug", "dog", "dog", "cat", "mug", "mug"])
    bank = Bank(pictures, solids=False)
    assert names_of(bank) == ["mug", "dog"]
    assert important_names(bank, 3) == ["mug"]
    few = limited(pictures, replace(SETTINGS, most_nouns=2, most_pictures=1))
    assert (few.images, few.nouns) == ([0, 1], ["mug", "dog"])


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


@pytest.mark.parametrize("key", sorted(CATALOG))
def test_every_solid_can_be_seen(key: str) -> None:
    mesh = normalized(CATALOG[key][0](np.random.default_rng(0)))
    assert np.isfinite(mesh.corners).all()
    assert np.linalg.norm(mesh.corners, axis=-1).max() == pytest.approx(1, abs=1e-3)
    canvas, depth = np.full((48, 48), 255, np.float32), np.full((48, 48), np.inf, np.float32)
    light = np.array([0, -0.6, 0.8], np.float32)
    render(mesh, rotation("x", 40), light, canvas, depth, 22, (24, 24))
    assert np.isfinite(depth).sum() > 8


def test_things_near_and_lying_are_filmed_and_named_by_themselves() -> None:
    studio = Studio(Bank(), (0, 0, 1, 0, 0), 3, 96, 1)
    assert {studio.scene("near", "hand")[1] for _ in range(8)} <= set(CATALOG["hand"][1])
    same = [Studio(Bank(), (0, 0, 1), 4, 48, 1).scene("near", "hand") for _ in range(2)]
    np.testing.assert_array_equal(same[0][0], same[1][0])
    frames, noun = studio.scene("laid", "scissors")
    assert noun in CATALOG["scissors"][1]
    assert all(frame.shape == (96, 96) for frame in frames)
    flat = laid(CATALOG["bottle"][0](np.random.default_rng(0)))
    extents = np.ptp(flat.corners.reshape(-1, 3), axis=0)
    assert extents[0] >= extents[1] >= extents[2]


def test_towers_blend_by_their_weights_and_wider_heads_give_their_first_rows() -> None:
    one = {"a": torch.ones(2), "n": torch.tensor(3), "head.proj.weight": torch.zeros(2, 4)}
    two = {"a": torch.zeros(2), "n": torch.tensor(5), "head.proj.weight": torch.ones(3, 4)}
    mixed = blended([(0.25, one), (0.75, two)])
    assert mixed["a"].tolist() == [0.25, 0.25]
    assert mixed["n"] == 3
    torch.testing.assert_close(mixed["head.proj.weight"], torch.full((2, 4), 0.75))
    with pytest.raises(ValueError, match=r"add up to 0\.5"):
        blended([(0.5, one)])


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
        sentences.extend(asked)
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


def test_names_mean_what_wordnet_says_first_that_can_be_seen(tmp_path: Path) -> None:
    alone = Meanings()
    assert "flightless bird" in alone.of("emu")
    assert alone.of("rubbish xyzzy") == ""
    assert alone.of("some emu") == alone.of("emu")
    assert alone.of("emus") == alone.of("emu")
    (tmp_path / "data.noun").write_text(
        '  1 a license\n00000001 05 n 01 jar 0 000 | a sudden jarring impact; "the door closed with a jar"\n'
        "03593526 06 n 01 jar 0 001 | a vessel with a wide mouth\n00000002 09 n 01 zeal 0 000 | fervor\n"
    )
    (tmp_path / "index.noun").write_text(
        "  1 a license\njar n 2 1 @ 2 1 00000001 03593526\nhot_zeal n 1 1 @ 1 0 00000002\n"
    )
    told = Meanings(tmp_path)
    assert told.of("jar") == "a vessel with a wide mouth"  # the commoner sense has no pictures
    assert told.of("hot zeal") == "fervor"
    classes = imagenet_classes()
    assert len(classes) == 1000
    assert classes[0][0][0] == "tench"


def test_a_name_looks_like_the_classes_whose_definitions_are_like_its_own() -> None:
    classes = imagenet_classes()
    weights = np.random.default_rng(0).normal(size=(1000, 1280)).astype(np.float32)
    looks = build_looks(weights, teach, ["tench", "snail"])
    assert len(looks.classes) == 998
    assert not {"tench", "snail"} & set(looks.classes)
    assert looks.prototypes.shape == (998, LOOKS)
    names, definition = classes[2]
    own = looks.by_definition(teach([f"{', '.join(names[:2])}: {definition}"]))
    assert int((own @ looks.prototypes.T).argmax()) == looks.classes.index(names[0])
    assert int((looks.by_name(teach([names[0]])) @ looks.prototypes.T).argmax()) == looks.classes.index(
        names[0]
    )
    both = join(teach(["a"]), own)
    assert both.shape == (1, 384 + LOOKS)
    assert np.linalg.norm(both) == pytest.approx(1, abs=1e-5)


def test_only_photographs_of_some_size_are_looked_at() -> None:
    looks = build_looks(untrained().classifier.weight.detach().numpy(), teach)  # type: ignore[union-attr,operator]
    random = np.random.default_rng(0)
    photographs = [random.integers(0, 255, shape, np.uint8) for shape in ((32, 32), (60, 90), (144, 100))]
    seen = photo_targets(photographs, looks, untrained())
    assert seen.rows() == {1: 0, 2: 1}
    assert seen.looks.shape == (2, LOOKS)
    assert np.allclose(seen.chances.astype(float).sum(1), 1, atol=1e-2)
    assert len(photo_targets(photographs[:1], looks, untrained()).index) == 0


def test_the_second_half_teaches_photographs_their_looks(images: Path) -> None:
    photos, _ = load_photos([images])
    bank = Bank(photos, solids=False)
    vocabulary = build_vocabulary(bank.nouns(), [], teach)
    looks = build_looks(untrained().classifier.weight.detach().numpy(), teach)  # type: ignore[union-attr,operator]
    seen = photo_targets(photos.images, looks, untrained())
    told = looks.of(vocabulary.names, Meanings(), teach)
    own = np.repeat(np.arange(len(vocabulary.names)), vocabulary.count)
    tower = widened(build_tower(32, imagenet=False), 32, 384 + LOOKS)
    targets = join(vocabulary.vectors, told[own]).astype(np.float16)
    classes = join(looks.called, looks.prototypes)
    lesson = LooksLesson(tower, vocabulary, targets, seen, classes, np.array([0]), candidates=4)
    frames = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5
    learned = torch.optim.Adam(lesson.model.parameters(), lr=1e-3)
    facts = []
    for _ in range(20):
        batch = Batch(frames, np.array([0, 1, 0, 1]), np.array([0, 4, -1, -1]))
        loss, told_now = lesson.loss(batch, torch.tensor(20.0))
        learned.zero_grad()
        loss.backward()
        learned.step()
        facts.append(told_now)
    assert facts[-1]["looks"] < 0.8 * facts[0]["looks"]
    assert facts[-1]["classes"] < facts[0]["classes"]
    unknown = lesson.loss(Batch(frames, np.array([0, 1, 0, 1]), np.full(4, -1)), torch.tensor(20.0))[1]
    assert unknown["looks"] == unknown["classes"] == 0.0


def test_the_ceiling_is_measured_without_the_classes_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With looks that photographs have by construction, a class that is struck is told by its kin alone."""
    random = np.random.default_rng(0)
    kinds = np.repeat(random.normal(size=(20, LOOKS)), 50, 0).astype(np.float32)  # fifty kin of twenty kinds
    keys = unit(kinds + 0.01 * random.normal(size=kinds.shape))
    classes = tuple(f"class {i}" for i in range(1000))
    axes, called = np.eye(LOOKS, dtype=np.float32), random.permutation(keys)  # names tell nothing
    looks = Looks(classes, np.arange(1000), axes, unit(kinds), keys, called)
    pictures = PictureSet([np.full((50, 50), i // 50, np.uint8) for i in range(1000)], list(classes))
    monkeypatch.setattr(
        "training.measure_photographs.features_of",
        lambda images: (np.stack([kinds[50 * int(image[0, 0])] for image in images]), None),
    )
    wrong, right = left_out(pictures, looks, ways=2, draws=60)
    assert right.value > 0.9
    assert wrong.value < 0.7
    assert left_out(PictureSet(pictures.images[:1], ["class 0"]), looks) == []
    aside = PictureSet(pictures.images[:100], ["some emu"] * 50 + ["rubbish xyzzy"] * 50)
    by_name, by_definition = held_out_classes(
        aside, looks, lambda words: keys[[0, 99][: len(words)]], Meanings()
    )
    assert by_name.n == by_definition.n == 100


def test_a_sentence_gives_back_the_name_it_was_made_around() -> None:
    sentences = ("a photo of a dog", "the outline of an apple", "a computer mouse", "dog", "two red dogs")
    assert [inside(s) for s in sentences] == ["dog", "apple", "computer mouse", "dog", "two red dogs"]


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
