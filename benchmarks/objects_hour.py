"""An hour of things that come, stop and go: ``python -m benchmarks.objects_hour --out hour.csv``.

Drawn squares cross a 320 x 240 picture for an hour of the stream's time, as fast as can be, through the
recognizer with an encoder that costs nothing. Each minute a row: memory, numbers given, and whether the
counts add up: every thing seen in a slice was encoded, was all that the picture shows, or was passed over.
A number is never told again once its track has ended, and is never told of two things at once.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.results import show, write_table
from benchmarks.sampling import resident_mib
from benchmarks.timing import load
from neuroclip_live.evaluation.track_metrics import overlaps
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.model.model_info import BackboneInfo
from neuroclip_live.objects.found import ObjectsSettings
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.slicing import Slice

VIEW = Resolution(320, 240)
HOP_US = 50_000
ROOM_MS = 12.0
"""Time for encoding in a slice: some things are passed over where there are many."""
MOST_AT_ONCE = 4


class FreeEncoder:
    """Features for nothing, counted."""

    def __init__(self) -> None:
        self.info = BackboneInfo(
            "free", 64, 32, 77, (0.5,) * 3, (0.5,) * 3, "letterbox", "cpu", "none", False, 20.0, 4.0, "",
            focus=True,
        )  # fmt: skip
        self.encoded = 0

    def encode_frames(self, frames: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return (N, 64) features, another for each mean gray."""
        self.encoded += len(frames)
        means = frames.reshape(len(frames), -1).mean(axis=1, dtype=np.float32)
        return np.cos(means[:, None] * np.arange(1, 65, dtype=np.float32))

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return unit features, (N, 64)."""
        rows = np.stack([np.random.default_rng(list(text.encode())).standard_normal(64) for text in texts])
        unit: npt.NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
            np.float32
        )
        return unit

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return how many words each text has."""
        return [len(text.split()) for text in texts]

    def familiarity(self, text: str) -> None:
        """Return None: it was taught nothing."""


@dataclass
class Square:
    """One thing: it comes in at a side, may stop for a while, and goes out at another."""

    number: int
    side: int
    place: npt.NDArray[np.float64]
    velocity: npt.NDArray[np.float64]
    stops: tuple[int, int]
    seed: int

    def box(self) -> Box:
        """Return where it is in the picture."""
        left, top = np.rint(self.place).astype(int).tolist()
        return Box(
            max(0, left), max(0, top), min(VIEW.width, left + self.side), min(VIEW.height, top + self.side)
        )


def slices(minutes: float, seed: int = 0) -> Iterator[tuple[Slice, list[Square]]]:
    """Yield what is seen, hop by hop, each slice two hops long, and the things that move in the newer."""
    rng = np.random.default_rng(seed)
    there: list[Square] = []
    before = np.zeros(0, EVENT_DTYPE)
    number = 0
    for step in range(round(minutes * 60e6 / HOP_US)):
        if len(there) < MOST_AT_ONCE and rng.random() < 0.025:
            number += 1
            there.append(_entering(rng, number, step))
        moving = [one for one in there if not one.stops[0] <= step < one.stops[1]]
        for one in moving:
            one.place += one.velocity
        there = [one for one in there if _is_inside(one)]
        moving = [one for one in moving if _is_inside(one)]
        events = _drawn(rng, moving, step)
        both = np.concatenate([before, events])
        begin = max(0, step - 1) * HOP_US
        yield Slice(both, begin, (step + 1) * HOP_US, 0, step, 0), moving
        before = events


def _entering(rng: np.random.Generator, number: int, step: int) -> Square:
    side, speed = int(rng.integers(28, 60)), rng.uniform(2, 6)
    from_left = rng.random() < 0.5
    place = np.array([-side + 4.0 if from_left else VIEW.width - 4.0, rng.uniform(0, VIEW.height - side)])
    velocity = np.array([speed if from_left else -speed, rng.uniform(-0.5, 0.5)])
    begin = step + int(rng.integers(20, 60)) if rng.random() < 0.4 else step
    return Square(
        number,
        side,
        place,
        velocity,
        (begin, begin + (int(rng.integers(10, 90)) if begin > step else 0)),
        number,
    )


