"""The text side of training: hold-out, teacher cache, distillation in the small, scores, export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from neuroclip_live.model.vocabulary import Vocabulary
from training import distill_text, distillation, export_nano, image_tower, teacher, text_tower, texts

CFG = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
DIM = 32


class BagTeacher:
    """Stands in for MiniLM: a text is the mean of fixed random vectors of its words."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, sentences: Sequence[str]) -> np.ndarray:
        self.asked += sentences
        bags = [[_word(word) for word in text.split() or [" "]] for text in sentences]
        rows = np.stack([np.mean(bag, axis=0) for bag in bags])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@cache
def _word(word: str) -> np.ndarray:
    return np.random.default_rng(list(word.encode()) or [0]).normal(size=DIM)


def small_corpus() -> texts.Corpus:
    things = "dog cat car mug box tree bird phone chair table apple horse".split()
    colors = "red green blue old new big small wooden".split()
    held = ("red mug", "old dog", "big tree", "blue car", "new phone", "green apple")
    guard = texts.HoldOut(held)
    pairs = [f"{color} {thing}" for color in colors for thing in things]
    return texts.Corpus(tuple(text for text in [*things, *colors, *pairs] if not guard.contains(text)), held)


# --- the corpus
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept_out"),
    [
        ("a photo of a golden retriever", True),
        ("golden-retriever puppy", True),
        ("two golden retrievers", True),
        ("a golden cup of a retriever", False),
        ("Vanilla", True),
        ("vanillas", True),
        ("vanillin", False),
    ],
)
def test_hold_out_means_whole_words_in_a_row(text: str, kept_out: bool) -> None:
    assert texts.HoldOut(["golden retriever", "vanilla"]).contains(text) is kept_out


def test_held_out_lemmas_are_fixed_and_spare_the_names_that_images_are_measured_with() -> None:
    lemmas = texts.held_out_lemmas()
    assert len(set(lemmas)) == texts.HELD_OUT
    assert lemmas == texts.held_out_lemmas()
    assert not set(lemmas) & texts.KEPT_NAMES
    assert set(lemmas) <= set(texts.imagenet_lemmas())


def test_the_corpus_is_the_same_each_time_and_shows_no_held_out_lemma(tmp_path: Path) -> None:
    (tmp_path / "index.noun").write_text("  1 license\ntea_cup n 1 1 @ 1 0 1\n", encoding="utf-8")
    (tmp_path / "index.adj").write_text("crimson a 1 1 @ 1 0 1\n", encoding="utf-8")
    (tmp_path / "index.verb").write_text("gallop v 1 1 @ 1 0 1\n", encoding="utf-8")
    corpus = texts.build_corpus(extra=["garden gnome"], wordnet=tmp_path)
    again = texts.build_corpus(extra=["garden gnome"], wordnet=tmp_path)
    assert corpus == again
    expected = {"tea cup", "crimson", "gallop", "garden gnome", "the number seven", "person waving"}
    assert expected <= set(corpus.texts)
    assert len(set(corpus.texts)) == len(corpus.texts)
    guard = texts.HoldOut(corpus.held_out)
    sample = np.random.default_rng(0).choice(len(corpus.texts), 2000, replace=False)
    assert not any(guard.contains(corpus.texts[i]) for i in sample)
    assert not set(corpus.held_out) & set(corpus.texts)


# --- teacher, tower, scores
# ------------------------------------------------------------------------------------


def test_the_cache_asks_for_each_text_once(tmp_path: Path) -> None:
    fake = BagTeacher()
    first = teacher.VectorCache(tmp_path).teach(["dog", "cat"], fake)
    second = teacher.VectorCache(tmp_path).teach(["cat", "bird", "dog"], fake)
    assert fake.asked == ["dog", "cat", "bird"]
    np.testing.assert_array_equal(second[[2, 0]], first)
    np.testing.assert_allclose(second, BagTeacher()(["cat", "bird", "dog"]), atol=1e-3)


def test_padding_cut_off_changes_nothing() -> None:
    torch.manual_seed(0)
    tower = text_tower.build_tower(CFG, DIM).eval()
    tokens = text_tower.build_tokenizer(CFG)(["a red mug", "dog"])
    with torch.inference_mode():
        np.testing.assert_allclose(text_tower.forward(tower, tokens[:, :6]), tower(tokens), atol=1e-5)
    assert tower.attn_mask.shape == (16, 16)


def test_hidden_rows_are_predicted_from_the_others() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 8))
    outputs = (inputs @ rng.normal(size=(8, 5))).astype(np.float32)
    hidden = np.arange(200) % 10 == 0
    damaged = outputs.copy()
    damaged[hidden] = 99
    np.testing.assert_allclose(
        text_tower.predicted_vectors(inputs, damaged, hidden, 1e-6), outputs, atol=1e-3
    )


def test_scores_of_a_perfect_and_of_a_blind_encoder() -> None:
    names = [f"word{i}" for i in range(60)]
    targets = BagTeacher()(names)
    perfect = text_tower.evaluate_text(BagTeacher(), names, targets, timed=2)
    assert perfect.cosine == pytest.approx(1)
    assert perfect.retrieval == perfect.retrieval_all == 1
    assert perfect.ms_per_prompt > 0
    blind = text_tower.evaluate_text(lambda t: np.ones((len(t), DIM), np.float32), names, targets, timed=0)
    assert blind.retrieval < 0.15
    assert blind.retrieval_low <= blind.retrieval <= blind.retrieval_high
    assert np.isnan(blind.ms_per_prompt)


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("text")
    settings = distillation.DistillSettings(steps=60, batch=32, lr=5e-3, save_every=25)
    distill_text.make_text_tower(out, small_corpus(), BagTeacher(), settings, cfg=CFG)
    return out


def test_distillation_learns_what_was_not_shown(distilled: Path) -> None:
    scores = json.loads((distilled / "text_scores.json").read_text(encoding="utf-8"))["scores"]
    assert scores["count"] == 6
    assert scores["cosine"] > 0.6
    assert scores["retrieval"] > 0.8


def test_an_interrupted_run_ends_where_the_whole_run_ends(tmp_path: Path) -> None:
    corpus, cfg = small_corpus(), dict(CFG, width=16)
    tokens, lengths = distillation.tokenize(corpus.texts, text_tower.build_tokenizer(cfg))
    targets = BagTeacher()(corpus.texts)
    settings = distillation.DistillSettings(steps=6, batch=16, save_every=3)

    def run(checkpoint: Path | None, stop_at: int | None = None) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        tower = text_tower.build_tower(cfg, DIM)

        def progress(step: int, loss: float) -> None:
            if step == stop_at:
                raise KeyboardInterrupt

        try:
            distillation.distil(
                tower, tokens, lengths, targets, settings, checkpoint=checkpoint, progress=progress
            )
        except KeyboardInterrupt:
            pass
        return tower.state_dict()

    whole = run(None)
    run(tmp_path / "checkpoint.pt", stop_at=5)
    for name, value in run(tmp_path / "checkpoint.pt").items():
        torch.testing.assert_close(value, whole[name], msg=name)


def test_a_second_run_follows_a_text_head(tmp_path: Path, distilled: Path) -> None:
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(DIM, DIM)))[0].astype(np.float32)
    start = distilled / "text_tower.safetensors"
    scores = distill_text.make_text_tower(
        tmp_path,
        small_corpus(),
        BagTeacher(),
        distillation.DistillSettings(steps=80, batch=32, lr=5e-3),
        cfg=CFG,
        transform=lambda texts, vectors: vectors @ turn.astype(vectors.dtype),
        start=start,
        cache=distilled / "cache",
    )
    assert scores.cosine > 0.5
    assert scores.retrieval > 0.8


