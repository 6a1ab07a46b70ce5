"""Predictions as small JSON objects over UDP, a datagram for each: for sketches and microcontrollers."""

from __future__ import annotations

import json
from typing import Any

from neuroclip_live.outputs.datagrams import MOST_BYTES, Datagrams
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

MOST_SCORES, MOST_OBJECTS = 16, 8
_FIELDS = ("type", "number", "t_us", "label", "probability", "state")
_OF_OBJECTS = ("id", "box", "label", "probability", "state")


def small(prediction: Prediction) -> bytes:
    """Return a prediction's most important fields, named and meant as in the JSON lines, and a line's end.

    The lowest scores, then the last objects are left out where they would make it longer than
    :data:`~neuroclip_live.outputs.datagrams.MOST_BYTES`.
    """
    line = prediction.to_dict()
    decision = line["decision"]
    told: dict[str, Any] = {key: line[key] for key in _FIELDS}
    told["decision"] = {key: decision[key] for key in ("kind", "label", "probability")}
    if "objects" in line:
        moving_first = sorted(line["objects"], key=lambda found: found["state"] != "seen")
        told["objects"] = [{key: found[key] for key in _OF_OBJECTS} for found in moving_first[:MOST_OBJECTS]]
    ranked = sorted(line["scores"].items(), key=lambda item: -item[1])[:MOST_SCORES]
    while True:
        told["scores"] = dict(ranked)
        data = (json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")
        if len(data) <= MOST_BYTES or not (ranked or told.get("objects")):
            return data
        (ranked or told["objects"]).pop()


class UdpOutput:
    """Sends predictions.

    Parameters
    ----------
    argument : str
        ``HOST:PORT``.
    """

    def __init__(self, argument: str) -> None:
        self._datagrams = Datagrams("udp", argument)

    def open(self, header: Header) -> None:
        """Do nothing: whoever listens may come at any time, so each datagram stands for itself."""

    def write(self, prediction: Prediction) -> None:
        """Send a prediction."""
        self._datagrams.send(small(prediction))

    def close(self, summary: Summary | None) -> None:
        """End."""
        self._datagrams.close()

    def trouble(self) -> str:
        """Return what is wrong with the way there."""
        return self._datagrams.trouble()
