"""Draw scenes from a bank of pictures: which kind, which thing, how it is filmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroclip_live.events import Resolution
from training.bank import Bank
from training.films import cutout_film, photo_film, solid_film
from training.hands import hand_mesh
from training.mesh import Mesh
from training.pictures import warped_glyph, write_digit
from training.scenes import (
    CLEAN_PHOTO,
    GLYPH,
    ICON,
    PHOTO,
    SOLID,
    UNEVEN,
    WIDE_PHOTO,
    Film,
    Image,
    Random,
    Style,
    random_resolution,
    shoot,
)
from training.shots import (
    FIRST_SMEAR,
    FROM_ABOVE,
    HANDY,
    NEAR,
    SHARP,
    SMEAR,
    bent,
    facing_film,
    in_hand,
    laid,
    near_film,
    swift_film,
)
from training.solids import CATALOG
from training.solids_more import MORE, PEOPLE, any_side


class Studio:
    """Draws scenes from a bank: which kind, which thing, how; one seed decides everything.

    ``as_first`` films as simulated validation was first filmed: no sensor of uneven polarities, and what is
    fast smears less. So its figures stay comparable, whatever training is shown.
    """

    KINDS = ("photo", "icon", "solid", "digit", "glyph", "mesh", "swift", "held", "near", "laid", "more")

    def __init__(
        self,
        bank: Bank,
        mix: Sequence[float],
        seed: int,
        size: int,
        slices: int = 3,
        as_first: bool = False,
    ) -> None:
        self._bank, self._size, self._slices = bank, size, slices
        self._uneven, self._smear = (0.0, FIRST_SMEAR) if as_first else (UNEVEN, SMEAR)
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
        there += [bank.meshes, shown, *[bank.solids] * 4]
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

    def _shoot(
        self, film: Film, resolution: Resolution, style: Style, random: Random, steps: int = 0
    ) -> list[Image]:
        return shoot(film, resolution, style, random, self._size, self._slices, steps, self._uneven)

    def _photo(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        noun = key or self._photo_nouns[int(random.choice(len(self._photo_nouns), p=self._photo_weights))]
        self.photograph = int(random.choice(self._photo_index[noun]))
        image = self._bank.photos.images[self.photograph]
        style = PHOTO
        if self._gentle:
            style = CLEAN_PHOTO if random.random() < self._gentle else WIDE_PHOTO
        resolution = random_resolution(style, random)
        film = photo_film(image, resolution, random, style)
        return self._shoot(film, resolution, style, random), noun

    def _clutter(self, random: Random, chance: float) -> Image | None:
        if random.random() > chance or not self._bank.photos.images:
            return None
        return self._bank.photos.images[int(random.integers(len(self._bank.photos.images)))]  # type: ignore[no-any-return]

    def _icon(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        noun = key or self._icon_nouns[int(random.choice(len(self._icon_nouns), p=self._icon_weights))]
        planes = np.array(self._bank.icons.images[int(random.choice(self._icon_index[noun]))])
        resolution = random_resolution(ICON, random)
        film = cutout_film(planes, resolution, random, ICON, self._clutter(random, ICON.clutter))
        return self._shoot(film, resolution, ICON, random), noun

    def _solid(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        key = key or self._solid_keys[int(random.integers(len(self._solid_keys)))]
        builder, names = CATALOG[key]
        resolution = random_resolution(SOLID, random)
        film = solid_film(builder(random), resolution, random, SOLID, self._clutter(random, SOLID.clutter))
        noun = names[0] if random.random() < 0.5 else names[int(random.integers(len(names)))]
        return self._shoot(film, resolution, SOLID, random), noun

    def _mesh(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        noun, mesh = self._named_mesh(random, key)
        resolution = random_resolution(SOLID, random)
        film = solid_film(mesh, resolution, random, SOLID, self._clutter(random, SOLID.clutter))
        return self._shoot(film, resolution, SOLID, random), noun

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
        film, steps = swift_film(
            mesh, resolution, random, self._clutter(random, SOLID.clutter), above, self._smear
        )
        return self._shoot(film, resolution, SOLID, random, steps), noun

    def _held(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        """Film a thing in a hand: it is the thing that is named."""
        keys = SHARP if random.random() < 0.35 else HANDY
        builder, names = CATALOG[key or keys[int(random.integers(len(keys)))]]
        style = replace(SOLID, arm=0.0)
        resolution = random_resolution(style, random)
        mesh = in_hand(builder(random), random)
        film = solid_film(mesh, resolution, random, style, self._clutter(random, 0.2))
        noun = names[0] if random.random() < 0.5 else names[int(random.integers(len(names)))]
        return self._shoot(film, resolution, style, random), noun

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
        return self._shoot(film, resolution, style, random, steps), noun

    def _laid(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        """Film a thing that lies flat, as on a desk, seen from low above it."""
        keys = SHARP if random.random() < 0.4 else HANDY
        builder, names = CATALOG[key or keys[int(random.integers(len(keys)))]]
        style = replace(SOLID, arm=0.0)
        resolution = random_resolution(style, random)
        mesh = bent(laid(builder(random)), random)
        film = solid_film(mesh, resolution, random, style, self._clutter(random, 0.05))
        noun = names[0] if random.random() < 0.7 else names[int(random.integers(len(names)))]
        return self._shoot(film, resolution, style, random), noun

    def _more(self, random: Random, key: str | None) -> tuple[list[Image], str]:
        """Film what simulated validation has nothing of: cartons, and people before a desk."""
        key = key or str(random.choice(list(MORE)))
        builder, names = MORE[key]
        style = replace(SOLID, arm=0.0 if key in PEOPLE else 0.3)
        resolution = random_resolution(style, random)
        mesh, steps = builder(random), 0
        clutter = self._clutter(random, 0.15)
        if key in PEOPLE:
            film, steps = facing_film(mesh, resolution, random, clutter)
        elif random.random() < 0.25:
            film, steps = near_film(mesh, resolution, random, clutter)
        else:
            mesh = any_side(mesh, random) if random.random() < 0.4 else mesh
            film = solid_film(mesh, resolution, random, style, clutter)
        noun = names[int(random.integers(len(names)))]
        return self._shoot(film, resolution, style, random, steps), noun

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
        return self._shoot(film, resolution, GLYPH, random)


def _weights(index: dict[str, list[int]], power: float) -> tuple[list[str], np.ndarray]:
    """Return nouns and their chances: between one share a noun (power 0) and one a picture (power 1)."""
    nouns = list(index)
    sizes = np.array([len(index[noun]) for noun in nouns], float) ** power
    return nouns, sizes / max(sizes.sum(), 1e-9)
