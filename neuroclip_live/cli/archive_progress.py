"""How far an archive is: a bar with rate and time left on a terminal, nothing elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from neuroclip_live.archive.indexer import Progress
from neuroclip_live.cli.progress_bar import progress_bar

Tell = Callable[[Progress], bool]
Loading = Callable[[str, float | None], None]


@contextmanager
def shown(stop: threading.Event | None = None) -> Iterator[tuple[Tell, Loading]]:
    """Show a bar inside; yields what is told of the work (False once ``stop`` is set) and of loading."""
    with progress_bar() as bar:

        def tell(at: Progress) -> bool:
            if not bar.hidden:
                bar.show(describe(at), at.total_s or None, at.done_s)
            return stop is None or not stop.is_set()

        yield tell, bar.tell


def describe(at: Progress) -> str:
    """Return a line on where a run stands: the recording, the rate, the time left."""
    name = Path(at.path).name
    name = name if len(name) <= 32 else name[:31] + "…"
    if not at.total_s:
        return f"looking at {name}"
    if not at.done_s:
        return name
    minutes, seconds = divmod(round(at.left_s), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours} h {minutes:02} min" if hours else f"{minutes}:{seconds:02}"
    return f"{name}  {at.rate:,.1f} times real time, {left} left"
