"""Packets of neuromorphic-drivers as arrays of this project.

A packet has a structured array for each kind of data, or None: ``polarity_events`` (t, x, y, on),
``trigger_events`` (t, id, and rising or polarity), and of iniVation's cameras ``imu_events`` and ``frames``.
Times are microseconds since the camera was started.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.payloads import IMU_DTYPE, TRIGGER_DTYPE
from neuroclip_live.compiled import njit
from neuroclip_live.events import EVENT_DTYPE, Packet

POLARITY_EVENTS = np.dtype([("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("on", "?")])
"""What ``polarity_events`` are, by the package's documentation."""
STANDARD_GRAVITY = 9.80665
_RISING, _FALLING, _PULSE = 1, 2, 3
"""Kinds of triggers as dv-processing numbers them."""
_KINDS = np.array([_FALLING, _RISING, _PULSE], dtype=np.int8)
"""The same by a DAVIS346's polarity of triggers."""


def events_of(packet: Any) -> Packet | None:
    """Return the events of a packet, or None where it has none."""
    events = packet.polarity_events
    if events is None or not len(events):
        return None
    pairs = np.empty((len(events), 2), dtype=np.int64)  # an event's memory
    _unpack(events, pairs)
    return pairs.view(EVENT_DTYPE).reshape(-1)


def warm_up() -> None:
    """Compile what unpacks events before the first come."""
    _unpack(np.empty(0, dtype=POLARITY_EVENTS), np.empty((0, 2), dtype=np.int64))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _unpack(events: Any, out: Any) -> None:
    """Unpack events in one pass: at 13 bytes each NumPy needs one for each field, ten times as long."""
    for i in range(out.shape[0]):
        event = events[i]
        x, y = np.int64(event["x"]), np.int64(event["y"])
        if x > 32767 or y > 32767:
            x = y = np.int64(0xFFFF)  # -1, outside every sensor
        out[i, 0] = np.int64(event["t"])
        out[i, 1] = x | (y << 16) | (np.int64(event["on"]) << 32)


def gaps_of(packet: Any) -> int:
    """Return how often events were lost before this packet: its driver's queue was full."""
    overflows = packet.polarity_events_overflow_indices
    return 0 if overflows is None else len(overflows)


def triggers_of(packet: Any) -> npt.NDArray[Any]:
    """Return the triggers of a packet as an array of ``TRIGGER_DTYPE``."""
    triggers = getattr(packet, "trigger_events", None)
    if triggers is None:
        return np.empty(0, dtype=TRIGGER_DTYPE)
    rows = np.empty(len(triggers), dtype=TRIGGER_DTYPE)
    rows["t"] = triggers["t"]
    if "rising" in triggers.dtype.names:
        rows["kind"] = np.where(triggers["rising"], _RISING, _FALLING)
    else:
        rows["kind"] = _KINDS[np.minimum(triggers["polarity"], len(_KINDS) - 1)]
    return rows


def imu_of(packet: Any) -> npt.NDArray[Any]:
    """Return the inertial samples of a packet as an array of ``IMU_DTYPE``: m/s² become g, rad/s °/s."""
    samples = getattr(packet, "imu_events", None)
    if samples is None:
        return np.empty(0, dtype=IMU_DTYPE)
    rows = np.zeros(len(samples), dtype=IMU_DTYPE)
    rows["t"], rows["temperature"] = samples["t"], samples["temperature"]
    for axis, name in enumerate("xyz"):
        rows["accelerometer"][:, axis] = samples[f"accelerometer_{name}"] / STANDARD_GRAVITY
        rows["gyroscope"][:, axis] = np.degrees(samples[f"gyroscope_{name}"])
    return rows
