"""Words are told from letters that are none, and names from words that only describe."""

from __future__ import annotations

import random
import string

import pytest

from neuroclip_live.model.lexicon import lexicon
from neuroclip_live.model.tokenizer import ClipTokenizer


@pytest.fixture(scope="module")
def judge():
    tokenizer, words = ClipTokenizer(77), lexicon()
    return lambda label: words.judge(label, lambda word: len(tokenizer.encode(word)) == 1)


@pytest.mark.parametrize(
    "label",
    "a mug;scissors;a red fox;a person running;the number seven;7;two mice;wolves;knives;a t-shirt;my cat;"
    "iPhone;airpods;usb stick;a teabag;a hoverboard;nose ring;stop sign;a watch;a saw;a bear;a ring;a wrench;"
    "the 3rd one;x;🐶;猫".split(";"),
)  # fmt: skip
def test_names_pass(judge, label: str) -> None:
    assert judge(label).kind == "name"


@pytest.mark.parametrize("label", ["zwxqk", "asdfgh", "xyzzy", "a zwxqk", "an umbrela", "scisors", "blorfen"])
def test_what_is_no_word_is_unknown(judge, label: str) -> None:
    found = judge(label)
    assert found.kind == "unknown"
    assert found.words == (label.split()[-1],)


@pytest.mark.parametrize(
    "label",
    ["red", "running", "fast", "very happy", "jumping", "moving fast", "rotated", "bigger", "spinning"],
)
def test_what_only_describes_is_told(judge, label: str) -> None:
    assert judge(label).kind == "describes"


def test_an_unknown_word_among_known_ones_is_named(judge) -> None:
    assert judge("a red zwxqk on a table").words == ("zwxqk",)


def test_random_letters_are_hardly_ever_words(judge) -> None:
    rng = random.Random(7)
    letters = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 8))) for _ in range(1000)]
    assert sum(judge(word).kind != "unknown" for word in letters) <= 15


@pytest.mark.parametrize("label", ["", "   ", "-,;", "the", "a", "ß", "e\u0301", "a" * 500])
def test_anything_may_be_asked(judge, label: str) -> None:
    assert judge(label).kind in ("name", "describes", "unknown")
