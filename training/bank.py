"""Everything there is to show: photographs, icons, solids and characters, and what is held out."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from training.films import cutout_film, photo_film, solid_film
from training.hands import hand_mesh
from training.mesh import Mesh
from training.pictures import PictureSet, read_photographs, render_glyphs, warped_glyph, write_digit
from training.scenes import (
    CLEAN_PHOTO,
    GLYPH,
    ICON,
    PHOTO,
    SOLID,
    WIDE_PHOTO,
    Image,
    Random,
    random_resolution,
    shoot,
)
from training.shots import FROM_ABOVE, HANDY, NEAR, SHARP, bent, in_hand, laid, near_film, swift_film
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


class Studio:
    """Draws scenes from a bank: which kind, which thing, how; one seed decides everything."""

    KINDS = ("photo", "icon", "solid", "digit", "glyph", "mesh", "swift", "held", "near", "laid")

    def __init__(self, bank: Bank, mix: Sequence[float], seed: int, size: int, slices: int = 3) -> None:
        self._bank, self._size, self._slices = bank, size, slices
        self.use(mix)
        self._random = np.random.default_rng(seed)
        self._photo_index = bank.photos.by_noun()
        self._icon_index = bank.icons.by_noun()
        self._glyph_index = bank.glyphs.by_noun()
        self.photograph = -1
        """Which photograph the last scene showed; -1: none."""
        self.take_photographs()
        self._icon_nouns, self._icon_weights = _weights(self._icon_index, 0.7)
        self._solid_keys = list(CATALOG)
        self._mesh_index: dict[str, list[int]] = {}
        for place, (name, _) in enumerate(bank.meshes):
            self._mesh_index.setdefault(name, []).append(place)
        self._mesh_nouns, self._mesh_weights = _weights(self._mesh_index, 0.5)

    def use(self, mix: Sequence[float]) -> None:
        """Change the mix of :attr:`KINDS`; kinds that the bank has nothing of get no share."""
        bank = self._bank
        shown = bank.solids or bank.meshes
        there = [bank.photos.images, bank.icons.images, bank.solids, True, bank.glyphs.images]
        there += [bank.meshes, shown, *[bank.solids] * 3]
        asked = np.zeros(len(self.KINDS))
        asked[: len(mix)] = mix
        shares = np.where([bool(kind) for kind in there], asked, 0.0)
        if not shares.any():
            raise ValueError(f"nothing to show: the bank is empty of all that the mix {tuple(mix)} asks for")
        self._mix = shares / shares.sum()

    def take_photographs(self, gentle: float = 0.0, power: float = 0.75) -> None:
        """Set how photographs are filmed, and how often a name's are.

        Parameters
        ----------
        gentle : float
            Share of them before a sensor with hardly any noise; above zero, the others meet larger sensors
            too.
        power : float
            A name is drawn as often as its number of photographs to this power.
        """
        self._gentle = gentle
        self._photo_nouns, self._photo_weights = _weights(self._photo_index, power)

    def scene(self, kind: str | None = None, key: str | None = None) -> tuple[list[Image], str]:
        """Film one thing; return its event frames and its name.

        ``kind`` is one of :attr:`KINDS` (drawn from the mix by default); ``key`` fixes the noun, the solid's
        key or the digit.
        """
        random = self._random
        kind = kind or self.KINDS[int(random.choice(len(self.KINDS), p=self._mix))]
        self.photograph = -1
        return getattr(self, f"_{kind}")(random, key)  # type: ignore[no-any-return]

    def _photo(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        noun = key or self._photo_nouns[int(random.choice(len(self._photo_nouns), p=self._photo_weights))]
        self.photograph = int(random.choice(self._photo_index[noun]))
        image = self._bank.photos.images[self.photograph]
        style = PHOTO
        if self._gentle:
            style = CLEAN_PHOTO if random.random() < self._gentle else WIDE_PHOTO
        resolution = random_resolution(style, random)
        film = photo_film(image, resolution, random, style)
        return shoot(film, resolution, style, random, self._size, self._slices), noun

    def _clutter(self, random: Random, chance: float) -> Image | None:
        if random.random() > chance or not self._bank.photos.images:
            return None
        return self._bank.photos.images[int(random.integers(len(self._bank.photos.images)))]  # type: ignore[no-any-return]

    def _icon(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        noun = key or self._icon_nouns[int(random.choice(len(self._icon_nouns), p=self._icon_weights))]
        planes = np.array(self._bank.icons.images[int(random.choice(self._icon_index[noun]))])
        resolution = random_resolution(ICON, random)
        film = cutout_film(planes, resolution, random, ICON, self._clutter(random, ICON.clutter))
        return shoot(film, resolution, ICON, random, self._size, self._slices), noun

    def _solid(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        key = key or self._solid_keys[int(random.integers(len(self._solid_keys)))]
        builder, names = CATALOG[key]
        resolution = random_resolution(SOLID, random)
        film = solid_film(builder(random), resolution, random, SOLID, self._clutter(random, SOLID.clutter))
        noun = names[0] if random.random() < 0.5 else names[int(random.integers(len(names)))]
        return shoot(film, resolution, SOLID, random, self._size, self._slices), noun

    def _mesh(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        noun, mesh = self._named_mesh(random, key)
        resolution = random_resolution(SOLID, random)
        film = solid_film(mesh, resolution, random, SOLID, self._clutter(random, SOLID.clutter))
        return shoot(film, resolution, SOLID, random, self._size, self._slices), noun

    def _named_mesh(self, random: Random, key: str | None = None) -> tuple[str, Mesh]:
        noun = key or self._mesh_nouns[int(random.choice(len(self._mesh_nouns), p=self._mesh_weights))]
        return noun, self._bank.meshes[int(random.choice(self._mesh_index[noun]))][1]

    def _swift(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        """Film a thing that is small and fast; ``key`` is a solid's key or a mesh's name."""
        above = False
        if key in self._mesh_index or (key is None and self._mesh_index and random.random() < 0.4):
            noun, mesh = self._named_mesh(random, key)
        else:
            above = key is None and random.random() < 0.4
            keys = FROM_ABOVE if above else self._solid_keys
            builder, names = CATALOG[key or keys[int(random.integers(len(keys)))]]
            mesh = builder(random)
            noun = names[0] if random.random() < 0.5 else names[int(random.integers(len(names)))]
        resolution = random_resolution(SOLID, random)
        film, steps = swift_film(mesh, resolution, random, self._clutter(random, SOLID.clutter), above)
        return shoot(film, resolution, SOLID, random, self._size, self._slices, steps), noun

    def _held(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        """Film a thing in a hand: it is the thing that is named."""
        keys = SHARP if random.random() < 0.35 else HANDY
        builder, names = CATALOG[key or keys[int(random.integers(len(keys)))]]
        style = replace(SOLID, arm=0.0)
        resolution = random_resolution(style, random)
        mesh = in_hand(builder(random), random)
        film = solid_film(mesh, resolution, random, style, self._clutter(random, 0.2))
        noun = names[0] if random.random() < 0.5 else names[int(random.integers(len(names)))]
        return shoot(film, resolution, style, random, self._size, self._slices), noun

    def _near(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        """Film a thing close by, mostly a hand, in any pose and cut by the rim."""
        keys = NEAR if random.random() < 0.75 else HANDY
        key = key or keys[int(random.integers(len(keys)))]
        builder, names = CATALOG[key]
        style = replace(SOLID, arm=0.0)
        resolution = random_resolution(style, random)
        waved = key == "hand" and random.random() < 0.7
        mesh = hand_mesh(random, forearm=(0.05, 0.9)) if waved else builder(random)
        film, steps = near_film(mesh, resolution, random, self._clutter(random, 0.15), waved)
        noun = names[0] if random.random() < 0.7 else names[int(random.integers(len(names)))]
        return shoot(film, resolution, style, random, self._size, self._slices, steps), noun

    def _laid(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        """Film a thing that lies flat, as on a desk, seen from low above it."""
        keys = SHARP if random.random() < 0.4 else HANDY
        builder, names = CATALOG[key or keys[int(random.integers(len(keys)))]]
        style = replace(SOLID, arm=0.0)
        resolution = random_resolution(style, random)
        mesh = bent(laid(builder(random)), random)
        film = solid_film(mesh, resolution, random, style, self._clutter(random, 0.05))
        noun = names[0] if random.random() < 0.7 else names[int(random.integers(len(names)))]
        return shoot(film, resolution, style, random, self._size, self._slices), noun

    def _digit(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        digit = int(key) if key is not None else int(random.integers(10))
        prints = self._glyph_index.get(f"digit {digit}")
        if prints and random.random() < 0.5:
            glyph = self._bank.glyphs.images[int(random.choice(prints))]
        else:
            glyph = write_digit(digit, random)
        return self._character(glyph, random), f"digit {digit}"

    def _glyph(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        index = int(random.integers(len(self._bank.glyphs.images)))
        return self._character(self._bank.glyphs.images[index], random), self._bank.glyphs.nouns[index]

    def _character(self, glyph: Image, random: Random) -> list[Image]:
        resolution = random_resolution(GLYPH, random)
        film = cutout_film(warped_glyph(glyph, random), resolution, random, GLYPH)
        return shoot(film, resolution, GLYPH, random, self._size, self._slices)


def _weights(index: dict[str, list[int]], power: float) -> tuple[list[str], np.ndarray]:
    """Return nouns and their chances: between one share a noun (power 0) and one a picture (power 1)."""
    nouns = list(index)
    sizes = np.array([len(index[noun]) for noun in nouns], float) ** power
    return nouns, sizes / max(sizes.sum(), 1e-9)
