"""Ways to run an image tower: plain torch, frozen TorchScript, OpenVINO.

On a CPU one image at a time is encoded, and what plain torch spends on an efficient network is mostly
overhead. OpenVINO compiles the network for the machine at hand and is several times faster on it, with the
same outputs: they are compared at conversion, and a conversion that differs is not used. The converted
network is kept in the user's cache, under a digest of the weights, so only the first start pays for it.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model.cuda_graphs import GraphedTower

logger = logging.getLogger(__name__)

Array = npt.NDArray[np.float32]
RuntimeName = Literal["auto", "openvino", "torchscript", "torch"]
RUNTIMES: tuple[RuntimeName, ...] = ("auto", "openvino", "torchscript", "torch")

TOLERANCE = 1e-4
"""Largest difference from plain torch, relative to the largest output, at which a runtime counts as equal."""

IMAGE_FILE = "image.xml"

SMALL = 10_000_000
"""Image towers with fewer parameters run on one thread.

A second one gains nothing measurable on them (EfficientNet-Lite0 at 112 px: 3.1 ms on one thread, 3.3 on two;
ViT-B/32: 102 and 82), while capture and window miss the core.
"""

_BATCH = 32


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


class ImageRuntime(Protocol):
    """Something that runs an image tower. Not safe to call from two threads at once."""

    name: str
    """``openvino``, ``torchscript`` or ``torch``."""
    device: str

    def __call__(self, batch: Array) -> Array:
        """Map (N, 3, S, S) float32 to (N, C) float32; raise OutOfDeviceMemory where it does not fit."""
        ...


class TorchRuntime:
    """The tower as open_clip built it, on any device of torch's.

    Parameters
    ----------
    tower : torch.nn.Module
        Maps (N, 3, S, S) to (N, C); moved to ``device``.
    device : str
        As torch names it.
    half : bool, optional
        Run in half precision under autocast. If left out: on CUDA. There batch 1 is one launch, too
        (:mod:`neuroclip_live.model.cuda_graphs`).
    """

    name = "torch"

    def __init__(self, tower: Any, device: str = "cpu", *, half: bool | None = None) -> None:
        import torch

        self.device = device
        self._cuda = device.startswith("cuda")
        self._in_half = self._cuda if half is None else half
        with memory_errors():
            self._tower = tower.to(device)
            if self._cuda:
                self._tower = self._tower.to(memory_format=torch.channels_last)
        self._half = torch.float16
        self._call = GraphedTower(self._half_features) if self._cuda else self._half_features
        self._torch = torch

    def __call__(self, batch: Array) -> Array:
        """Encode; see :class:`ImageRuntime`."""
        torch = self._torch
        parts = []
        with torch.inference_mode(), memory_errors():
            for start in range(0, len(batch), _BATCH):
                images = torch.from_numpy(batch[start : start + _BATCH])
                parts.append(self._encode_half(images) if self._in_half else self._encode(images))
        return np.concatenate(parts)

    def _encode(self, images: Any) -> Array:
        features: Array = self._tower(images.to(self.device)).float().cpu().numpy()
        return features

    def _encode_half(self, images: Any) -> Array:
        torch = self._torch
        if self._cuda:
            # from pinned memory the copy runs beside the host's work instead of holding it up
            images = images.pin_memory().to(self.device, non_blocking=True, memory_format=torch.channels_last)
        features = self._call(images)
        if self._half is torch.float16 and not bool(torch.isfinite(features).all()):
            # some towers leave float16's range; bfloat16 has float32's, with fewer digits
            self._half = torch.bfloat16
            self._call = GraphedTower(self._half_features) if self._cuda else self._half_features
            features = self._call(images)
        result: Array = features.cpu().numpy()
        return result

    def _half_features(self, images: Any) -> Any:
        with self._torch.autocast(self.device.partition(":")[0], dtype=self._half):
            return self._tower(images).float()


class TorchScriptRuntime:
    """A traced and frozen tower on the CPU: batch normalisation folded, Python left out."""

    name = "torchscript"
    device = "cpu"

    def __init__(self, tower: Any, size: int) -> None:
        import torch

        self._torch = torch
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            self._traced = torch.jit.freeze(_trace(tower, size))
        for _ in range(2):  # the profiling executor compiles during the first calls
            self(np.zeros((1, 3, size, size), dtype=np.float32))

    def __call__(self, batch: Array) -> Array:
        """Encode; see :class:`ImageRuntime`."""
        torch = self._torch
        with torch.inference_mode():
            # one at a time: the trace was made, and is optimised, for one
            parts = [self._traced(torch.from_numpy(batch[i : i + 1])).numpy() for i in range(len(batch))]
        return np.concatenate(parts)


class OpenVinoRuntime:
    """A network compiled by OpenVINO for this CPU, for lowest latency, in float32.

    Parameters
    ----------
    network : openvino.Model or Path
        The network for one image, or where one was saved.
    threads : int, optional
        How many threads it may use; all cores if left out.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, network: Any, threads: int | None = None) -> None:
        self._request = compile_network(network, threads).create_infer_request()

    def __call__(self, batch: Array) -> Array:
        """Encode; see :class:`ImageRuntime`."""
        parts = []
        for i in range(len(batch)):
            self._request.infer([batch[i : i + 1]], share_inputs=True)
            parts.append(self._request.get_output_tensor(0).data.copy())
        return np.concatenate(parts)


