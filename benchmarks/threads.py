"""How many threads torch gets: the number with which the peer is faster, now, on this machine.

Torch's threads spin while they wait for one another. On an idle machine two are faster than one; beside
another busy process the same small network can take a hundred times as long, and a ratio against that would
flatter us.
"""

from __future__ import annotations

import time
from collections.abc import Callable

ROUNDS = 3


def favor(run: Callable[[], object], rounds: int = ROUNDS) -> int:
    """Set torch to one thread or to all, whichever makes ``run`` faster; return the number."""
    import torch

    most = torch.get_num_threads()
    best: dict[int, float] = {}
    for threads in {1, most}:
        torch.set_num_threads(threads)
        run()
        times = []
        for _ in range(rounds):
            begin = time.perf_counter()
            run()
            times.append(time.perf_counter() - begin)
        best[threads] = sorted(times)[len(times) // 2]
    chosen = min(best, key=lambda threads: best[threads])
    torch.set_num_threads(chosen)
    return chosen
