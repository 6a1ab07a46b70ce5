"""Sentences around names: photographs, event images, digits, and phrases such as people type.

Kept apart from :mod:`training.texts`, which gathers the names and guards the hold-out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PHOTO_TEMPLATES = (
    "a photo of a {}",
    "a photo of the {}",
    "a picture of a {}",
    "an image of a {}",
    "a close-up photo of a {}",
    "a black and white photo of a {}",
    "a low quality photo of a {}",
    "a drawing of a {}",
    "a sketch of a {}",
    "an icon of a {}",
    "a silhouette of a {}",
    "a small {}",
    "the {}",
    "a {}",
    "one {}",
    "a {} on a table",
    "a moving {}",
    "this is a {}",
)
EVENT_TEMPLATES = (
    "a point cloud image of a {}",
    "a low quality point cloud image of {}",
    "a low quality stick figure of the object {}",
    "an event camera image of a {}",
    "event frame of a {}",
    "edges of a {}",
    "the outline of a {}",
    "a {} seen by an event camera",
)
DIGIT_TEMPLATES = (
    "the number {}",
    "the digit {}",
    "number {}",
    "digit {}",
    "{}",
    "a {}",
    "the numeral {}",
    "handwritten {}",
    "a handwritten {}",
    "a handwritten digit {}",
    "a photo of the number {}",
    "a photo of the digit {}",
    'a photo of the number: "{}"',
    'a black and white photo of the arabic numeral number: "{}"',
    "a black and white photo of the number {}",
    "a point cloud image of the digit {}",
    "a point cloud image of a {}",
    "an event camera image of the digit {}",
    "a drawing of the number {}",
    "the letter {}",
)
QUALITIES = (
    "red green blue yellow black white grey brown orange pink purple golden silver small big large tiny "
    "huge old new young broken wooden metal plastic glass paper leather wet dry open closed empty full "
    "round square long short heavy soft bright dark striped furry rusty modern antique toy moving "
    "spinning fast cheap clean dirty hot cold"
).split()
ACTIONS = (
    "holding, throwing, kicking, carrying, pushing, using, touching, lifting, dropping, catching, riding, "
    "watching, pointing at, playing with, looking at, waving, reaching for, cutting, opening, cleaning"
).split(", ")
PLACES = (
    "on a table, on a desk, on the floor, in a hand, in a box, in the street, on a plate, in the air, in "
    "water, next to a cup, on a white background, in a garden, under a chair, near a window, on a shelf, "
    "in the kitchen, at night, in the rain"
).split(", ")
PEOPLE = "person man woman child boy girl hand baby people player worker".split()
DEEDS = (
    "walking running jumping waving clapping dancing sitting standing falling eating drinking reading "
    "writing typing sleeping smiling talking swimming cycling driving cooking painting fighting boxing "
    "skating climbing crawling rolling nodding pointing drumming juggling bowing stretching singing "
    "laughing"
).split()


def around(names: Sequence[str], rng: random.Random, per_name: int) -> list[str]:
    """Put ``per_name`` templates or phrases around each name: half templates, half noun phrases."""
    texts = []
    for name in names:
        for _ in range(per_name):
            kind = rng.random()
            if kind < 0.35:
                text = rng.choice(PHOTO_TEMPLATES).format(name)
            elif kind < 0.55:
                text = rng.choice(EVENT_TEMPLATES).format(name)
            elif kind < 0.75:
                text = f"{rng.choice(('', 'a ', 'the '))}{rng.choice(QUALITIES)} {name}"
            elif kind < 0.85:
                text = f"{rng.choice(('', 'a '))}{name} {rng.choice(PLACES)}"
            elif kind < 0.95:
                text = f"{rng.choice(('', 'a '))}{rng.choice(PEOPLE)} {rng.choice(ACTIONS)} a {name}"
            else:
                text = f"{rng.choice(('', 'a '))}{name} and a {rng.choice(names)}"
            texts.append(articled(text))
    return texts


def digit_texts() -> list[str]:
    """Digits as words and figures in every digit template, the letters, and numbers to a hundred."""
    glyphs = [*DIGITS, *"0123456789", *"abcdefghijklmnopqrstuvwxyz"]
    texts = [template.format(glyph) for glyph in glyphs for template in DIGIT_TEMPLATES]
    texts += [f"number {number}" for number in range(10, 101)] + [str(number) for number in range(10, 101)]
    return [articled(text) for text in texts]


def deed_texts() -> list[str]:
    """People and what they do, alone and with each of the places."""
    plain = [f"{who} {deed}" for who in PEOPLE for deed in DEEDS]
    return [*DEEDS, *PEOPLE, *plain, *(f"a {text}" for text in plain)]


def articled(text: str) -> str:
    """Turn "a apple" into "an apple"."""
    return re.sub(r"\ba (?=[aeiou])", "an ", text)
