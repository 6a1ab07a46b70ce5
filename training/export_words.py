"""Make the bundled model's folder of an image tower and word tables.

``python -m training.export_words --image TOWER --head HEAD --clip DIR --nouns FILE --out DIR`` writes the
configuration, the image tower (float16), sentence encoder, tables, definitions and vocabulary. ``TOWER`` is a
checkpoint of :mod:`training.third_part`, or the ``open_clip_model.safetensors`` of a model. ``FILE`` has a
noun a line, those that had pictures first and a blank line after them. Without ``--shares`` they are words
and looks, half and half.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from torch import Tensor

from neuroclip_live.model.sentence_encoder import SentenceEncoder
from neuroclip_live.model.vocabulary import Vocabulary
from neuroclip_live.model.word_targets import WordTables
from training.clip_words import build_clip_words
from training.export_nano import CONFIG_NAME, PREPROCESS, WEIGHTS_NAME, model_config
from training.image_tower import imagenet_classifier
from training.meanings import Meanings
from training.settings import HELD_OUT_CLASSES
from training.visual_prototypes import build_looks
from training.word_tables import build_tables, write_encoder, write_words

log = logging.getLogger("training")

SIZE_LIMIT_MB = 90.0
FAMILIAR_SHARES = (0.25, 0.9)
"""Of the nouns that had no picture, the lowest quarter counts as unknown, the highest tenth as known."""

_OTHER_CLIP = "imagenet1k_photo_of.npy"


def write_image(out: Path, image: Mapping[str, Tensor], facts: Mapping[str, Any], side: int) -> None:
    """Write configuration and image tower; ``image`` has open_clip's names without ``visual.``."""
    import torch
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    config = model_config(side, embed_dim=len(image["head.proj.weight"]))
    del config["text_cfg"]
    described = {"model_cfg": config, "preprocess_cfg": PREPROCESS, "neuroclip_live": dict(facts)}
    (out / CONFIG_NAME).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    state = {
        f"visual.{name}": value.half() if value.is_floating_point() else value
        for name, value in image.items()
    }
    state["logit_scale"] = torch.tensor(float(np.log(float(facts.get("logit_scale", 40.0)))))
    save_file(
        {name: value.contiguous() for name, value in state.items()}, out / WEIGHTS_NAME, {"format": "pt"}
    )
    (out / WEIGHTS_NAME).chmod(0o644)


def write_vocabulary(out: Path, words: WordTables, taught: Sequence[str], others: Sequence[str]) -> None:
    """Write the nouns with their targets; measure which cosines mean unknown and known."""
    nouns = [*taught, *others]
    features = np.concatenate([words(nouns[i : i + 512]) for i in range(0, len(nouns), 512)])
    nearest = (features[len(taught) :] @ features[: len(taught)].T).max(1)
    low, high = (float(value) for value in np.quantile(nearest, FAMILIAR_SHARES))
    log.info(
        "a word is unknown below a cosine of %.3f to the nearest taught noun, known above %.3f", low, high
    )
    Vocabulary(nouns, features, low=low, high=high, taught=len(taught)).save(out)


def read_nouns(path: Path) -> tuple[list[str], list[str]]:
    """Return the nouns before the blank line, which had pictures, and those after it; each once."""
    taught, _, others = path.read_text(encoding="utf-8").partition("\n\n")
    first = list(dict.fromkeys(line.strip() for line in taught.splitlines() if line.strip()))
    seen = set(first)
    return first, [
        noun for noun in dict.fromkeys(map(str.strip, others.splitlines())) if noun and noun not in seen
    ]


def read_tower(path: Path) -> dict[str, Tensor]:
    """Return an image tower's state, keys without prefix, of either kind of file."""
    import torch
    from safetensors.torch import load_file

    if path.suffix == ".safetensors":
        state = {name: value for name, value in load_file(path).items() if name.startswith("visual.")}
        return {name.removeprefix("visual."): value for name, value in state.items()}
    average = torch.load(path, map_location="cpu", weights_only=True)["average"]
    return {
        name.removeprefix("tower."): value for name, value in average.items() if name.startswith("tower.")
    }


_FILE = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--image", "image_path", type=_FILE, required=True)
@click.option("--head", type=_FILE, required=True, help="text_head.safetensors of training.make.")
@click.option("--clip", "clip_folder", type=_FILE, required=True, help="Folder of CLIP's vectors.")
@click.option("--wordnet", type=_FILE, help="WordNet's folder; Debian's place by default.")
@click.option("--nouns", type=_FILE, required=True)
@click.option("--facts", "facts_path", type=_FILE, required=True, help="JSON for the neuroclip_live block.")
@click.option("--shares", type=float, nargs=3, default=(0.5, 0.5, 0.0), show_default=True)
@click.option("--mapped", type=float, nargs=2, default=None)
@click.option("--signs/--no-signs", default=True, help="Looks of their own for digits and letters.")
@click.option("--image-size", default=96, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    image_path: Path,
    head: Path,
    clip_folder: Path,
    wordnet: Path | None,
    nouns: Path,
    facts_path: Path,
    shares: tuple[float, float, float],
    mapped: tuple[float, float] | None,
    signs: bool,
    image_size: int,
    out: Path,
) -> None:
    """Run from the command line."""
    from safetensors.numpy import load_file

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    write_image(out, read_tower(image_path), json.loads(facts_path.read_text(encoding="utf-8")), image_size)
    write_encoder(out)
    encoder, meanings = SentenceEncoder(out), Meanings(wordnet)
    weights = imagenet_classifier().classifier.weight.detach().numpy()  # type: ignore[union-attr,operator]
    looks = build_looks(weights, encoder, HELD_OUT_CLASSES)
    words = build_clip_words(clip_folder, encoder, meanings)
    other = clip_folder / _OTHER_CLIP
    tensors, names = build_tables(
        looks,
        words,
        load_file(head),
        shares,
        np.load(other) if other.exists() else None,
        signs,
        mapped,
        encoder,
        meanings,
    )
    tables = write_words(out, tensors, names, meanings, wordnet)
    write_vocabulary(out, tables, *read_nouns(nouns))
    size = sum(path.stat().st_size for path in out.iterdir()) / 1e6
    log.info("%s: %.1f MB", out, size)
    if size > SIZE_LIMIT_MB:
        raise click.ClickException(f"{out} is {size:.1f} MB, above {SIZE_LIMIT_MB:.0f} MB")


if __name__ == "__main__":
    main()
