"""Which processor torch is to use."""

from __future__ import annotations

import sys
from pathlib import Path

from neuroclip_live.errors import UserError
from neuroclip_live.extras import have, need

_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/proc/driver/nvidia", "/dev/dxg", "/dev/kfd")


def resolve_device(device: str) -> str:
    """Return the device torch is to use, by torch's name.

    Raises
    ------
    UserError
        If the device is not there, or nothing is called so.
    """
    device = device.strip().lower()
    if device == "cpu":
        return device
    kind, _, index = device.partition(":")
    if kind not in ("auto", "cuda", "mps") or (index and not index.isdigit()) or (index and kind != "cuda"):
        raise UserError(f"no device is called {device}; choose auto, cpu, cuda, cuda:1 or mps")
    if kind == "auto" and not (_gpu_driver() and have("torch")):
        return "cpu"
    need(f"--device {device}", "torch")
    import torch

    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise UserError("mps was asked for, but this machine has no Apple GPU; use --device cpu")
        return "mps"
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "auto":
        return "cuda:0" if found else "cpu"
    if not found:
        why = "torch was installed without CUDA" if torch.version.cuda is None else "no NVIDIA GPU was found"
        raise UserError(f"{device} was asked for, but {why}; use --device cpu")
    number = int(index or 0)
    if number >= found:
        raise UserError(f"there is no {device}: this machine has {found} (cuda:0 to cuda:{found - 1})")
    return f"cuda:{number}"


def gpu_memory() -> int | None:
    """Return the bytes torch holds on its GPUs; None where it uses none. Never imports torch."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)  # absent while torch is being imported
    if cuda is None or not cuda.is_initialized():
        return None
    return sum(int(cuda.memory_reserved(number)) for number in range(cuda.device_count()))


def _gpu_driver() -> bool:
    """Tell whether there may be a GPU that torch calls CUDA; asking torch costs seconds, for its import."""
    if sys.platform == "linux":
        return any(Path(file).exists() for file in _DRIVERS)
    return sys.platform == "win32"
