"""All cameras at hand, whichever driver opens them: what ``--camera``, ``--list-cameras`` and the panel ask.

iniVation's go through dv-processing, which is always installed; those of Prophesee and others through
neuromorphic-drivers or OpenEB, where these are. A camera that several find goes to the first of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from neuroclip_drivers.camera_info import CameraInfo, named, no_camera
from neuroclip_drivers.inivation.camera import CameraSource
from neuroclip_drivers.inivation.devices import list_cameras as list_inivation
from neuroclip_drivers.metavision.camera import MetavisionCamera, list_metavision
from neuroclip_drivers.neuromorphic.camera import NeuromorphicCamera
from neuroclip_drivers.neuromorphic.devices import list_neuromorphic
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.source import EventSource
from neuroclip_drivers.usb import METAVISION, NEUROMORPHIC, UsbCamera, no_permission, usb_cameras
from neuroclip_live.errors import SourceAway, UserError


@dataclass(frozen=True)
class CameraDriver:
    """One way to cameras.

    Attributes
    ----------
    module : str
        What has to be installed for it.
    list : callable
        Returns the cameras it finds.
    open : callable
        Opens the one of a serial number.
    """

    module: str
    list: Callable[[], list[CameraInfo]]
    open: Callable[[str], EventSource]


DRIVERS = (
    CameraDriver("dv_processing", list_inivation, CameraSource),
    CameraDriver(NEUROMORPHIC, list_neuromorphic, NeuromorphicCamera),
    CameraDriver(METAVISION, list_metavision, MetavisionCamera),
)


def list_cameras(drivers: Sequence[CameraDriver] = DRIVERS) -> list[CameraInfo]:
    """Return the cameras that the installed drivers find; raises UserError where none could look."""
    troubles: list[str] = []
    found = [camera for _, camera in _found(drivers, troubles)]
    if troubles and not found:
        raise UserError(troubles[0])
    return found


def connected_cameras() -> list[UsbCamera]:
    """Return what is plugged in, cheaply and without opening anything; for looking every few seconds.

    Where the operating system does not tell, dv-processing is asked.
    """
    if Path("/sys/bus/usb").exists():
        return usb_cameras()
    return [UsbCamera(c.model, c.serial, 0, 0, c.bus, c.address, "", True) for c in list_inivation()]


def open_camera(
    spec: SourceSpec,
    drivers: Sequence[CameraDriver] = DRIVERS,
    usb: Callable[[], list[UsbCamera]] = usb_cameras,
) -> EventSource:
    """Open the camera of the serial number that ``spec`` gives, or the first found.

    Raises
    ------
    SourceAway
        When there is none, or it cannot be opened now: the message says why and what to do.
    UserError
        When it can never be used.
    """
    serial = spec.target or None
    troubles: list[str] = []
    found = _found(drivers, troubles)
    for driver, camera in found:
        if serial in (None, camera.serial) and not camera.trouble:
            return driver.open(camera.serial)
    seen = usb()
    missing = [camera.missing_driver for camera in seen if camera.missing_driver]
    if missing:
        raise SourceAway(missing[0], named(serial))
    stuck = [camera for _, camera in found if camera.trouble]
    if stuck:
        raise SourceAway(_explain(stuck[0], seen), named(serial))
    if troubles and not found:
        raise SourceAway(troubles[0], named(serial))
    raise no_camera(serial, [camera for _, camera in found], seen)


def _found(drivers: Sequence[CameraDriver], troubles: list[str]) -> list[tuple[CameraDriver, CameraInfo]]:
    """Return the cameras of all installed drivers, each once; what went wrong goes to ``troubles``."""
    found: list[tuple[CameraDriver, CameraInfo]] = []
    for driver in drivers:
        if find_spec(driver.module) is None:
            continue
        try:
            cameras = driver.list()
        except UserError as error:
            troubles.append(str(error))
            continue
        known = {camera.serial for _, camera in found}
        found += [(driver, camera) for camera in cameras if not camera.serial or camera.serial not in known]
    return found


def _explain(camera: CameraInfo, usb: Sequence[UsbCamera]) -> str:
    locked = [seen for seen in usb if not seen.accessible]
    return no_permission(locked[0]) if locked else f"{camera} cannot be opened: {camera.trouble}"
