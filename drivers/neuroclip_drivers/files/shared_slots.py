"""Two slots of memory that a process shares with one it starts: what one fills is not copied through a pipe.

It is memory without a name, of which nothing is left behind whoever is killed; Linux has it. Elsewhere there
are no slots, and pipes do.
"""

from __future__ import annotations

import mmap
import os
from typing import Self

import numpy as np
import numpy.typing as npt

SLOT_BYTES = 1 << 20
_VARIABLE = "NEUROCLIP_SHARED_SLOTS"


class SharedSlots:
    """Both slots, as one process sees them.

    Attributes
    ----------
    file : int
        Descriptor, for the process that is started to inherit.
    memory : ndarray of uint8, (2 * SLOT_BYTES,)
    """

    def __init__(self, file: int) -> None:
        self.file = file
        self.memory: npt.NDArray[np.uint8] = np.frombuffer(mmap.mmap(file, 2 * SLOT_BYTES), np.uint8)

    @classmethod
    def create(cls) -> Self | None:
        """Return new slots; None where the system has none."""
        if not hasattr(os, "memfd_create"):
            return None
        file = os.memfd_create("neuroclip-slots")
        os.ftruncate(file, 2 * SLOT_BYTES)
        return cls(file)

    @classmethod
    def inherited(cls) -> Self | None:
        """Return the slots that whoever started this process told it of; None where there are none."""
        told = os.environ.get(_VARIABLE)
        return cls(int(told)) if told else None

    def environment(self) -> dict[str, str]:
        """Return the environment for a process that is to inherit them."""
        return {**os.environ, _VARIABLE: str(self.file)}

    def slot(self, number: int) -> npt.NDArray[np.uint8]:
        """Return the memory of slot 0 or 1, (SLOT_BYTES,) uint8."""
        return self.memory[number * SLOT_BYTES : (number + 1) * SLOT_BYTES]

    def close(self) -> None:
        """Close the descriptor; the memory lives as long as somebody looks at it."""
        file, self.file = self.file, -1
        if file >= 0:
            os.close(file)