def _is_inside(one: Square) -> bool:
    left, top = one.place
    return bool(-one.side < left < VIEW.width and -one.side < top < VIEW.height)


def _drawn(rng: np.random.Generator, moving: list[Square], step: int) -> Packet:
    xs, ys = [rng.integers(0, VIEW.width, 300)], [rng.integers(0, VIEW.height, 300)]
    for one in moving:
        x, y = rng.integers(0, one.side, (2, one.side * one.side // 2))
        xs.append(x + round(float(one.place[0])))
        ys.append(y + round(float(one.place[1])))
    x, y = np.concatenate(xs), np.concatenate(ys)
    kept = (x >= 0) & (x < VIEW.width) & (y >= 0) & (y < VIEW.height)
    events = np.zeros(int(kept.sum()), EVENT_DTYPE)
    events["x"], events["y"] = x[kept], y[kept]
    events["t"] = step * HOP_US + np.sort(rng.integers(0, HOP_US, len(events)))
    events["p"] = rng.integers(0, 2, len(events))
    return events


class Watched:
    """What was told so far, and what must not have been."""

    def __init__(self) -> None:
        self.told: set[int] = set()
        self.ended: set[int] = set()
        self.ids: set[int] = set()
        self.highest = self.seen = self.shared = self.passed_over = 0
        self.came_again = self.at_two_places = self.unaccounted = 0
        self.owners: dict[int, int] = {}
        self.exchanged = 0

    def take(self, prediction: Any, encoded: int, moving: list[Square]) -> None:
        """Take in a prediction, how many crops were encoded for it, and what was there."""
        found = prediction.objects or ()
        ids = [one.id for one in found]
        self.at_two_places += len(ids) - len(set(ids))
        self.came_again += len(self.ended & set(ids))
        if not prediction.camera_moves:  # what was followed before waits untold
            self.ended |= self.told - set(ids)
            self.told = set(ids)
        self.ids |= self.told
        self.highest = max([self.highest, *ids])
        seen = sum(one.state == "seen" for one in found)
        shared = seen - encoded - prediction.missed.looks
        self.unaccounted += shared != 0 and not (shared == 1 and seen == 1)
        self.seen, self.shared = self.seen + seen, self.shared + shared
        self.passed_over += prediction.missed.looks
        shares = overlaps([one.box() for one in moving], [one.box for one in found if one.state == "seen"])
        numbers = [one.id for one in found if one.state == "seen"]
        for row, one in enumerate(moving):
            if not numbers or shares[row].max() < 0.6:
                continue
            number = numbers[int(shares[row].argmax())]
            self.exchanged += self.owners.get(number, one.number) != one.number
            self.owners[number] = one.number


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    encoder, watched, rows = FreeEncoder(), Watched(), []
    settings = RecognizerSettings(objects=ObjectsSettings(True, budget_ms=float("inf")))
    table = PromptEncoder(encoder).encode(parse_prompts("a mug, a phone"))  # type: ignore[arg-type]
    recognizer = Recognizer(encoder, table, settings)  # type: ignore[arg-type]
    recognizer.begin(VIEW)
    things = 0
    for step, (piece, moving) in enumerate(slices(options.minutes), start=1):
        before = encoder.encoded
        answer = recognizer.answer(piece)
        whole = encoder.encoded - before
        prediction = recognizer.with_things(answer, ROOM_MS)
        watched.take(prediction, encoder.encoded - before - whole, moving)
        things = max([things, *(one.number for one in moving)])
        if step % round(60e6 / HOP_US) == 0:
            gc.collect()
            rows.append(
                {
                    "minute": step * HOP_US // 60_000_000, "rss_mib": round(resident_mib(), 1),
                    "things": things, "ids": len(watched.ids), "highest_id": watched.highest,
                    "seen": watched.seen,
                    "of_whole_picture": watched.shared, "passed_over": watched.passed_over,
                    "unaccounted": watched.unaccounted, "came_again": watched.came_again,
                    "told_twice": watched.at_two_places, "changed_things": watched.exchanged,
                    "load": load(),
                }
            )  # fmt: skip
            show(rows[-1])
    write_table(options.out, rows)


if __name__ == "__main__":
    main()
