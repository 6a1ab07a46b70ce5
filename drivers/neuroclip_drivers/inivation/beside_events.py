"""Frames, inertial samples and triggers of dv-processing, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.payloads import IMU_DTYPE, TRIGGER_DTYPE


def image_of(frame: Any) -> npt.NDArray[Any]:
    """Return a frame's picture, (H, W) or (H, W, C) of uint8 or uint16, in memory of its own."""
    image = np.array(frame.image)
    return image if image.dtype in (np.uint8, np.uint16) else np.clip(image, 0, 255).astype(np.uint8)


def more_of(frame: Any) -> dict[str, Any]:
    """Return what else dv-processing tells of a frame."""
    return {
        "exposure_us": round(frame.exposure.total_seconds() * 1e6),
        "corner": (int(frame.positionX), int(frame.positionY)),
        "source": int(frame.source.value),
    }


def imu_of(samples: Any) -> npt.NDArray[Any]:
    """Return dv-processing's inertial samples as an array of ``IMU_DTYPE``."""
    rows = [
        (
            s.timestamp,
            s.temperature,
            (s.accelerometerX, s.accelerometerY, s.accelerometerZ),
            (s.gyroscopeX, s.gyroscopeY, s.gyroscopeZ),
            (s.magnetometerX, s.magnetometerY, s.magnetometerZ),
        )
        for s in samples
    ]
    return np.array(rows, dtype=IMU_DTYPE)


def triggers_of(edges: Any) -> npt.NDArray[Any]:
    """Return dv-processing's triggers as an array of ``TRIGGER_DTYPE``."""
    return np.array([(edge.timestamp, int(edge.type.value)) for edge in edges], dtype=TRIGGER_DTYPE)
