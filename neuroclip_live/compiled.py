"""Numba's ``njit``, from which all compiled functions of the project are made.

Before the first of them runs, Numba reads in what it knows of NumPy, and looks for SciPy's linear algebra on
the way, to choose between two inner products. That import takes longer than all else Numba does then, and the
model of a program that has just been started waits for it. Here it is not found, for that moment alone:
functions that do need it (``@``, ``numpy.linalg``) look for it when they are compiled, and find it.
"""

from __future__ import annotations

import contextlib
import importlib

from numba import njit

from neuroclip_live.hidden_imports import hidden

__all__ = ["njit"]

# a Numba that keeps it elsewhere starts as it always did
with contextlib.suppress(ImportError), hidden("scipy.linalg"):
    importlib.import_module("numba.np.arraymath")
