"""Everything there is to show: photographs, icons, solids and characters, and what is held out."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from training.mesh import Mesh
from training.pictures import PictureSet, read_photographs, render_glyphs
from training.solids import CATALOG

CLASS_NAMES = {
    "airplanes": "airplane", "faces": "face", "faces easy": "face", "leopards": "leopard", "car side": "car",
    "cougar face": "cougar", "cougar body": "cougar", "crocodile head": "crocodile",
    "flamingo head": "flamingo",
    "water lilly": "water lily", "binocular": "binoculars", "rhino": "rhinoceros", "bass": "bass fish",
    "inline skate": "inline skate", "tick": "tick insect", "automobile": "car", "sea horse": "seahorse",
}  # fmt: skip
"""Class folders whose name is not what one would call the thing."""

HELD_OUT_SHARE = {"cifar10": 5, "caltech": 7}
"""One photograph in so many, of files whose path contains the key, is kept out of training."""

OTHER_SHARE = 7
"""The same where no path contains any of those keys: one in so many of all."""


FONT_SUFFIXES = {".ttf", ".otf", ".woff"}


@dataclass
class Bank:
    """Pictures by kind, for training or for validation."""

    photos: PictureSet = field(default_factory=PictureSet)
    icons: PictureSet = field(default_factory=PictureSet)
    glyphs: PictureSet = field(default_factory=PictureSet)
    solids: bool = True
    meshes: list[tuple[str, Mesh]] = field(default_factory=list)

    def nouns(self) -> list[str]:
        """Return every name of a thing, sorted, once."""
        names = set(self.photos.nouns) | set(self.icons.nouns)
        if self.solids:
            names |= {name for _, several in CATALOG.values() for name in several}
        names |= {name for name, _ in self.meshes}
        return sorted(names)


def is_held_out(name: str, share: int) -> bool:
    """Say whether a file belongs to validation; depends on its name alone."""
    return zlib.crc32(name.encode()) % share == 0


def load_photos(
    paths: Iterable[Path], held_out_classes: Sequence[str] = ()
) -> tuple[PictureSet, dict[str, PictureSet]]:
    """Read photographs and put some aside.

    Returns
    -------
    train : PictureSet
    aside : dict of str to PictureSet
        ``"cifar10"`` and ``"caltech"``, or ``"photographs"`` of other folders (all of known classes);
        ``"classes"`` (whole classes held out).
    """
    paths = list(paths)
    train = PictureSet()
    shares = {key: n for key, n in HELD_OUT_SHARE.items() if any(key in path.name for path in paths)}
    shares = shares or {"photographs": OTHER_SHARE}
    aside = {"classes": PictureSet(), **{key: PictureSet() for key in shares}}
    held = {CLASS_NAMES.get(name, name) for name in held_out_classes}
    for path in paths:
        for image, folder, name in read_photographs(path):
            noun = CLASS_NAMES.get(folder, folder)
            key = next((k for k in shares if k in path.name or k == "photographs"), None)
            if noun in held:
                if key in ("caltech", "photographs"):
                    aside["classes"].add(image, noun)
            elif key and is_held_out(name, shares[key]):
                aside[key].add(image, noun)
            else:
                train.add(image, noun)
    return train, aside


def load_icons(folder: Path, held_out: Sequence[str]) -> PictureSet:
    """Load rendered icons (``icons.npy`` and ``icons.json``) without those that show a held-out class."""
    planes = np.load(folder / "icons.npy", mmap_mode="r")
    icons = PictureSet()
    held = {CLASS_NAMES.get(name, name) for name in held_out} | set(held_out)
    for index, (noun, _, _) in enumerate(json.loads((folder / "icons.json").read_text())):
        padded = f" {noun} "
        if not any(f" {name} " in padded or f" {name}s " in padded for name in held):
            icons.add(planes[index], noun)
    return icons


def font_files(folders: Iterable[Path]) -> list[Path]:
    """Return the fonts in folders, those of each folder sorted."""
    return [
        file
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in FONT_SUFFIXES
    ]


def split_fonts(fonts: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the fonts to train with, and one in nine that is kept out."""
    spare = [font for i, font in enumerate(fonts) if i % 9 == 4]
    return [font for font in fonts if font not in spare], spare


def load_glyphs(fonts: Sequence[Path]) -> PictureSet:
    """Draw digits and letters in the fonts given; nouns are concept names ("digit 7", "letter A")."""
    drawn = render_glyphs(fonts, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt")
    glyphs = PictureSet()
    for image, character in zip(drawn.images, drawn.nouns, strict=True):
        glyphs.add(image, f"digit {character}" if character.isdigit() else f"letter {character.upper()}")
    return glyphs


def without(bank: Bank, held_out: Sequence[str]) -> Bank:
    """Return a bank without what bears a held-out name; photographs keep their order."""

    def kept(pictures: PictureSet) -> PictureSet:
        left = PictureSet()
        for image, noun in zip(pictures.images, pictures.nouns, strict=True):
            if not _holds(noun, held_out):
                left.add(image, noun)
        return left

    meshes = [(noun, mesh) for noun, mesh in bank.meshes if not _holds(noun, held_out)]
    return replace(bank, photos=kept(bank.photos), icons=kept(bank.icons), meshes=meshes)


def _holds(noun: str, held_out: Sequence[str]) -> bool:
    return any(f" {held} " in f" {noun} " or f" {held}s " in f" {noun} " for held in held_out)
