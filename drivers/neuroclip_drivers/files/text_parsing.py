"""Numbers out of lines of text, compiled: NumPy's and pandas' readers take a second for a million events."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroclip_live.compiled import njit

MOST_COLUMNS = 64
_POWERS = 10 ** np.arange(19, dtype=np.int64)
_FLOAT_POWERS = 10.0 ** np.arange(0, 40)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def parse_lines(text: Any, columns: Any, unit_ns: int, out: Any) -> Any:
    """Turn whole lines into events.

    Parameters
    ----------
    text : (N,) uint8
    columns : (4,) int64
        Which column is time, x, y and polarity.
    unit_ns : int
        Nanoseconds in a unit of time.
    out : (2 M,) int64
        Room for M events.

    Returns
    -------
    used : int
        Bytes up to the end of the last line that was taken.
    events : int
    bad : int
        Lines that are no four numbers; empty lines and comments are not counted.
    """
    n, bad, i, used = 0, 0, 0, 0
    room = out.shape[0] >> 1
    total = text.shape[0]
    while i < total and n < room:
        end = i
        while end < total and text[end] != 10:
            end += 1
        if end == total:
            break
        t = x = y = np.int64(0)
        p = np.int64(0)
        seen = 0
        column = 0
        good, comment, filled = True, False, False
        while i < end:
            c = text[i]
            if c == 32 or c == 9 or c == 44 or c == 59 or c == 13:  # space, tab, comma, semicolon, \r
                if c == 44 or c == 59:
                    column += 0 if filled else 1  # nothing between two commas is a column too
                    filled = False
                i += 1
                continue
            if (c == 35 or c == 37) and column == 0:  # a comment
                comment = True
                break
            # a number: sign, digits, fraction, exponent
            negative = False
            if c == 45 or c == 43:
                negative = c == 45
                i += 1
            mantissa = np.int64(0)
            digits, point = 0, False
            exponent: Any = 0
            any_digit = False
            while i < end:
                c = text[i]
                if 48 <= c <= 57:
                    any_digit = True
                    if digits < 18:
                        mantissa = mantissa * 10 + (np.int64(c) - 48)
                        if mantissa > 0:
                            digits += 1
                        if point:
                            exponent -= 1
                    elif not point:
                        exponent += 1
                elif c == 46 and not point:
                    point = True
                else:
                    break
                i += 1
            if i < end and any_digit and (text[i] == 101 or text[i] == 69):  # e
                i += 1
                minus = False
                if i < end and (text[i] == 45 or text[i] == 43):
                    minus = text[i] == 45
                    i += 1
                power: Any = 0
                while i < end and 48 <= text[i] <= 57:
                    power = min(power * 10 + (np.int64(text[i]) - 48), 1000)
                    i += 1
                exponent += -power if minus else power
            if not any_digit and i < end and (text[i] in (84, 116, 70, 102)):  # True, False
                mantissa = np.int64(1) if text[i] in (84, 116) else np.int64(0)
                any_digit = True
                while i < end and (65 <= text[i] <= 90 or 97 <= text[i] <= 122):
                    i += 1
            if not any_digit or (
                i < end
                and not (text[i] == 32 or text[i] == 9 or text[i] == 44 or text[i] == 59 or text[i] == 13)
            ):
                good = False
                break
            if column == columns[0]:
                value, fits = _scaled(mantissa, exponent, unit_ns)
                t = -value if negative else value
                good &= fits
                seen += 1
            elif column == columns[1] or column == columns[2]:
                value, fits = _scaled(mantissa, exponent, 1000)
                value = np.int64(0xFFFF) if (negative and value) or value > 32767 or not fits else value
                if column == columns[1]:
                    x = value
                else:
                    y = value
                seen += 1
            elif column == columns[3]:
                p = np.int64(1) if mantissa > 0 and not negative else np.int64(0)
                seen += 1
            column += 1
            filled = True
        if comment:
            pass
        elif good and seen == 4:
            out[2 * n] = t
            out[2 * n + 1] = x | (y << 16) | (p << 32)
            n += 1
        elif column > 0 or not good:
            bad += 1
        i = end + 1
        used = i
    return used, n, bad


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _scaled(mantissa: Any, exponent: Any, unit_ns: int) -> Any:
    """Return mantissa times ten to the exponent in microseconds, and whether it fits."""
    if mantissa == 0:
        return np.int64(0), True
    while exponent > 0:
        if mantissa > 92233720368547758:
            return np.int64(0), False
        mantissa *= 10
        exponent -= 1
    fraction = 0.0
    if exponent < 0:
        if exponent <= -19:
            if exponent <= -39:
                return np.int64(0), True
            fraction = mantissa / _FLOAT_POWERS[-exponent]
            mantissa = np.int64(0)
        else:
            power = _POWERS[-exponent]
            fraction = (mantissa % power) / power
            mantissa //= power
    if unit_ns >= 1000:
        factor = unit_ns // 1000
        if mantissa > 4611686018427387904 // factor:
            return np.int64(0), False
        if factor == 1:
            return mantissa, True
        return mantissa * factor + np.int64(np.round(fraction * factor)), True
    return mantissa // 1000, True
