"""EventBind's image tower: a CLIP vision transformer with tokens of its own before and behind the image's.

In every layer 16 learned tokens stand behind the class token, and a message made of the class token at the
end; both are taken out again after the layer. The published tower lets the messages of a sample's frames read
each other; here each frame is a sample of one, so that a stream needs one new encoding a slice, and the mean
over frames is the head's. Its frames are white with ON in red and OFF in blue; ours are turned into those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

PREFIX = "event_encoder.InsertEventPrompt"
_NOTHING = 127 / 255


class _Prompts(nn.Module):
    """What one layer adds: ``modality`` (P, C) tokens, and the message's projections."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        tokens = tensors.get("event_modality_prompts")
        self.tokens = None if tokens is None else nn.Parameter(tokens)
        self.message: Any = None
        if "cross_frame_prompts_ln.weight" in tensors:
            width = len(tensors["cls_proj.bias"])
            self.message = nn.ModuleDict(
                {name: nn.Linear(width, width) for name in ("cls_proj", "v_proj", "out_proj")}
                | {"ln": nn.LayerNorm(width)}
            )
            attention = "cross_frame_prompts_attn_layer"
            for name, source in (
                ("cls_proj", "cls_proj"),
                ("v_proj", f"{attention}.v_proj"),
                ("out_proj", f"{attention}.out_proj"),
                ("ln", "cross_frame_prompts_ln"),
            ):
                part = {key: tensors[f"{source}.{key}"] for key in ("weight", "bias")}
                self.message[name].load_state_dict(part)

    def forward(self, x: Tensor, layer: nn.Module, batch_first: bool) -> Tensor:
        length = x.shape[1]
        if self.tokens is not None:
            tokens = self.tokens.expand(len(x), -1, -1)
            x = torch.cat([x[:, :1], tokens, x[:, 1:]], 1)
        if self.message is not None:
            said = self.message["cls_proj"](x[:, :1])
            # one frame reads itself alone: the attention's weight is one
            said = said + self.message["out_proj"](self.message["v_proj"](self.message["ln"](said)))
            x = torch.cat([x, said], 1)
        x = layer(x) if batch_first else layer(x.transpose(0, 1)).transpose(0, 1)
        if self.message is not None:
            x = x[:, :-1]
        return x if self.tokens is None else torch.cat([x[:, :1], x[:, 1 - length :]], 1)


class EventPromptTower(nn.Module):
    """The tower, on a vision transformer of open_clip with its weights already in.

    Parameters
    ----------
    visual : open_clip's VisionTransformer
    state : mapping
        The checkpoint's tensors, under its own names.
    """

    def __init__(self, visual: Any, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.visual = visual
        self.batch_first = bool(getattr(visual.transformer, "batch_first", False))
        time = state.get("event_encoder.time_embed")
        self.register_buffer("time", torch.zeros(1) if time is None else time.float().mean(0))
        self.prompts = nn.ModuleList()
        for i in range(len(visual.transformer.resblocks)):
            prefix = f"{PREFIX}.{i}."
            own = {k.removeprefix(prefix): v.float() for k, v in state.items() if k.startswith(prefix)}
            self.prompts.append(_Prompts(own))

    def forward(self, images: Tensor) -> Tensor:
        """Encode frames (N, 3, S, S), gray from 0 (ON) to 1 (OFF), to (N, C)."""
        visual = self.visual
        x = visual.conv1(in_color(images)).flatten(2).transpose(1, 2)
        first = visual.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([first, x], 1) + visual.positional_embedding + self.time
        x = visual.ln_pre(x)
        for layer, prompts in zip(visual.transformer.resblocks, self.prompts, strict=True):
            x = prompts(x, layer, self.batch_first)
        return torch.as_tensor(visual.ln_post(x[:, 0]) @ visual.proj)


def in_color(frames: Tensor) -> Tensor:
    """Turn gray frames (N, 3, S, S), 0 ON and 1 OFF, into white ones with red ON and blue OFF."""
    gray = frames[:, :1]
    on = ((_NOTHING - gray) / _NOTHING).clamp(0, 1)
    off = ((gray - _NOTHING) / (1 - _NOTHING)).clamp(0, 1)
    return torch.cat([1 - off, 1 - torch.maximum(on, off), 1 - on], 1)
