"""Published event CLIPs' checkpoints, by made-up weights of the same layout: no download."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import make_tiny_model
from torch import nn

from neuroclip_live.errors import UserError
from neuroclip_live.model import checkpoints
from neuroclip_live.model.backbone import load_backbone

PROMPTS = 5
FRAMES = np.random.default_rng(1).choice([0, 127, 255], (3, 32, 32)).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture
def arch(folder, tmp_path_factory):
    import open_clip

    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    path = tmp_path_factory.mktemp("arch") / "Tiny-Event.json"
    path.write_text(json.dumps(config))
    open_clip.add_model_config(path)
    return "Tiny-Event"


def _eventbind(clip: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Name a CLIP's tensors as EventBind saves them, with its prompts, drawn at random."""
    width = len(clip["visual.class_embedding"])
    torch.manual_seed(3)
    whole = {f"prompt_init.clip_model.{name}": value for name, value in clip.items()}
    state = {f"event_encoder.{n}": v for n, v in clip.items() if n.startswith("visual.")}
    text = ("transformer.", "positional_embedding", "ln_final.", "text_projection")
    state |= {f"text_encoder.{n}": v for n, v in clip.items() if n.startswith(text)}
    state |= {f"image_encoder.{n}": v for n, v in clip.items() if n.startswith("visual.")}
    state |= {"event_encoder.time_embed": torch.randn(5, width) * 0.2, "prompt_init.ctx": torch.randn(5, 16)}
    layer = "event_encoder.InsertEventPrompt.0."
    state[f"{layer}event_modality_prompts"] = torch.randn(PROMPTS, width)
    attention = [f"cross_frame_prompts_attn_layer.{k}_proj" for k in ("q", "k", "v", "out")]
    for name in ("cls_proj", *attention):
        state |= {
            f"{layer}{name}.weight": torch.randn(width, width) * 0.3,
            f"{layer}{name}.bias": torch.randn(width),
        }
    state |= {
        f"{layer}cross_frame_prompts_ln.weight": torch.rand(width),
        f"{layer}cross_frame_prompts_ln.bias": torch.rand(width),
    }
    return whole | state


def _by_the_paper(state: dict[str, torch.Tensor], frames: np.ndarray) -> np.ndarray:
    """Encode each frame as a sample of one, step by step and with plain torch, heads and all."""
    v = {
        n.removeprefix("event_encoder.visual."): t
        for n, t in state.items()
        if n.startswith("event_encoder.visual.")
    }
    p = {
        n.removeprefix("event_encoder.InsertEventPrompt.0."): t
        for n, t in state.items()
        if "InsertEventPrompt.0." in n
    }
    colors = {0: (1.0, 0.0, 0.0), 127: (1.0, 1.0, 1.0), 255: (0.0, 0.0, 1.0)}
    images = torch.tensor([[[colors[int(x)] for x in row] for row in frame] for frame in frames]).permute(
        0, 3, 1, 2
    )
    x = nn.functional.conv2d(images, v["conv1.weight"], stride=8).flatten(2).transpose(1, 2)
    x = torch.cat([v["class_embedding"].expand(len(x), 1, -1), x], 1) + v["positional_embedding"]
    x = x + state["event_encoder.time_embed"].mean(0)
    width = x.shape[-1]

    def norm(x, name, of=v):
        return nn.functional.layer_norm(x, (width,), of[f"{name}.weight"], of[f"{name}.bias"])

    def linear(x, name, of=v):
        return nn.functional.linear(x, of[f"{name}.weight"], of[f"{name}.bias"])

    x = norm(x, "ln_pre")
    x = torch.cat([x[:, :1], p["event_modality_prompts"].expand(len(x), -1, -1), x[:, 1:]], 1)
    said = linear(x[:, :1], "cls_proj", p)
    read = norm(said, "cross_frame_prompts_ln", p)
    heads = 2
    q, k, val = (
        linear(read, f"cross_frame_prompts_attn_layer.{n}_proj", p).unflatten(-1, (heads, -1)).transpose(1, 2)
        for n in "qkv"
    )
    mixed = nn.functional.scaled_dot_product_attention(q, k, val).transpose(1, 2).flatten(-2)
    x = torch.cat([x, said + linear(mixed, "cross_frame_prompts_attn_layer.out_proj", p)], 1)
    block = "transformer.resblocks.0."
    inner = norm(x, f"{block}ln_1")
    q, k, val = nn.functional.linear(
        inner, v[f"{block}attn.in_proj_weight"], v[f"{block}attn.in_proj_bias"]
    ).chunk(3, -1)
    q, k, val = (t.unflatten(-1, (2, -1)).transpose(1, 2) for t in (q, k, val))
    mixed = nn.functional.scaled_dot_product_attention(q, k, val).transpose(1, 2).flatten(-2)
    x = x + linear(mixed, f"{block}attn.out_proj")
    inner = linear(norm(x, f"{block}ln_2"), f"{block}mlp.c_fc")
    x = x + linear(inner * torch.sigmoid(1.702 * inner), f"{block}mlp.c_proj")
    return (norm(x[:, 0], "ln_post") @ v["proj"]).numpy()


