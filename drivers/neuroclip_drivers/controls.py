"""What can be set on a source while it runs: sensitivity, exposure, speed of a simulated motion.

A source that has something to set is :class:`Controllable`. Names are for people, values are numbers, and the
same panel shows every kind of source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from neuroclip_live.errors import UserError

Kind = Literal["number", "switch", "choice"]


@dataclass(frozen=True)
class Control:
    """One thing to set.

    Attributes
    ----------
    name : str
        As shown; unique within a source.
    unit : str
    low, high : float
        A choice's values are the numbers of its ``choices``.
    value, default : float
    help : str
        What it does to the picture, in a sentence.
    kind : {"number", "switch", "choice"}
    choices : tuple of str
    step : float
        Smallest change that makes sense.
    """

    name: str
    unit: str
    low: float
    high: float
    value: float
    help: str
    default: float = 0.0
    kind: Kind = "number"
    choices: tuple[str, ...] = ()
    step: float = 1.0

    def checked(self, value: float) -> float:
        """Return a value that may be set.

        Raises
        ------
        UserError
            When it is out of range.
        """
        if not self.low <= value <= self.high:
            raise UserError(f"{self.name} goes from {self.low:g} to {self.high:g} {self.unit}, not {value:g}")
        return value


@runtime_checkable
class Controllable(Protocol):
    """A source with something to set."""

    def controls(self) -> list[Control]:
        """Return everything that can be set, with its value now; cheap, from any thread."""
        ...

    def set_control(self, name: str, value: float) -> None:
        """Set one thing; from any thread, in effect a little later.

        Raises
        ------
        UserError
            When there is no such control or the value is out of range.
        """
        ...

    def presets(self) -> Mapping[str, Mapping[str, float]]:
        """Return named settings: values by name of control."""
        ...


def find(controls: list[Control], name: str) -> Control:
    """Return the control of a name.

    Raises
    ------
    UserError
        When there is none.
    """
    for control in controls:
        if control.name == name:
            return control
    raise UserError(
        f"there is nothing called {name!r} to set; there is {', '.join(c.name for c in controls)}"
    )