def compile_network(network: Any, threads: int | None = None) -> Any:
    """Compile an OpenVINO network, or the saved one at a path, for this CPU."""
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        # on CPUs with bfloat16 units the default trades digits for speed, and results would differ by machine
        "INFERENCE_PRECISION_HINT": "f32",
        # threads nailed to cores fight with capture and window for them
        "ENABLE_CPU_PINNING": False,
    }
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    if isinstance(network, Path):
        options["CACHE_DIR"] = str(network.parent / "compiled")
    return import_openvino().Core().compile_model(network, "CPU", options)


def openvino_available() -> bool:
    """Tell whether OpenVINO can be imported."""
    try:
        import_openvino()
    except (ImportError, OSError):
        return False
    return True


def import_openvino() -> Any:
    """Import OpenVINO with its usage statistics left out.

    Its import and its converter report to a server, with consent taken for granted. Without the reporting
    package OpenVINO uses a stub that does nothing; so the package is made unfindable, in this process only.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def choose_runtime(
    tower: Callable[[], Any],
    size: int,
    device: str,
    runtime: RuntimeName,
    kept: Path | None,
    *,
    threads: int | None = None,
) -> ImageRuntime:
    """Pick how to run an image tower and make it ready.

    Parameters
    ----------
    tower : callable
        Returns the torch module, in evaluation mode on the CPU.
    size : int
        Side of its input.
    device : str
        Of torch's; anything but ``cpu`` means plain torch.
    runtime : {"auto", "openvino", "torchscript", "torch"}
        ``auto``: OpenVINO where it is installed and gives the same outputs, else plain torch, with the reason
        logged.
    kept : Path or None
        Folder in which the converted network is, or is to be, kept; None keeps nothing.
    threads : int, optional

    Raises
    ------
    UserError
        If the runtime asked for cannot be had.
    OutOfDeviceMemory
        If the tower does not fit on ``device``.
    """
    if runtime not in RUNTIMES:
        raise UserError(f"no runtime is called {runtime}; choose {', '.join(RUNTIMES)}")
    if device != "cpu":
        if runtime in ("openvino", "torchscript"):
            raise UserError(f"the {runtime} runtime is for the CPU; drop --runtime, or use --device cpu")
        return TorchRuntime(tower(), device)
    if runtime == "torch":
        return TorchRuntime(tower())
    if runtime == "torchscript":
        return TorchScriptRuntime(tower().to("cpu"), size)
    if not openvino_available():
        if runtime == "openvino":
            raise UserError("OpenVINO is not installed; pip install openvino, or use --runtime torch")
        logger.info("image encoder runs in plain torch: OpenVINO is not installed")
        return TorchRuntime(tower())
    try:
        return load_openvino(tower, size, kept, threads)
    except (RuntimeError, ValueError, TypeError, OSError, NotImplementedError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        if runtime == "openvino":
            raise UserError(f"OpenVINO cannot run this model ({reason}); use --runtime torch") from error
        logger.warning("image encoder runs in plain torch: OpenVINO cannot run it (%s)", reason)
        return TorchRuntime(tower())


def load_openvino(
    tower: Callable[[], Any], size: int, kept: Path | None, threads: int | None = None
) -> OpenVinoRuntime:
    """Return the tower in OpenVINO, from ``kept`` if it was converted before.

    Raises
    ------
    RuntimeError
        If it cannot be converted, or its outputs differ from plain torch's by more than :data:`TOLERANCE`.
    """
    if kept is not None and (kept / IMAGE_FILE).is_file():
        try:
            return open_kept_image(kept, threads)
        except RuntimeError as error:
            logger.warning("the converted network in %s is unusable (%s); converting again", kept, error)
    module = tower().to("cpu")
    network = convert(module, size)
    made = OpenVinoRuntime(network, _threads_for(sum(p.numel() for p in module.parameters()), threads))
    noise = np.random.default_rng(0).standard_normal((1, 3, size, size), dtype=np.float32)
    require_equal(made(noise), TorchRuntime(module)(noise))
    if kept is not None:
        save_network(network, kept / IMAGE_FILE)
    return made


def open_kept_image(kept: Path, threads: int | None = None) -> OpenVinoRuntime:
    """Return the image tower converted into the folder ``kept`` before; RuntimeError if it is unusable."""
    path = kept / IMAGE_FILE
    try:
        parameters = path.with_suffix(".bin").stat().st_size // 4  # float32
    except OSError as error:
        raise RuntimeError(str(error)) from error
    return OpenVinoRuntime(path, _threads_for(parameters, threads))


def _threads_for(parameters: int, asked: int | None) -> int | None:
    """Return how many threads an image tower gets; None for all cores."""
    # by size, not by a stopwatch: another number of threads adds up in another order, and results must repeat
    return 1 if asked is None and parameters < SMALL else asked


def require_equal(made: Array, expected: Array) -> None:
    """Raise RuntimeError if outputs differ from plain torch's by more than :data:`TOLERANCE`."""
    difference = float(np.abs(made - expected).max()) / max(float(np.abs(expected).max()), 1e-6)
    if not difference <= TOLERANCE:
        raise RuntimeError(f"outputs differ from plain torch's by {difference:.1e}")


def convert(tower: Any, size: int) -> Any:
    """Turn a torch image tower into an OpenVINO network for one (1, 3, size, size) image."""
    import torch

    example = torch.zeros(1, 3, size, size)
    return import_openvino().convert_model(
        _trace(tower, size), example_input=example, input=[1, 3, size, size]
    )


def _trace(tower: Any, size: int) -> Any:
    import torch

    return trace_module(tower, torch.zeros(1, 3, size, size))


def trace_module(module: Any, example: Any) -> Any:
    """Trace a torch module in a form that converters understand."""
    import torch

    # PyTorch's fused attention is one opaque operator that no converter knows; without it there are matrix
    # products
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trace: Any = torch.jit.trace
            return trace(module, example, check_trace=False)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def save_network(network: Any, path: Path) -> None:
    """Keep a converted network; a cache that cannot be written costs time at the next start, no more."""
    draft = path.with_name(f"draft-{os.getpid()}.xml")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        import_openvino().save_model(network, draft, compress_to_fp16=False)
        draft.with_suffix(".bin").replace(path.with_suffix(".bin"))
        draft.replace(path)
    except (OSError, RuntimeError) as error:
        logger.warning("cannot keep the converted network in %s: %s", path.parent, error)
