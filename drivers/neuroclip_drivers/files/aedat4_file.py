"""AEDAT 4 among the other formats."""

from __future__ import annotations

from pathlib import Path

from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.files.event_file import FileOptions


def open_aedat4(path: Path, options: FileOptions) -> Recording:
    """Open an aedat4; its header tells the sensor and the unit, so only the stream can be chosen."""
    recording = Recording(path, options.stream)
    if options.sensor is not None:
        recording.resolution = options.sensor
    return recording
