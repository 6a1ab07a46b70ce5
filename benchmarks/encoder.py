"""One event frame through the image tower, against open_clip's own module and other runtimes.

On the CPU the subject is what a user gets without asking. With ``--device cuda`` it is half precision from
pinned memory, and counting on the device is measured too (:mod:`benchmarks.cuda`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.threads import favor
from benchmarks.timing import Options, Row, absent, alternate, compared
from neuroclip_live.model.checkpoints import load
from neuroclip_live.model.model_names import parse_model
from neuroclip_live.model.runtimes.onnx_runtime import make as make_onnx
from neuroclip_live.model.runtimes.openvino_runtime import OpenVinoRuntime, convert, load_openvino
from neuroclip_live.model.runtimes.registry import choose_runtime
from neuroclip_live.model.runtimes.runtime import Plan, trace_module

EQUAL = 1e-4
"""Largest difference of outputs, relative to the largest of them."""
MODELS: tuple[tuple[str, str | None, float], ...] = (("event-nano", None, 3.0), ("ViT-B-32", "random", 1.5))
"""Name, weights and the least ratio wanted."""

Batch = npt.NDArray[np.float32]
Runs = dict[str, Callable[[Batch], Any]]


def run(options: Options) -> Iterator[Row]:
    """Measure both towers on the device asked for."""
    if options.device != "cpu":
        from benchmarks import cuda

        yield from cuda.run(options)
        return
    for name, weights, goal in MODELS[:1] if options.quick else MODELS:
        yield from _one_model(name, weights, goal, options)


def tower_of(name: str, weights: str | None) -> tuple[Any, int]:
    """Return a model's image tower as open_clip gives it, in evaluation mode, and the side of its input."""
    checkpoint = load(parse_model(name, weights), lambda message, share: None)
    tower = checkpoint.image_tower().eval()
    return tower, checkpoint.about().preprocess("model", None, None).size


def frame_batch(size: int, seed: int = 0) -> Batch:
    """Return (1, 3, size, size) float32 such as an event frame becomes: three levels, mostly the middle."""
    rng = np.random.default_rng(seed)
    levels = np.float32([-0.5, 0.0, 0.5])
    plane = levels[rng.choice(3, (size, size), p=(0.1, 0.8, 0.1))]
    return np.ascontiguousarray(np.broadcast_to(plane, (1, 3, size, size)))


def eager(tower: Any) -> Callable[[Batch], Any]:
    """Return open_clip's own module, called as its documentation does."""
    import torch

    def call(batch: Batch) -> Any:
        with torch.no_grad():
            return tower(torch.from_numpy(batch)).numpy()

    return call


def _one_model(name: str, weights: str | None, goal: float, options: Options) -> Iterator[Row]:
    tower, size = tower_of(name, weights)
    batch = frame_batch(size)
    runs: Runs = {"open_clip eager": eager(tower)}
    ours = choose_runtime(lambda: tower, size, "cpu", "auto", None)
    runs[f"ours ({ours.name})"] = ours
    subject = f"ours ({ours.name})"
    if not options.quick:
        runs["TorchScript frozen"] = _frozen(tower, size)
        if ours.name == "openvino":
            runs["OpenVINO one thread"] = load_openvino(lambda: tower, size, None, 1)
            runs["OpenVINO all threads"] = _all_threads(tower, size)
        for peer, make in (("ONNX Runtime", _onnx), ("torch.compile", _compiled)):
            try:
                runs[peer] = make(tower, size)
            except Exception as error:  # noqa: BLE001 - a peer that cannot take part is told
                reason = f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
                yield absent("encoder", f"{peer}, {name}", reason)
    differences = _differences(runs, batch)
    threads = favor(lambda: runs["open_clip eager"](batch), 1 if options.quick else 9)
    samples = alternate(
        {key: lambda call=call: call(batch) for key, call in runs.items()},  # type: ignore[misc]
        options.repeats,
    )
    for peer in runs:
        if peer != subject:
            wanted = goal if peer == "open_clip eager" else None
            largest = max(differences[subject], differences[peer])
            note = f"outputs equal to {largest:.0e}; torch on {threads} threads"
            yield compared("encoder", f"{name} {size} px", samples, subject, peer, goal=wanted, note=note)


def _differences(runs: Runs, batch: Batch) -> dict[str, float]:
    """Return how far everybody is from open_clip's module; raise where it is too far."""
    wanted = np.asarray(runs["open_clip eager"](batch))
    found = {}
    for name, call in runs.items():
        found[name] = float(np.abs(np.asarray(call(batch)) - wanted).max() / np.abs(wanted).max())
        if found[name] > EQUAL:
            raise RuntimeError(f"{name} differs from open_clip's module by {found[name]:.1e}")
    return found


def _all_threads(tower: Any, size: int) -> OpenVinoRuntime:
    return OpenVinoRuntime(convert(tower, size), None)


def _onnx(tower: Any, size: int) -> Callable[[Batch], Any]:
    return make_onnx(lambda: tower, Plan(size, threads=0))


def _frozen(tower: Any, size: int) -> Callable[[Batch], Any]:
    """Return the tower traced and frozen: batch normalization folded, Python left out."""
    import torch

    traced = torch.jit.freeze(trace_module(tower, torch.zeros(1, 3, size, size)))
    call = eager(traced)
    for _ in range(2):  # the profiling executor compiles during the first calls
        call(frame_batch(size))
    return call


def _compiled(tower: Any, size: int) -> Callable[[Batch], Any]:
    import torch

    compiled = torch.compile(tower)
    call = eager(compiled)
    call(frame_batch(size))
    return call
