"""The program's own words go with what is shown; the user's never change by themselves."""

from __future__ import annotations

from collections.abc import Collection

from neuroclip_drivers.demo import DEMO_WORDS
from neuroclip_drivers.simulator.show_words import SHOW_PROMPTS
from neuroclip_drivers.source import EventSource
from neuroclip_live.prompting.prompt_set import PromptSet, parse_prompts
from neuroclip_live.session import DEFAULT_PROMPTS

_OWN = {parse_prompts(text).labels for text in (*DEMO_WORDS.values(), SHOW_PROMPTS, DEFAULT_PROMPTS)}


def words_brought(source: EventSource, before: PromptSet, given: Collection[str]) -> PromptSet | None:
    """Return the words of a demo or the simulated camera, where those in use are another's, unchanged.

    Else its things would be scored among words none of which fits, and be rejected. None where the words
    stay: the source knows none, or they are the user's, typed or ``given`` on the command line.
    """
    text = getattr(source, "words", "")
    if not text or {"prompts", "prompt_file"} & set(given):
        return None
    after = parse_prompts(text, before.templates, before.none_of_these)
    return None if before.labels == after.labels or before.labels not in _OWN else after
