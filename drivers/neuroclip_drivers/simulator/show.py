"""What the simulated camera shows when it is given no picture: a dozen things in turn.

The pictures are this project's own (``training/show_pictures.py`` makes them again). Each is recognized by
the bundled model among ``SHOW_PROMPTS``; ``tests/test_show.py`` holds them to it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.simulator.event_synthesis import SensorModel
from neuroclip_drivers.simulator.pictures import read_picture
from neuroclip_drivers.simulator.show_words import SHOW
from neuroclip_live.errors import UserError

SHOW_SENSOR = SensorModel(threshold_on=0.45, threshold_off=0.45, background_hz=0.05, hot_hz=2.0)
"""A sensor that sees edges more than shading, and has little noise: as in the demo recordings."""

Image = npt.NDArray[np.uint8]
_FOLDER = Path(__file__).with_name("show")


def load_show() -> list[tuple[str, Image, Image]]:
    """Return what is shown: name, gray values and opacity, both (H, W) uint8.

    Raises
    ------
    UserError
        When the pictures are not where they were installed.
    """
    shown = []
    for name in SHOW:
        path = _FOLDER / f"{name.replace(' ', '_')}.png"
        if not path.is_file():
            raise UserError(f"the picture {path} is missing: install the package again, or give an image")
        data = read_picture(path)
        shown.append((name, np.ascontiguousarray(data[..., 0]), np.ascontiguousarray(data[..., 3])))
    return shown
