"""The spiking adapter against plain PyTorch written from the paper's page, and what a saved one promises."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import Adapter, AdapterInfo, load_adapter
from neuroclip_live.learning.adapter_network import AdapterNetwork, normalize_windows

C = 32


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(v)
        return (v >= 0.5).to(v)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        (v,) = ctx.saved_tensors
        return grad * ((v - 0.5).abs() < 0.5).to(v)


class PlainAdapter(nn.Module):
    """Step by step, with nothing but torch: v <- v/4 + x, spike at 0.5, hard reset to 0."""

    def __init__(self, ratio: float) -> None:
        super().__init__()
        self.ratio = ratio
        self.first, self.down = nn.BatchNorm1d(C), nn.Linear(C, C // 8)
        self.second, self.up = nn.BatchNorm1d(C // 8), nn.Linear(C // 8, C)

    def forward(self, features: Tensor) -> Tensor:
        v = torch.zeros(features.shape[1], C // 8, dtype=features.dtype)
        out = []
        for step in features:
            v = 0.25 * v + self.second(self.down(self.first(step)))
            spike = _Spike.apply(v)
            v = (1 - spike) * v
            out.append(self.ratio * torch.relu(self.up(spike)) + (1 - self.ratio) * step)
        return torch.stack(out)


def _pair(seed: int, ratio: float) -> tuple[AdapterNetwork, PlainAdapter]:
    torch.manual_seed(seed)
    ours, plain = AdapterNetwork(C, ratio, dropout=0.0), PlainAdapter(ratio)
    for parameter in plain.parameters():
        nn.init.normal_(parameter, std=0.6)
    for norm in (plain.first, plain.second):
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
    parts = {
        "squeeze.0": plain.first,
        "squeeze.2": plain.down,
        "squeeze.3": plain.second,
        "expand.1": plain.up,
    }
    for name, module in parts.items():
        ours.get_submodule(name).load_state_dict(module.state_dict())
    return ours, plain


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("steps", range(1, 17))
def test_equals_plain_torch_with_gradients(steps: int, mode: str) -> None:
    ours, plain = _pair(seed=steps, ratio=0.6)
    ours.train(mode == "train")
    plain.train(mode == "train")
    single = torch.randn(steps, 5, C)
    torch.testing.assert_close(ours(single), plain(single), atol=1e-6, rtol=0)
    ours, plain = ours.double(), plain.double()  # gradients in single precision differ by rounding alone
    for _window in range(3):  # several windows: no state may leak from one to the next
        features = torch.randn(steps, 5, C, dtype=torch.float64)
        mine, theirs = features.clone().requires_grad_(), features.clone().requires_grad_()
        a, b = ours(mine), plain(theirs)
        torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)
        direction = torch.randn_like(a)
        (a * direction).sum().backward()
        (b * direction).sum().backward()
        torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-9, rtol=1e-9)
    pairs = [
        ("squeeze.0", plain.first),
        ("squeeze.2", plain.down),
        ("squeeze.3", plain.second),
        ("expand.1", plain.up),
    ]
    for name, module in pairs:
        for (key, value), other in zip(
            ours.get_submodule(name).named_parameters(), module.parameters(), strict=True
        ):
            torch.testing.assert_close(value.grad, other.grad, atol=1e-9, rtol=1e-9, msg=f"{name}.{key}")
    for name, module in (pairs[0], pairs[2]):
        for key, value in ours.get_submodule(name).state_dict().items():
            torch.testing.assert_close(value, module.state_dict()[key], atol=1e-6, rtol=1e-6)


def test_some_neurons_fire_and_some_do_not() -> None:
    ours, _ = _pair(seed=1, ratio=0.6)
    activity = ours.eval().activity(torch.randn(8, 4, C))
    assert set(activity.unique().tolist()) == {0.0, 1.0}


def test_the_ann_variant_has_no_memory_and_no_spikes() -> None:
    torch.manual_seed(0)
    network = AdapterNetwork(C, kind="ann").eval()
    features = torch.randn(4, 3, C)
    together = network(features)
    apart = torch.cat([network(features[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(together, apart)
    assert len(network.activity(features).unique()) > 10


def test_a_ratio_of_zero_leaves_features_alone() -> None:
    torch.manual_seed(0)
    features = torch.randn(5, 3, C)
    torch.testing.assert_close(AdapterNetwork(C, ratio=0.0).eval()(features), features)


def test_one_norm_for_the_whole_window() -> None:
    features = torch.randn(4, 3, C)
    normal = normalize_windows(features)
    torch.testing.assert_close(normal.square().sum((0, 2)), torch.full((3,), 4.0))
    text = torch.nn.functional.normalize(torch.randn(C), dim=0)
    joint = torch.cosine_similarity(features[:, 0].reshape(-1), text.repeat(4), dim=0)
    torch.testing.assert_close((normal[:, 0] @ text).mean(), joint)


def test_a_batch_of_one_window_cannot_train() -> None:
    with pytest.raises(ValueError, match="two windows"):
        AdapterNetwork(C).train()(torch.randn(3, 1, C))


def _adapter(timesteps: int = 6, model: str = "tiny", **more: object) -> Adapter:
    torch.manual_seed(3)
    network = AdapterNetwork(C, kind=more.get("kind", "snn"))  # type: ignore[arg-type]
    nn.init.normal_(network.expand[1].weight)
    for norm in (network.squeeze[0], network.squeeze[3]):
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
        nn.init.normal_(norm.weight)
    info = AdapterInfo(model, C, timesteps, ("a mug", "ein Häuschen"), ("a {}",), {"a mug": 3}, **more)  # type: ignore[arg-type]
    return Adapter(info, network)


@pytest.mark.parametrize("kind", ["snn", "ann"])
def test_one_window_equals_the_same_window_in_a_batch(kind: str) -> None:
    """The batch goes through SpikingJelly, one window through NumPy."""
    adapter = _adapter(feature_scale=3.0, timestep_weights=(1, 1, 2, 1, 1, 0), kind=kind)
    windows = np.random.default_rng(0).normal(size=(4, 6, C)).astype(np.float32)
    batch = adapter.transform(windows)
    for window, expected in zip(windows, batch, strict=True):
        np.testing.assert_allclose(adapter(window), expected, atol=1e-6)
    one = adapter(windows[2])
    assert one.dtype == np.float32
    assert adapter.last_spikes is not None
    assert adapter.last_spikes.shape == (6, C // 8)
    rates = adapter.firing_rates()
    assert rates is not None
    np.testing.assert_allclose(rates, adapter.last_spikes.mean(axis=1))


def test_a_warming_up_window_is_shorter() -> None:
    assert _adapter()(np.ones((2, C), np.float32)).shape == (2, C)


def test_wrong_width_is_refused() -> None:
    with pytest.raises(ValueError, match="window is"):
        _adapter()(np.ones((6, C + 1), np.float32))


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "mine.safetensors"
    adapter = _adapter(timestep_weights=(1.0,) * 6, metrics={"accuracy": 0.9})
    adapter.save(path)
    back = load_adapter(path, model="tiny", embed_dim=C, timesteps=6)
    assert back.info == adapter.info
    window = np.random.default_rng(1).normal(size=(6, C)).astype(np.float32)
    np.testing.assert_array_equal(back(window), adapter(window))
    assert "ein Häuschen" in path.with_name("mine.safetensors.json").read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".tmp"] == []


@pytest.mark.parametrize(
    ("wanted", "say"),
    [
        ({"model": "ViT-B-32/openai"}, "made for the model 'tiny', not for 'ViT-B-32/openai'"),
        ({"embed_dim": 512}, "width 32, the model makes 512"),
        ({"timesteps": 10}, "6 timesteps, not 10: use --timesteps 6"),
    ],
)
def test_made_for_another_model_or_t(tmp_path: Path, wanted: dict[str, object], say: str) -> None:
    path = tmp_path / "a.safetensors"
    _adapter().save(path)
    with pytest.raises(UserError, match=say):
        load_adapter(path, **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", ["missing", "text", "cut", "foreign", "folder"])
def test_damaged_files_are_told_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.safetensors"
    _adapter().save(path)
    data = path.read_bytes()
    path.unlink()
    if damage == "text":
        path.write_text("hello")
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "foreign":
        from safetensors.numpy import save_file

        save_file({"x": np.ones(3, np.float32)}, path)
    elif damage == "folder":
        path.mkdir()
    with pytest.raises(UserError) as error:
        load_adapter(path)
    assert "\n" not in str(error.value)
    assert "a.safetensors" in str(error.value)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    _adapter().save(path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device; the file that was there is unchanged"):
        _adapter(model="other").save(path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "a.safetensors.json"]
