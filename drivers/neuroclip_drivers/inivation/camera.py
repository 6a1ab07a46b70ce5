"""Cameras of iniVation through dv-processing: DVS128, DAVIS240, DAVIS346, DVXplorer and its kin.

dv-processing owns the USB threads and keeps what arrives until it is asked; this source asks every
millisecond. Unplugging ends a stream without a word (``isRunning()`` turns false, or a call throws).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neuroclip_drivers.aedat4.payloads import gray
from neuroclip_drivers.camera_info import DEVICE_ERRORS, CameraInfo, first_line, named, no_camera
from neuroclip_drivers.inivation.beside_events import image_of, imu_of, more_of, triggers_of
from neuroclip_drivers.inivation.camera_controls import CameraControls
from neuroclip_drivers.inivation.devices import discover, dv_camera, info_of
from neuroclip_drivers.live_camera import RETRY_S, LiveCamera
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.source import GrayFrame
from neuroclip_drivers.usb import UsbCamera, no_permission, udev_commands, usb_cameras
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution

log = logging.getLogger(__name__)

_POLL_S = 0.001


class CameraSource(LiveCamera):
    """A camera of iniVation.

    Parameters
    ----------
    serial : str or None
        Which camera; ``None`` takes the first.
    api : module-like, optional
        Stands in for ``dv_processing.io.camera`` in tests.
    usb : callable, optional
        Stands in for :func:`neuroclip_drivers.usb.usb_cameras` in tests.

    Raises
    ------
    UserError
        Its firmware gives no events. :class:`~neuroclip_live.errors.SourceAway` where it may come: no
        camera, none of that serial number, no permission, in use by another program.

    Attributes
    ----------
    device
        dv-processing's camera; ``None`` while it is away.
    """

    def __init__(
        self,
        serial: str | None = None,
        *,
        api: Any = None,
        usb: Callable[[], list[UsbCamera]] = usb_cameras,
        retry_s: float = RETRY_S,
    ) -> None:
        self._api = api or dv_camera()
        descriptor = self._choose(serial, usb)
        try:
            device = self._api.open(descriptor)
        except DEVICE_ERRORS as error:
            raise SourceAway(_explain(error, info_of(descriptor), usb()), named(serial)) from None
        name = str(device.getCameraName())
        size = device.getEventResolution()
        if size is None:
            raise UserError(f"{name} gives no events. Choose another camera with --camera SERIAL.")
        resolution = Resolution(int(size[0]), int(size[1]))
        try:
            knobs = CameraControls(device)
        except (AttributeError, *DEVICE_ERRORS):
            log.exception("what can be set on %s cannot be told", name)
            knobs = CameraControls(None)
        side = SideStreams.of_sensor(
            resolution,
            frames=device.isFrameStreamAvailable(),
            imu=device.isImuStreamAvailable(),
            triggers=device.isTriggerStreamAvailable(),
        )
        super().__init__(
            device,
            name,
            str(descriptor.serialNumber),
            resolution,
            knobs,
            side,
            retry_s=retry_s,
            poll_s=_POLL_S,
        )

    def _choose(self, serial: str | None, usb: Callable[[], list[UsbCamera]]) -> Any:
        found = discover(self._api)
        for descriptor in found:
            if serial is None or str(descriptor.serialNumber) == serial:
                return descriptor
        raise no_camera(serial, [info_of(descriptor) for descriptor in found], usb())

    def _running(self, device: Any) -> bool:
        return bool(device.isRunning())

    def _open_again(self) -> Any | None:
        found = [d for d in discover(self._api) if str(d.serialNumber) == self.serial]
        return self._api.open(found[0]) if found else None

    def _next(self, device: Any) -> Packet | None:
        """Return the events that have come, or None; what came beside them goes into the side streams."""
        store = device.getNextEventBatch()
        if device.isFrameStreamAvailable():
            while (frame := device.getNextFrame()) is not None:
                image = image_of(frame)
                self._frame = GrayFrame(int(frame.timestamp), gray(image))
                self._side.add_frame(int(frame.timestamp), image, **more_of(frame))
        # Left alone, samples of the inertial sensor would pile up in dv-processing for as long as we run.
        if device.isImuStreamAvailable() and (samples := device.getNextImuBatch()) and self._side.wanted:
            self._side.add_imu(imu_of(samples))
        if (
            device.isTriggerStreamAvailable()
            and (edges := device.getNextTriggerBatch())
            and self._side.wanted
        ):
            self._side.add_triggers(triggers_of(edges))
        if store is None or not store.size():
            return None
        events = store.numpy()
        packet = np.empty(len(events), dtype=EVENT_DTYPE)
        packet.view("<i8")[:] = events.view("<i8")
        return packet


def _explain(error: Exception, camera: CameraInfo, usb: Sequence[UsbCamera]) -> str:
    for seen in usb:
        if (seen.bus, seen.address) == (camera.bus, camera.address) and not seen.accessible:
            return no_permission(seen)
    reason = first_line(error)
    if "Failed to open USB device" in reason:
        return (
            f"{camera} cannot be opened: another program holds it, or you may not use it. Close DV and "
            f"other viewers; if that does not help, install the udev rule: {udev_commands()}"
        )
    return f"{camera} cannot be opened: {reason}"
