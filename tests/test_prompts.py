"""Prompt sets, their text form, templates, and the encoder's memory."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import (
    MAX_PROMPTS,
    NONE_LABEL,
    TEMPLATE_SETS,
    Prompt,
    PromptEncoder,
    PromptSet,
    parse_prompts,
    read_prompts,
    resolve_templates,
)
from neuroclip_live.prompting.templates import fill


class FakeBackbone:
    """Counts what it is asked; a sentence's feature depends on its letters only."""

    def __init__(self, none_logit: float | None = None, context: int = 12) -> None:
        self.info = SimpleNamespace(name="fake", context_length=context, none_logit=none_logit, none_gap=None)
        self.asked: list[str] = []

    def encode_texts(self, texts):
        self.asked += texts
        rows = [np.random.default_rng(list(t.encode())).standard_normal(8) for t in texts]
        return np.array([r / np.linalg.norm(r) for r in rows], dtype=np.float32)

    def token_counts(self, texts):
        return [len(t.split()) + 2 for t in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a mug, a phone; -hand", [("a mug", False), ("a phone", False), ("hand", True)]),
        (
            '"salt, pepper", not: a "b" c\n- "x;y",,',
            [("salt, pepper", False), ('a "b" c', True), ("x;y", True)],
        ),
        ("  ,;\n", []),
        ("", []),
        ("-", []),
        ("NOT: smoke", [("smoke", True)]),
        ("tea -hot", [("tea -hot", False)]),
        ('5" pipe, "open', [('5" pipe', False), ('"open', False)]),
        ("Mug, mug , MUG,straße,STRASSE", [("Mug", False), ("straße", False)]),
        (
            "日本語, Ελληνικά, 🐕‍🦺, e\u0301",
            [("日本語", False), ("Ελληνικά", False), ("🐕‍🦺", False), ("é", False)],
        ),
        ("a\tb\x00c   d", [("a b c d", False)]),
        ("\u200b, \u200b\u200d", []),
        ("\udc80", [("\ufffd", False)]),
    ],
)
def test_parse(text, expected):
    assert [(p.label, p.negative) for p in parse_prompts(text).prompts] == expected


def test_a_file_is_read_like_the_command_line(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("\ufeff# what is on the desk\na mug\n\n-hand, a phone\r\n", encoding="utf-8")
    assert [(p.label, p.negative) for p in read_prompts(path).prompts] == [
        ("a mug", False),
        ("hand", True),
        ("a phone", False),
    ]
    path.write_bytes(b"\xff\xfe\x00m")
    with pytest.raises(UserError, match="not UTF-8"):
        read_prompts(path)
    with pytest.raises(UserError, match="cannot read prompt file"):
        read_prompts(tmp_path / "absent.txt")


def test_editing_makes_new_sets():
    first = parse_prompts("a mug, a phone")
    second = first.add("scissors ").add("hand", negative=True)
    assert first.labels == ("a mug", "a phone")
    assert second.labels == ("a mug", "a phone", "scissors", "hand")
    assert second.remove("A MUG").labels == ("a phone", "scissors", "hand")
    assert second.remove("no such") == second
    assert second.rename("a phone", "a telephone").labels[1] == "a telephone"
    assert second.rename("a mug", "A Mug").labels[0] == "A Mug"
    assert second.replace("a mug", enabled=False).enabled[0].label == "a phone"
    assert second.replace("hand", negative=False).prompts[-1] == Prompt("hand")
    off = second.replace("a mug", enabled=False)
    assert off.add("a mug").prompts[0] == Prompt("a mug")
    with pytest.raises(AttributeError):
        first.prompts = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s.add("  "), "empty"),
        (lambda s: s.add("A MUG"), "there already"),
        (lambda s: s.rename("a mug", "a phone"), "there already"),
        (lambda s: s.rename("a mug", " "), "empty"),
        (lambda s: s.rename("a cup", "b"), "no prompt 'a cup'"),
        (lambda s: s.replace("a cup", enabled=False), "no prompt 'a cup'"),
        (lambda s: s.with_templates(["no place"]), "exactly once"),
        (lambda s: s.with_templates(["{} and {}"]), "exactly once"),
        (lambda s: s.with_templates([]), "no template"),
        (lambda s: PromptSet().validate(), "no prompts"),
        (lambda s: parse_prompts("-hand").validate(), "no prompts"),
        (
            lambda s: s.replace("a mug", enabled=False).replace("a phone", enabled=False).validate(),
            "no prompts",
        ),
        (
            lambda s: s.add(NONE_LABEL.upper()).with_none_of_these(True).validate(),
            "both a label and an option",
        ),
        (
            lambda s: parse_prompts(",".join(map(str, range(10_000)))),
            "10,000 prompts are too many; at most 1,000",
        ),
    ],
)
def test_bad_edits_are_told(edit, message):
    with pytest.raises(UserError, match=message) as caught:
        edit(parse_prompts("a mug, a phone"))
    assert "\n" not in str(caught.value)


