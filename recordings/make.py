"""Make the recordings again: ``python -m recordings.make --icons NOTO.tgz``.

Pictures move before a simulated sensor (:mod:`neuroclip_drivers.simulator.event_synthesis`) one after the
other. What they are and where to get them is in ``README.md``; the same pictures, seed and NumPy give the
same events.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.format import Compression
from neuroclip_drivers.aedat4.writer import Aedat4Writer, Written
from neuroclip_drivers.replay import SIMULATED
from neuroclip_drivers.simulator.event_synthesis import EventSynthesizer, SensorModel
from neuroclip_live.evaluation.track_scenes import Scene as SeveralThings
from neuroclip_live.evaluation.track_scenes import SceneSettings
from neuroclip_live.events import Packet, Resolution, join_packets
from training.icons import read_set, render

Image = npt.NDArray[np.uint8]

GROUND = 235
STEP_US = 2_000
SIDE = 384


@dataclass(frozen=True)
class Scene:
    """One picture on show: ``icon:KEY`` of the emoji set, or ``digit:N`` drawn here, for so many seconds."""

    picture: str
    seconds: float = 2.5
    share: float = 0.72
    turn_deg: float = 8.0
    ground: int = GROUND


@dataclass(frozen=True)
class Plan:
    """One file: a sensor looking at scenes."""

    resolution: Resolution
    scenes: tuple[Scene, ...]
    sensor: SensorModel


_PLAIN = SensorModel(threshold_on=0.45, threshold_off=0.45, background_hz=0.05, hot_hz=2.0)
PLANS = {
    "tour.aedat4": Plan(
        Resolution(240, 180),
        (
            Scene("icon:automobile"),
            Scene("icon:giraffe", ground=70),
            Scene("icon:umbrella", ground=70),
            Scene("icon:chair"),
            Scene("icon:bicycle", ground=70),
            Scene("icon:glasses"),
        ),
        _PLAIN,
    ),
    "dog.aedat4": Plan(Resolution(128, 128), (Scene("icon:dog", 4.0, ground=70),), _PLAIN),
    "digits.aedat4": Plan(
        Resolution(128, 128), tuple(Scene(f"digit:{d}", 1.5, ground=255) for d in "374"), _PLAIN
    ),
}

SEVERAL = SceneSettings(
    Resolution(320, 240), 4, seconds=3.0, small=0.25, large=0.4, apart=True, noise_hz=0.02, seed=1048
)
"""``several.aedat4``: two cars, a mug and an airplane at once, each in its own quarter of the picture."""


def load_picture(name: str, icons: Path) -> tuple[Image, npt.NDArray[np.float32]]:
    """Return a picture's gray values (H, W) and its opacity (H, W), 0 to 1."""
    kind, _, key = name.partition(":")
    if kind == "icon":
        (icon,) = (i for i in read_set(icons, frozenset()) if i.key == key)
        gray, alpha = render([icon], SIDE)[0]
        return gray, (alpha / 255).astype(np.float32)
    ink = np.zeros((SIDE, SIDE), np.uint8)
    cv2.putText(ink, key, (90, 310), cv2.FONT_HERSHEY_SIMPLEX, 11.0, 255, 34, cv2.LINE_AA)
    return np.full((SIDE, SIDE), 20, np.uint8), (ink / 255).astype(np.float32)


def show(scene: Scene, picture: tuple[Image, npt.NDArray[np.float32]], plan: Plan, t_us: int) -> Image:
    """Draw the picture as the sensor sees it at a time: swaying on a closed path, turning a little."""
    gray, alpha = picture
    width, height = plan.resolution
    phase = 2 * np.pi * t_us / 1e6
    scale = scene.share * height / gray.shape[0]
    turn = scene.turn_deg * np.sin(0.5 * phase)
    matrix = cv2.getRotationMatrix2D((gray.shape[1] / 2, gray.shape[0] / 2), turn, scale)
    matrix[0, 2] += width / 2 - gray.shape[1] / 2 + 0.05 * width * np.sin(0.9 * phase)
    matrix[1, 2] += height / 2 - gray.shape[0] / 2 + 0.05 * height * np.cos(0.7 * phase)
    size = (width, height)
    near = cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_AREA, borderValue=scene.ground)
    cover = cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR)
    return np.asarray(near * cover + scene.ground * (1 - cover), dtype=np.uint8)


def simulate(plan: Plan, icons: Path) -> Packet:
    """Return all events of a plan; between scenes the sensor sees the ground for a moment."""
    packets, start_us = [], 1_000_000
    for number, scene in enumerate(plan.scenes):
        picture = load_picture(scene.picture, icons)
        sensor = EventSynthesizer(plan.resolution, plan.sensor, seed=number)
        for t_us in range(0, round(scene.seconds * 1e6), STEP_US):
            packets.append(sensor.step(show(scene, picture, plan, t_us), start_us + t_us))
        start_us += round(scene.seconds * 1e6)
    return join_packets(packets)


def make(name: str, icons: Path, out: Path) -> Written:
    """Simulate and write one recording of icons and digits."""
    plan = PLANS[name]
    return _written(out / name, plan.resolution, simulate(plan, icons))


def make_several(out: Path) -> Written:
    """Simulate and write the recording of several things at once; it needs no icons."""
    packets = [packet for packet, _ in SeveralThings(SEVERAL).steps()]
    return _written(out / "several.aedat4", SEVERAL.resolution, join_packets(packets))


def _written(path: Path, resolution: Resolution, events: Packet) -> Written:
    with Aedat4Writer(path, resolution, SIMULATED, compression=Compression.ZSTD_HIGH) as writer:
        writer.write(events)
    return writer.close()


@click.command()
@click.option("--icons", type=click.Path(path_type=Path, exists=True), help="Without: several.aedat4 alone.")
@click.option("--out", type=click.Path(path_type=Path), default=Path(__file__).parent)
def main(icons: Path | None, out: Path) -> None:
    """Make every recording of this folder."""
    made = {"several.aedat4": make_several(out)}
    if icons is not None:
        made |= {name: make(name, icons, out) for name in PLANS}
    for name, written in made.items():
        click.echo(f"{name}: {written.events:,} events, {written.bytes / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
