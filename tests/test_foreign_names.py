"""Weights saved out of what wrapped the model: compiled, parallel, inside a training module."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import make_tiny_model

from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import Adapter, AdapterInfo, load_adapter
from neuroclip_live.learning.adapter_network import AdapterNetwork
from neuroclip_live.model.backbone import load_backbone

FRAMES = np.random.default_rng(1).choice([0, 127, 255], (2, 32, 32)).astype(np.uint8)
PREFIXES = ("_orig_mod.", "model.", "module.", "module._orig_mod.", "model._orig_mod.module.", "clip.model.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(scope="module")
def arch(folder, tmp_path_factory):
    import open_clip

    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    path = tmp_path_factory.mktemp("arch") / "Tiny-Wrapped.json"
    path.write_text(json.dumps(config))
    open_clip.add_model_config(path)
    return "Tiny-Wrapped"


@pytest.fixture(scope="module")
def clip(folder):
    return load_file(folder / "open_clip_model.safetensors")


@pytest.fixture(scope="module")
def wanted(folder):
    model = load_backbone(str(folder), runtime="torch", device="cpu")
    return model.encode_frames(FRAMES), model.encode_texts(["a dog"])


def check(model, wanted, fitted_alike=True):
    frames, texts = wanted
    np.testing.assert_allclose(model.encode_texts(["a dog"]), texts, atol=1e-5)
    if fitted_alike:
        np.testing.assert_allclose(model.encode_frames(FRAMES), frames, atol=1e-5)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_weights_file_with_a_foreign_prefix_loads(folder, arch, clip, tmp_path, wanted, prefix, suffix):
    renamed = {f"{prefix}{name}": value for name, value in clip.items()}
    others = renamed | {"loss.weight": torch.zeros(3), "metric.total": torch.zeros(2)}
    for state in (renamed, others):
        path = tmp_path / f"wrapped{suffix}"
        if suffix == ".pt":
            torch.save({"state_dict": state, "epoch": 3}, path)
        else:
            save_file(state, path)
        check(load_backbone(arch, weights=path, runtime="torch", device="cpu"), wanted, fitted_alike=False)

    inside = shutil.copytree(folder, tmp_path / "folder")
    (inside / "open_clip_model.safetensors").unlink()
    if suffix == ".pt":
        torch.save(renamed, inside / "open_clip_pytorch_model.bin")
    else:
        save_file(renamed, inside / "open_clip_model.safetensors")
    check(load_backbone(str(inside), runtime="torch", device="cpu"), wanted)


def test_a_part_that_was_compiled_or_a_sleeve_of_a_script(arch, clip, tmp_path, wanted):
    part = {name.replace("visual.", "visual._orig_mod."): value for name, value in clip.items()}
    for number, stored in enumerate((part, {"model": clip}, {"model_state_dict": part, "step": 1})):
        torch.save(stored, tmp_path / f"{number}.pt")
        model = load_backbone(arch, weights=tmp_path / f"{number}.pt", runtime="torch", device="cpu")
        check(model, wanted, fitted_alike=False)


def test_a_teacher_beside_its_student_is_refused_by_their_names(arch, clip, tmp_path):
    both = {f"{who}.{name}": value.clone() for who in ("student", "teacher") for name, value in clip.items()}
    save_file(both, tmp_path / "both.safetensors")
    with pytest.raises(UserError, match=r"both\.safetensors: there are several.*\(student, teacher\)"):
        load_backbone(arch, weights=tmp_path / "both.safetensors")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_adapter_with_a_foreign_prefix_loads(tmp_path, prefix):
    torch.manual_seed(0)
    adapter = Adapter(AdapterInfo("tiny", 16, 3, ("a", "b")), AdapterNetwork(16))
    adapter.save(tmp_path / "plain.safetensors")
    stored = {f"{prefix}{name}": value for name, value in adapter.network.state_dict().items()}
    wrapped = tmp_path / "wrapped.safetensors"
    save_file(stored, wrapped, metadata={"neuroclip_live": adapter.info.to_json()})
    window = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    expected = load_adapter(tmp_path / "plain.safetensors")(window)
    np.testing.assert_array_equal(load_adapter(wrapped)(window), expected)
