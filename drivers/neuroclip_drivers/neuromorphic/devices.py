"""Which cameras neuromorphic-drivers finds: Prophesee's EVK3 HD and EVK4, and their kin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neuroclip_drivers.camera_info import DEVICE_ERRORS, CameraInfo, first_line
from neuroclip_live.errors import UserError

USB = Path("/dev/bus/usb")
_INSTALL = '`pip install "neuroclip-live[prophesee]"`'


def neuromorphic_api() -> Any:
    """Return the module ``neuromorphic_drivers``; raises UserError where it does not load."""
    try:
        import neuromorphic_drivers
    except ImportError as error:
        raise UserError(
            "cameras of Prophesee need the package neuromorphic-drivers, which does not load: "
            f"{first_line(error)}. Install it with {_INSTALL}"
        ) from None
    if not hasattr(neuromorphic_drivers, "Evt3Packet"):  # packets were dicts with other names
        raise UserError(f"the installed neuromorphic-drivers is too old: {_INSTALL} brings a newer one")
    return neuromorphic_drivers


def list_neuromorphic(api: Any = None) -> list[CameraInfo]:
    """Return the cameras it finds; one that it may not look into has no serial number.

    Parameters
    ----------
    api : module-like, optional
        Stands in for ``neuromorphic_drivers`` in tests.

    Raises
    ------
    UserError
        When USB cannot be searched.
    """
    if api is None and not USB.exists():
        return []  # a container: the package says "Other error"
    try:
        devices = (api or neuromorphic_api()).list_devices()
    except DEVICE_ERRORS as error:
        raise UserError(f"USB cannot be searched for cameras of Prophesee: {first_line(error)}") from None
    return [CameraInfo(d.serial or "", d.name.value, trouble=d.error or "") for d in devices]
