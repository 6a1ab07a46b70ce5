"""The program's door. Importing it takes Ctrl+C over, before anything else is imported.

For the program alone: a library must not do that to whoever imports it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what ``signal`` is made of, which takes long enough to be interrupted itself
import os


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


def program() -> None:
    """Run the command line and leave the process."""
    from neuroclip_live.cli.main import program as run

    run()
