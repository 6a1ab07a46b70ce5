"""Keeping a library from importing what it can do without, where that takes long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(module: str) -> Iterator[bool]:
    """Let nobody find a module inside, as if it were not installed; tells whether it is hidden.

    It is not where it was imported before. Outside it is found as ever.
    """
    hide = module not in sys.modules
    if hide:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield hide
    finally:
        if hide:
            del sys.modules[module]
