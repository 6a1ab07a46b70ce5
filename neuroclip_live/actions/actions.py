"""The actions of a run: an output that judges every prediction, and has its effects carried out elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from neuroclip_live.actions.effect import Beside, Effect, described
from neuroclip_live.actions.rule_state import RuleState
from neuroclip_live.actions.rules import Rules
from neuroclip_live.actions.triggers import Firing, Trigger
from neuroclip_live.actions.workers import Scribe, Worker
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

CLOSE_S = 3.0
"""What is under way when a run ends may take so long to come to an end."""


class Actions:
    """Rules at work: an output (:class:`neuroclip_live.outputs.output.Output`).

    Parameters
    ----------
    rules : Rules
    tell : callable
        Gets a line for everything that fired, was done or failed, from a thread of its own.
    pipeline : callable
        Returns the pipeline of now, or None before there is one; clips are read from its ring.
    dry_run : bool
        Say what would be done, and do nothing; may be changed at any time.
    log : path-like, optional
        A file to which a JSON object is added for each firing and each thing done.

    Attributes
    ----------
    triggers : list of Trigger
        In the order of the file.
    begin_us : int
        Stream time from which lines for people count: where a recording begins.
    fired, busy, failed : int
        Firings; effects not carried out because the same was still at work; effects that failed.

    Raises
    ------
    UserError
        When the log cannot be opened.
    """

    def __init__(
        self,
        rules: Rules,
        tell: Callable[[str], None],
        pipeline: Callable[[], Pipeline | None] = lambda: None,
        *,
        dry_run: bool = False,
        log: str | Path | None = None,
    ) -> None:
        self.rules = rules
        self.triggers = [Trigger(rule) for rule in rules.actions]
        self.fired = self.busy = self.failed = self.begin_us = 0
        self.dry_run = dry_run
        self._closed = False
        self._beside = Beside(pipeline)
        self._scribe = Scribe(tell, log)
        self._workers = {
            (rule.name, effect.key): Worker(effect, self._beside, self._report)
            for rule in rules.actions
            for effect in rule.effects
        }
        self._source: str | None = None
        self._missing: set[str] = set()
        for rule in rules.actions:
            for effect in rule.effects:
                if trouble := effect.trouble():
                    self._scribe.say(f"{rule.name!r}: {effect.key}: {trouble}")

    @property
    def suppressed(self) -> int:
        """Firings left out because the one before was too near."""
        return sum(trigger.suppressed for trigger in self.triggers)

    @property
    def lost_lines(self) -> int:
        """Lines that a terminal or a disk was too slow, or too full, for."""
        return self._scribe.lost

    @property
    def lines(self) -> tuple[int, list[str]]:
        """How many lines were told so far, and the newest of them."""
        return self._scribe.count, list(self._scribe.said)

    def states(self) -> list[RuleState]:
        """Return how each action stands, in the order of the file."""
        return [
            RuleState.of(trigger, trigger.rule.name in self._missing, self.begin_us)
            for trigger in self.triggers
        ]

    def open(self, header: Header) -> None:
        """Begin anew with another source; tell of labels that nobody asks for."""
        pipeline = self._beside.pipeline()
        if pipeline is not None:
            self.begin_us = pipeline.source.status().start_us or 0
        if header.source != self._source:
            self._source = header.source
            for trigger in self.triggers:
                trigger.begin_anew()
        asked = {label.casefold() for label in header.prompts.labels}
        for rule in self.rules.actions:
            if rule.label.casefold() in asked:
                self._missing.discard(rule.name)
            elif rule.name not in self._missing:
                self._missing.add(rule.name)
                self._scribe.say(
                    f"{rule.name!r} cannot fire: {rule.label!r} is no prompt and not taught; "
                    f"add it to --prompts, or teach it"
                )

    def write(self, prediction: Prediction) -> None:
        """Judge a prediction, and have done what is due; returns at once."""
        if prediction.paused or self._closed:  # somebody looks around in a recording: nothing happens now
            return
        for trigger in self.triggers:
            firing = trigger.update(prediction)
            if firing is not None:
                self.fired += 1
                self._begin(firing)

    def _begin(self, firing: Firing) -> None:
        plans = " and ".join(effect.plan(firing) for effect in firing.rule.effects)
        told = firing.why(self.begin_us) + (f"; would {plans}" if self.dry_run else "")
        self._scribe.say(told, {**described(firing), "plan": plans, "dry_run": self.dry_run})
        for effect in firing.rule.effects:
            if not (self.dry_run or self._workers[firing.rule.name, effect.key].offer(firing)):
                self.busy += 1
                self._report(firing, effect, "left out: the one before is still at work", None)

    def _report(self, firing: Firing, effect: Effect, text: str, done: bool | None) -> None:
        """Tell what became of an effect: done, failed, or (None) not begun."""
        self.failed += done is False
        outcome = {True: "done", False: "failed", None: "left out"}[done]
        entry = {
            "type": "effect",
            "name": firing.rule.name,
            "effect": effect.key,
            "t_us": firing.t_us,
            "outcome": outcome,
            "text": text,
        }
        self._scribe.say(f"{firing.rule.name!r}: {text}", entry)

    def close(self, summary: Summary | None) -> None:
        """Bring what is under way to an end, and tell the counts; idempotent."""
        if self._closed:
            return
        self._closed = True
        for trigger in self.triggers:
            trigger.begin_anew()
        self._beside.stop.set()
        until = monotonic() + CLOSE_S
        for (name, key), worker in self._workers.items():
            if not worker.wait(until - monotonic()):
                self._scribe.say(f"{name!r}: {key} did not end with the run; it is left behind")
        if summary is not None and (not self.dry_run or self.suppressed):
            self._scribe.say(
                f"actions: {self.fired} fired, {self.failed} effects failed, "
                f"{self.busy} left out (still at work), {self.suppressed} firings left out (too soon), "
                f"{self.lost_lines} lines of the log lost"
            )
        self._scribe.close()
