"""Make the pictures the simulated camera shows when given none: ``python -m training.show_pictures``.

They are this project's own: solids of the catalog, each of one seed and seen from one side, rendered to
gray with opacity. Which seed and side was chosen among a few for being recognized well by event-nano, so they
show that the program works, not how well it recognizes what it never saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
import numpy.typing as npt

from training.mesh import Mesh, normalized, render, rotation
from training.solids import CATALOG

OUT = Path(__file__).parents[1] / "drivers" / "neuroclip_drivers" / "simulator" / "show"
SIDE = 320


@dataclass(frozen=True)
class View:
    """One picture: which solid, how it was drawn, and from where it is seen, in degrees."""

    solid: str
    seed: int
    elevation: float
    azimuth: float


VIEWS = {
    "a mug": View("mug", 5, 25, -20),
    "headphones": View("headphones", 1, 20, 30),
    "a chair": View("chair", 1, 20, 30),
    "scissors": View("scissors", 1, 45, 120),
    "an umbrella": View("umbrella", 1, 20, 30),
    "a bottle": View("bottle", 1, 20, 30),
    "a tree": View("tree", 2, 20, 30),
    "glasses": View("glasses", 0, 20, 30),
    "a car": View("car", 0, 20, 30),
    "an airplane": View("airplane", 1, 45, 120),
    "a ladder": View("ladder", 1, 20, 30),
    "a light bulb": View("bulb", 2, 45, 120),
}


def still(mesh: Mesh, elevation: float, azimuth: float, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """Return a solid as a picture that fits tightly around it: (2, H, W) uint8, gray and opacity."""
    canvas = np.zeros((side, side), np.float32)
    depth = np.full((side, side), np.inf, np.float32)
    light = np.array([0.3, -0.7, 0.65], np.float32)
    pose = rotation("x", elevation) @ rotation("z", azimuth)
    thing = normalized(mesh)
    render(thing, pose, light / np.linalg.norm(light), canvas, depth, side * 0.42, (side / 2, side / 2))
    there = np.isfinite(depth)
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.stack([np.clip(canvas, 0, 255)[box].astype(np.uint8), there[box].astype(np.uint8) * 255])


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=OUT)
def main(out: Path) -> None:
    """Write a PNG for each."""
    out.mkdir(parents=True, exist_ok=True)
    for name, view in VIEWS.items():
        build, _ = CATALOG[view.solid]
        gray, opacity = still(build(np.random.default_rng(view.seed)), view.elevation, view.azimuth)
        path = out / f"{name.replace(' ', '_')}.png"
        cv2.imwrite(str(path), np.dstack([gray, gray, gray, opacity]), [cv2.IMWRITE_PNG_COMPRESSION, 9])
        click.echo(f"{path.name}: {gray.shape[1]} x {gray.shape[0]}, {path.stat().st_size / 1e3:.1f} kB")


if __name__ == "__main__":
    main()
