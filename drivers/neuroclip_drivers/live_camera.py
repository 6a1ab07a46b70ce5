"""What cameras of every driver have in common: reading, being unplugged and coming back, being set.

A driver says how one of its devices is opened and read; this waits for the same serial number to appear again
when the device goes away, and lets whoever reads it, and nobody else, talk to it.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from neuroclip_drivers.camera_info import DEVICE_ERRORS, first_line
from neuroclip_drivers.controls import Control
from neuroclip_drivers.files.event_file import MAX_PACKET_EVENTS
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, copy_packet, empty_packet

log = logging.getLogger(__name__)

RETRY_S = 0.5
"""How often it is looked whether a camera is there again."""


class Knobs(Protocol):
    """What can be set on a driver's devices."""

    def controls(self) -> list[Control]:
        """Return all of them with their values as last set."""
        ...

    def checked(self, name: str, value: float) -> float:
        """Return the value if it may be set (UserError if not)."""
        ...

    def apply(self, device: Any, name: str, value: float) -> None:
        """Set one thing on the device; what the driver throws is for the caller."""
        ...

    def presets(self) -> Mapping[str, Mapping[str, float]]:
        """Return named settings."""
        ...


class LiveCamera(ABC):
    """A camera as an :class:`neuroclip_drivers.source.EventSource`.

    Parameters
    ----------
    device
        The driver's device.
    name, serial : str
    resolution : Resolution
    knobs : Knobs
    side : SideStreams
        What comes beside its events.
    retry_s, poll_s : float
        How often a camera that is away is looked for, and one that gave nothing is asked again.

    Attributes
    ----------
    device
        ``None`` while the camera is away.
    """

    live = True

    def __init__(
        self,
        device: Any,
        name: str,
        serial: str,
        resolution: Resolution,
        knobs: Knobs,
        side: SideStreams,
        *,
        retry_s: float,
        poll_s: float,
    ) -> None:
        self.device: Any = device
        self.name, self.serial, self.resolution = name, serial, resolution
        self._knobs, self._side = knobs, side
        self._retry_s, self._poll_s = retry_s, poll_s
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._state, self._message = SourceState.STREAMING, ""
        self._gaps, self._gaps_told = 0, 0
        self._position_us: int | None = None
        self._frame: GrayFrame | None = None
        self._wanted: dict[str, float] = {}  # set by anybody, applied by whoever reads packets
        self._applied: dict[str, float] = {}

    # ---- of the driver

    @abstractmethod
    def _next(self, device: Any) -> Packet | None:
        """Return the events that have come, or None; what came beside them goes into the side streams."""

    @abstractmethod
    def _running(self, device: Any) -> bool:
        """Tell whether a device that gave nothing is still there."""

    @abstractmethod
    def _open_again(self) -> Any | None:
        """Return the device of ``serial`` opened anew, or None while it is away."""

    # ---- what can be set

    def controls(self) -> list[Control]:
        """Return what can be set on the camera, with what it is set to."""
        with self._lock:
            wanted = dict(self._wanted)
        return [replace(c, value=wanted.get(c.name, c.value)) for c in self._knobs.controls()]

    def set_control(self, name: str, value: float) -> None:
        """Set one of :meth:`controls` before the next packet; it outlives unplugging."""
        value = self._knobs.checked(name, value)
        with self._lock:
            self._wanted[name] = value

    def presets(self) -> Mapping[str, Mapping[str, float]]:
        """Return named settings of :meth:`controls`."""
        return self._knobs.presets()

    def _apply_controls(self, device: Any) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, {}
        for name, value in wanted.items():
            try:
                self._knobs.apply(device, name, value)
            except DEVICE_ERRORS as error:
                log.warning("%s: %s could not be set to %g: %s", self.name, name, value, first_line(error))
            else:
                self._applied[name] = value

    # ---- as a source

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
                gone = packet is None and not self._running(device)
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
            elif time.monotonic() - quiet_since >= MAX_WAIT_S - max(self._poll_s, 0.001):
                yield empty_packet()
                quiet_since = time.monotonic()
            else:
                self._closed.wait(self._poll_s)

    def status(self) -> SourceStatus:
        """Return STREAMING, or WAITING while the camera is unplugged."""
        with self._lock:
            if self._closed.is_set():
                return SourceStatus(SourceState.ENDED)
            lost = bool(self._message) and self._state is SourceState.STREAMING
            return SourceStatus(self._state, self._message, self._position_us, lost=lost)

    def side_streams(self) -> SideStreams:
        """Return what the camera sends beside its events."""
        return self._side

    def latest_frame(self) -> GrayFrame | None:
        """Return the newest intensity frame of a camera that takes them, or None."""
        return self._frame

    def close(self) -> None:
        """Let go of the camera; idempotent."""
        self._closed.set()
        self.device = None

    def _count_gaps(self, gaps: int) -> None:
        """Tell of events that were lost before the driver was asked: at once, then at ten times as many."""
        self._gaps += gaps
        if self._gaps < max(1, 10 * self._gaps_told):
            return
        self._gaps_told = self._gaps
        with self._lock:
            self._message = (
                f"{self.name}: {self._gaps} gap{'s' * (self._gaps > 1)} in its events, as this computer was "
                "too slow to take them; fewer come with higher thresholds or a rate limit"
            )

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
                device = self._open_again()
            except (UserError, *DEVICE_ERRORS) as error:
                self._lose(first_line(error))
                continue
            if device is not None and not self._closed.is_set():
                self.device = device
                with self._lock:
                    self._wanted = {**self._applied, **self._wanted}  # a camera forgets when unplugged
                    self._state, self._message = SourceState.STREAMING, ""
                return
