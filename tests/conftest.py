"""Fixtures shared by all tests: no network, no GPU, no camera, no screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tiny tensors on a busy machine: threads that spin for each other cost a thousand times the work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run, however slowly they are made: what is new is for the fuzzers to find.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _normal_priority() -> Iterator[None]:
    """Train at normal priority: beside another busy program a lower one gets no core for minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuroclip_live.learning.teaching.lower_priority", lambda: None)
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real recordings and images that lies beside a developer's checkout."""
    if not DATA.is_dir():
        pytest.skip("real recordings are not here: ../shared/data beside the checkout is absent")
    return DATA
