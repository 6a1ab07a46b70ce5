"""Keep memory that is used again and again, instead of giving it back and fetching it anew.

Events come in pieces of a megabyte that live for milliseconds. glibc returns such pieces to the system when
they are freed and asks for them again at once, and every page of them then faults and is zeroed: more than
half of the time of a fast replay. With these three settings freed pieces stay with the process.
"""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 256 << 20
_LARGEST_MMAP_THRESHOLD = 32 << 20  # glibc refuses more


def keep_memory() -> bool:
    """Make the C library keep up to 256 MiB of freed memory for the next request; for the whole process.

    Returns
    -------
    bool
        Whether it did: only with glibc, and not where the user's environment says how to allocate.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
        ctypes.CDLL(None).gnu_get_libc_version  # noqa: B018 - other C libraries' mallopt means other things
    except (OSError, AttributeError):
        return False
    # one arena for all threads: those of other threads are unmapped whenever they empty
    wanted = (
        (_M_ARENA_MAX, 1),
        (_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD),
        (_M_TRIM_THRESHOLD, _KEPT_BYTES),
    )
    return all([mallopt(parameter, value) == 1 for parameter, value in wanted])
