"""OpenVINO: the tower compiled for the CPU at hand.

On a CPU one image at a time is encoded, and what plain torch spends on an efficient network is mostly
overhead. OpenVINO compiles the network for the machine at hand and is several times faster on it, with the
same outputs: they are compared at conversion, and a conversion that differs is not used. The converted
network is kept in the user's cache, under a digest of the weights, so only the first start pays for it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from neuroclip_live.hidden_imports import hidden
from neuroclip_live.model.runtimes.plain_torch import TorchRuntime
from neuroclip_live.model.runtimes.runtime import Array, Plan, require_equal, threads_for, trace_module

logger = logging.getLogger(__name__)

IMAGE_FILE = "image.xml"
_CONVERTER = "openvino.tools.ovc"
_importing = threading.Lock()


def make(tower: Callable[[], Any], plan: Plan) -> OpenVinoRuntime:
    """Return the tower in OpenVINO; see :func:`load_openvino`."""
    return load_openvino(tower, plan.size, plan.kept, plan.threads)


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
    The converter, which a network that is kept does not need, is imported when it is first called.
    """
    with _importing:
        if "openvino" in sys.modules:
            return import_module("openvino")
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        with hidden(_CONVERTER):
            import openvino
        if not hasattr(openvino, "convert_model"):
            openvino.convert_model = _convert_model
        return openvino


def _convert_model(*arguments: Any, **options: Any) -> Any:
    return import_module(_CONVERTER).convert_model(*arguments, **options)


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
    made = OpenVinoRuntime(network, threads_for(sum(p.numel() for p in module.parameters()), threads))
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
    return OpenVinoRuntime(path, threads_for(parameters, threads))


def convert(tower: Any, size: int) -> Any:
    """Turn a torch image tower into an OpenVINO network for one (1, 3, size, size) image."""
    import torch

    example = torch.zeros(1, 3, size, size)
    return import_openvino().convert_model(
        trace_module(tower, example), example_input=example, input=[1, 3, size, size]
    )


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
