"""A prediction as messages of ROS 2: what is seen as ``vision_msgs``, the event frame as an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from neuroclip_drivers.ros2.message_types import DETECTIONS, IMAGE, typestore
from neuroclip_live.objects.found import FoundObject
from neuroclip_live.recognition.decision import REJECTED
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header

PICTURE = "picture"
"""The id of the whole picture among detections; things have their numbers."""
FRAME_ID = "camera"
_LATEST_NS = (1 << 31) * 1_000_000_000 - 1


class Ros2Messages:
    """Makes messages, in CDR.

    Attributes
    ----------
    corner : tuple of (int, int)
        Of the region that is recognized, in pixels of the sensor: boxes are in pixels of the image.
    """

    def __init__(self) -> None:
        self._types, self._store = typestore().types, typestore()
        self.corner = (0, 0)
        self._size: tuple[int, int] = (0, 0)
        self._nowhere = self._of("geometry_msgs/msg/PoseWithCovariance")(
            pose=self._of("geometry_msgs/msg/Pose")(
                position=self._of("geometry_msgs/msg/Point")(0.0, 0.0, 0.0),
                orientation=self._of("geometry_msgs/msg/Quaternion")(0.0, 0.0, 0.0, 1.0),
            ),
            covariance=np.zeros(36),
        )

    def begin(self, header: Header) -> None:
        """Take in what holds from now on."""
        region = header.settings.road.region
        self.corner = (region.left, region.top) if region is not None else (0, 0)
        width, height = header.resolution
        if region is not None:
            width, height = region.right - region.left, region.bottom - region.top
        self._size = (width, height)

    def detections(self, prediction: Prediction, at_ns: int) -> bytes:
        """Return ``vision_msgs/msg/Detection2DArray``: the whole picture first, then each thing.

        The results of each are its labels with their scores, the highest first; an empty label stands for the
        negatives and "none of these" where these are best. Where nothing moves the picture has no results.
        """
        header = self._header(at_ns)
        width, height = self._size
        if prediction.frames:
            height, width = prediction.frames[-1].shape[:2]
        whole = self._detection(header, PICTURE, (0, 0, width, height), _answers(prediction))
        left, top = self.corner
        things = [
            self._detection(
                header,
                str(found.id),
                (found.box.left - left, found.box.top - top, found.box.right - left, found.box.bottom - top),
                _labels(found),
            )
            for found in prediction.objects or ()
        ]
        message = self._of(DETECTIONS)(header=header, detections=[whole, *things])
        return bytes(self._store.serialize_cdr(message, DETECTIONS))

    def image(self, prediction: Prediction, at_ns: int) -> bytes | None:
        """Return the newest event frame as ``sensor_msgs/msg/Image``; None where there is none."""
        if not prediction.frames:
            return None
        frame = np.ascontiguousarray(prediction.frames[-1])
        height, width = frame.shape[:2]
        message = self._of(IMAGE)(
            header=self._header(at_ns),
            height=height,
            width=width,
            encoding="mono8" if frame.ndim == 2 else "rgb8",
            is_bigendian=0,
            step=frame.nbytes // height,
            data=frame.reshape(-1),
        )
        return bytes(self._store.serialize_cdr(message, IMAGE))

    def _of(self, name: str) -> Any:
        return self._types[name]

    def _header(self, at_ns: int) -> Any:
        at_ns = min(max(0, at_ns), _LATEST_NS)
        time = self._of("builtin_interfaces/msg/Time")(at_ns // 1_000_000_000, at_ns % 1_000_000_000)
        return self._of("std_msgs/msg/Header")(stamp=time, frame_id=FRAME_ID)

    def _detection(
        self,
        header: Any,
        name: str,
        box: tuple[float, float, float, float],
        labels: Iterable[tuple[str, float]],
    ) -> Any:
        left, top, right, bottom = (float(edge) for edge in box)
        middle = self._of("vision_msgs/msg/Point2D")((left + right) / 2, (top + bottom) / 2)
        center = self._of("vision_msgs/msg/Pose2D")(position=middle, theta=0.0)
        return self._of("vision_msgs/msg/Detection2D")(
            header=header,
            results=[
                self._of("vision_msgs/msg/ObjectHypothesisWithPose")(
                    hypothesis=self._of("vision_msgs/msg/ObjectHypothesis")(_text(label), float(score)),
                    pose=self._nowhere,
                )
                for label, score in labels
            ],
            bbox=self._of("vision_msgs/msg/BoundingBox2D")(center, right - left, bottom - top),
            id=name,
        )


def _answers(prediction: Prediction) -> list[tuple[str, float]]:
    decision = prediction.decision
    ranked = _ranked(decision.scores)
    if decision.kind == "none":
        return [(REJECTED, decision.probability), *ranked]
    # what is said out loud leads, also where another label is higher by a hair
    return sorted(ranked, key=lambda item: item[0] != decision.label)


def _labels(found: FoundObject) -> list[tuple[str, float]]:
    first = found.label if found.label is not None else REJECTED
    rest = [(label, score) for label, score in _ranked(found.scores) if label != first]
    return [(first, found.probability), *rest]


def _ranked(scores: Any) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda item: -item[1])


def _text(label: str) -> str:
    return label.encode("utf-8", "replace").decode("utf-8")