def test_eventbind_is_encoded_as_its_paper_says(folder, arch, tmp_path):
    state = _eventbind(load_file(folder / "open_clip_model.safetensors"))
    torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "eventbind.pt")
    model = load_backbone(
        arch, weights=tmp_path / "eventbind.pt", runtime="torch", device="cpu", fit="letterbox"
    )
    np.testing.assert_allclose(
        model.encode_frames(FRAMES), _by_the_paper(state, FRAMES), rtol=1e-3, atol=1e-3
    )
    assert model.info.templates == ("A drafted image of a {}.",)
    texts = model.encode_texts(["A drafted image of a dog.", "A drafted image of a cup."])
    assert texts.shape == (2, 24)
    assert not np.allclose(texts[0], texts[1])


def test_eventbind_without_what_is_needed(folder, arch, tmp_path):
    state = _eventbind(load_file(folder / "open_clip_model.safetensors"))
    path = tmp_path / "e.safetensors"

    def refused(changed, message):
        save_file({name: value.clone() for name, value in changed.items()}, path)
        with pytest.raises(UserError, match=message):
            load_backbone(arch, weights=path)

    refused({n: v for n, v in state.items() if "token_embedding" not in n}, "no token_embedding")
    intra = {"event_encoder.InsertEventPrompt.0.intra_frame_prompts": torch.zeros(1, 5, 32)}
    refused(state | intra, "intra-frame prompts, which are not supported")
    refused(
        {n: v for n, v in state.items() if n != "event_encoder.visual.proj"}, "tensor visual.proj is missing"
    )


def test_an_image_tower_alone_takes_its_text_tower_from_the_tag(folder, arch, tmp_path, monkeypatch):
    clip = load_file(folder / "open_clip_model.safetensors")
    tuned = {f"model.{n}": v * 1.3 for n, v in clip.items() if n.startswith("visual.")}
    torch.save({"state_dict": {**tuned, "text_feats": torch.zeros(3, 24)}}, tmp_path / "tuned.pth")
    with pytest.raises(
        UserError, match=r"holds an image tower alone; name the weights .* --model Tiny-Event/TAG"
    ):
        load_backbone(arch, weights=tmp_path / "tuned.pth")

    whole = tmp_path / "whole.safetensors"
    save_file({n: v * 1.3 if n.startswith("visual.") else v for n, v in clip.items()}, whole)
    monkeypatch.setattr(
        checkpoints, "_download_tag", lambda spec, progress: (folder / "open_clip_model.safetensors", {})
    )
    monkeypatch.setattr("open_clip.get_pretrained_cfg", lambda arch, tag: {"url": "x"})
    wanted = load_backbone(arch, weights=whole, runtime="torch", device="cpu")
    found = load_backbone(f"{arch}/some", weights=tmp_path / "tuned.pth", runtime="torch", device="cpu")
    np.testing.assert_allclose(found.encode_frames(FRAMES), wanted.encode_frames(FRAMES), atol=1e-5)
    np.testing.assert_allclose(found.encode_texts(["a dog"]), wanted.encode_texts(["a dog"]), atol=1e-5)
