"""Numbers to make inputs from, and the changes that turn a good file into a bad one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

import numpy as np

T = TypeVar("T")
MOST_BYTES = 1 << 16

_ODD_NUMBERS = (
    *(0, 1, 2, -1, -2, 7, 8, 9, 15, 16, 17, 127, 128, 255, 256, 4095, 4096, 32767, 32768, 65535, 65536),
    *(2**24, 2**28, 2**28 + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, -(2**31), -(2**63)),
)


class Dice:
    """Random numbers of a seeded NumPy generator, drawn a thousand at a time: singly they cost too much."""

    def __init__(self, *seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._drawn: list[int] = []

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit`` - 1 (all but even: a remainder of 32 bits)."""
        if not self._drawn:
            self._drawn = self._rng.integers(0, 1 << 32, 1024).tolist()
        return self._drawn.pop() % limit

    def one_in(self, chances: int) -> bool:
        return self.below(chances) == 0

    def small(self, limit: int) -> int:
        """Return a number below ``limit``, rather a small one."""
        return min(self.below(limit), self.below(limit), self.below(limit))

    def choose(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def octets(self, count: int) -> bytes:
        return self._rng.bytes(count)

    def odd_number(self) -> int:
        """Return a number that programs get wrong, or any."""
        if self.one_in(4):
            return self.below(1 << 32) - (1 << 31)
        return self.choose(_ODD_NUMBERS)


def dice_for(target: str, seed: int, batch: int) -> Dice:
    return Dice(seed, crc32(target.encode()), batch)


def mutate(data: bytes, dice: Dice, tokens: Sequence[bytes] = (), others: Sequence[bytes] = ()) -> bytes:
    """Change some bytes of ``data``, or many; put in ``tokens`` and pieces of ``others``."""
    buffer = bytearray(data)
    for _ in range(1 + dice.small(8)):
        at = dice.below(len(buffer) + 1)
        match dice.below(11):
            case 0 if buffer:
                buffer[at % len(buffer)] ^= 1 << dice.below(8)
            case 1 if buffer:
                buffer[at % len(buffer)] = dice.below(256)
            case 2 | 3:
                form = dice.choose(("<B", "<H", "<I", "<Q", ">I"))
                size = struct.calcsize(form)
                # fields lie at multiples of their size more often than not
                at = at - at % size if dice.below(2) else at
                buffer[at : at + size] = struct.pack(form, dice.odd_number() % (1 << 8 * size))
            case 4:
                del buffer[at : at + 1 + dice.small(64)]
            case 5:
                del buffer[at:]
            case 6:
                buffer[at:at] = dice.octets(1 + dice.small(32))
            case 7:
                piece = bytes(buffer[at : at + 1 + dice.small(64)])
                to = dice.below(len(buffer) + 1)
                buffer[to:to] = piece * (1 + dice.small(20))
            case 8 if others:
                other = dice.choose(others)
                begin = dice.below(len(other) + 1)
                piece = other[begin : begin + 1 + dice.small(200)]
                buffer[at : at + (len(piece) if dice.below(2) else 0)] = piece
            case 9 if tokens:
                buffer[at : at + dice.small(8)] = dice.choose(tokens)
            case _:
                buffer[at : at + 8] = bytes(len(buffer[at : at + 8]))
    return bytes(buffer[:MOST_BYTES])
