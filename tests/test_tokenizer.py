"""Our tokenizer against open_clip's."""

from __future__ import annotations

import numpy as np
import pytest

from neuroclip_live.model.tokenizer import ClipTokenizer

TEXTS = [
    "a mug",
    'A Photo of THE number: "7".',
    "it's the dogs' don't we'll I'D they've i'm you're",
    "2024 12,345.67 x2 3d",
    "  spaces\tand\nlines  ",
    "",
    "!!!",
    "straße café naïve Ελληνικά русский 日本語 العربية हिन्दी",
    "🐕‍🦺 👩🏽‍🚀 ☕",
    "e\u0301 \ufb01sh \u200b\u202eabc \ufffd",
    "&amp;amp; &lt;b&gt; â€œmojibakeâ€",
    "<end_of_text> <start_of_text> <END_OF_TEXT>",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "word " * 200,
    "___ -- ~~ $%^ a_b-c/d\\e",
    "\x00\x01",
]


@pytest.fixture(scope="module")
def theirs():
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=32)


def test_tokens_are_those_of_open_clip(theirs):
    ours = ClipTokenizer(32)
    for text in TEXTS:
        assert ours.encode(text) == theirs.encode(text), text
    np.testing.assert_array_equal(ours(TEXTS), theirs(TEXTS).numpy())


def test_every_kind_of_character_agrees(theirs):
    ours = ClipTokenizer(32)
    rng = np.random.default_rng(0)
    for _ in range(300):
        points = rng.integers(0x20, [0x7F, 0x250, 0x3000, 0x1F700][rng.integers(4)], size=rng.integers(1, 12))
        text = "".join(chr(p) for p in points if not 0xD800 <= p < 0xE000)
        assert ours.encode(text) == theirs.encode(text), ascii(text)
