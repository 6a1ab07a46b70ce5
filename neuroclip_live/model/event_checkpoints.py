"""Published checkpoints of CLIPs taught event frames, under the names their own code saves them by.

- EventBind (ECCV 2024; ``event_encoder.*``, ``text_encoder.*``): its event encoder, CLIP's text tower. Not
  taken over: the bias its prompts get from each sample, and messages between a sample's frames.
- EventCLIP's fine-tuned CLIPs (``model.visual.*``): the image tower alone; the text tower comes from the
  weights named beside it, ``--model ARCH/TAG --weights FILE``.

Plain open_clip checkpoints need none of this.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from neuroclip_live.errors import UserError

TEMPLATE = "A drafted image of a {}."
FACTS: dict[str, Any] = {
    "templates": [TEMPLATE],
    "fit": "squash",
    "description": "EventBind: CLIP with an event encoder taught on event frames",
}
PREPROCESS: dict[str, Any] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "resize_mode": "squash"}

State = Mapping[str, Any]

_TOKENS = (
    "prompt_init.clip_model.token_embedding.weight",
    "prompt_leranable.clip_model.token_embedding.weight",
)
_VISUAL = "event_encoder.visual."


def is_eventbind(state: State) -> bool:
    """Say whether these are EventBind's names."""
    return f"{_VISUAL}conv1.weight" in state and any(name.startswith("text_encoder.") for name in state)


def is_image_tower(state: State) -> bool:
    """Say whether there is an image tower and nothing of a text tower, as EventCLIP saves its own."""
    visual = [name for name in state if name.startswith(("model.visual.", "visual."))]
    text = ("token_embedding.weight", "ln_final.weight", "text_projection")
    return bool(visual) and not any(name.endswith(text) or name.startswith("text.") for name in state)


def eventbind(arch: str, state: State) -> Any:
    """Build EventBind's model on open_clip's ``arch``.

    Returns
    -------
    torch.nn.Module
        open_clip's model with the event encoder for its ``visual``.

    Raises
    ------
    UserError
        For variants whose tokens are not those of the published configurations.
    RuntimeError
        If the tensors do not fit the architecture.
    """
    import open_clip
    import torch

    from neuroclip_live.model.event_prompts import EventPromptTower

    if any(name.endswith("intra_frame_prompts") for name in state):
        raise UserError(
            "this EventBind checkpoint uses intra-frame prompts, which are not supported; the published "
            "configurations do without them"
        )
    tokens = next((state[name] for name in _TOKENS if name in state), None)
    if tokens is None:
        raise UserError(
            "this EventBind checkpoint has no token_embedding; save the whole model's state_dict()"
        )
    named = {
        f"visual.{name.removeprefix(_VISUAL)}": v for name, v in state.items() if name.startswith(_VISUAL)
    }
    text = "text_encoder."
    named |= {name.removeprefix(text): v for name, v in state.items() if name.startswith(text)}
    scale = next((v for n, v in state.items() if n.endswith("clip_model.logit_scale")), None)
    named |= {
        "token_embedding.weight": tokens,
        "logit_scale": torch.tensor(math.log(100.0)) if scale is None else scale,
    }
    model: Any = open_clip.create_model(arch, force_quick_gelu=True, pretrained_text=False)
    model.load_state_dict({name: value.float() for name, value in named.items()})
    config = dict(model.visual.preprocess_cfg) | PREPROCESS
    model.visual = EventPromptTower(model.visual, state)
    model.visual.preprocess_cfg = config
    return model


def put_image_tower(model: Any, state: State) -> None:
    """Put an image tower's weights into a model that has all others.

    Raises
    ------
    RuntimeError
        If a tensor is missing or does not fit.
    """
    mine = {name.removeprefix("model."): value.float() for name, value in state.items()}
    tower = {n.removeprefix("visual."): v for n, v in mine.items() if n.startswith("visual.")}
    model.visual.load_state_dict(tower)
