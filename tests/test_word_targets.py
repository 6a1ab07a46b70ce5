"""Words from tables: encoder, definitions and targets agree with what they stand for, and damage says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from neuroclip_live.errors import UserError
from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.model.glosses import GLOSSES_FILE, Glosses
from neuroclip_live.model.runtimes.openvino_runtime import compile_network
from neuroclip_live.model.sentence_encoder import PIECES_FILE, SentenceEncoder, quantized, sentence_network
from neuroclip_live.model.word_targets import TABLES_FILE, WordTables, sign_of

BUNDLED = Path(__file__).parents[1] / "neuroclip_live" / "models" / "event_nano"
WIDTH, HEADS, LAYERS, PIECES = 64, 2, 2, 11

GLOSSES = Glosses.of(
    {
        "mug": "with handle",
        "computer mouse": "a pointing device",
        "mouse": "a rodent",
        "cup": "with handle",
        "7": "six and one",
    }
)


def reference() -> tuple[nn.Embedding, nn.Embedding, nn.LayerNorm, nn.TransformerEncoder]:
    """BERT's encoder as torch has it: layers that normalize last."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, activation="gelu", batch_first=True, layer_norm_eps=1e-12, dropout=0.0
    )
    encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False).eval()
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, std=0.2)
    return nn.Embedding(PIECES, WIDTH), nn.Embedding(8, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12), encoder


def under_hugging_face_names(parts) -> dict[str, np.ndarray]:
    words, places, norm, encoder = parts
    found = {
        "embeddings.word_embeddings.weight": words.weight,
        "embeddings.position_embeddings.weight": places.weight,
        "embeddings.token_type_embeddings.weight": torch.zeros(2, WIDTH),
        "embeddings.LayerNorm.weight": norm.weight,
        "embeddings.LayerNorm.bias": norm.bias,
    }
    for i, layer in enumerate(encoder.layers):
        name = f"encoder.layer.{i}"
        kinds = ("query", "key", "value")
        for kind, weight, bias in zip(
            kinds, layer.self_attn.in_proj_weight.chunk(3), layer.self_attn.in_proj_bias.chunk(3), strict=True
        ):
            found[f"{name}.attention.self.{kind}.weight"], found[f"{name}.attention.self.{kind}.bias"] = (
                weight,
                bias,
            )
        for theirs, ours in (
            ("attention.output.dense", layer.self_attn.out_proj), ("attention.output.LayerNorm", layer.norm1),
            ("intermediate.dense", layer.linear1), ("output.dense", layer.linear2), ("output.LayerNorm",
            layer.norm2),
        ):  # fmt: skip
            found[f"{name}.{theirs}.weight"], found[f"{name}.{theirs}.bias"] = ours.weight, ours.bias
    return {name: value.detach().numpy() for name, value in found.items()}


def test_the_network_is_berts_encoder_with_the_mean_of_what_is_no_padding() -> None:
    parts = reference()
    request = compile_network(
        sentence_network(quantized(under_hugging_face_names(parts))), 1
    ).create_infer_request()
    ids = np.array([[1, 5, 3, 2, 7], [1, 2, 0, 0, 0]], np.int64)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], np.float32)
    request.infer([ids, np.arange(5), mask])
    made = request.get_output_tensor(0).data.copy()
    words, places, norm, encoder = parts
    with torch.no_grad():
        hidden = norm(words(torch.from_numpy(ids)) + places(torch.arange(5)))
        last = encoder(hidden, src_key_padding_mask=torch.from_numpy(mask == 0))
        kept = torch.from_numpy(mask)[..., None]
        wanted = ((last * kept).sum(1) / kept.sum(1)).numpy()
    cosine = (made * wanted).sum(1) / np.linalg.norm(made, axis=1) / np.linalg.norm(wanted, axis=1)
    assert cosine.min() > 0.998  # what int8 rows cost


def test_a_text_reads_the_same_alone_and_among_others() -> None:
    encoder = SentenceEncoder(BUNDLED, 1)
    texts = ["mug", "a much longer text about a red coffee mug on a wooden desk", "7", "日本語", ""]
    together = encoder(texts)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(encoder([text])[0], row, atol=1e-4)
    assert encoder(["word " * 500]).shape == (1, 384)
    assert encoder.count("word " * 500) > 500


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("a red mug", "mug"), ("two mugs", "mug"), ("Computer Mouse", "computer mouse"), ("my computer", ""),
        ("an event camera image of a mug", "mug"), ("", ""), ("\t\n", ""), ("日本", ""), ("7", "7"),
    ],
)  # fmt: skip
def test_the_longest_noun_that_a_text_ends_with_is_found(text: str, noun: str) -> None:
    assert GLOSSES.noun_of(text) == (noun, GLOSSES.exact(noun) if noun else "")


