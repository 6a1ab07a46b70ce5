"""What every runtime of an image tower has in common."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

TOLERANCE = 1e-4
"""Largest difference from plain torch, relative to the largest output, at which a runtime counts as equal."""

SMALL = 10_000_000
"""Image towers with fewer parameters run on one thread.

A second one gains nothing measurable on them (EfficientNet-Lite0 at 112 px: 3.1 ms on one thread, 3.3 on two;
ViT-B/32: 102 and 82), while capture and window miss the core.
"""


class OutOfDeviceMemory(Exception):
    """The accelerator has no room for the work; the CPU has."""


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn torch's out-of-memory error into ours, so that callers need not import torch to catch it."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfDeviceMemory(str(error).splitlines()[0]) from error


@dataclass(frozen=True)
class Plan:
    """What a runtime is made for.

    Attributes
    ----------
    size : int
        Side of the tower's input.
    device : str
        As torch names it.
    kept : Path or None
        Folder in which what is converted may be kept for later starts; None keeps nothing.
    threads : int or None
        How many may be used; None leaves it to the runtime.
    """

    size: int
    device: str = "cpu"
    kept: Path | None = None
    threads: int | None = None


class ImageRuntime(Protocol):
    """Something that runs an image tower. Not safe to call from two threads at once."""

    name: str
    """What it is asked for by."""
    device: str

    def __call__(self, batch: Array) -> Array:
        """Map (N, 3, S, S) float32 to (N, C) float32; raise OutOfDeviceMemory where it does not fit."""
        ...


def threads_for(parameters: int, asked: int | None) -> int | None:
    """Return how many threads an image tower gets; None for all cores."""
    # by size, not by a stopwatch: another number of threads adds up in another order, and results must repeat
    return 1 if asked is None and parameters < SMALL else asked


def require_equal(made: Array, expected: Array) -> None:
    """Raise RuntimeError if outputs differ from plain torch's by more than :data:`TOLERANCE`."""
    difference = float(np.abs(made - expected).max()) / max(float(np.abs(expected).max()), 1e-6)
    if not difference <= TOLERANCE:
        raise RuntimeError(f"outputs differ from plain torch's by {difference:.1e}")


@contextmanager
def unfused() -> Iterator[None]:
    """Run attention as matrix products: PyTorch's fused one is one opaque operator no converter knows."""
    import torch

    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def trace_module(module: Any, example: Any) -> Any:
    """Trace a torch module in a form that converters understand."""
    import torch

    with unfused(), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace: Any = torch.jit.trace
        return trace(module, example, check_trace=False)
