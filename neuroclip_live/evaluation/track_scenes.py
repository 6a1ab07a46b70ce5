"""Simulated scenes with known boxes: pictures of the simulator's show move before a simulated sensor.

Everything is drawn from a seed: the same settings give the same events and the same boxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_drivers.simulator.event_synthesis import EventSynthesizer, SensorModel
from neuroclip_drivers.simulator.show import SHOW_SENSOR, load_show
from neuroclip_live.evaluation.track_truth import Moment
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.box import Box

STEP_US = 4_000
_QVGA = Resolution(320, 240)
_VISIBLE = 0.3
"""A thing of which less can be seen is not asked for: it is hidden."""
_GROUND = 120
_OPAQUE = 0.3
_MOVES_HZ = 0.35
"""How often the camera sways, where it does."""

Image = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SceneSettings:
    """What is seen.

    Attributes
    ----------
    resolution : Resolution
    things : int
        1 to 8.
    seconds : float
    small, large : float
        Longer side of the smallest and the largest thing, of the sensor's shorter side.
    apart : bool
        Each keeps to a part of the picture of its own; else they cross and hide each other.
    stops : bool
        Each stands still for a second in the middle.
    camera_moves : float
        The background's texture sways by so much of the shorter side; 0: a plain, still ground.
    noise_hz : float
        Noise events per pixel and second.
    seed : int
    """

    resolution: Resolution = _QVGA
    things: int = 2
    seconds: float = 6.0
    small: float = 0.2
    large: float = 0.4
    apart: bool = False
    stops: bool = False
    camera_moves: float = 0.0
    noise_hz: float = 0.1
    seed: int = 0

    @property
    def name(self) -> str:
        """Name of the scene in a table."""
        kind = "apart" if self.apart else "crossing"
        more = ", stops" * self.stops + ", camera moves" * (self.camera_moves > 0)
        return f"{self.things} {kind}{more}, {self.resolution}"


@dataclass
class _Thing:
    label: str
    picture: Image
    cover: Image
    first: Floats
    last: Floats
    place: Floats
    velocity: Floats
    turn_hz: float
    seen: dict[str, float] = field(default_factory=dict)


class Scene:
    """One scene: its events, with the boxes at the end of every step.

    Parameters
    ----------
    settings : SceneSettings
    """

    def __init__(self, settings: SceneSettings) -> None:
        if not 1 <= settings.things <= 8:
            raise ValueError(f"{settings.things} things: choose 1 to 8")
        self.settings = settings
        self._random = np.random.default_rng(settings.seed)
        self._things = [self._thing(number) for number in range(settings.things)]
        self._texture = self._ground()

    def steps(self) -> Iterator[tuple[Packet, Moment]]:
        """Yield events and the truth at their end, :data:`STEP_US` at a time."""
        how = self.settings
        sensor: SensorModel = replace(SHOW_SENSOR, background_hz=how.noise_hz)
        synthesizer = EventSynthesizer(how.resolution, sensor, seed=how.seed)
        for t_us in range(0, round(how.seconds * 1e6) + 1, STEP_US):
            image, moment = self._drawn(t_us)
            yield synthesizer.step(image, t_us), moment
            self._move(t_us)

    def _thing(self, number: int) -> _Thing:
        how, draw = self.settings, self._random
        width, height = how.resolution
        show = load_show()
        label, gray, cover = show[int(draw.integers(len(show)))]
        side = min(width, height) * float(draw.uniform(how.small, how.large))
        first, last = np.zeros(2), np.array([width, height], float)
        if how.apart:
            columns = int(np.ceil(np.sqrt(how.things * width / height)))
            rows = -(-how.things // columns)
            cell = np.array([width / columns, height / rows])
            first = np.array([number % columns, number // columns]) * cell
            last = first + cell
            side = min(side, 0.8 * float(cell.min()))
        room = np.maximum(last - first - side, 1)
        place = first + side / 2 + draw.random(2) * room
        angle, speed = draw.uniform(0, 2 * np.pi), draw.uniform(0.15, 0.5) * min(width, height)
        scale = side / max(gray.shape)
        size = (max(4, round(gray.shape[1] * scale)), max(4, round(gray.shape[0] * scale)))
        small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        cover = cv2.resize(cover, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        velocity = speed * np.array([np.cos(angle), np.sin(angle)])
        return _Thing(label, small, cover, first, last, place, velocity, float(draw.uniform(0.2, 0.5)))

    def _ground(self) -> Image:
        how = self.settings
        width, height = how.resolution
        if not how.camera_moves:
            return np.full((height, width), _GROUND, np.float32)
        texture = self._random.normal(0, 1, (height // 4, width // 4)).astype(np.float32)
        texture = cv2.GaussianBlur(texture, (0, 0), 1.5)
        texture = cv2.resize(texture, (width * 2, height * 2), interpolation=cv2.INTER_CUBIC)
        ground = _GROUND + 50 * texture / max(float(texture.std()), 1e-6)
        return np.asarray(np.clip(ground, 5, 250), np.float32)

    def _drawn(self, t_us: int) -> tuple[Image, Moment]:
        width, height = self.settings.resolution
        image = self._seen_ground(t_us)
        owner = np.zeros((height, width), np.uint8)
        boxes: list[Box] = []
        areas = []
        for number, thing in enumerate(self._things, start=1):
            rows, columns = thing.picture.shape
            turn = 10 * np.sin(2 * np.pi * thing.turn_hz * t_us / 1e6)
            matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), turn, 1.0)
            matrix[:, 2] += thing.place - np.array([columns / 2, rows / 2])
            near = cv2.warpAffine(thing.picture, matrix, (width, height))
            cover = cv2.warpAffine(thing.cover, matrix, (width, height))
            image = near * cover + image * (1 - cover)
            own = cover > _OPAQUE
            owner[own] = number
            left, top, wide, high = cv2.boundingRect(own.astype(np.uint8))
            boxes.append(Box(left, top, left + wide, top + high))
            areas.append(int(own.sum()))
        seen = np.bincount(owner.ravel(), minlength=len(boxes) + 1)[1:]
        ids = [i for i, area in enumerate(areas) if area and seen[i] >= _VISIBLE * area]
        things = tuple((i + 1, boxes[i], self._things[i].label) for i in ids)
        return image, Moment(t_us, things)

    def _seen_ground(self, t_us: int) -> Image:
        how = self.settings
        if not how.camera_moves:
            return self._texture
        width, height = how.resolution
        by = how.camera_moves * min(width, height)
        phase = 2 * np.pi * _MOVES_HZ * t_us / 1e6
        shift = np.array([[1, 0, by * np.sin(phase) - width / 2], [0, 1, by * np.cos(phase) - height / 2]])
        return np.asarray(cv2.warpAffine(self._texture, shift, (width, height)), np.float32)

    def _move(self, t_us: int) -> None:
        middle = self.settings.seconds * 5e5
        if self.settings.stops and abs(t_us - middle) < 5e5:
            return
        for thing in self._things:
            half = np.array(thing.picture.shape[::-1]) / 2
            thing.place = thing.place + thing.velocity * STEP_US / 1e6
            low, high = thing.first + half, thing.last - half
            thing.velocity = np.where(thing.place < low, np.abs(thing.velocity), thing.velocity)
            thing.velocity = np.where(thing.place > high, -np.abs(thing.velocity), thing.velocity)
