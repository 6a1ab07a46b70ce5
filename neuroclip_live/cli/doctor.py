"""What works on this machine and what does not: the content of ``neuroclip-live doctor``, as data.

Each check looks at one thing, says what it found and, if something is wrong, what mends it. None needs a
camera, a screen or a network to be there, and a check that itself breaks is reported as a finding.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from neuroclip_live import __version__
from neuroclip_live.cli.display import check_display
from neuroclip_live.errors import UserError

__all__ = ["Check", "check_display", "examine", "worst"]

Status = Literal["ok", "warn", "fail"]

PACKAGES = (
    "dv-processing",
    "numpy",
    "numba",
    "opencv-python-headless",
    "torch",
    "open_clip_torch",
    "timm",
    "openvino",
    "spikingjelly",
    "PySide6-Essentials",
    "pyqtgraph",
)
_OPTIONAL = ("openvino",)
_MIN_FREE_GB = 2.0
_MIN_MEMORY_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes
    ----------
    name : str
    status : {"ok", "warn", "fail"}
        ``warn``: something is worse than it could be, or a part of the program cannot be used.
    text : str
        What was found, in one line.
    fix : str
        What to do about it; may be several lines; empty when there is nothing to do.
    """

    name: str
    status: Status
    text: str
    fix: str = ""


def examine() -> list[Check]:
    """Run every check, in an order fit for reading. Takes a few seconds, as torch is imported."""
    findings: list[Check] = []
    for check in CHECKS:
        name = check.__name__.removeprefix("check_").replace("_", " ")
        try:
            findings.extend(check())
        except UserError as error:
            findings.append(Check(name, "fail", str(error)))
        except (ImportError, OSError, RuntimeError, ValueError, KeyError, AttributeError) as error:
            findings.append(Check(name, "fail", f"the check itself failed: {type(error).__name__}: {error}"))
    return findings


def worst(findings: list[Check]) -> Status:
    """Return the worst status among findings."""
    order: tuple[Status, ...] = ("fail", "warn")
    return next((status for status in order if any(f.status == status for f in findings)), "ok")


def check_versions() -> list[Check]:
    """Name Python, this program and the packages it stands on."""
    findings = [
        Check("neuroclip-live", "ok", f"{__version__} on {platform.system()} {platform.machine()}"),
        Check(
            "Python",
            "ok" if sys.version_info >= (3, 11) else "fail",
            platform.python_version(),
            "" if sys.version_info >= (3, 11) else "neuroclip-live needs Python 3.11 or newer",
        ),
    ]
    present, missing = [], []
    for package in PACKAGES:
        number = _version(package)
        if number is not None:
            present.append(f"{package} {number}")
        elif package not in _OPTIONAL:
            missing.append(package)
    findings.append(
        Check(
            "packages",
            "fail" if missing else "ok",
            f"missing: {', '.join(missing)}" if missing else ", ".join(present),
            f"pip install {' '.join(missing)}" if missing else "",
        )
    )
    if _version("opencv-python") is not None:
        findings.append(
            Check(
                "OpenCV",
                "warn",
                "opencv-python is installed, with a Qt of its own that keeps PySide6's window from opening",
                "pip uninstall opencv-python && pip install --force-reinstall opencv-python-headless",
            )
        )
    return findings


def check_processor() -> list[Check]:
    """Name cores, memory, GPU, and what will run the image encoder."""
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
    from neuroclip_live.model.runtimes import openvino_available

    if openvino_available():
        findings.append(Check("encoder on the CPU", "ok", f"OpenVINO {_version('openvino')}"))
    else:
        findings.append(
            Check(
                "encoder on the CPU",
                "warn",
                "plain torch, as OpenVINO is not installed; frames take about three times longer",
                "pip install openvino",
            )
        )
    return findings


def check_models() -> list[Check]:
    """Look at the bundled model's files and at what the hub's cache holds."""
    from neuroclip_live.model.catalogue import bundled_model, cached_models, damage
    from neuroclip_live.model.hub import cache_folder

    findings = []
    bundled = bundled_model()
    again = "pip install --force-reinstall --no-deps neuroclip-live"
    if bundled is None or bundled.path is None:
        findings.append(Check("bundled model", "fail", "its files are missing", again))
    elif problem := damage(bundled.path / "open_clip_model.safetensors"):
        findings.append(Check("bundled model", "fail", problem, again))
    else:
        findings.append(Check("bundled model", "ok", f"{bundled.name}, {bundled.size_mb:.0f} MB"))
    cached = cached_models()
    names = ", ".join(model.name for model in cached) or "none"
    findings.append(Check("downloaded models", "ok", f"{names} (in {cache_folder()})"))
    return findings


def check_window() -> list[Check]:
    """Tell whether the window can open."""
    try:
        check_display()
    except UserError as error:
        found, _, fix = str(error).partition("; ")
        return [Check("window", "warn", found, fix)]
    place = next(
        (
            f"{v}={os.environ[v]}"
            for v in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")
            if os.environ.get(v)
        ),
        "",
    )
    return [Check("window", "ok", f"can open {place}".strip())]


def check_cameras() -> list[Check]:
    """List event cameras on USB, and whether this user may open them."""
    from neuroclip_drivers.inivation.usb import RULE_FILE, udev_commands, usb_cameras

    if sys.platform != "linux":
        return [Check("cameras", "ok", "see neuroclip-live --list-cameras; USB is looked at on Linux only")]
    if not Path("/sys/bus/usb").is_dir():
        return [Check("cameras", "warn", "this system shows no USB bus (a container or a virtual machine?)")]
    cameras = usb_cameras()
    if not cameras:
        return [Check("cameras", "ok", f"none on USB; camera rule {_presence(Path(RULE_FILE))}")]
    findings = []
    for camera in cameras:
        name = f"{camera.model} {camera.serial}".strip()
        if camera.accessible:
            findings.append(Check("cameras", "ok", f"{name} on {camera.node}, may be opened"))
        else:
            findings.append(
                Check("cameras", "fail", f"{name} on {camera.node}: you may not open it", udev_commands())
            )
    return findings


def check_recordings() -> list[Check]:
    """List the formats of recordings that open here, and what the others need."""
    from neuroclip_drivers.files.registry import file_formats

    formats = file_formats()
    opened = "; ".join(each.help for each in formats if not each.missing)
    findings = [Check("recordings", "ok", opened)]
    for each in formats:
        if each.missing:
            needs = f"{each.help}: not installed ({', '.join(each.missing)})"
            findings.append(Check(each.name, "ok", needs, f'pip install "{each.install}"'))
    return findings


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


CHECKS: tuple[Callable[[], list[Check]], ...] = (
    check_versions,
    check_processor,
    check_models,
    check_window,
    check_cameras,
    check_recordings,
    check_folders,
)


def _check_gpu() -> Check:
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


def _presence(file: Path) -> str:
    return f"{file} is installed" if file.exists() else "is not installed, and needed only for a camera"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


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
