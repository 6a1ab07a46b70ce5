"""Whether the words of a file lie where they should, from its beginning to its end.

A copy in text mode takes the carriage return out of every CR LF, and what follows each is a byte further
ahead. Such a file has the right beginning, a wrong length at most, and gives events that are made up.

Of words of some bytes each byte has values of its own (a kind, the upper bits of a time): where they are
found in another byte than at the beginning of the file, something is missing in between.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.file_check import LOOKED_AT_BYTES

_FIRST_BYTES = 1 << 17
_SAMPLE_BYTES, _SAMPLES = 1 << 13, 16
_LESS = 0.6
"""So much less like the beginning than when moved by some bytes is no chance: of whole files it is 1.0, of
such copies mostly 0.1 to 0.5."""
_WIDE, _MORE = 8, 2.5
"""Of wider words most bytes are zero, which fits anywhere: of them it is told by what does not fit."""

Read = Callable[[int, int], bytes]
"""Reads (count, position) of the file."""


def lost_returns(read: Read, begin: int, end: int, word: int) -> bool:
    """Tell whether a file of binary words was copied as text, with CR LF turned into LF.

    Parameters
    ----------
    read : callable
    begin, end : int
        Where its words begin and end.
    word : int
        Bytes of a word.
    """
    for size in (_FIRST_BYTES, LOOKED_AT_BYTES):  # in binary words one is soon found
        if b"\r\n" in read(max(0, min(end - begin, size)), begin):
            return False
    return _first_moved(read, begin, end, word) is not None


def cut_note(read: Read, begin: int, end: int, word: int) -> str:
    """Say about where the words of a file are no longer where they should be; empty where all are.

    Bytes are missing there that are no whole words: what follows is read as words that are none. Parameters
    as of :func:`lost_returns`; of files for which that is not so.
    """
    place = _first_moved(read, begin, end, word)
    if place is None:
        return ""
    return (
        f"bytes are missing before byte {place:,}, in the middle of a word: events from about there on "
        "may be made up"
    )


def _first_moved(read: Read, begin: int, end: int, word: int) -> int | None:
    """Return the place of the first sample whose words are moved, where two or more are."""
    if end - begin < 2 * _SAMPLE_BYTES:
        return None
    first = _values(read(_SAMPLE_BYTES, begin), word)
    moved, lanes = [], np.arange(word)
    for place in np.linspace(0, end - begin - _SAMPLE_BYTES, _SAMPLES + 1)[1:].astype(np.int64).tolist():
        at = begin + place // word * word
        values = _values(read(_SAMPLE_BYTES, at), word)
        if word <= _WIDE and np.minimum(first, values).sum() >= _LESS * word:
            continue  # moved it could not be more alike than its bytes are many
        pairs = np.minimum(first[:, None], values[None]).sum(axis=2)  # each byte beside each
        alike = pairs[lanes, (lanes + lanes[:, None]) % word].sum(axis=1).tolist()
        unlike = word - alike[0] > _MORE * (word - max(alike))
        if alike[0] < _LESS * max(alike) or (word > _WIDE and unlike):
            moved.append(at)
    return moved[0] if len(moved) >= 2 else None


def _values(data: bytes, word: int) -> npt.NDArray[np.float64]:
    """Return how often each byte of the words has each value, (word, 256), of all of them."""
    words = np.frombuffer(data, np.uint8, len(data) // word * word).reshape(-1, word)
    apart = (words + np.arange(0, 256 * word, 256)).reshape(-1)
    return np.bincount(apart, minlength=256 * word).reshape(word, 256) / max(1, len(words))
