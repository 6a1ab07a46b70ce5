"""A CLIP small enough to make on the spot, with random weights: tests of the model door need no download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EMBED_DIM = 24
CONTEXT = 16

VIT = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
CNN = {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16}
TEXT = {"context_length": CONTEXT, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}


def make_tiny_model(
    folder: Path,
    vision: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    half: bool = False,
) -> Path:
    """Write a model folder as the bundled one is laid out and return it."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    from neuroclip_live.model.hub import silent

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_cfg": {"embed_dim": EMBED_DIM, "vision_cfg": vision or VIT, "text_cfg": TEXT},
        "preprocess_cfg": {
            "mean": [0.5, 0.4, 0.3],
            "std": [0.2, 0.3, 0.4],
            "interpolation": "bilinear",
            "resize_mode": "longest",
        },
        "neuroclip_live": facts or {},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    with silent(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = open_clip.create_model(f"local-dir:{folder}")
        for parameter in model.parameters():  # zeros and tiny values would hide mistakes
            torch.nn.init.normal_(parameter, std=0.2)
        torch.nn.init.constant_(model.logit_scale, 3.0)
    weights = {key: value.half() if half else value for key, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder
