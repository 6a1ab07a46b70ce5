"""Predictions as Open Sound Control, a bundle for each: for sound, light and pictures.

======================  ================  ==================================================================
``/neuroclip/label``    string float      the answer that the window shows, empty where there is none
``/neuroclip/state``    string            ``label``, ``unsure``, ``none``, ``no-motion`` or ``waiting``
``/neuroclip/score``    string float      a label and its probability, the highest first
``/neuroclip/object``   int string float  id, label, probability; then left, top, right and bottom as shares
                        float ×4          of the picture's width and height
======================  ================  ==================================================================
"""

from __future__ import annotations

from typing import Any

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from neuroclip_live.outputs.datagrams import MOST_BYTES, Datagrams
from neuroclip_live.outputs.udp import MOST_OBJECTS, MOST_SCORES
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

ROOT = "/neuroclip"


def bundle(prediction: Prediction, width: int, height: int) -> bytes:
    """Return a prediction as a bundle; ``width`` and ``height`` are the picture's, in pixels.

    Of scores and objects those come first that matter most; what makes it too long is left out.
    """
    decision = prediction.decision
    messages = [
        _message(
            "label", ("s", decision.label if decision.kind == "label" else ""), ("f", decision.probability)
        ),
        _message("state", ("s", decision.kind)),
    ]
    things = sorted(prediction.objects or (), key=lambda found: found.state != "seen")
    for found in things[:MOST_OBJECTS]:
        left, top, right, bottom = found.box
        place = (left / width, top / height, right / width, bottom / height)
        shares = (("f", share) for share in (found.probability, *place))
        messages.append(_message("object", ("i", found.id), ("s", found.label or ""), *shares))
    ranked = sorted(prediction.scores.items(), key=lambda item: -item[1])
    messages += (_message("score", ("s", label), ("f", p)) for label, p in ranked[:MOST_SCORES])
    builder, size = OscBundleBuilder(IMMEDIATELY), 16
    for number, message in enumerate(messages):
        size += 4 + message.size
        if size > MOST_BYTES and number > 1:
            break
        builder.add_content(message)
    data: bytes = builder.build().dgram
    return data


def _message(name: str, *values: tuple[str, str | int | float]) -> Any:
    builder = OscMessageBuilder(f"{ROOT}/{name}")
    for kind, value in values:
        builder.add_arg(value, kind)
    return builder.build()


class OscOutput:
    """Sends predictions.

    Parameters
    ----------
    argument : str
        ``HOST:PORT``.
    """

    def __init__(self, argument: str) -> None:
        self._datagrams = Datagrams("osc", argument)
        self._size = (1, 1)

    def open(self, header: Header) -> None:
        """Take in how large the picture is."""
        width, height = header.resolution
        turned = header.settings.road.treatment.quarter_turns % 2
        self._size = (height, width) if turned else (width, height)

    def write(self, prediction: Prediction) -> None:
        """Send a prediction."""
        self._datagrams.send(bundle(prediction, *self._size))

    def close(self, summary: Summary | None) -> None:
        """End."""
        self._datagrams.close()

    def trouble(self) -> str:
        """Return what is wrong with the way there."""
        return self._datagrams.trouble()
