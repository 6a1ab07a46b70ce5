"""What all effects have in common, and what they are given: words of the file, and the run beside them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from neuroclip_live.actions.triggers import Firing
from neuroclip_live.recognition.pipeline import Pipeline


@dataclass(frozen=True)
class Given:
    """What the file says beside an effect's own value.

    Attributes
    ----------
    folder : Path
        Of the file: paths in it are meant from there.
    timeout_s : float
        A command, a webhook or a message that takes longer is ended.
    before_s, after_s : float
        How much of the stream a file holds from before the firing, and from after it (or after its end).
    longest_s : float
        Where ``record`` ends at the latest, in seconds of the stream after the firing.
    """

    folder: Path = Path()
    timeout_s: float = 10.0
    before_s: float = 2.0
    after_s: float = 2.0
    longest_s: float = 60.0


@dataclass(frozen=True)
class Beside:
    """The run that effects happen beside.

    Attributes
    ----------
    pipeline : callable
        Returns the pipeline of now, or None before there is one.
    stop : threading.Event
        Set when the run ends: whatever takes long comes to an end.
    """

    pipeline: Callable[[], Pipeline | None] = lambda: None
    stop: threading.Event = field(default_factory=threading.Event)


class Effect(Protocol):
    """Something that an action does. Made of its value in the file and a :class:`Given`.

    Its maker raises :class:`neuroclip_live.errors.UserError` for a value that makes no sense, without naming
    the file or the key: that is done for it.
    """

    key: str
    """What it is called in the file."""

    def plan(self, firing: Firing) -> str:
        """Return what would be done, as in "run ['beep']"."""
        ...

    def trouble(self) -> str:
        """Return why it cannot work here, as far as can be told before; empty where nothing is known."""
        ...

    def carry_out(self, firing: Firing, beside: Beside) -> str:
        """Do it, in a thread of its own, and return what was done.

        Raises
        ------
        UserError
            When it failed; a line.
        """
        ...


_BLANK = re.compile(r"\{(label|name|probability|t_us|time)\}")


def filled(text: str, firing: Firing) -> str:
    """Return a text of the file with its blanks filled in; what is filled in is not looked at again."""
    values = {
        "label": firing.rule.label,
        "name": firing.rule.name,
        "probability": f"{firing.probability:.3f}",
        "t_us": str(firing.t_us),
        "time": datetime.now().strftime("%Y%m%d-%H%M%S"),
    }
    return _BLANK.sub(lambda found: values[found[1]], text)


def described(firing: Firing) -> dict[str, Any]:
    """Return a firing as webhooks and messages carry it, and the log holds it."""
    rule = firing.rule
    return {
        "type": "action",
        "name": rule.name,
        "label": rule.label,
        "probability": round(firing.probability, 6),
        "t_us": firing.t_us,
        "held_s": round(firing.held_s, 3),
        "enter": rule.enter,
        "for_s": rule.for_s,
        "where": rule.where,
        "box": list(firing.box) if firing.box is not None else None,
    }
