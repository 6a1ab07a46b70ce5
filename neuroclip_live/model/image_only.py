"""Models whose folder holds an image tower alone: their words come from tables, not from a text tower."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from neuroclip_live.model.model_config import preprocess_of
from neuroclip_live.model.sentence_encoder import MOST_TOKENS


def image_model(described: dict[str, Any], state: Mapping[str, Any]) -> Any:
    """Build the image tower of a checked configuration, under open_clip's names, and load its weights.

    Parameters
    ----------
    described : dict
        The model's configuration, as :func:`~neuroclip_live.model.model_config.read_config` returns it.
    state : mapping of str to tensor
        ``visual.*`` and ``logit_scale``.

    Returns
    -------
    torch.nn.Module
        With ``visual``, ``logit_scale`` and ``context_length``, as open_clip's models have them.

    Raises
    ------
    RuntimeError, KeyError, TypeError
        If the weights or the configuration are of another kind.
    """
    import torch
    from open_clip.timm_model import TimmModel

    model_cfg, vision = described["model_cfg"], described["model_cfg"]["vision_cfg"]

    class ImageModel(torch.nn.Module):
        context_length = MOST_TOKENS

        def __init__(self) -> None:
            super().__init__()
            self.visual: Any = TimmModel(
                vision["timm_model_name"],
                embed_dim=int(model_cfg["embed_dim"]),
                image_size=int(vision["image_size"]),
                pool=vision.get("timm_pool", "avg"),
                proj=vision.get("timm_proj", "linear"),
                pretrained=False,
            )
            self.logit_scale = torch.nn.Parameter(torch.tensor(math.log(100.0)))

    model = ImageModel()
    model.load_state_dict({name: value.float() for name, value in state.items()})
    model.visual.preprocess_cfg = preprocess_of(described)
    return model