def test_further_outputs_start_from_the_best_linear_guess(tmp_path: Path, distilled: Path) -> None:
    """A tower whose targets grow by a turned copy of themselves knows the copy before it learns."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(DIM, DIM)))[0].astype(np.float32)

    def doubled(texts: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        vectors = vectors.astype(np.float32)
        return np.concatenate([vectors, vectors @ turn], 1) / np.float32(np.sqrt(2))

    start = load_file(distilled / "text_tower.safetensors")
    tokenizer = text_tower.build_tokenizer(CFG)
    corpus, teacher = small_corpus(), BagTeacher()
    tokens, lengths = distill_text.tokenize(corpus.texts, tokenizer)
    targets = doubled(corpus.texts, teacher(corpus.texts))
    wide = distill_text.widened(start, CFG, tokens, lengths, targets)
    assert wide["text_projection"].shape == (CFG["width"], 2 * DIM)
    assert torch.equal(wide["text_projection"][:, :DIM], start["text_projection"])
    assert distill_text.widened(start, CFG, tokens, lengths, targets[:, :DIM]) is start
    tower = text_tower.build_tower(CFG, 2 * DIM)
    tower.load_state_dict(wide)
    ours = text_tower.encoder(tower, tokenizer)(corpus.texts)
    narrow = text_tower.build_tower(CFG, DIM)
    narrow.load_state_dict(start)
    before = (
        (text_tower.encoder(narrow, tokenizer)(corpus.texts) * targets[:, :DIM] * np.sqrt(2)).sum(1).mean()
    )
    assert (ours * targets).sum(1).mean() > before - 0.05


def test_an_untrained_text_head_changes_nothing(tmp_path: Path) -> None:
    head = image_tower.TextHead()
    save_file(head.state_dict(), tmp_path / "text_head.safetensors")
    vectors = np.random.default_rng(0).normal(size=(5, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    moved = distill_text.through_head(tmp_path / "text_head.safetensors")(vectors)
    np.testing.assert_allclose(moved, vectors, atol=1e-6)


# --- export
# ------------------------------------------------------------------------------------------------------


def test_export_gives_a_folder_that_open_clip_reads(tmp_path: Path, distilled: Path) -> None:
    import open_clip
    from open_clip.timm_model import TimmModel

    image = TimmModel(export_nano.TOWER, DIM, image_size=64, pool="avg", proj="linear").state_dict()
    text = load_file(distilled / "text_tower.safetensors")
    facts = {"logit_scale": 30.0, "none_logit": 6.5}
    names = ["red mug", "dog", "blue car"]
    export_nano.export(tmp_path, image, text, image_size=64, facts=facts, text_cfg=CFG, names=names)
    model = open_clip.create_model(f"local-dir:{tmp_path}").eval()
    assert model.logit_scale.exp().item() == pytest.approx(30.0, rel=1e-3)
    tower = text_tower.build_tower(CFG, DIM)
    tower.load_state_dict(text)
    ours = text_tower.encoder(tower, text_tower.build_tokenizer(CFG))(["red mug"])
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path}")(["red mug"])
        theirs = model.encode_text(tokens, normalize=True)
    np.testing.assert_allclose(theirs, ours, atol=5e-3)
    vocabulary = Vocabulary.load(tmp_path)
    assert vocabulary is not None
    assert vocabulary.familiarity(theirs[0].numpy()).nearest[0] == "red mug"
    export_nano.export(tmp_path, image, text, image_size=64, text_cfg=CFG)  # facts survive one without any
    config = json.loads((tmp_path / export_nano.CONFIG_NAME).read_text(encoding="utf-8"))
    assert config["neuroclip_live"] == facts


def test_the_names_with_the_most_pictures_come_first(tmp_path: Path) -> None:
    (tmp_path / "names.tsv").write_text("rare\t1\ncat\t30\nname\tpictures\ndog\t200\n", encoding="utf-8")
    assert export_nano.read_names(tmp_path / "names.tsv", most=2) == ["dog", "cat"]


def test_export_refuses_a_folder_above_the_limit(
    tmp_path: Path, distilled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from open_clip.timm_model import TimmModel

    monkeypatch.setattr(export_nano, "SIZE_LIMIT_MB", 1.0)
    image = TimmModel(export_nano.TOWER, DIM, image_size=64, pool="avg", proj="linear").state_dict()
    with pytest.raises(export_nano.ExportError, match="MB"):
        export_nano.export(
            tmp_path, image, load_file(distilled / "text_tower.safetensors"), image_size=64, text_cfg=CFG
        )
