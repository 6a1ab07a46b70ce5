"""Cameras of iniVation through dv-processing: DVS128, DAVIS240, DAVIS346, DVXplorer and its kin.

dv-processing owns the USB threads and keeps what arrives until it is asked; this source asks every
millisecond. Unplugging ends a stream without a word (``isRunning()`` turns false, or a call throws): then the
source waits for the same serial number to appear again, and goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclip_drivers.aedat4.payloads import gray
from neuroclip_drivers.controls import Control
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS
from neuroclip_drivers.inivation.beside_events import image_of, imu_of, more_of, triggers_of
from neuroclip_drivers.inivation.camera_controls import CameraControls
from neuroclip_drivers.inivation.devices import (
    DEVICE_ERRORS,
    discover,
    dv_camera,
    first_line,
    info_of,
    no_permission,
)
from neuroclip_drivers.inivation.usb import UsbCamera, udev_commands, usb_cameras
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet, empty_packet

if TYPE_CHECKING:
    from neuroclip_drivers.opening import SourceSpec


log = logging.getLogger(__name__)

_POLL_S = 0.001
_RETRY_S = 0.5


class CameraSource:
    """A camera as an :class:`neuroclip_drivers.source.EventSource`.

    Parameters
    ----------
    serial : str or None
        Which camera; ``None`` takes the first.
    api : module-like, optional
        Stands in for ``dv_processing.io.camera`` in tests.
    usb : callable, optional
        Stands in for :func:`neuroclip_drivers.inivation.usb.usb_cameras` in tests.

    Raises
    ------
    UserError
        Its firmware gives no events. :class:`~neuroclip_live.errors.SourceAway` where it may come: no
        camera, none of that serial number, no permission, in use by another program.

    Attributes
    ----------
    device
        dv-processing's camera, for its biases; ``None`` while it is away.
    """

    live = True

    def __init__(
        self,
        serial: str | None = None,
        *,
        api: Any = None,
        usb: Callable[[], list[UsbCamera]] = usb_cameras,
        retry_s: float = _RETRY_S,
    ) -> None:
        self._api = api or dv_camera()
        self._usb = usb
        self._retry_s = retry_s
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._state, self._message = SourceState.STREAMING, ""
        self._position_us: int | None = None
        self._frame: GrayFrame | None = None
        descriptor = self._choose(serial)
        try:
            self.device: Any = self._api.open(descriptor)
        except DEVICE_ERRORS as error:
            raise SourceAway(self._explain(error, descriptor), _named(serial)) from None
        self.serial = str(descriptor.serialNumber)
        self.name = str(self.device.getCameraName())
        resolution = self.device.getEventResolution()
        if resolution is None:
            raise UserError(f"{self.name} gives no events. Choose another camera with --camera SERIAL.")
        self.resolution = Resolution(int(resolution[0]), int(resolution[1]))
        try:
            self._controls = CameraControls(self.device)
        except (AttributeError, *DEVICE_ERRORS):
            log.exception("what can be set on %s cannot be told", self.name)
            self._controls = CameraControls(None)
        self._side = SideStreams.of_sensor(
            self.resolution,
            frames=self.device.isFrameStreamAvailable(),
            imu=self.device.isImuStreamAvailable(),
            triggers=self.device.isTriggerStreamAvailable(),
        )
        self._wanted: dict[str, float] = {}  # set by anybody, applied by whoever reads packets
        self._applied: dict[str, float] = {}

    def _choose(self, serial: str | None) -> Any:
        found = discover(self._api)
        for descriptor in found:
            if serial is None or str(descriptor.serialNumber) == serial:
                return descriptor
        locked = [c for c in self._usb() if not c.accessible and (serial is None or serial in (c.serial, ""))]
        if locked:
            raise SourceAway(no_permission(locked[0]), _named(serial))
        if found:
            others = ", ".join(str(info_of(descriptor)) for descriptor in found)
            message = f"No camera has the serial number {serial}. Connected: {others}."
            raise SourceAway(message, _named(serial))
        none = "No event camera was found. Plug one in (iniVation DVS128, DAVIS or DVXplorer)"
        raise SourceAway(
            f"{none}, or play a recording with --replay FILE; `neuroclip-live doctor` tells what is on USB.",
            _named(serial),
            f"{none}: it is opened as soon as it is there.",
        )

    def _explain(self, error: Exception, descriptor: Any) -> str:
        camera = info_of(descriptor)
        for seen in self._usb():
            if (seen.bus, seen.address) == (camera.bus, camera.address) and not seen.accessible:
                return no_permission(seen)
        reason = first_line(error)
        if "Failed to open USB device" in reason:
            return (
                f"{camera} cannot be opened: another program holds it, or you may not use it. Close DV and "
                f"other viewers; if that does not help, install the udev rule: {udev_commands()}"
            )
        return f"{camera} cannot be opened: {reason}"

    def controls(self) -> list[Control]:
        """Return the camera's biases and exposure, with what they are set to."""
        with self._lock:
            wanted = dict(self._wanted)
        return [replace(c, value=wanted.get(c.name, c.value)) for c in self._controls.controls()]

    def set_control(self, name: str, value: float) -> None:
        """Set one of :meth:`controls` before the next packet; it outlives unplugging."""
        value = self._controls.checked(name, value)
        with self._lock:
            self._wanted[name] = value

    def presets(self) -> dict[str, dict[str, float]]:
        """Return named settings of :meth:`controls`."""
        return self._controls.presets()

    def _apply_controls(self, device: Any) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, {}
        for name, value in wanted.items():
            try:
                self._controls.apply(device, name, value)
            except DEVICE_ERRORS as error:
                log.warning("%s: %s could not be set to %g: %s", self.name, name, value, first_line(error))
            else:
                self._applied[name] = value

    def packets(self) -> Iterator[Packet]:
        """Yield packets as they come from the camera, empty ones while there is nothing."""
        quiet_since = time.monotonic()
        while not self._closed.is_set():
            device = self.device
            if device is None:
                yield from self._wait_for_camera()
                quiet_since = time.monotonic()
                continue
            try:
                if self._wanted:
                    self._apply_controls(device)
                packet = self._next(device)
                gone = packet is None and not device.isRunning()
            except DEVICE_ERRORS as error:
                self._lose(first_line(error))
                continue
            if gone:
                self._lose("unplugged")
            elif packet is not None:
                self._position_us = int(packet["t"][-1])
                for start in range(0, len(packet), MAX_PACKET_EVENTS):
                    part = packet[start : start + MAX_PACKET_EVENTS]
                    yield packet if len(part) == len(packet) else copy_packet(part)
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= MAX_WAIT_S - _POLL_S:
                yield empty_packet()
                quiet_since = time.monotonic()
            else:
                self._closed.wait(_POLL_S)

    def status(self) -> SourceStatus:
        """Return STREAMING, or WAITING while the camera is unplugged."""
        with self._lock:
            if self._closed.is_set():
                return SourceStatus(SourceState.ENDED)
            return SourceStatus(self._state, self._message, self._position_us)

    def side_streams(self) -> SideStreams:
        """Return the camera's frames, inertial samples and triggers."""
        return self._side

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame of a DAVIS, or None."""
        return self._frame

    def close(self) -> None:
        """Let go of the camera; idempotent."""
        self._closed.set()
        self.device = None

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

    def _lose(self, reason: str) -> None:
        self.device = None
        with self._lock:
            self._state = SourceState.WAITING
            self._message = f"{self.name} is gone ({reason}); waiting for it to be plugged in again"

    def _wait_for_camera(self) -> Iterator[Packet]:
        while not self._closed.is_set():
            until = time.monotonic() + self._retry_s
            while (left := until - time.monotonic()) > 0 and not self._closed.wait(min(left, MAX_WAIT_S)):
                yield empty_packet()
            try:
                found = [d for d in discover(self._api) if str(d.serialNumber) == self.serial]
                device = self._api.open(found[0]) if found else None
            except (UserError, *DEVICE_ERRORS) as error:
                self._lose(first_line(error))
                continue
            if device is not None and not self._closed.is_set():
                self.device = device
                with self._lock:
                    self._wanted = {**self._applied, **self._wanted}  # a camera forgets when unplugged
                    self._state, self._message = SourceState.STREAMING, ""
                return


def _named(serial: str | None) -> str:
    """Return what is waited for while there is no such camera."""
    return "a camera" if serial is None else f"camera {serial}"


def open_camera(spec: SourceSpec) -> CameraSource:
    """Open the camera of the serial number that ``spec`` gives, or the first found."""
    return CameraSource(spec.target or None)
