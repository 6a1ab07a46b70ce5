"""What names mean: the definition of a thing, from ImageNet's and WordNet's own files.

A name alone ("gerenuk") tells a sentence encoder little of how the thing looks; its definition ("slender East
African antelope with slim neck and backward-curving horns") tells it much.
"""

from __future__ import annotations

from pathlib import Path

from training.texts import WORDNET_FOLDERS, timm_info


class Meanings:
    """Definitions by name.

    Parameters
    ----------
    wordnet : Path, optional
        Folder with WordNet's ``index.noun`` and ``data.noun``, which know the senses' order and more words;
        Debian's usual place by default, and ImageNet's 22k definitions alone where there is none.
    """

    def __init__(self, wordnet: Path | None = None) -> None:
        wordnet = wordnet or next((folder for folder in WORDNET_FOLDERS if folder.is_dir()), None)
        shown = {line.strip() for line in timm_info("imagenet22k_synsets.txt")}
        told = dict(line.split("\t", 1) for line in timm_info("imagenet_synset_to_definition.txt"))
        self._definition: dict[str, str] = {}
        for line in timm_info("imagenet_synset_to_lemma.txt"):
            synset, lemmas = line.split("\t", 1)
            for lemma in lemmas.split(","):
                self._definition.setdefault(" ".join(lemma.lower().split()), told.get(synset, ""))
        if wordnet is not None:
            self._definition |= _first_senses(wordnet, shown)

    def has(self, name: str) -> bool:
        """Say whether exactly this phrase has a definition."""
        return bool(self._definition.get(name))

    def all(self) -> dict[str, str]:
        """Return noun → definition."""
        return dict(self._definition)

    def of(self, name: str) -> str:
        """Return the definition of a name, of its last words, or of its singular; empty where none is known.

        Of several senses it is WordNet's commonest that ImageNet has pictures of, and else its commonest.
        """
        words = name.split()
        for start in range(len(words)):
            found = self._definition.get(" ".join(words[start:]))
            if found:
                return found
        return self._definition.get(name.removesuffix("s"), "") if name.endswith("s") else ""


def imagenet_classes() -> list[tuple[tuple[str, ...], str]]:
    """Return the names and the definition of each class of ImageNet-1k, in the classifier's order."""
    lemmas = dict(line.split("\t", 1) for line in timm_info("imagenet_synset_to_lemma.txt"))
    told = dict(line.split("\t", 1) for line in timm_info("imagenet_synset_to_definition.txt"))
    return [
        (tuple(name.strip().lower() for name in lemmas[synset].split(",")), told[synset])
        for synset in (line.strip() for line in timm_info("imagenet_synsets.txt"))
        if synset
    ]


def _first_senses(folder: Path, shown: set[str]) -> dict[str, str]:
    definition = {}
    for line in (folder / "data.noun").read_text(encoding="latin-1").splitlines():
        if not line.startswith(" "):
            definition[line[:8]] = line.split("|", 1)[1].split('; "')[0].strip()
    first = {}
    for line in (folder / "index.noun").read_text(encoding="latin-1").splitlines():
        if not line.startswith(" "):
            fields = line.split()
            senses = fields[-int(fields[2]) :]
            seen = [sense for sense in senses if f"n{sense}" in shown]
            first[fields[0].replace("_", " ")] = definition[(seen or senses)[0]]
    return first
