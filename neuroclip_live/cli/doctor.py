"""What works on this machine and what does not: the content of ``neuroclip-live doctor``, as data.

Each check looks at one thing, says what it found and, if something is wrong, what mends it. None needs a
camera, a screen or a network to be there, and a check that itself breaks is reported as a finding.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from neuroclip_live import __version__
from neuroclip_live.cli.display import check_display
from neuroclip_live.cli.doctor_choices import check_choices, check_recordings, check_runtimes
from neuroclip_live.cli.doctor_machine import check_folders, check_processor, check_webcams
from neuroclip_live.cli.finding import Check, Status
from neuroclip_live.errors import UserError
from neuroclip_live.extras import ALL
from neuroclip_live.extras import PACKAGES as PACKAGES_OF_EXTRAS

__all__ = ["Check", "check_display", "examine", "worst"]

PACKAGES = (
    "dv-processing",
    "numpy",
    "numba",
    "opencv-python-headless",
    "openvino",
    "PySide6-Essentials",
    "pyqtgraph",
)
_OPTIONAL = ("openvino",)


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
    findings.append(_check_torch())
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


def _check_torch() -> Check:
    """Name what open_clip's models, teaching and training stand on; the bundled model needs none of it."""
    numbers = {package: _version(package) for package, extra in PACKAGES_OF_EXTRAS.values() if extra == ALL}
    absent = [package for package, number in numbers.items() if number is None]
    if absent:
        without = f"not installed: {', '.join(absent)}; the bundled model needs none"
        return Check("torch", "ok", without, f'pip install "{ALL}"')
    return Check("torch", "ok", ", ".join(f"{package} {number}" for package, number in numbers.items()))


def check_models() -> list[Check]:
    """Look at the bundled model's files and at what the hub's cache holds."""
    from neuroclip_live.model.catalog import bundled_model, cached_models, damage
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
    from neuroclip_drivers.usb import RULE_FILES, udev_commands, usb_cameras

    if sys.platform != "linux":
        return [Check("cameras", "ok", "see neuroclip-live --list-cameras; USB is looked at on Linux only")]
    if not Path("/sys/bus/usb").is_dir():
        return [Check("cameras", "warn", "this system shows no USB bus (a container or a virtual machine?)")]
    cameras = usb_cameras()
    if not cameras:
        rules = "; ".join(f"camera rule {_presence(Path(file))}" for file in RULE_FILES)
        return [Check("cameras", "ok", f"none on USB; {rules}")]
    findings = []
    for camera in cameras:
        if not camera.accessible:
            found, fix = f"{camera} on {camera.node}: you may not open it", udev_commands(camera.maker)
            findings.append(Check("cameras", "fail", found, fix))
        else:
            findings.append(Check("cameras", "ok", f"{camera} on {camera.node}, may be opened"))
        if camera.missing_driver:
            found, _, fix = camera.missing_driver.partition(": ")
            findings.append(Check("cameras", "warn", found, fix))
    return findings


CHECKS: tuple[Callable[[], list[Check]], ...] = (
    check_versions,
    check_processor,
    check_runtimes,
    check_models,
    check_window,
    check_cameras,
    check_webcams,
    check_recordings,
    check_choices,
    check_folders,
)


def _presence(file: Path) -> str:
    return f"{file} is installed" if file.exists() else "is not installed, and needed only for a camera"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
