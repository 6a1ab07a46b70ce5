"""What tables and notices are printed with."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from rich.console import Console

_WIDE = 4096


class _Console(Console):
    """Leaves a reader who has seen enough to the program, which ends quietly."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


class _Piped(_Console):
    """Pads no line: rows of a table are as long as the longest, which may be hundreds of characters."""

    def print(self, *objects: Any, **options: Any) -> None:
        with self.capture() as printed:
            super().print(*objects, **options)
        self.file.write("\n".join(line.rstrip(" ") for line in printed.get().split("\n")))


def on_one_line(text: str) -> str:
    """Return text as a terminal may show it: names of files may hold line ends and control characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def console(*, stderr: bool = False) -> Console:
    """Return a console for standard output, or error.

    A table is as wide as the terminal; into a pipe or a file go whole lines, as nobody can put names together
    again that were folded at 80 characters.
    """
    made = _Console(stderr=stderr)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made = _Piped(stderr=stderr, width=_WIDE)
    return made
