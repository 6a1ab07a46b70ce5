"""Cameras through OpenEB's ``metavision_hal``, where OpenEB or the Metavision SDK is installed.

It opens what neuromorphic-drivers does not know, like EVK2 and GenX320. Written against OpenEB's sources and
held against a stand-in: neither the library (it is on no package index) nor a camera was at hand.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from neuroclip_drivers.camera_info import DEVICE_ERRORS, CameraInfo, first_line, named, no_camera
from neuroclip_drivers.controls import Control, find
from neuroclip_drivers.files.columns import to_packet
from neuroclip_drivers.live_camera import RETRY_S, LiveCamera
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.usb import usb_cameras
from neuroclip_live.errors import SourceAway, UserError
from neuroclip_live.events import Packet, Resolution, join_packets

_POLL_S = 0.001
_BIASES = {
    "bias_diff_on": "Contrast threshold where it gets brighter.",
    "bias_diff_off": "Contrast threshold where it gets darker.",
    "bias_fo": "Low-pass filter: how fast a change the pixels still follow, and with how much noise.",
    "bias_hpf": "High-pass filter: slow changes give no events.",
    "bias_refr": "How long a pixel rests after an event.",
}


def metavision_api() -> Any:
    """Return the module ``metavision_hal``; raises UserError where it does not load."""
    try:
        import metavision_hal
    except ImportError as error:
        raise UserError(
            f"OpenEB's metavision_hal does not load: {first_line(error)}. Install OpenEB, for this Python"
        ) from None
    return metavision_hal


def list_metavision(api: Any = None) -> list[CameraInfo]:
    """Return the cameras that OpenEB finds; raises UserError where it cannot look."""
    try:
        names = (api or metavision_api()).DeviceDiscovery.list()
    except DEVICE_ERRORS as error:
        raise UserError(f"OpenEB cannot look for cameras: {first_line(error)}") from None
    # integrator:plugin:serial
    return [CameraInfo(name.rpartition(":")[2], name.partition(":")[0] or "camera") for name in names]


class _Stream:
    """A device that streams; its events are collected as they are decoded."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self._packets: list[Packet] = []
        self._events, self._decoder = device.get_i_events_stream(), device.get_i_events_stream_decoder()
        device.get_i_event_cd_decoder().add_event_buffer_callback(self._collect)
        self._events.start()

    def _collect(self, events: npt.NDArray[Any]) -> None:
        # of OpenEB's memory, which is used again
        if len(events):
            self._packets.append(to_packet({name: events[name] for name in "txyp"}, "us")[0])

    def poll(self) -> Packet | None:
        """Return the events that have come, or None; raises OSError where it has ended."""
        there = self._events.poll_buffer()
        if there < 0:
            raise OSError("its stream ended")
        if there:
            self._decoder.decode(self._events.get_latest_raw_data())
        packets, self._packets = self._packets, []
        return join_packets(packets) if packets else None


class _Biases:
    """The biases that are meant to be set, within the ranges that the camera tells."""

    def __init__(self, device: Any) -> None:
        facility = device.get_i_ll_biases()
        self._controls: dict[str, Control] = {}
        for name, value in (facility.get_all_biases() if facility is not None else {}).items():
            info = facility.get_bias_info(name) if name in _BIASES else None
            if info is None or not info.is_modifiable():
                continue
            low, high = info.get_bias_range()
            if low < high:
                self._controls[name] = Control(name, "", low, high, value, _BIASES[name], value)

    def controls(self) -> list[Control]:
        return list(self._controls.values())

    def checked(self, name: str, value: float) -> float:
        return find(self.controls(), name).checked(value)

    def apply(self, stream: _Stream, name: str, value: float) -> None:
        if not stream.device.get_i_ll_biases().set(name, round(value)):
            raise ValueError("the camera refuses it")
        old = self._controls[name]
        self._controls[name] = Control(name, "", old.low, old.high, value, old.help, old.default)

    def presets(self) -> dict[str, dict[str, float]]:
        return {}


class MetavisionCamera(LiveCamera):
    """A camera that OpenEB opens.

    Parameters
    ----------
    serial : str or None
        Which camera; ``None`` takes the first.
    api : module-like, optional
        Stands in for ``metavision_hal`` in tests.

    Raises
    ------
    UserError
        OpenEB is not installed. :class:`~neuroclip_live.errors.SourceAway` where the camera may come.
    """

    def __init__(self, serial: str | None = None, *, api: Any = None, retry_s: float = RETRY_S) -> None:
        self._api = api or metavision_api()
        found = list_metavision(self._api)
        camera = next((c for c in found if serial in (None, c.serial)), None)
        if camera is None:
            raise no_camera(serial, found, usb_cameras())
        try:
            stream = self._open(camera.serial)
            size = stream.device.get_i_geometry()
            resolution = Resolution(int(size.get_width()), int(size.get_height()))
            biases = _Biases(stream.device)
        except DEVICE_ERRORS as error:
            raise SourceAway(f"{camera} cannot be opened: {first_line(error)}.", named(serial)) from None
        side = SideStreams.of_sensor(resolution)
        super().__init__(
            stream, str(camera), camera.serial, resolution, biases, side, retry_s=retry_s, poll_s=_POLL_S
        )

    def _open(self, serial: str) -> _Stream:
        device = self._api.DeviceDiscovery.open(serial)
        if device is None:
            raise OSError("another program may hold it, or you may not use it")
        return _Stream(device)

    def _next(self, device: _Stream) -> Packet | None:
        return device.poll()

    def _running(self, device: _Stream) -> bool:
        return True  # asking throws where it is not

    def _open_again(self) -> _Stream | None:
        there = any(camera.serial == self.serial for camera in list_metavision(self._api))
        return self._open(self.serial) if there else None
