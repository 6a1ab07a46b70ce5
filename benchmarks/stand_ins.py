"""Sources and models with a known rate and a known cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.source import MAX_WAIT_S, GrayFrame, SourceState, SourceStatus
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet, empty_packet
from neuroclip_live.model.model_info import BackboneInfo

PACKET_S = 0.01
FIFO_S = 0.1
"""How long a device keeps events nobody fetches: what is older is lost, as in a camera's own buffers."""


class LiveStandIn:
    """What is the same in every live source made here: it streams until it is closed."""

    live = True

    def __init__(self) -> None:
        self._closed = threading.Event()

    def status(self) -> SourceStatus:
        """Return that it streams."""
        return SourceStatus(SourceState.ENDED if self._closed.is_set() else SourceState.STREAMING)

    def latest_frame(self) -> GrayFrame | None:
        """Return None: it has no frames."""
        return None

    def close(self) -> None:
        """End the stream."""
        self._closed.set()


class PacedSource(LiveStandIn):
    """A camera that makes so many events a second, whether or not somebody fetches them.

    Parameters
    ----------
    rate_hz : float
    resolution : Resolution

    Attributes
    ----------
    made, lost : int
        Events made so far, and those among them that overflowed the device.
    """

    name = "paced"

    def __init__(self, rate_hz: float, resolution: Resolution, seed: int = 0) -> None:
        super().__init__()
        self.resolution = resolution
        self._count = max(1, round(rate_hz * PACKET_S))
        rng = np.random.default_rng(seed)
        # a few different packets, given again and again with new times
        self._packets = []
        for _ in range(4):
            events = np.zeros(self._count, dtype=EVENT_DTYPE)
            events["x"] = rng.integers(0, resolution.width, self._count)
            events["y"] = rng.integers(0, resolution.height, self._count)
            events["p"] = rng.integers(0, 2, self._count)
            events["t"] = np.arange(self._count) * round(PACKET_S * 1e6) // self._count
            self._packets.append(events)
        self.made = self.lost = 0

    def packets(self) -> Iterator[Packet]:
        """Yield a packet every 10 ms of real time."""
        begin = time.monotonic()
        number = 0
        while not self._closed.is_set():
            due = begin + (number + 1) * PACKET_S
            early = due - time.monotonic()
            if early > 0:
                if early > MAX_WAIT_S:
                    yield empty_packet()
                self._closed.wait(min(early, MAX_WAIT_S))
                continue
            self.made += self._count
            if -early > FIFO_S:
                self.lost += self._count
                number += 1
                continue
            number += 1
            yield self.cut(number - 1)

    def cut(self, number: int) -> Packet:
        """Return packet ``number``: what comes in 10 ms."""
        packet = copy_packet(self._packets[number % len(self._packets)])
        packet["t"] += number * round(PACKET_S * 1e6)
        return packet


class SlowBackbone:
    """A model that knows nothing and takes its time: ``delay_s`` for every frame."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self.info = BackboneInfo(
            name="slow", embed_dim=16, image_size=8, context_length=32, mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5), fit="letterbox", device="cpu", runtime="torch", bundled=False,
            logit_scale=20.0, none_logit=None, description="",
        )  # fmt: skip

    def encode_frames(self, frames: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Wait, and return the same feature for each frame."""
        time.sleep(self._delay_s * len(frames))
        return np.ones((len(frames), 16), np.float32)

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return unit features that differ."""
        return np.eye(max(16, len(texts)), 16, dtype=np.float32)[: len(texts)]

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return 3 for each."""
        return [3] * len(texts)

    def familiarity(self, text: str) -> None:
        """Return None: it cannot tell."""
        return
