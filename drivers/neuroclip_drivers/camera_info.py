"""What is told of cameras, whichever driver opens them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neuroclip_drivers.usb import UsbCamera, no_permission
from neuroclip_live.errors import SourceAway

DEVICE_ERRORS = (RuntimeError, IndexError, ValueError, OSError)
"""What drivers throw when a camera is not there, may not be opened, or goes away."""


@dataclass(frozen=True)
class CameraInfo:
    """A camera that a driver found.

    ``bus`` and ``address`` are 0 where the driver does not tell them; ``trouble`` says why it cannot be
    opened, where that is known.
    """

    serial: str
    model: str
    bus: int = 0
    address: int = 0
    trouble: str = ""

    def __str__(self) -> str:
        return f"{self.model} {self.serial}".strip()


def named(serial: str | None) -> str:
    """Return what is waited for while there is no such camera."""
    return "a camera" if serial is None else f"camera {serial}"


def first_line(error: Exception) -> str:
    """Return what is to be read of a driver's exception: neither source lines nor its stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("/", "#", "Stacktrace"))] or [
        type(error).__name__
    ]
    return lines[0].removeprefix("RuntimeError: ").rstrip(".")


def no_camera(serial: str | None, found: Sequence[CameraInfo], usb: Sequence[UsbCamera]) -> SourceAway:
    """Return why no camera can be opened, of those that drivers found and of those on USB."""
    locked = [c for c in usb if not c.accessible and (serial is None or serial in (c.serial, ""))]
    if locked:
        return SourceAway(no_permission(locked[0]), named(serial))
    if found:
        others = ", ".join(map(str, found))
        return SourceAway(f"No camera has the serial number {serial}. Connected: {others}.", named(serial))
    none = "No event camera was found. Plug one in (of iniVation or Prophesee)"
    return SourceAway(
        f"{none}, or play a recording with --replay FILE; `neuroclip-live doctor` tells what is on USB.",
        named(serial),
        f"{none}: it is opened as soon as it is there.",
    )
