"""Which cameras of iniVation are there: what dv-processing tells."""

from __future__ import annotations

from typing import Any

from neuroclip_drivers.camera_info import DEVICE_ERRORS, CameraInfo, first_line
from neuroclip_live.errors import UserError


def list_cameras(api: Any = None) -> list[CameraInfo]:
    """Return the cameras that can be opened.

    Parameters
    ----------
    api : module-like, optional
        Stands in for ``dv_processing.io.camera`` in tests.
    """
    return [info_of(descriptor) for descriptor in discover(api or dv_camera())]


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
