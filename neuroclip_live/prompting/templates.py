"""The sentences a label is put into before it is encoded.

A CLIP was trained on captions, not on words, so "mug" is encoded as a sentence about a mug; with several
sentences (an ensemble) their mean is the label's feature. Which sentences help on *event* images is a matter
of measurement, so the sets the literature uses are here beside ours.
"""

from __future__ import annotations

import re

from neuroclip_live.errors import UserError

SLOT = "{}"
MAX_TEMPLATE, MAX_TEMPLATES = 300, 100
"""Characters of a template, and templates of a set: ImageNet's largest set has 80."""

TEMPLATE_SETS: dict[str, tuple[str, ...]] = {
    # the label alone: what the bundled model was taught with most
    "none": ("{}",),
    # NeuroCLIP's, one for each of its data sets
    "n-mnist": ('A black and white photo of the Arabic numeral number: "{}".',),
    "cifar10-dvs": ("A low quality stick figure of the object {}.",),
    "es-imagenet": ("A low quality point cloud image of {}.",),
    # EventCLIP's
    "eventclip": ("a point cloud image of a {}",),
    # words for what an event frame looks like
    "events": (
        "{}",
        "a {}",
        "the outline of a {}",
        "a line drawing of a {}",
        "a black and white sketch of a {}",
        "an event camera image of a {}",
        "a blurry grey image of the edges of a {}",
    ),
    # the usual small ensemble for photographs
    "photo": (
        "a photo of a {}",
        "a photo of the {}",
        "a blurry photo of a {}",
        "a black and white photo of a {}",
        "a close-up photo of a {}",
        "a drawing of a {}",
    ),
}
"""Named sets; each template has exactly one ``{}``."""

_ARTICLE = re.compile(r"(?:a|an|the|some|my|your)\s+(?=\S)", re.IGNORECASE)
_ARTICLE_BEFORE_SLOT = re.compile(r"\b(?:a|an|the)\s+\{\}", re.IGNORECASE)


def resolve_templates(choice: str) -> tuple[str, ...]:
    """Turn what a user chose into templates.

    Parameters
    ----------
    choice : str
        A name from :data:`TEMPLATE_SETS`, or templates of one's own separated by ``|``.

    Raises
    ------
    UserError
        If it is neither.
    """
    name = choice.strip()
    if name.lower() in TEMPLATE_SETS:
        return TEMPLATE_SETS[name.lower()]
    if SLOT not in name:
        known = ", ".join(TEMPLATE_SETS)
        raise UserError(
            f"no template set is called {name!r}; choose {known}, or write a sentence with {SLOT}"
        )
    return check_templates(tuple(encodable(part.strip()) for part in name.split("|")))


def encodable(text: str) -> str:
    """Return text that can be encoded: half surrogate pairs become the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_templates(templates: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``templates``, or raise UserError where one has not exactly one ``{}``, or is endless."""
    if not templates:
        raise UserError(f"no template; {SLOT} alone stands for the label itself")
    if len(templates) > MAX_TEMPLATES:
        raise UserError(f"{len(templates):,} templates are too many: at most {MAX_TEMPLATES}")
    for template in templates:
        if template.count(SLOT) != 1:
            raise UserError(f"template {template!r} must have the label's place, {SLOT}, exactly once")
        if len(template) > MAX_TEMPLATE:
            raise UserError(
                f"template {template[:30] + '…'!r} has {len(template):,} characters; "
                f"at most {MAX_TEMPLATE} can be read: shorten it"
            )
    return templates


def fill(template: str, label: str) -> str:
    """Put a label into a template.

    Where both bring an article the label's goes: "a photo of a {}" with "the mug" is "a photo of a mug".
    """
    if _ARTICLE_BEFORE_SLOT.search(template):
        label = _ARTICLE.sub("", label, count=1) if _ARTICLE.match(label) else label
    return template.replace(SLOT, label)
