"""The program's door. Importing it takes Ctrl+C over, before anything else is imported.

For the program alone: a library must not do that to whoever imports it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what ``signal`` is made of, which takes long enough to be interrupted itself
import os
import sys


def _leave(number: int, _frame: object) -> None:
    """End the process at once: there is nothing to close yet.

    Python's own answer, an exception wherever the program happens to be, would come in the middle of an
    import of Qt, Numba or torch, whose start-up code swallows it or aborts on it.
    """
    try:
        if os.isatty(2):
            os.write(2, b"\x1b[?25h\n")  # progress bars hide the cursor
    finally:
        os._exit(128 + number)


_signal.signal(_signal.SIGINT, _leave)


def _open_closed() -> None:
    """Put something under the standard streams that are closed, as when a menu or a service starts it.

    Else the next files that are opened, a recording say, get their numbers, and whatever a library prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            stream = open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)
            setattr(sys, name, stream)


def program() -> None:
    """Run the command line and leave the process."""
    _open_closed()
    from neuroclip_live.cli.main import program as run

    run()
