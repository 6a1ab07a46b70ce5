"""Which cameras of iniVation are there: what dv-processing and the USB tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroclip_drivers.inivation.usb import RULE_FILE, UsbCamera, udev_commands, usb_cameras
from neuroclip_live.errors import UserError

DEVICE_ERRORS = (RuntimeError, IndexError, ValueError, OSError)
"""What dv-processing throws when a camera is not there, may not be opened, or goes away."""


@dataclass(frozen=True)
class CameraInfo:
    """A camera that dv-processing found."""

    serial: str
    model: str
    bus: int
    address: int

    def __str__(self) -> str:
        return f"{self.model} {self.serial}"


def list_cameras(api: Any = None) -> list[CameraInfo]:
    """Return the cameras that can be opened.

    Parameters
    ----------
    api : module-like, optional
        Stands in for ``dv_processing.io.camera`` in tests.
    """
    return [info_of(descriptor) for descriptor in discover(api or dv_camera())]


def connected_cameras() -> list[UsbCamera]:
    """Return what is plugged in, cheaply and without opening anything; for looking every few seconds.

    Where the operating system does not tell, dv-processing is asked.
    """
    if Path("/sys/bus/usb").exists():
        return usb_cameras()
    return [UsbCamera(c.model, c.serial, 0, 0, c.bus, c.address, "", True) for c in list_cameras()]


def dv_camera() -> Any:
    """Return ``dv_processing.io.camera``; raises UserError where it does not load."""
    try:
        import dv_processing
    except ImportError as error:
        raise UserError(
            f"Cameras need the package dv-processing, which does not load: {error}. Install it with "
            "`pip install dv-processing`."
        ) from None
    return dv_processing.io.camera


def discover(api: Any) -> list[Any]:
    """Return descriptors of the cameras dv-processing sees; raises UserError where it cannot look."""
    try:
        return list(api.discover())
    except DEVICE_ERRORS as error:
        raise UserError(f"USB cannot be searched for cameras: {first_line(error)}") from None


def info_of(descriptor: Any) -> CameraInfo:
    """Return what a descriptor tells."""
    model = descriptor.cameraModel
    return CameraInfo(
        serial=str(descriptor.serialNumber),
        model=str(getattr(model, "name", model)),
        bus=int(descriptor.busNumber),
        address=int(descriptor.devAddress),
    )


def no_permission(camera: UsbCamera) -> str:
    """Return what a user who may not open a camera is told."""
    return (
        f"May not open the {camera.model} at {camera.node}: permission denied. Install the udev rule in "
        f"{RULE_FILE} and plug the camera in again: {udev_commands()}"
    )


def first_line(error: Exception) -> str:
    """Return what is to be read of an exception of dv-processing: neither source lines nor its stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("/", "#", "Stacktrace"))] or [
        type(error).__name__
    ]
    return lines[0].removeprefix("RuntimeError: ").rstrip(".")
