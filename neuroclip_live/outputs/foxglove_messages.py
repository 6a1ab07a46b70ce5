"""A prediction as Foxglove's messages: the event frame, boxes and words on it, and rates.

Times are the stream's own, so that what belongs together lies at one place of Foxglove's timeline.
"""

from __future__ import annotations

import colorsys
from collections import deque
from collections.abc import Sequence
from typing import Any

import foxglove
from foxglove.channels import ImageAnnotationsChannel, RawImageChannel
from foxglove.messages import (
    Color,
    ImageAnnotations,
    Point2,
    PointsAnnotation,
    PointsAnnotationType,
    RawImage,
    TextAnnotation,
    Timestamp,
)

from neuroclip_live.objects.found import FoundObject
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

ROOT = "/neuroclip"
RATE_US = 1_000_000
"""Predictions are counted over so long, of the stream's time."""
_LATEST_NS = (1 << 32) * 1_000_000_000 - 1
_WHITE, _SHADE = Color(r=1, g=1, b=1, a=1), Color(r=0, g=0, b=0, a=0.6)
_TURN = 0.618034  # the golden ratio: neighbors in a list get colors far apart


class FoxgloveTopics:
    """The topics of one run, in a context whose sinks (a server, a file) get what is logged; for one thread.

    Parameters
    ----------
    context : foxglove.Context
    """

    def __init__(self, context: Any) -> None:
        self._context = context  # channels end with the last reference to it
        self._frames = RawImageChannel(f"{ROOT}/frames", context=context)
        self._annotations = ImageAnnotationsChannel(f"{ROOT}/annotations", context=context)
        self._lines = {
            kind: foxglove.Channel(f"{ROOT}/{kind}", message_encoding="json", context=context)
            for kind in ("header", "prediction", "rates", "summary")
        }
        self._corner = (0, 0)
        self._header: Header | None = None
        self._times: deque[int] = deque()
        self._skipped = 0
        self._last_ns = 0

    def begin(self, header: Header) -> None:
        """Take in a header; it is logged with the next prediction, as it has no time of its own."""
        self._header = header
        region = header.settings.road.region
        self._corner = (region.left, region.top) if region is not None else (0, 0)

    def log(self, prediction: Prediction) -> None:
        """Log everything that is known of a moment."""
        at = self._last_ns = min(max(0, prediction.t_us * 1000), _LATEST_NS)
        if self._header is not None:
            self._lines["header"].log(self._header.to_dict(), log_time=at)
            self._header = None
        if prediction.frames and self._frames.has_sinks():
            self._frames.log(image_of(prediction, at), log_time=at)
        if self._annotations.has_sinks():
            self._annotations.log(annotations_of(prediction, at, self._corner), log_time=at)
        self._lines["prediction"].log(prediction.to_dict(), log_time=at)
        self._lines["rates"].log(self._rates(prediction), log_time=at)

    def end(self, summary: Summary) -> None:
        """Log the summary, at the time of the last prediction."""
        self._lines["summary"].log(summary.to_dict(), log_time=self._last_ns)

    def _rates(self, prediction: Prediction) -> dict[str, Any]:
        times = self._times
        if times and prediction.t_us < times[-1]:  # another part of the stream
            times.clear()
        times.append(prediction.t_us)
        while times[0] <= prediction.t_us - RATE_US:
            times.popleft()
        self._skipped += prediction.skipped
        return {
            "predictions_hz": len(times) * 1e6 / RATE_US,
            "events": prediction.events,
            "skipped": self._skipped,
            "latency_ms": {stage: round(ms, 3) for stage, ms in prediction.latency_ms.items()},
        }


def image_of(prediction: Prediction, at_ns: int) -> RawImage:
    """Return the newest event frame: 127 nothing, 0 ON, 255 OFF where frames are event frames."""
    frame = prediction.frames[-1]
    height, width = frame.shape
    return RawImage(
        timestamp=_timestamp(at_ns),
        frame_id="camera",
        width=width,
        height=height,
        encoding="mono8",
        step=width,
        data=frame.tobytes(),
    )


def annotations_of(prediction: Prediction, at_ns: int, corner: tuple[int, int] = (0, 0)) -> ImageAnnotations:
    """Return boxes and words in pixels of the frame, whose corner is at ``corner`` of the picture."""
    time = _timestamp(at_ns)
    height = prediction.frames[-1].shape[0] if prediction.frames else 240
    size = max(8.0, height / 16)
    answer = TextAnnotation(
        timestamp=time,
        position=Point2(x=size / 4, y=size * 1.25),
        text=_answer(prediction),
        font_size=size,
        text_color=_WHITE,
        background_color=_SHADE,
    )
    things = prediction.objects or ()
    colors = [_color(found, list(prediction.scores)) for found in things]
    return ImageAnnotations(
        timestamp=time,
        points=[_box(found, color, corner, time) for found, color in zip(things, colors, strict=True)],
        texts=[
            answer,
            *(_word(f, color, corner, size, time) for f, color in zip(things, colors, strict=True)),
        ],
    )


def _answer(prediction: Prediction) -> str:
    decision = prediction.decision
    if decision.kind == "label":
        return f"{decision.label} {decision.probability:.2f}"
    return {"unsure": f"{decision.label}?", "none": "none of these"}.get(decision.kind, decision.kind)


def _box(found: FoundObject, color: Color, corner: tuple[int, int], time: Timestamp) -> PointsAnnotation:
    left, top, right, bottom = found.box
    places = ((left, top), (right, top), (right, bottom), (left, bottom))
    return PointsAnnotation(
        timestamp=time,
        type=PointsAnnotationType.LineLoop,
        points=[Point2(x=x - corner[0], y=y - corner[1]) for x, y in places],
        outline_color=color,
        thickness=2,
    )


def _word(
    found: FoundObject, color: Color, corner: tuple[int, int], size: float, time: Timestamp
) -> TextAnnotation:
    return TextAnnotation(
        timestamp=time,
        position=Point2(x=found.box.left - corner[0], y=found.box.top - corner[1]),
        text=f"{found.label or 'none of these'} {found.probability:.2f}",
        font_size=size,
        text_color=color,
        background_color=_SHADE,
    )


def _color(found: FoundObject, labels: Sequence[str]) -> Color:
    """Return a label's own color; what waits, or is nothing that was asked for, is paler."""
    if found.label is None or found.label not in labels:
        return Color(r=0.7, g=0.7, b=0.7, a=1)
    r, g, b = colorsys.hsv_to_rgb(labels.index(found.label) * _TURN % 1, 0.7, 1)
    return Color(r=r, g=g, b=b, a=1 if found.state == "seen" else 0.4)


def _timestamp(at_ns: int) -> Timestamp:
    return Timestamp(at_ns // 1_000_000_000, at_ns % 1_000_000_000)
