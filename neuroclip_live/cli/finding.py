"""One finding of ``neuroclip-live doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes
    ----------
    name : str
    status : {"ok", "warn", "fail"}
        ``warn``: something is worse than it could be, or a part of the program cannot be used.
    text : str
        What was found, in one line.
    fix : str
        What to do about it; may be several lines; empty when there is nothing to do.
    """

    name: str
    status: Status
    text: str
    fix: str = ""
