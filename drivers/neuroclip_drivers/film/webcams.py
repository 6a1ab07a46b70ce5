"""Which webcams there are, as Linux tells it; nothing is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from neuroclip_live.errors import UserError


@dataclass(frozen=True)
class Webcam:
    """A webcam: ``number`` is that of ``--webcam``, ``accessible`` whether this user may open it."""

    number: int
    name: str
    accessible: bool

    def __str__(self) -> str:
        return f"{self.number}: {self.name}"


def list_webcams(
    sysfs: str | os.PathLike[str] = "/sys", devfs: str | os.PathLike[str] = "/dev"
) -> list[Webcam]:
    """Return the webcams by number.

    A webcam has several video devices, of which only the first gives pictures; the others are left out.
    """
    found = []
    try:
        devices = list((Path(sysfs) / "class" / "video4linux").iterdir())
    except OSError:
        return []
    for device in devices:
        number = device.name.removeprefix("video")
        if not number.isdecimal() or _text(device / "index") not in ("", "0"):
            continue
        node = Path(devfs) / device.name
        if node.exists():
            name = _text(device / "name") or "webcam"
            found.append(Webcam(int(number), name, os.access(node, os.R_OK | os.W_OK)))
    return sorted(found, key=lambda webcam: webcam.number)


def why_not(number: int, webcams: list[Webcam]) -> UserError:
    """Return why a webcam could not be opened, and what to do."""
    this = next((webcam for webcam in webcams if webcam.number == number), None)
    if this is not None and not this.accessible:
        return UserError(
            f"may not open webcam {this}: permission denied. Join the group video: "
            "sudo usermod -aG video $USER, then log in again"
        )
    if this is not None:
        return UserError(f"webcam {this} cannot be opened: close the program that uses it")
    if webcams:
        others = ", ".join(map(str, webcams))
        return UserError(f"there is no webcam {number}: choose with --webcam N of {others}")
    return UserError(
        f"there is no webcam {number}, or another program uses it: plug it in or close that program"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
