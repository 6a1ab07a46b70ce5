"""Numba's ``njit``, from which all compiled functions of the project are made.

Before the first of them runs, Numba reads in what it knows of NumPy, and looks for SciPy's linear algebra on
the way, to choose between two inner products. That import takes longer than all else Numba does then, and the
model of a program that has just been started waits for it. Here it is not found, for that moment alone:
functions that do need it (``@``, ``numpy.linalg``) look for it when they are compiled, and find it.
"""

from __future__ import annotations

import importlib
import sys

from numba import njit

__all__ = ["njit"]

_SLOW = "scipy.linalg"


def _read_in() -> None:
    """Have Numba read in what it knows of NumPy, without SciPy where nobody has imported that yet."""
    hide = _SLOW not in sys.modules
    if hide:
        sys.modules[_SLOW] = None  # type: ignore[assignment]
    try:
        importlib.import_module("numba.np.arraymath")
    except ImportError:
        pass  # a Numba that keeps it elsewhere starts as it always did
    finally:
        if hide:
            del sys.modules[_SLOW]


_read_in()