def test_the_set_is_full_at_the_limit():
    full = PromptSet.of(map(str, range(MAX_PROMPTS)))
    with pytest.raises(UserError, match="1,001 prompts"):
        full.add("one more")


def test_templates():
    for templates in TEMPLATE_SETS.values():
        assert all(t.count("{}") == 1 for t in templates)
    assert resolve_templates("Events") == TEMPLATE_SETS["events"]
    assert resolve_templates("a sketch of {} | {}") == ("a sketch of {}", "{}")
    with pytest.raises(UserError, match="choose none, n-mnist"):
        resolve_templates("evnets")
    with pytest.raises(UserError, match="exactly once"):
        resolve_templates("{} {}")
    assert fill("a photo of a {}", "the mug") == "a photo of a mug"
    assert fill("a photo of a {}", "mug") == "a photo of a mug"
    assert fill("a photo of {}", "the mug") == "a photo of the mug"
    assert fill("an image: {}.", "a") == "an image: a."
    assert fill("a {}", "{0} {x}") == "a {0} {x}"


def test_features_are_renormalized_means_over_templates():
    backbone = FakeBackbone()
    templates = ("{}", "a {}")
    table = PromptEncoder(backbone).encode(parse_prompts("mug, -hand, cup", templates))
    assert table.labels == ("mug", "hand", "cup")
    assert table.negative.tolist() == [False, True, False]
    mean = backbone.encode_texts(["mug", "a mug"]).mean(axis=0)
    np.testing.assert_allclose(table.features[0], mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(table.features, axis=1), 1, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        table.features[0] = 0


def test_a_new_label_encodes_its_own_sentences_only():
    backbone = FakeBackbone()
    encoder = PromptEncoder(backbone)
    prompts = parse_prompts("mug, cup", ("{}", "a {}"))
    before = encoder.encode(prompts)
    backbone.asked.clear()
    after = encoder.encode(prompts.add("scissors"))
    assert backbone.asked == ["scissors", "a scissors"]
    np.testing.assert_array_equal(after.features[:2], before.features)
    backbone.asked.clear()
    encoder.encode(prompts.replace("mug", negative=True))
    assert backbone.asked == []


def test_disabled_prompts_are_left_out_and_the_memory_is_bounded():
    backbone = FakeBackbone()
    encoder = PromptEncoder(backbone, cached_sentences=3)
    prompts = parse_prompts("a, b, c, d, e")
    table = encoder.encode(prompts.replace("b", enabled=False))
    assert table.labels == ("a", "c", "d", "e")
    backbone.asked.clear()
    encoder.encode(parse_prompts("e, d"))
    encoder.encode(parse_prompts("a"))
    assert backbone.asked == ["a"]


def test_none_of_these_grows_with_the_number_of_labels_where_the_model_has_nouns():
    backbone = FakeBackbone(none_logit=4.5)
    nouns = np.eye(3, dtype=np.float32)
    backbone.info.none_gap, backbone.info.logit_scale = (-0.05, 0.02), 40.0
    backbone.rivals = lambda: nouns
    tables = [
        PromptEncoder(backbone).encode(parse_prompts(words, none_of_these=True))
        for words in ("mug", ", ".join("abcdefghij"))
    ]
    assert [t.none_logit for t in tables] == pytest.approx([40 * (-0.05 - 0.02 * math.log(10)), -2.0])
    assert all(t.rivals is nouns for t in tables)
    assert PromptEncoder(backbone).encode(parse_prompts("mug")).rivals is None


def test_none_of_these_needs_a_calibrated_model():
    prompts = parse_prompts("mug", none_of_these=True)
    table = PromptEncoder(FakeBackbone(none_logit=4.5)).encode(prompts)
    assert table.none_logit == 4.5
    assert table.rows == ("mug", NONE_LABEL)
    with pytest.raises(UserError, match="fake has no calibrated"):
        PromptEncoder(FakeBackbone()).encode(prompts)


def test_too_long_a_prompt_is_told_with_its_length():
    encoder = PromptEncoder(FakeBackbone(context=12))
    with pytest.raises(UserError, match=r"'word word word.*…' is 52 tokens long; fake reads 12"):
        encoder.encode(parse_prompts("mug, " + "word " * 50))
    assert encoder.encode(parse_prompts("word " * 10)).labels
