"""Which runtimes there are, and which one a tower gets.

A runtime is a file here and an entry in :data:`RUNTIMES`, or a file of another package and an entry point::

    [project.entry-points."neuroclip_live.runtimes"]
    my-runtime = "my_package.runtime:make"
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neuroclip_live.errors import UserError
from neuroclip_live.extras import ALL
from neuroclip_live.model.runtimes.runtime import ImageRuntime, Plan
from neuroclip_live.registry import Entry, Registry

logger = logging.getLogger(__name__)

AUTO = "auto"

RUNTIMES = Registry(
    "runtime",
    "neuroclip_live.runtimes",
    (
        Entry(
            "openvino",
            "OpenVINO, compiled for this CPU",
            f"{__package__}.openvino_runtime:make",
            requires=("openvino",),
            capabilities=frozenset({"auto", "cpu-only"}),
        ),
        Entry(
            "onnx",
            "ONNX Runtime on the CPU",
            f"{__package__}.onnx_runtime:make",
            requires=("onnx", "onnxruntime"),
            install="neuroclip-live[onnx]",
            capabilities=frozenset({"cpu-only"}),
        ),
        Entry(
            "torch",
            "plain torch, on any device of torch's",
            f"{__package__}.plain_torch:make",
            requires=("torch",),
            install=ALL,
        ),
    ),
    Entry,
)
"""A factory ``make(tower, plan)`` returns an :class:`~neuroclip_live.model.runtimes.runtime.ImageRuntime`.

``tower`` is called for the torch module, in evaluation mode on the CPU; ``plan`` says what it is made for. A
factory that cannot run this tower, or gives other outputs, raises RuntimeError.

Capabilities: ``cpu-only``; ``auto``: taken where nobody asked, if it is installed and can run the tower.
"""

_UNABLE = (RuntimeError, ValueError, TypeError, OSError, NotImplementedError, ImportError)


def choose_runtime(
    tower: Callable[[], Any],
    size: int,
    device: str,
    runtime: str = AUTO,
    kept: Path | None = None,
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
        Of torch's.
    runtime : str
        Of :data:`RUNTIMES`. ``auto``: on the CPU the first that is installed and gives the same outputs, with
        the reason logged where it is plain torch; on other devices plain torch.
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
    plan = Plan(size, device, kept, threads)
    return _best(tower, plan) if runtime == AUTO else _asked(tower, plan, runtime)


def check_runtime(runtime: str, device: str) -> None:
    """Raise UserError where a runtime is not known, not installed, or not for this device."""
    if runtime == AUTO:
        return
    entry = RUNTIMES.find(runtime)
    if device != "cpu" and "cpu-only" in entry.capabilities:
        raise UserError(f"the {runtime} runtime is for the CPU; drop --runtime, or use --device cpu")
    entry.load()


def _asked(tower: Callable[[], Any], plan: Plan, runtime: str) -> ImageRuntime:
    check_runtime(runtime, plan.device)
    make = RUNTIMES.find(runtime).load()
    try:
        made: ImageRuntime = make(tower, plan)
    except _UNABLE as error:
        raise UserError(f"{runtime} cannot run this model ({_reason(error)}); use --runtime torch") from error
    return made


def _best(tower: Callable[[], Any], plan: Plan) -> ImageRuntime:
    for entry in RUNTIMES.built_in:
        if "auto" not in entry.capabilities or (plan.device != "cpu" and "cpu-only" in entry.capabilities):
            continue
        if entry.missing:
            logger.info("image encoder does not run in %s: it is not installed", entry.name)
            continue
        try:
            made: ImageRuntime = entry.load()(tower, plan)
            return made
        except _UNABLE as error:
            logger.warning(
                "image encoder runs in plain torch: %s cannot run it (%s)", entry.name, _reason(error)
            )
    fallback: ImageRuntime = RUNTIMES.find("torch").load()(tower, plan)
    return fallback


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
