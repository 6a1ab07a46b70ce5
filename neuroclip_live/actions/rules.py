"""What is to happen when: plain data, made from a file by :mod:`neuroclip_live.actions.rule_file`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from neuroclip_live.stream.box import Box

if TYPE_CHECKING:
    from neuroclip_live.actions.effect import Effect

Where = Literal["picture", "object"]


@dataclass(frozen=True)
class Rule:
    """One action of a file.

    Attributes
    ----------
    name : str
        For the log; the label where none is given.
    label : str
        Of a prompt or a taught label, compared without case.
    enter, leave : float
        Probabilities; it begins at or above ``enter`` and ends below ``leave``.
    for_s : float
        It must stay at or above ``enter`` so long before the action fires, in seconds of the stream.
    at_most_every_s : float
        Two firings are at least so far apart, in seconds of the stream; what comes sooner is counted.
    where : {"picture", "object"}
        Judge the whole picture's answer, or the best object of that label.
    region : Box or None
        Of objects: only those whose center lies there, in pixels of the picture.
    effects : tuple of Effect
        What is done.
    """

    name: str
    label: str
    enter: float = 0.7
    leave: float = 0.5
    for_s: float = 0.5
    at_most_every_s: float = 1.0
    where: Where = "picture"
    region: Box | None = None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Rules:
    """A file of actions.

    Attributes
    ----------
    path : str
    actions : tuple of Rule
    """

    path: str
    actions: tuple[Rule, ...] = field(default=())

    @property
    def objects(self) -> bool:
        """Whether any action judges objects."""
        return any(rule.where == "object" for rule in self.actions)
