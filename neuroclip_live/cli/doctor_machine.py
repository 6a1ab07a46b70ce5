"""What ``doctor`` looks at in the machine: processor, GPU, folders, disk."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

from neuroclip_drivers.film.webcams import list_webcams
from neuroclip_live.cli.finding import Check
from neuroclip_live.extras import ALL, have

_MIN_FREE_GB = 2.0
_MIN_MEMORY_GB = 2.0


def check_processor() -> list[Check]:
    """Name cores, memory and GPU."""
    memory = _available_memory_gb()
    text = f"{_processor_name()}, {os.cpu_count()} cores"
    if memory is not None:
        text += f", {memory:.1f} GB of memory free"
    short = memory is not None and memory < _MIN_MEMORY_GB
    findings = [
        Check(
            "processor",
            "warn" if short else "ok",
            text,
            "the bundled model needs about 1 GB, CLIP ViT-B/32 about 2 GB: close other programs"
            if short
            else "",
        )
    ]
    findings.append(_check_gpu())
    return findings


def check_webcams() -> list[Check]:
    """List the webcams, whose pictures can become events, and whether this user may open them."""
    webcams = list_webcams()
    if not webcams:
        return [Check("webcams", "ok", "none; needed only for --webcam")]
    return [
        Check("webcams", "ok", f"{webcam}, may be opened")
        if webcam.accessible
        else Check("webcams", "warn", f"{webcam}: you may not open it", "sudo usermod -aG video $USER")
        for webcam in webcams
    ]


def check_folders() -> list[Check]:
    """Look at the folders the program writes to, and at the room on the disk."""
    from platformdirs import user_config_path

    from neuroclip_live.model.converted_cache import cache_folder

    return [
        _check_writable("settings folder", user_config_path("neuroclip-live"), "settings are not kept"),
        _check_writable("cache folder", cache_folder(), "every start converts the model again"),
        _check_numba(),
        _check_disk(),
    ]


def _check_gpu() -> Check:
    if not have("torch"):
        return Check("GPU", "ok", "not used: torch is not installed", f'pip install "{ALL}"')
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Check("GPU", "ok", f"{', '.join(names)} (CUDA {torch.version.cuda})")
    if torch.backends.mps.is_available():
        return Check("GPU", "ok", "Apple GPU; use it with --device mps")
    if shutil.which("nvidia-smi") is not None:
        return Check(
            "GPU",
            "warn",
            "there is an NVIDIA driver, but torch cannot use it",
            "run nvidia-smi; if it lists a GPU, install a torch built for its CUDA version (pytorch.org)",
        )
    return Check("GPU", "ok", "none; the CPU does the work")


def _check_writable(name: str, folder: Path, otherwise: str) -> Check:
    """Look whether ``folder``, or the nearest parent there is, can be written."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if there.is_dir() and os.access(there, os.W_OK):
        return Check(name, "ok", str(folder))
    return Check(
        name, "warn", f"{folder} cannot be written; {otherwise}", f"make {there} a folder you may write to"
    )


def _check_numba() -> Check:
    """Look whether compiled loops are kept; without it each start compiles them again, for some seconds."""
    package = Path(__file__).parents[1] / "stream"
    for folder in (os.environ.get("NUMBA_CACHE_DIR"), str(package / "__pycache__")):
        if folder is None:
            continue
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return Check("compiled loops", "ok", f"kept in {folder}")
    from platformdirs import user_cache_path

    kept = user_cache_path("numba", appauthor=False)
    if os.access(kept if kept.exists() else kept.parent, os.W_OK):
        return Check("compiled loops", "ok", f"kept in {kept}")
    return Check(
        "compiled loops",
        "warn",
        "cannot be kept: every start compiles them again, for some seconds",
        "set NUMBA_CACHE_DIR to a folder you may write to",
    )


def _check_disk() -> Check:
    home = Path.home()
    free = shutil.disk_usage(home if home.exists() else Path("/")).free / 1e9
    low = free < _MIN_FREE_GB
    return Check(
        "disk",
        "warn" if low else "ok",
        f"{free:.1f} GB free in {home}",
        "a recording grows by about 10 MB a second at worst: free some space" if low else "",
    )


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _available_memory_gb() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found: Any = next((line.split()[1] for line in lines if line.startswith("MemAvailable")), None)
    return None if found is None else int(found) / 1e6
