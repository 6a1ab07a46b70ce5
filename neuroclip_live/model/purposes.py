"""What a model is good for, in the words a user would use; shown by the window and by ``models``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Purpose:
    """What to ask of a model, and what not to.

    Attributes
    ----------
    good_for, weak_at : str
        Each a phrase that follows "good for" or "weak at".
    """

    good_for: str
    weak_at: str


_EVENT_NANO = Purpose(
    "things that move, people, animals and digits",
    "long descriptions, scenes full of texture, deeds, counting, fine species and makes, and words far from "
    "what it was taught (these are marked)",
)
_CLIP = Purpose(
    "any words, as it knows photographs of nearly everything",
    "event frames, which it never saw: single things with clear outlines come through, little else; slow "
    "without a GPU",
)


def purpose_of(model: str) -> Purpose:
    """Return what a model is good for, by the name given to ``--model``.

    Models nobody wrote a line about are taken to be trained on photographs, as all of open_clip's are.
    """
    return _EVENT_NANO if model.startswith("event-nano") else _CLIP
