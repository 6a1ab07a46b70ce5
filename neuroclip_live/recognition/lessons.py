"""Teaching from recordings: ``neuroclip-live teach``, and what it saved put to use without threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclip_live.errors import UserError
from neuroclip_live.learning.teaching import Teacher
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet
from neuroclip_live.recognition.recognizer import Recognizer
from neuroclip_live.recognition.replay_all import Totals, recognize_all
from neuroclip_live.stream.ordering import stray_note

if TYPE_CHECKING:
    from neuroclip_drivers.source import EventSource
    from neuroclip_live.stream.slicing import SliceBy

_LONGEST_TRAINING_S = 900.0
"""Seconds on an idle machine; on one that others keep busy it has been more than half a minute."""


@dataclass(frozen=True)
class Show:
    """What a recording shows: ``label``, in ``source`` from its start to its end."""

    label: str
    source: EventSource


def teach_from(
    shows: Sequence[Show],
    recognizer: Recognizer,
    by: SliceBy,
    out: Path,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, int]:
    """Collect lessons from recordings as live teaching would, and save them; ``tell`` gets notes.

    Returns
    -------
    dict from label to number of windows

    Raises
    ------
    UserError
        When nothing moves in a recording, or the lessons cannot be saved.
    """
    teacher = _teacher(recognizer)
    try:
        taken = {}
        for show in shows:
            teacher.begin(show.label)
            totals = Totals()
            for prediction in recognize_all(show.source, recognizer, by, totals):
                teacher.observe(recognizer.features, prediction.t_us, prediction.state == "ok")
            if totals.stray_events:
                tell(f"{show.source.name}: {stray_note(totals.stray_events)}")
            try:
                taken[show.label] = teacher.end()
            except UserError as error:
                raise UserError(f"{show.source.name}: {error}") from None
        teacher.save(out)
        return taken
    finally:
        teacher.close()


def apply_lessons(path: Path, recognizer: Recognizer, prompts: PromptSet) -> PromptSet:
    """Train on saved lessons, put the result into ``recognizer``, and return the prompts that now compete.

    Raises
    ------
    UserError
        When the file cannot be used with this model.
    """
    teacher = _teacher(recognizer)
    try:
        for label in teacher.load(path):
            if label not in prompts.labels:
                prompts = prompts.add(label)
        table = PromptEncoder(recognizer.backbone).encode(prompts)
        recognizer.set_prompts(table)
        teacher.set_labels(table.labels, table.features)
        if not teacher.wait(_LONGEST_TRAINING_S):
            raise UserError(f"{path}: training on it took longer than {_LONGEST_TRAINING_S:g} s")
        return prompts
    finally:
        teacher.close()


def _teacher(recognizer: Recognizer) -> Teacher:
    info = recognizer.backbone.info

    def swap(adapter: object) -> None:
        recognizer.adapter = adapter  # type: ignore[assignment]

    return Teacher(info.features, info.embed_dim, recognizer.settings.timesteps, info.logit_scale, swap)
