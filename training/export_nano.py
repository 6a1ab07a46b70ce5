"""Put the two towers into one folder: ``python -m training.export_nano --text T --image I --out DIR``.

Writes ``open_clip_config.json`` and ``open_clip_model.safetensors`` (float16), and, when given the names that
pictures had, ``vocabulary.txt`` and ``vocabulary.safetensors`` (see :mod:`neuroclip_live.model.vocabulary`).
Then loads the folder through open_clip's public door and compares the features with the towers it was made
of.

Facts that open_clip has no field for (calibrated logit scale, "none of these", fit, threshold) are kept under
``"neuroclip_live"`` in the configuration; an export keeps those that are there unless it is given new ones.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor

from neuroclip_live.model.vocabulary import Vocabulary
from training.image_tower import TOWER
from training.image_tower import build_tower as build_image_tower
from training.text_tower import EMBED_DIM, TEXT_CFG, Encode, build_tokenizer, build_tower, encoder
from training.texts import held_out_lemmas

log = logging.getLogger(__name__)

CONFIG_NAME = "open_clip_config.json"
WEIGHTS_NAME = "open_clip_model.safetensors"
SIZE_LIMIT_MB = 40.0
FAMILIAR_SHARES = (0.25, 0.9)
MOST_NAMES = 5800  # 2.2 MB of features
# The method's own preprocessing, ``x / 255 - 0.5``.
PREPROCESS: dict[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [1.0, 1.0, 1.0],
    "interpolation": "bilinear",
    "resize_mode": "longest",
    "fill_color": 127,
}


class ExportError(Exception):
    """The folder does not give back what went in, or is too large."""


def model_config(
    image_size: int, *, text_cfg: Mapping[str, Any] = TEXT_CFG, embed_dim: int = EMBED_DIM
) -> dict[str, Any]:
    """Return the ``model_cfg`` that open_clip builds the two towers from."""
    return {
        "embed_dim": embed_dim,
        "vision_cfg": {
            "timm_model_name": TOWER,
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": image_size,
        },
        "text_cfg": dict(text_cfg),
        "custom_text": True,
    }


def merge(image: Mapping[str, Tensor], text: Mapping[str, Tensor], logit_scale: float) -> dict[str, Tensor]:
    """Return open_clip's state dict: image keys (``trunk.*``, ``head.*``) and text keys under their prefixes.

    Floating tensors become float16; ``logit_scale`` is the factor on the cosine, stored as its logarithm.
    """
    state = {f"visual.{name}": value for name, value in image.items()}
    state |= {f"text.{name}": value for name, value in text.items()}
    state["logit_scale"] = torch.tensor(float(np.log(logit_scale)))
    return {
        name: (value.half() if value.is_floating_point() and name != "logit_scale" else value).contiguous()
        for name, value in state.items()
    }


def export(
    out: Path,
    image: Mapping[str, Tensor],
    text: Mapping[str, Tensor],
    *,
    image_size: int,
    facts: Mapping[str, Any] | None = None,
    text_cfg: Mapping[str, Any] = TEXT_CFG,
    names: Sequence[str] = (),
    name_features: np.ndarray | None = None,
    limits: tuple[float, float] | None = None,
) -> Path:
    """Write the folder and check it; return ``out``.

    Parameters
    ----------
    image, text
        State dicts of open_clip's ``TimmModel`` and ``TextTransformer``, keys without ``visual.`` and
        ``text.``.
    image_size
        Side of the square input, in pixels.
    facts
        Replaces the block under ``"neuroclip_live"``, which holds ``logit_scale``, ``none_logit``, … ;
        ``None`` keeps it.

    names
        What the pictures were called, the most important first; their text features go into the vocabulary.
    name_features
        ``(N, C)`` the features those names were trained with; ``None`` takes the text tower's own.
    limits
        Cosines to the nearest name at which a word counts as unknown and as known; ``None`` measures them
        (:func:`familiar_limits`).

    Raises
    ------
    ExportError
        If loading the folder gives other features than the towers do, or the folder is above 40 MB.
    """
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    config_path = out / CONFIG_NAME
    if facts is None:
        facts = (
            json.loads(config_path.read_text(encoding="utf-8"))["neuroclip_live"]
            if config_path.is_file()
            else {}
        )
    embed_dim = int(text["text_projection"].shape[1])
    config = {
        "model_cfg": model_config(image_size, text_cfg=text_cfg, embed_dim=embed_dim),
        "preprocess_cfg": PREPROCESS,
        "neuroclip_live": dict(facts),
    }
    state = merge(image, text, float(facts.get("logit_scale", 100.0)))
    save_file(state, out / WEIGHTS_NAME, metadata={"format": "pt"})
    (out / WEIGHTS_NAME).chmod(0o644)  # safetensors leaves it readable by its owner only
    config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    check(out, state)
    if names:
        tower = build_tower(dict(text_cfg), embed_dim)
        tower.load_state_dict({name: value.float() for name, value in text.items()})
        encode = encoder(tower, build_tokenizer(dict(text_cfg)))
        features = encode(list(names)) if name_features is None else name_features
        low, high = limits or familiar_limits(encode, names, features)
        log.info("a word is unknown below a cosine of %.3f to the nearest name, known above %.3f", low, high)
        Vocabulary(names, features, low=low, high=high).save(out)
    size_mb = sum(path.stat().st_size for path in out.iterdir() if path.is_file()) / 1e6
    log.info("%s: %.1f MB", out, size_mb)
    if size_mb > SIZE_LIMIT_MB:
        raise ExportError(f"{out} is {size_mb:.1f} MB, above {SIZE_LIMIT_MB:.0f} MB")
    return out


def check(
    folder: Path, state: Mapping[str, Tensor], texts: Sequence[str] = ("dog", "a photo of a red mug", "7")
) -> None:
    """Load ``folder`` as a user would and compare it with towers built here from ``state``."""
    import open_clip
    from open_clip.model import CustomTextCLIP

    loaded = open_clip.create_model(f"local-dir:{folder}").eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    cfg = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))["model_cfg"]
    fresh = CustomTextCLIP(cfg["embed_dim"], cfg["vision_cfg"], cfg["text_cfg"]).eval()
    fresh.load_state_dict(state)
    side = cfg["vision_cfg"]["image_size"]
    image = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        pairs = {
            "image": (loaded.encode_image(image), fresh.encode_image(image)),
            "text": (loaded.encode_text(tokenizer(list(texts))), fresh.encode_text(tokenizer(list(texts)))),
        }
    for tower, (got, wanted) in pairs.items():
        if not torch.isfinite(got).all() or not torch.allclose(got, wanted, atol=1e-4, rtol=1e-4):
            raise ExportError(f"the exported {tower} tower does not give back its features")


def familiar_limits(
    encode: Encode, names: Sequence[str], features: np.ndarray, shares: tuple[float, float] = FAMILIAR_SHARES
) -> tuple[float, float]:
    """Measure which cosine to the nearest name means "unknown", and which "known".

    Taken on ImageNet's lemmas that distillation never saw and no picture was called by: the lowest quarter of
    their cosines counts as unknown, the highest tenth (plurals, spellings, near-synonyms of names) as known.
    """
    known = features / np.linalg.norm(features, axis=1, keepdims=True)
    words = sorted(set(held_out_lemmas()) - set(names))
    nearest = (encode(words) @ known.T).max(1)
    low, high = np.quantile(nearest, shares)
    return float(low), float(high)


def read_names(path: Path, most: int = MOST_NAMES, least: int = 2) -> list[str]:
    """Return the ``most`` names of a TSV (name, number of pictures) that have the most pictures.

    Names with fewer than ``least`` pictures are left out: one picture teaches little.
    """
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    counted = [(row[0], float(row[1])) for row in rows if len(row) > 1 and row[1].strip().isdecimal()]
    return [name for name, count in sorted(counted, key=lambda row: -row[1]) if count >= least][:most]


_FILE = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--text", "text_path", type=_FILE, required=True, help="text_tower.safetensors")
@click.option("--image", "image_path", type=_FILE, help="Image tower; none: ImageNet's trunk, untrained.")
@click.option("--facts", "facts_path", type=_FILE, help="JSON for the neuroclip_live block.")
@click.option("--names", "names_path", type=_FILE, help="TSV of names and counts: the vocabulary.")
@click.option("--image-size", default=96, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    text_path: Path,
    image_path: Path | None,
    facts_path: Path | None,
    names_path: Path | None,
    image_size: int,
    out: Path,
) -> None:
    """Run from the command line."""
    from safetensors.torch import load_file

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    image = load_file(image_path) if image_path else build_image_tower(image_size).state_dict()
    facts = json.loads(facts_path.read_text(encoding="utf-8")) if facts_path else None
    names = read_names(names_path) if names_path else ()
    text = load_file(text_path)
    export(out, image, text, image_size=image_size, facts=facts, names=names)


if __name__ == "__main__":
    main()
