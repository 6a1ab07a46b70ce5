"""What can be set of a simulated sensor while it runs."""

from __future__ import annotations

from dataclasses import replace

from neuroclip_drivers.controls import Control
from neuroclip_drivers.simulator.event_synthesis import SensorModel

CONTRAST, NOISE = "Contrast threshold", "Noise"


def sensor_controls(sensor: SensorModel, first: SensorModel) -> list[Control]:
    """Return the controls of a sensor; ``first`` is what it was at the beginning."""
    activity = "Background activity: events a second of a pixel that sees no change."
    contrast, noise = first.threshold_on, first.background_hz
    return [
        Control(CONTRAST, "", 0.05, 0.8, sensor.threshold_on, "Higher: fewer events.", contrast, step=0.01),
        Control(NOISE, "Hz", 0.0, 20.0, sensor.background_hz, activity, noise, step=0.05),
    ]


def tuned(sensor: SensorModel, name: str, value: float) -> SensorModel:
    """Return a sensor with one of these controls set."""
    if name == NOISE:
        return replace(sensor, background_hz=value)
    return replace(sensor, threshold_on=value, threshold_off=value)
