"""What is looked for in an archive."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from neuroclip_live.errors import UserError

MOST = 100_000
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Query:
    """A question.

    Attributes
    ----------
    text : str or None
        A word or a phrase.
    both : tuple of str
        What has to be seen at the same time.
    without : tuple of str
        What competes: moments that look more like it score low.
    like : tuple of str and float, or None
        A recording and a second in it: moments that look alike.
    top : int
        How many moments at the most.
    least : float
        Score below which a moment is none, 0 to 1.
    min_s : float
        Moments that are shorter are left out.
    files : str or None
        Glob of paths or of names.
    sensor : str or None
        ``640x480``, or a camera's name.
    since_us, until_us : int or None
        When the recording was made, microseconds since 1970.
    exact : bool
        Score every row, however many there are.
    """

    text: str | None = None
    both: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    like: tuple[str, float] | None = None
    top: int = 20
    least: float = 0.02
    min_s: float = 0.0
    files: str | None = None
    sensor: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        if self.text is None and self.like is None:
            raise UserError('nothing is looked for: give a word, as in neuroclip-live search INDEX "a mug"')
        for word in (*((self.text,) if self.text is not None else ()), *self.both, *self.without):
            if not word.strip():
                raise UserError("a word that is looked for is empty; type a word or a phrase")
        if not 1 <= self.top <= MOST:
            raise UserError(f"--top {self.top}: choose 1 to {MOST}")
        if not 0 <= self.least <= 1:
            raise UserError(f"--least {self.least:g}: choose 0 to 1")
        if not 0 <= self.min_s < float("inf"):
            raise UserError(f"--min-duration {self.min_s:g}: give seconds, 0 or more")

    @property
    def words(self) -> tuple[str, ...]:
        """What has to be seen."""
        return ((self.text,) if self.text is not None else ()) + self.both


def parse_date(text: str, *, end: bool = False) -> int:
    """Read ``2026-11-28`` or ``2026-11-28T14:30`` (UTC unless it says otherwise) as microseconds since 1970.

    ``end``: a day alone means its end.

    Raises
    ------
    UserError
        When it is no date.
    """
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise UserError(f"{text!r} is no date: write 2026-11-28, or 2026-11-28T14:30") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    if end and len(text.strip()) == len("2026-11-28"):
        return round(moment.timestamp() * 1e6) + _DAY_US
    return round(moment.timestamp() * 1e6)


def parse_like(text: str) -> tuple[str, float]:
    """Read ``FILE@SECONDS``; raises UserError where it is none."""
    path, at, seconds = text.rpartition("@")
    try:
        second = float(seconds)
    except ValueError:
        at = ""
    if not at or not path or not 0 <= second < float("inf"):
        raise UserError(f"{text!r} names no moment: write FILE@SECONDS, like mug.aedat4@12.5")
    return path, second
