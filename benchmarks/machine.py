"""Which machine, which commit, which versions: what stands beside every figure."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_ROOMS = ("neuroclip_live", "drivers", "gui")
_PACKAGES = ("numpy", "numba", "torch", "openvino", "open_clip_torch", "dv-processing", "PySide6-Essentials")


def commit() -> str:
    """Return the short commit of this checkout, with a plus where files differ from it; "" without git."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", *_ROOMS)
        return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def describe() -> str:
    """Return processor, cores and system in a line."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def facts() -> dict[str, str]:
    """Return what every row of a results file carries."""
    return {"commit": commit(), "machine": describe(), "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")}


def versions() -> str:
    """Return Python's version and those of the packages that matter here."""
    found = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
