"""A bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from neuroclip_live.console import console


class ProgressBar:
    """One line: what is done, and how much of it."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self.hidden = progress.disable

    def tell(self, text: str, share: float | None) -> None:
        """Show what is done, and which share of it (0 to 1, None where nobody knows)."""
        self.show(text, None if share is None else 1.0, share or 0.0)

    def show(self, text: str, total: float | None, done: float) -> None:
        """Show what is done, and how much of ``total``."""
        self._progress.update(self._task, description=text, total=total, completed=done)


@contextmanager
def progress_bar() -> Iterator[ProgressBar]:
    """Show a bar on standard error inside."""
    out = console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        yield ProgressBar(progress, progress.add_task("starting", total=None))
