"""Cameras through neuromorphic-drivers: Prophesee EVK3 HD and EVK4, SilkyEvCam, uEye XCP-E, and what it adds.

It also opens a DVXplorer or a DAVIS346, which ``--camera`` leaves to dv-processing and
``--source neuromorphic`` does not. The package owns the USB threads; asking it for a packet waits, without
the interpreter's lock, until one is there. Unplugging makes asking throw.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from neuroclip_drivers.aedat4.payloads import gray
from neuroclip_drivers.camera_info import DEVICE_ERRORS, CameraInfo, first_line, named, no_camera
from neuroclip_drivers.live_camera import RETRY_S, LiveCamera
from neuroclip_drivers.neuromorphic.camera_controls import NeuromorphicControls
from neuroclip_drivers.neuromorphic.devices import list_neuromorphic, neuromorphic_api
from neuroclip_drivers.neuromorphic.packets import events_of, gaps_of, imu_of, triggers_of, warm_up
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame
from neuroclip_drivers.usb import NEUROMORPHIC, UsbCamera, no_permission, usb_cameras
from neuroclip_live.errors import SourceAway
from neuroclip_live.events import Packet, Resolution

log = logging.getLogger(__name__)

_WAIT_S = MAX_WAIT_S / 2
"""Longest time to wait for a packet: what is asked of a source is said at the end of it."""
_WITH_IMU = ("inivation_davis346", "inivation_dvxplorer")
_WITH_FRAMES = ("inivation_davis346",)


class NeuromorphicCamera(LiveCamera):
    """A camera that neuromorphic-drivers opens.

    Parameters
    ----------
    serial : str or None
        Which camera; ``None`` takes the first.
    api : module-like, optional
        Stands in for ``neuromorphic_drivers`` in tests.
    usb : callable, optional
        Stands in for :func:`neuroclip_drivers.usb.usb_cameras` in tests.

    Raises
    ------
    UserError
        The package is not installed. :class:`~neuroclip_live.errors.SourceAway` where the camera may come:
        none, none of that serial number, no permission, in use by another program.
    """

    def __init__(
        self,
        serial: str | None = None,
        *,
        api: Any = None,
        usb: Callable[[], list[UsbCamera]] = usb_cameras,
        retry_s: float = RETRY_S,
    ) -> None:
        self._api = api or neuromorphic_api()
        warm_up()
        found = list_neuromorphic(api)
        camera = next((c for c in found if serial in (None, c.serial)), None)
        if camera is None:
            raise no_camera(serial, found, usb())
        try:
            device = self._open(camera.serial)
        except DEVICE_ERRORS as error:
            raise SourceAway(_explain(error, camera, usb()), named(serial)) from None
        model = device.name()
        size = device.properties()
        resolution = Resolution(int(size.width), int(size.height))
        try:
            knobs = NeuromorphicControls(device, getattr(self._api, model.name.lower()))
        except (AttributeError, *DEVICE_ERRORS):
            log.exception("what can be set on %s cannot be told", camera)
            knobs = NeuromorphicControls(None, None)
        kind = model.name.lower()
        side = SideStreams.of_sensor(
            resolution, frames=kind in _WITH_FRAMES, imu=kind in _WITH_IMU, triggers=True
        )
        super().__init__(
            device,
            f"{model.value} {device.serial()}".strip(),
            str(device.serial()),
            resolution,
            knobs,
            side,
            retry_s=retry_s,
            poll_s=0.0,
        )

    def _open(self, serial: str) -> Any:
        return self._api.open(serial=serial or None, iterator_timeout=_WAIT_S)

    def _next(self, device: Any) -> Packet | None:
        """Return the events that have come, or None; what came beside them goes into the side streams."""
        given = next(device, None)
        if given is None:
            raise OSError("its stream ended")
        packet = given[1]
        if packet is None:
            return None
        if gaps := gaps_of(packet):
            self._count_gaps(gaps)
        for frame in getattr(packet, "frames", ()):
            image = np.array(frame.pixels)
            self._frame = GrayFrame(int(frame.t), gray(image))
            self._side.add_frame(int(frame.t), image)
        if self._side.wanted:
            self._side.add_imu(imu_of(packet))
            self._side.add_triggers(triggers_of(packet))
        return events_of(packet)

    def _running(self, device: Any) -> bool:
        return True  # asking throws where it is not

    def _open_again(self) -> Any | None:
        if not any(camera.serial == self.serial for camera in list_neuromorphic(self._api)):
            return None
        return self._open(self.serial)


def _explain(error: Exception, camera: CameraInfo, usb: list[UsbCamera]) -> str:
    locked = [c for c in usb if c.maker.needs == NEUROMORPHIC and not c.accessible]
    if locked:
        return no_permission(locked[0])
    reason = camera.trouble or first_line(error)
    return f"{camera} cannot be opened: {reason}. Close other programs that show it."


def open_neuromorphic(spec: SourceSpec) -> NeuromorphicCamera:
    """Open the camera of the serial number that ``spec`` gives, or the first found."""
    return NeuromorphicCamera(spec.target or None)
