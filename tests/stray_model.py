"""What is said of stray times, event by event in plain Python: an independent model of the ordering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from neuroclip_live.events import EVENT_DTYPE, Packet

JITTER_US, LATE_US, FOLLOWING, RETURNS, FEW = 1_000, 10_000, 32, 2, 8


@dataclass
class Settled:
    """What becomes of a stream: (time, epoch) of every event decided, in order."""

    events: list[tuple[int, int]] = field(default_factory=list)
    strays: int = 0
    clamped: int = 0

    @property
    def epochs(self) -> int:
        return self.events[-1][1] if self.events else 0


def settle(times: Sequence[int], anew: Sequence[int] = (), final: bool = True) -> Settled:
    """Decide about a stream; ``anew``: events before which an epoch was begun, as often as they are in it."""
    done, newest, epoch = Settled(), 0, 0
    for i, t in enumerate(times):
        epoch += list(anew).count(i)
        end = min([a for a in anew if a > i], default=len(times))
        known = final or end < len(times) or end in anew
        if i == 0 or i in anew:
            newest = t
        elif abs(t - newest) <= JITTER_US:
            done.clamped += t < newest
            newest = max(newest, t)
        else:
            after = times[i + 1 : min(i + 1 + FOLLOWING, end)]
            back = [u for u in after if u >= newest - JITTER_US and (t < newest or u < t - JITTER_US)]
            if len(back) < RETURNS and len(after) < FOLLOWING and not known:
                return done
            stray = len(back) >= RETURNS or 0 < len(back) == len(after)
            if len(after) < FOLLOWING and t < newest:
                stray = len(back) > 0 or len(after) + 1 < FEW
            stray = stray or newest - LATE_US <= t < newest
            if stray:
                done.strays += 1
            else:
                epoch, newest = epoch + (t < newest), t
        done.events.append((newest, epoch))
    return done


def numbered(times: Sequence[int]) -> Packet:
    """Return events at these times; x and y number them."""
    events = np.zeros(len(times), dtype=EVENT_DTYPE)
    events["t"] = np.array(times, dtype=np.int64)
    events["x"], events["y"] = np.arange(len(times)) % 1000, np.arange(len(times)) // 1000
    return events
