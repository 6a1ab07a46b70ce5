"""What a run of ``training.make`` starts from: pictures by name, what is set aside of them, and the names."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import numpy as np

from training.bank import Bank, load_glyphs, load_icons, load_photos, split_fonts
from training.icons import read_set, render
from training.pictures import PictureSet
from training.settings import Settings
from training.solids import CATALOG
from training.teacher import Teacher
from training.texts import imagenet_lemmas
from training.vocabulary import Vocabulary, build_vocabulary

log = logging.getLogger("training")


def gather(
    images: Sequence[Path], icons: Sequence[Path], fonts: Sequence[Path], out: Path, settings: Settings
) -> tuple[Bank, dict[str, PictureSet], PictureSet]:
    """Read all pictures; return the training bank, photographs set aside, and characters set aside."""
    photos, aside = load_photos(images, settings.held_out)
    photos = limited(photos, settings)
    drawn = PictureSet()
    if icons:
        if not (out / "icons.json").exists():
            _render_icons(icons, out)
        drawn = limited(load_icons(out, settings.held_out), settings)
    kept_fonts, spare = split_fonts(fonts)
    bank = Bank(photos, drawn, load_glyphs(kept_fonts), settings.solids)
    counted = (len(photos.images), len(drawn.images), len(bank.glyphs.images))
    log.info("%d photographs, %d icons, %d characters", *counted)
    if not any(counted):
        raise click.ClickException(
            f"no images in {', '.join(map(str, images))}: folders of images by class are needed"
        )
    return bank, aside, load_glyphs(spare)


def limited(pictures: PictureSet, settings: Settings) -> PictureSet:
    """Return the first pictures of the nouns that have the most, as many as the settings allow."""
    if settings.most_nouns is None and settings.most_pictures is None:
        return pictures
    index = sorted(pictures.by_noun().items(), key=lambda pair: -len(pair[1]))
    kept = PictureSet()
    for noun, places in index[: settings.most_nouns]:
        for place in places[: settings.most_pictures]:
            kept.add(pictures.images[place], noun)
    return kept


def names_of(bank: Bank) -> list[str]:
    """Return the names a typed word is compared with: of solids, and of two pictures or more, most first."""
    counted = Counter([*bank.photos.nouns, *bank.icons.nouns])
    names = [noun for noun, pictures in counted.most_common() if pictures > 1]
    return list(dict.fromkeys([*_solids(bank), *names]))


def important_names(bank: Bank, least: int) -> list[str]:
    """Return the names with at least ``least`` pictures, and those of solids, sorted."""
    counted = Counter([*bank.photos.nouns, *bank.icons.nouns])
    return sorted({noun for noun, pictures in counted.items() if pictures >= least} | set(_solids(bank)))


def _solids(bank: Bank) -> list[str]:
    return [name for _, several in CATALOG.values() for name in several] if bank.solids else []


def _render_icons(packages: Sequence[Path], out: Path) -> None:
    lemmas = frozenset(lemma.lower() for lemma in imagenet_lemmas())
    seen: Counter[tuple[str, str]] = Counter()
    chosen = []
    for package in packages:
        for icon in read_set(package, lemmas):
            seen[icon.prefix, icon.noun] += 1
            if seen[icon.prefix, icon.noun] <= 3:
                chosen.append(icon)
    nouns = Counter(icon.noun for icon in chosen)
    chosen = [
        icon for icon in chosen if icon.noun in lemmas or nouns[icon.noun] > 1 or "emoji" in icon.prefix
    ]
    planes = render(chosen)
    inked = (planes[:, 1] > 40).mean(axis=(1, 2))
    kept = np.flatnonzero((inked > 0.01) & (inked < 0.97))
    np.save(out / "icons.npy", planes[kept])
    (out / "icons.json").write_text(
        json.dumps([[chosen[i].noun, chosen[i].prefix, chosen[i].key] for i in kept])
    )


def keep_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Write a vocabulary as plain arrays, whole or not at all."""
    arrays = {each.name: np.asarray(getattr(vocabulary, each.name)) for each in fields(Vocabulary)}
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        np.savez(file, **arrays)
    beside.replace(path)


def read_vocabulary(path: Path) -> Vocabulary:
    """Read what :func:`keep_vocabulary` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {each.name: stored[each.name] for each in fields(Vocabulary)}
    return Vocabulary(**{**arrays, "names": tuple(arrays["names"].tolist())})


def name_things(bank: Bank, teacher: Teacher, out: Path) -> Vocabulary:
    """Build the vocabulary, or load it."""
    path = out / "vocabulary.npz"
    if path.exists():
        return read_vocabulary(path)

    def encode(sentences: Sequence[str]) -> Any:
        parts = []
        for start in range(0, len(sentences), 4096):
            parts.append(teacher(sentences[start : start + 4096]))
            log.info("the teacher has read %d of %d sentences", start + len(parts[-1]), len(sentences))
        return np.concatenate(parts)

    groups = [names for _, names in CATALOG.values()] if bank.solids else []
    vocabulary = build_vocabulary(bank.nouns(), groups, encode, characters=True)
    keep_vocabulary(vocabulary, path)
    log.info("%d names, %d sentences", len(vocabulary.names), len(vocabulary.vectors))
    return vocabulary
