"""Makes a film of a stretch of a recording: read, recognized and drawn anew, away from all that is live.

The stretch is recognized slice by slice with the words, model and settings of the window, so the label in a
picture is the label of that moment, whatever was shown while it was watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from neuroclip_gui.panels.export.film_file import Film
from neuroclip_gui.panels.picture.annotated import Notes, annotated, enlargement, picture
from neuroclip_gui.style.palettes import EventColors
from neuroclip_live.events import Packet, empty_packet, join_packets
from neuroclip_live.recognition.prediction import Decision

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.recognition.recognizer import Recognizer
    from neuroclip_live.stream.filters import Treatment
    from neuroclip_live.stream.slicing import SliceBy

Progress = Callable[[float], None]
_LARGEST_SIDE = 1920


@dataclass(frozen=True)
class FilmSettings:
    """What the film is to be.

    Attributes
    ----------
    path : Path
        ``.mp4`` or ``.gif``.
    first_s, last_s : float
        The stretch, in seconds from the beginning of the recording.
    speed : float
        Times real time.
    fps : float
        Pictures a second of the film.
    width : int
        Least width in pixels: sensor pixels are enlarged whole.
    labels : bool
        Recognize it, and write the answer above the picture.
    accumulate_us : int
        A picture shows the events of so long.
    colors : EventColors
    label_colors : dict
        #rrggbb by label.
    smoothing_s, threshold : float
        As the window decides.
    """

    path: Path
    first_s: float
    last_s: float
    colors: EventColors
    speed: float = 1.0
    fps: float = 25.0
    width: int = 720
    labels: bool = True
    accumulate_us: int = 33_000
    label_colors: dict[str, str] = field(default_factory=dict)
    smoothing_s: float = 0.3
    threshold: float = 0.3

    @property
    def pictures(self) -> int:
        """How many pictures the film will have."""
        return max(1, int((self.last_s - self.first_s) / self.speed * self.fps))


def make_film(
    settings: FilmSettings,
    source: EventSource,
    recognizer: Recognizer | None,
    by: SliceBy,
    treatment: Treatment,
    tell: Progress,
    should_stop: Callable[[], bool],
) -> int:
    """Write the film; return how many pictures it has, 0 when it was stopped, and then nothing is left.

    Parameters
    ----------
    settings : FilmSettings
    source : EventSource
        The stretch alone, as fast as it can be read; closed here.
    recognizer : Recognizer or None
        Of its own, not the one at work; None: no labels.
    by : SliceBy
    treatment : Treatment
        Noise filter and turns, as in the window.
    tell : callable
        Told how far it is, 0 to 1.
    should_stop : callable

    Raises
    ------
    UserError
        When the recording cannot be read or the film not be written.
    """
    from neuroclip_gui.panels.picture.painting import color_table, plain_frame

    resolution = treatment.resolution(source.resolution)
    factor = min(enlargement(resolution.width, settings.width), max(1, _LARGEST_SIDE // max(resolution)))
    table = color_table(settings.colors)
    try:
        with Film(settings.path, settings.fps) as film:
            for events, decision, at_us in _moments(settings, source, recognizer, by, treatment, should_stop):
                notes = _notes(settings, decision, at_us, source.name)
                frame = plain_frame(events, resolution)
                image = annotated(picture(frame, table, factor), notes, settings.colors, factor)
                film.add(_pixels(image))
                tell(min(1.0, film.pictures / settings.pictures))
            if should_stop():
                raise _Stopped
        return film.pictures
    except _Stopped:
        return 0
    finally:
        source.close()


class _Stopped(Exception):
    """The film is not wanted any more."""


class _Turned:
    """A source as the window sees it: filtered and turned."""

    def __init__(self, source: EventSource, treatment: Treatment) -> None:
        self._source, self._treatment = source, treatment
        self.resolution = treatment.resolution(source.resolution)

    def packets(self) -> Iterator[Packet]:
        from neuroclip_live.stream.filters import Treater

        treater = Treater(self._source.resolution)
        for packet in self._source.packets():
            yield treater.treat(packet, self._treatment)


def _moments(
    settings: FilmSettings,
    source: EventSource,
    recognizer: Recognizer | None,
    by: SliceBy,
    treatment: Treatment,
    should_stop: Callable[[], bool],
) -> Iterator[tuple[Packet, Decision, int]]:
    """Yield for every picture its events, what is decided, and its time in µs from the beginning."""
    from neuroclip_live.recognition.decision import DecisionSettings
    from neuroclip_live.recognition.replay_all import Totals, slices_of

    seen: Any = _Turned(source, treatment)
    decided = Decision()
    step_us = 1e6 * settings.speed / settings.fps
    origin = _first_us(source)
    first = origin + settings.first_s * 1e6
    end = origin + settings.last_s * 1e6
    pictures, taken, held = 0, 0, empty_packet()
    if recognizer is not None:
        recognizer.decider.settings = DecisionSettings(settings.smoothing_s, settings.threshold)
        recognizer.begin(seen.resolution)
    for piece in slices_of(seen, by, Totals(), should_stop):
        if should_stop():
            return
        if recognizer is not None:
            decided = recognizer.update(piece).decision
        new = piece.end_position - taken
        taken = piece.end_position
        held = join_packets([held, piece.events[-new:]]) if new > 0 else held
        while first + (pictures + 1) * step_us <= min(piece.end_us, end):
            pictures += 1
            at = int(first + pictures * step_us)
            low, high = np.searchsorted(held["t"], [at - settings.accumulate_us, at])
            yield held[low:high], decided, at - origin
        later = np.searchsorted(held["t"], first + pictures * step_us - settings.accumulate_us)
        held = held[later:].copy()


def _first_us(source: Any) -> int:
    """Return when the recording begins, also where only a part of it is read."""
    return int(source.recording.first_us)


def _notes(settings: FilmSettings, decision: Decision, at_us: int, source: str) -> Notes:
    answer, probability = "", None
    if settings.labels:
        words = {"unsure": "Not sure", "none": "None of these", "no-motion": "No motion"}
        answer = words.get(decision.kind, decision.label or "…")
        probability = decision.probability if decision.kind == "label" else None
    slower = "" if settings.speed == 1 else f", {settings.speed:g}×"
    return Notes(
        answer=answer,
        probability=probability,
        time=f"{at_us / 1e6:.2f} s{slower}",
        made=f"{settings.accumulate_us / 1000:g} ms",
        source=source,
        color=settings.label_colors.get(decision.label, "#8e9bab"),
    )


def _pixels(image: Any) -> npt.NDArray[np.uint8]:
    """Return an image's pixels, (H, W, 3) uint8, red first, with even sides."""
    width, height = image.width(), image.height()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    bgra = rows[:, : 4 * width].reshape(height, width, 4)
    return np.ascontiguousarray(bgra[: height - height % 2, : width - width % 2, 2::-1])
