"""Make the list of English words by which the program tells words from typing errors.

    python -m training.word_list --wordnet FOLDER

``FOLDER`` holds WordNet 3.0's ``index.*``, ``data.noun``, ``*.exc`` and ``cntlist.rev`` (Debian package
``wordnet-base``: ``/usr/share/wordnet``). Written is ``neuroclip_live/model/words.txt.xz``: one word a line,
in order, with a mark behind it: ``n`` names a thing, ``d`` mostly describes one (an adjective, a verb, an
activity), ``x`` is no noun at all. ``--names`` adds a file of names of things that can be seen, one a line.

Nearly every English verb is a noun somewhere in WordNet ("a run", "a red"), so a word counts as a name where
its noun is used at least as often as its other senses together, or where its first senses are things one can
see; counts are those of WordNet's tagged texts.
"""

from __future__ import annotations

import lzma
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

OUT = Path(__file__).parents[1] / "neuroclip_live" / "model" / "words.txt.xz"
_FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_LEXICOGRAPHER = {
    "03": "tops", "04": "act", "05": "animal", "06": "artifact", "07": "attribute", "08": "body",
    "09": "cognition", "10": "communication", "11": "event", "12": "feeling", "13": "food", "14": "group",
    "15": "location", "16": "motive", "17": "object", "18": "person", "19": "phenomenon", "20": "plant",
    "21": "possession", "22": "process", "23": "quantity", "24": "relation", "25": "shape", "26": "state",
    "27": "substance", "28": "time",
}  # fmt: skip
_SEEN = {"animal", "artifact", "body", "food", "object", "person", "plant", "substance", "phenomenon"}
_ACTIVITY = {"act", "event", "communication", "process", "state", "cognition", "feeling"}
_PER_SENSE = 0.3
"""What a sense counts for that no tagged text has."""


@dataclass
class Entry:
    """What WordNet says of one word: how often it is which part of speech, and what its nouns are."""

    uses: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    nouns: list[str] = field(default_factory=list)

    @property
    def noun_share(self) -> float:
        """How much of the word's use is as a noun, 0 to 1."""
        return self.uses.get("n", 0.0) / max(sum(self.uses.values()), 1e-9)


def names_a_thing(word: str, entry: Entry, verbs: frozenset[str]) -> bool:
    """Tell whether a word by itself names something, by its nouns and by how often it is one."""
    nouns, share = entry.nouns, entry.noun_share
    if not nouns:
        return False
    first = nouns[0]
    if word.endswith("ing") and first in _ACTIVITY and {word[:-3], word[:-3] + "e", word[:-4]} & verbs:
        return False
    if share >= 0.5 or first in ("animal", "quantity"):
        return True
    if entry.uses.get("a", 0.0) + entry.uses.get("r", 0.0) > entry.uses.get("v", 0.0):
        return share >= 0.25 and (first in _SEEN or first == "shape")
    return bool(_SEEN & set(nouns[:3])) or (first == "shape" and share >= 0.15)


def read_wordnet(folder: Path) -> dict[str, Entry]:
    """Return every word of WordNet that is letters only, with what it is."""
    kinds = {row[0]: _LEXICOGRAPHER[row[1]] for row in _rows(folder / "data.noun")}
    entries: dict[str, Entry] = defaultdict(Entry)
    for part, name in _FILES.items():
        for row in _rows(folder / f"index.{name}"):
            senses = int(row[2])
            if re.fullmatch("[a-z]+", row[0]):
                entries[row[0]].uses[part] += _PER_SENSE * senses
                if part == "n":
                    entries[row[0]].nouns = [kinds[offset] for offset in row[-senses:]]
    for key, _, count in _rows(folder / "cntlist.rev"):
        word, _, rest = key.partition("%")
        if word in entries:
            entries[word].uses["nvara"[int(rest[0]) - 1]] += int(count)
    return dict(entries)


def mark(folder: Path, names: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the mark of every word, irregular forms and parts of compounds with it."""
    entries = read_wordnet(folder)
    verbs = frozenset(word for word, entry in entries.items() if "v" in entry.uses)
    marks = {
        word: "n" if names_a_thing(word, entry, verbs) else "d" if entry.nouns else "x"
        for word, entry in entries.items()
    }
    for part, name in _FILES.items():
        for row in _rows(folder / f"{name}.exc"):  # mice mouse
            if re.fullmatch("[a-z]+", row[0]) and row[0] not in marks:
                marks[row[0]] = marks.get(row[1], "n") if part == "n" else "x"
    compounds = [row[0] for row in _rows(folder / "index.noun")]  # "longue" is in "chaise longue" alone
    for word in (part for name in (*compounds, *names) for part in re.split("[^a-z]", name.lower())):
        if len(word) > 2:
            marks.setdefault(word, "n")
    marks.update({name: "n" for name in names if re.fullmatch("[a-z]{3,}", name) and marks[name] == "d"})
    return marks


def _rows(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="latin-1").splitlines():
        if not line.startswith("  "):  # the license stands in front
            yield line.split()


@click.command()
@click.option("--wordnet", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--names", type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), default=OUT)
def main(wordnet: Path, names: Path | None, out: Path) -> None:
    """Write the list."""
    marks = mark(wordnet, tuple(names.read_text(encoding="utf-8").splitlines()) if names else ())
    text = "\n".join(word + marks[word] for word in sorted(marks)) + "\n"
    out.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    count = sum(value == "n" for value in marks.values())
    click.echo(f"{len(marks):,} words, {count:,} of them names: {out} ({out.stat().st_size / 1e3:.0f} kB)")


if __name__ == "__main__":
    main()
