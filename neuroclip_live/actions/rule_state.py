"""How an action stands, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neuroclip_live.actions.triggers import Trigger

Standing = Literal["missing", "ready", "seen", "fired"]


@dataclass(frozen=True)
class RuleState:
    """A snapshot of one action.

    Attributes
    ----------
    name, label : str
    standing : {"missing", "ready", "seen", "fired"}
        Nobody asks for its label; it may fire; its label is there, and it is not due yet; it was due and is
        not over.
    share : float
        The newest probability of its label.
    held_s : float
        How long that has been at or above ``enter``.
    count, suppressed : int
        Firings so far, and those left out as too soon.
    why : str
        When and why it fired last; empty where it has not.
    rule : str
        When it fires, in words.
    effects : tuple of str
        What it does, by the keys of the file.
    """

    name: str
    label: str
    standing: Standing
    share: float
    held_s: float
    count: int
    suppressed: int
    why: str
    rule: str
    effects: tuple[str, ...]

    @classmethod
    def of(cls, trigger: Trigger, missing: bool, begin_us: int) -> RuleState:
        """Return how a trigger stands; its times are told from ``begin_us`` on."""
        rule, last = trigger.rule, trigger.last
        standing: Standing = "ready"
        if missing:
            standing = "missing"
        elif trigger.active:
            standing = "fired"
        elif trigger.held_s > 0:
            standing = "seen"
        of = "" if rule.where == "picture" else " of an object"
        return cls(
            name=rule.name,
            label=rule.label,
            standing=standing,
            share=trigger.share,
            held_s=trigger.held_s,
            count=trigger.count,
            suppressed=trigger.suppressed,
            why=last.why(begin_us) if last is not None else "",
            rule=f"{rule.label}{of}: {rule.enter:g} or more for {rule.for_s:g} s, over below {rule.leave:g}",
            effects=tuple(effect.key for effect in rule.effects),
        )
