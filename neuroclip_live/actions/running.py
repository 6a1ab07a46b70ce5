"""A file of actions at work beside a pipeline, opened and closed while that runs: the window's way."""

from __future__ import annotations

from typing import Any, Protocol

from neuroclip_live.actions.rule_state import RuleState
from neuroclip_live.actions.rules import Rules
from neuroclip_live.errors import UserError


class Acting(Protocol):
    """What is at work: :class:`neuroclip_live.actions.actions.Actions`."""

    rules: Rules
    dry_run: bool

    @property
    def lines(self) -> tuple[int, list[str]]:
        """How many lines were told so far, and the newest of them."""
        ...

    def states(self) -> list[RuleState]:
        """Return how each action stands."""
        ...

    def close(self, summary: None) -> None:
        """Do nothing any more, and let what is under way come to an end."""
        ...


class RunningActions:
    """Actions with a thread of their own that carries predictions to them.

    Parameters
    ----------
    path : str
        A file of actions.
    pipeline : Pipeline
    objects : bool
        Whether objects are looked for.
    dry_run : bool

    Raises
    ------
    UserError
        When the file cannot be used.
    """

    def __init__(self, path: str, pipeline: Any, *, objects: bool, dry_run: bool) -> None:
        # with all of recognition: the window imports this module before it is on the screen
        from neuroclip_live.actions.actions import Actions
        from neuroclip_live.actions.rule_file import read_rules
        from neuroclip_live.outputs.carrier import Carrier, CarrierThread

        rules = read_rules(path)
        if rules.objects and not objects:
            raise UserError(f"{path} judges objects: turn on Several things first")
        self.actions: Acting
        self.actions = actions = Actions(rules, _nobody, lambda: pipeline, dry_run=dry_run)
        self._carrier = CarrierThread(Carrier(pipeline, [actions], pipeline.report))
        self._carrier.start()

    def close(self, timeout_s: float = 6.0) -> bool:
        """Let what is under way come to an end; return whether it did in time."""
        return self._carrier.stop(timeout_s)


def _nobody(_: str) -> None:
    """Take a line that is shown from where it is kept."""
