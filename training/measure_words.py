"""How well the program tells words from letters that are none: AUROC of the familiarity score.

    python -m training.measure_words --nouns FILE

``FILE`` is a list of names of things, one a line, that the list of words was not made from (measured with
the 4,585 tags of github xinyu1205/recognize-anything, ``ram_tag_list_4585.txt``). 500 single words of it are
drawn against 500 words that are none, of three kinds: random letters, syllables that can be spoken, and nouns
with one letter wrong. Strings of the last two that happen to be words of the file are drawn anew.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from neuroclip_live.model.backbone import Backbone, load_backbone

COUNT = 500
_BEGIN = (
    "b bl br c ch cl cr d dr f fl fr g gl gr h j k kl l m n p pl pr r s sc sh sk sl sm sn sp st str t th tr "
    "v w z"
).split()
_MIDDLE = "a e i o u ai ee oo ou ea".split()
_END = "b ck d f g k l ll m n nd ng nk nt p r rd rk rt s sh sk st t th x z".split()


def auroc(positive: list[float], negative: list[float]) -> float:
    """Return the share of pairs that stand in the right order; ties count half."""
    a, b = np.asarray(positive)[:, None], np.asarray(negative)[None]
    return float(((a > b) + 0.5 * (a == b)).mean())


def letters(rng: random.Random) -> str:
    """Return four to eight letters."""
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 8)))


def syllables(rng: random.Random) -> str:
    """Return two or three syllables of English sound."""
    parts = [rng.choice(_BEGIN) + rng.choice(_MIDDLE) + rng.choice(_END) for _ in range(rng.randint(2, 3))]
    return "".join(parts)


def mistyped(rng: random.Random, nouns: list[str]) -> str:
    """Return a noun with two letters swapped, one left out, one doubled or one wrong."""
    word = rng.choice([noun for noun in nouns if len(noun) > 4])
    at = rng.randrange(1, len(word) - 1)
    return rng.choice(
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + rng.choice(string.ascii_lowercase) + word[at + 1 :],
        ]
    )


def measure(backbone: Backbone, nouns: list[str], seed: int = 0) -> list[tuple[str, float, float, float]]:
    """Return for each kind of non-word: its name, AUROC, share of them marked, share of nouns marked."""
    rng = random.Random(seed)
    asked, taken = rng.sample(nouns, COUNT), set(nouns)
    known = [backbone.familiarity(noun) for noun in asked]
    kinds: dict[str, Callable[[], str]] = {
        "random letters": lambda: letters(rng),
        "syllables that can be spoken": lambda: syllables(rng),
        "nouns with a letter wrong": lambda: mistyped(rng, nouns),
    }
    rows = []
    for name, draw in kinds.items():
        words: dict[str, None] = {}
        while len(words) < COUNT:
            word = draw()
            if word not in taken:
                words[word] = None
        found = [backbone.familiarity(word) for word in words]
        rows.append(
            (
                name,
                auroc([k.score for k in known if k], [f.score for f in found if f]),
                float(np.mean([f.hardly_known for f in found if f])),
                float(np.mean([k.hardly_known for k in known if k])),
            )
        )
    return rows


@click.command()
@click.option("--nouns", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--model", default="event-nano")
def main(nouns: Path, model: str) -> None:
    """Print a table."""
    lines = nouns.read_text(encoding="utf-8").splitlines()
    names = sorted({line.strip().lower() for line in lines if re.fullmatch("[A-Za-z]{3,}", line.strip())})
    for name, area, marked, wrongly in measure(load_backbone(model), names):
        click.echo(f"{name}: AUROC {area:.3f}, {marked:.1%} of them marked, {wrongly:.1%} of nouns marked")


if __name__ == "__main__":
    main()
