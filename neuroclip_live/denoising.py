"""The noise filter's pass over the events of a packet."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mark_supported(packet: Any, last: Any, support_us: int, stays: Any) -> int:
    """Mark the events with a neighbour no older than ``support_us``; return how many.

    ``last`` (H + 2, W + 2) holds when each pixel fired, with a margin; events outside the sensor stay.
    """
    height, width = last.shape[0] - 2, last.shape[1] - 2
    kept = 0
    for i in range(len(packet)):
        x, y, t = packet[i]["x"], packet[i]["y"], packet[i]["t"]
        stay = True
        if 0 <= x < width and 0 <= y < height:
            since = t - support_us
            stay = (
                last[y, x] >= since
                or last[y, x + 1] >= since
                or last[y, x + 2] >= since
                or last[y + 1, x] >= since
                or last[y + 1, x + 2] >= since
                or last[y + 2, x] >= since
                or last[y + 2, x + 1] >= since
                or last[y + 2, x + 2] >= since
            )
            last[y + 1, x + 1] = t
        stays[i] = stay
        kept += stay
    return kept