def test_definitions_come_back_as_they_went_and_damage_says_so(tmp_path: Path) -> None:
    GLOSSES.save(tmp_path)
    back = Glosses.load(tmp_path)
    assert len(back) == 5
    assert back.exact("mouse") == "a rodent"
    data = (tmp_path / GLOSSES_FILE).read_bytes()
    for damaged in (data[:-20], b"", b"not xz at all"):
        (tmp_path / GLOSSES_FILE).write_bytes(damaged)
        with pytest.raises(UserError, match="install neuroclip-live again"):
            Glosses.load(tmp_path)


def tables(stored: tuple[str, ...] = ("mug", "mouse")) -> WordTables:
    random = np.random.default_rng(0)

    def rows(n: int, width: int) -> np.ndarray:
        made = random.normal(size=(n, width)).astype(np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    def encode(texts):
        seeds = [np.random.default_rng(list(text.encode())) for text in texts]
        made = np.stack([seed.normal(size=16) for seed in seeds]).astype(np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    tensors = {
        "head.up.weight": np.zeros((4, 16)), "head.up.bias": np.zeros(4),
        "head.down.weight": np.zeros((16, 4)), "head.down.bias": np.zeros(16),
        "classes.looks": rows(5, 8), "classes.told": rows(5, 16), "classes.called": rows(5, 16),
        "stored.clip": rows(2, 6), "stored.told": rows(2, 16), "map": rows(7, 8), "signs": rows(36, 14),
        "shares": np.array([0.4, 0.3, 0.3]), "softness": np.array([0.1, 0.1]), "mapped": np.array([0.5, 0.2]),
    }  # fmt: skip
    return WordTables(tensors, stored, encode, GLOSSES)


def test_targets_have_length_one_and_each_part_its_share() -> None:
    made = tables()(["mug", "a blue mug", "xyzzy", "the letter q", "日本"])
    assert made.shape == (5, 16 + 8 + 6)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(made[:, :16], axis=1) ** 2, 0.4, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(made[:, 16:24], axis=1) ** 2, 0.3, atol=1e-5)


def test_a_stored_name_has_its_own_vector_whatever_stands_before_it_and_so_has_a_synonym() -> None:
    words = tables()
    mug, blue, cup, mouse, pointer = words(["mug", "a blue mug", "cup", "mouse", "computer mouse"])[:, 24:]
    np.testing.assert_allclose(mug, blue, atol=1e-6)
    np.testing.assert_allclose(mug, cup, atol=1e-6)  # the same definition
    assert not np.allclose(mouse, pointer, atol=1e-3)  # a computer mouse is no mouse


def test_a_digit_is_one_sign_however_it_is_said() -> None:
    sevens = [
        "7",
        "seven",
        "the number seven",
        "digit 7",
        'the Arabic numeral number: "7".',
        "a handwritten 7",
    ]
    assert {sign_of(text) for text in sevens} == {7}
    assert sign_of("the letter B") == 11
    assert [sign_of(text) for text in ("mug", "room 7", "b", "")] == [None] * 4
    seen = tables()(sevens)[:, 16:]
    np.testing.assert_allclose(seen, np.tile(seen[:1], (len(sevens), 1)), atol=1e-6)


def test_names_and_vectors_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="1 names for 2 vectors"):
        tables(stored=("mug",))


@pytest.fixture(scope="module")
def bundled() -> Backbone:
    return load_backbone("event-nano", device="cpu", threads=1)


def test_the_bundled_model_says_what_it_sees_without_being_given_words(bundled: Backbone) -> None:
    wanted = bundled.encode_texts(["giraffe"])
    found = bundled.nearest_words(np.concatenate([wanted, 3 * wanted]), 4)
    assert found is not None
    assert found[0][0] == "giraffe"
    assert found[0][1] == pytest.approx(1, abs=0.01)
    assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)
    assert len(bundled.nearest_words(wanted[0], 20_000) or []) >= 10_000
    with pytest.raises(ValueError, match="numbers for a vocabulary"):
        bundled.nearest_words(np.zeros((1, 3), np.float32))


def test_words_are_read_alike_whatever_runs_the_images(bundled: Backbone) -> None:
    plain = load_backbone("event-nano", device="cpu", runtime="torch", threads=1)
    texts = ["mug", "a red mug", "the number seven"]
    np.testing.assert_allclose(plain.encode_texts(texts), bundled.encode_texts(texts), atol=1e-5)
    frames = np.random.default_rng(0).choice([0, 127, 255], (2, 60, 80)).astype(np.uint8)
    np.testing.assert_allclose(plain.encode_frames(frames), bundled.encode_frames(frames), atol=1e-3)


@pytest.mark.parametrize("file", [PIECES_FILE, GLOSSES_FILE, TABLES_FILE])
def test_a_damaged_folder_says_which_and_what_to_do(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(BUNDLED, folder)
    (folder / file).write_bytes(b"\xff\x00damaged")
    with pytest.raises(UserError, match=r"cannot be read .*install neuroclip-live again"):
        load_backbone(f"local-dir:{folder}", device="cpu")
