"""What runs on a GPU, as far as it goes without one: half precision, its fallback, and the graph's guard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from neuroclip_live.model.cuda_graphs import GraphedTower
from neuroclip_live.model.runtimes.plain_torch import TorchRuntime

torch = pytest.importorskip("torch")


class Tower(torch.nn.Module):
    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(3, 8, 3, stride=2)
        self.linear = torch.nn.Linear(8, 16)
        self.scale = scale

    def forward(self, images: Any) -> Any:
        return self.linear(self.conv(images).relu().mean(dim=(2, 3)) * self.scale)


@pytest.fixture
def batch() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((3, 3, 16, 16), dtype=np.float32)


def relative(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


def test_half_precision_gives_the_same_features_to_three_digits(batch: np.ndarray) -> None:
    tower = Tower().eval()
    wanted = TorchRuntime(tower)(batch)
    made = TorchRuntime(tower, half=True)(batch)
    assert made.dtype == np.float32
    assert 0 < relative(made, wanted) < 5e-3


def test_a_tower_that_leaves_float16s_range_goes_on_in_bfloat16(batch: np.ndarray) -> None:
    tower = Tower(scale=1e6).eval()
    wanted = TorchRuntime(tower)(batch)
    runtime = TorchRuntime(tower, half=True)
    for _ in range(2):
        made = runtime(batch)
        assert np.isfinite(made).all()
        assert relative(made, wanted) < 2e-2


class FakeGraphs:
    """Stands for torch.cuda: recording notes what was called, replaying calls it into the same place."""

    def __init__(self, wrong: bool = False, refuses: bool = False) -> None:
        self.wrong, self.refuses, self.recorded, self.replayed = wrong, refuses, 0, 0

    def Stream(self) -> Any:
        return self

    def current_stream(self) -> Any:
        return self

    def wait_stream(self, other: Any) -> None:
        return

    @contextmanager
    def stream(self, side: Any) -> Iterator[None]:
        yield

    def CUDAGraph(self) -> Any:
        return self

    @contextmanager
    def graph(self, graph: Any) -> Iterator[None]:
        if self.refuses:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.recorded += 1
        yield

    def replay(self) -> None:
        self.replayed += 1
        self.tower._features.copy_(double(self.tower._images) + (1 if self.wrong else 0))


def double(images: Any) -> Any:
    return 2 * images.flatten(1)


def graphed(monkeypatch: pytest.MonkeyPatch, fake: FakeGraphs) -> GraphedTower:
    for name in ("Stream", "current_stream", "stream", "CUDAGraph", "graph"):
        monkeypatch.setattr(torch.cuda, name, getattr(fake, name), raising=False)
    fake.tower = GraphedTower(double)
    return fake.tower


def test_a_graph_is_recorded_once_and_replayed_with_new_images(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeGraphs()
    tower = graphed(monkeypatch, fake)
    results = [tower(torch.full((1, 3, 2, 2), float(i))) for i in range(4)]
    assert (fake.recorded, fake.replayed) == (1, 4)
    assert [float(r[0, 0]) for r in results] == [0.0, 2.0, 4.0, 6.0]  # earlier results are not overwritten


@pytest.mark.parametrize("fake", [FakeGraphs(wrong=True), FakeGraphs(refuses=True)])
def test_a_graph_that_cannot_be_trusted_is_not_used(
    monkeypatch: pytest.MonkeyPatch, fake: FakeGraphs
) -> None:
    tower = graphed(monkeypatch, fake)
    for value in (1.0, 3.0):
        assert float(tower(torch.full((1, 3, 2, 2), value))[0, 0]) == 2 * value
    assert not tower.usable


def test_batches_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeGraphs()
    tower = graphed(monkeypatch, fake)
    assert tower(torch.ones(2, 3, 2, 2)).shape == (2, 12)
    assert fake.recorded == 0
