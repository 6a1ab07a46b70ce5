"""What the user asks for: labels, kept as typed, with the templates they are put in.

A :class:`PromptSet` never changes; editing makes another one, so the window, the pipeline and the log can all
hold one without locks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from neuroclip_live.bounded import MAX_PROMPTS_BYTES, home_expanded, read_bounded
from neuroclip_live.errors import LFS_POINTER, UserError, pointer_message
from neuroclip_live.prompting.templates import TEMPLATE_SETS, check_templates, encodable, fill

MAX_PROMPTS = 1000
MAX_LABEL = 300
"""Characters of a label: encoders read some 77 tokens; cutting an endless word into them takes minutes."""
NONE_LABEL = "none of these"

_ITEM = re.compile(
    r"""\s*(?P<sign>(?:-|not:)\s*)?(?:"(?P<quoted>[^"]*)"\s*(?=[,;\n]|$)|(?P<plain>[^,;\n]*))(?:[,;\n]|$)""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Prompt:
    """One label.

    Attributes
    ----------
    label : str
        As typed, but for spaces at the ends and Unicode composed (NFC).
    negative : bool
        It competes with the others, and when it wins there is no label.
    enabled : bool
        Left out of scoring while False.
    """

    label: str
    negative: bool = False
    enabled: bool = True


@dataclass(frozen=True)
class PromptSet:
    """Labels with the templates they are put in.

    Attributes
    ----------
    prompts : tuple of Prompt
        No two of them differ only in case.
    templates : tuple of str
        Each with one ``{}``; see :mod:`neuroclip_live.prompting.templates`.
    none_of_these : bool
        Let "none of these" compete, for models that know what its score should be.
    """

    prompts: tuple[Prompt, ...] = ()
    templates: tuple[str, ...] = TEMPLATE_SETS["none"]
    none_of_these: bool = False

    @classmethod
    def of(
        cls,
        labels: Iterable[str | Prompt],
        templates: Sequence[str] = TEMPLATE_SETS["none"],
        none_of_these: bool = False,
    ) -> PromptSet:
        """Make a set of any labels; empty ones and repetitions are left out.

        Raises
        ------
        UserError
            If a template is unusable, a label too long, or there are too many labels.
        """
        kept: dict[str, Prompt] = {}
        for item in labels:
            prompt = item if isinstance(item, Prompt) else Prompt(item)
            label = _clean(prompt.label)
            _check_length(label)
            if label:
                kept.setdefault(label.casefold(), replace(prompt, label=label))
        _check_number(len(kept))
        return cls(tuple(kept.values()), check_templates(tuple(templates)), none_of_these)

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, enabled or not."""
        return tuple(prompt.label for prompt in self.prompts)

    @property
    def enabled(self) -> tuple[Prompt, ...]:
        """The prompts that take part in scoring."""
        return tuple(prompt for prompt in self.prompts if prompt.enabled)

    def add(self, label: str, *, negative: bool = False) -> PromptSet:
        """Return a set with one more label; one that was there but disabled is enabled again.

        Raises
        ------
        UserError
            If the label is empty, is there already, or the set is full.
        """
        label = _checked(label)
        position = self._find(label)
        if position is None:
            _check_number(len(self.prompts) + 1)
            return replace(self, prompts=(*self.prompts, Prompt(label, negative)))
        there = self.prompts[position]
        if there.enabled and there.negative == negative:
            raise UserError(f"{label!r} is there already")
        return self._with(position, Prompt(there.label, negative))

    def remove(self, label: str) -> PromptSet:
        """Return a set without ``label``; a label that is not there changes nothing."""
        position = self._find(_clean(label))
        if position is None:
            return self
        return replace(self, prompts=self.prompts[:position] + self.prompts[position + 1 :])

    def rename(self, old: str, new: str) -> PromptSet:
        """Return a set with ``old`` called ``new``, in the same place.

        Raises
        ------
        UserError
            If ``new`` is empty or another prompt's label, or ``old`` is not there.
        """
        new = _checked(new)
        position, other = self._position(old), self._find(new)
        if other is not None and other != position:
            raise UserError(f"{new!r} is there already")
        return self._with(position, replace(self.prompts[position], label=new))

    def replace(self, label: str, *, negative: bool | None = None, enabled: bool | None = None) -> PromptSet:
        """Return a set in which one prompt has other flags.

        Raises
        ------
        UserError
            If ``label`` is not there.
        """
        position = self._position(label)
        there = self.prompts[position]
        return self._with(
            position,
            Prompt(
                there.label,
                there.negative if negative is None else negative,
                there.enabled if enabled is None else enabled,
            ),
        )

    def with_templates(self, templates: Sequence[str]) -> PromptSet:
        """Return a set with other templates (UserError where one has not exactly one ``{}``)."""
        return replace(self, templates=check_templates(tuple(templates)))

    def with_none_of_these(self, on: bool) -> PromptSet:
        """Return a set with "none of these" competing, or not."""
        return replace(self, none_of_these=on)

    def validate(self) -> None:
        """Raise UserError unless 1 to MAX_PROMPTS prompts and usable templates give something to score."""
        if not any(not prompt.negative for prompt in self.enabled):
            raise UserError(
                "no prompts: type at least one label that is not negative, as in --prompts 'mug,phone'"
            )
        _check_number(len(self.prompts))
        check_templates(self.templates)
        if self.none_of_these and self._find(NONE_LABEL) is not None:
            raise UserError(
                f"{NONE_LABEL!r} is both a label and an option; rename the label or switch one off"
            )

    def sentences(self, label: str) -> tuple[str, ...]:
        """Return what is encoded for ``label``: one sentence a template."""
        return tuple(fill(template, label) for template in self.templates)

    def _find(self, label: str) -> int | None:
        wanted = label.casefold()
        return next((i for i, p in enumerate(self.prompts) if p.label.casefold() == wanted), None)

    def _position(self, label: str) -> int:
        position = self._find(_clean(label))
        if position is None:
            raise UserError(f"there is no prompt {label!r}")
        return position

    def _with(self, position: int, prompt: Prompt) -> PromptSet:
        return replace(self, prompts=(*self.prompts[:position], prompt, *self.prompts[position + 1 :]))


def parse_prompts(
    text: str, templates: Sequence[str] = TEMPLATE_SETS["none"], none_of_these: bool = False
) -> PromptSet:
    r"""Read labels separated by commas, semicolons or line ends.

    ``-`` or ``not:`` before a label makes it negative; double quotes keep what is inside as one label, commas
    and all. Empty items and repetitions are left out.

    Parameters
    ----------
    text : str
        As in ``a mug, a phone; -hand, "salt, pepper"``.
    templates : sequence of str
    none_of_these : bool

    Returns
    -------
    PromptSet
        Perhaps an empty one: :meth:`PromptSet.validate` tells.

    Raises
    ------
    UserError
        If there are more than :data:`MAX_PROMPTS` labels, or one is longer than :data:`MAX_LABEL`.
    """
    return PromptSet.of(split_prompts(text), templates, none_of_these)


def split_prompts(text: str) -> list[Prompt]:
    """Cut a text into labels as :func:`parse_prompts` does; none is checked, empty ones are left out."""
    prompts = []
    for item in _ITEM.finditer(text):
        label = _clean(item["quoted"] if item["quoted"] is not None else item["plain"])
        if label:
            prompts.append(Prompt(label, negative=item["sign"] is not None))
    return prompts


def read_prompts(
    path: str | Path, templates: Sequence[str] = TEMPLATE_SETS["none"], none_of_these: bool = False
) -> PromptSet:
    """Read labels from a UTF-8 text file, as :func:`parse_prompts` does; lines starting with # are notes.

    Raises
    ------
    UserError
        If the file cannot be read, is not text, or has too many labels or too long a one.
    """
    return parse_prompts(read_prompt_text(path), templates, none_of_these)


def read_prompt_text(path: str | Path) -> str:
    """Return the text of a file of labels, without its notes.

    Raises
    ------
    UserError
        If the file cannot be read or is not text.
    """
    try:
        text = read_bounded(home_expanded(path), MAX_PROMPTS_BYTES).decode("utf-8-sig")
        if text.encode().startswith(LFS_POINTER):
            raise UserError(pointer_message(path, "the labels"))
    except UnicodeDecodeError as error:
        raise UserError(f"prompt file {path} is not UTF-8 text") from error
    except UnicodeEncodeError as error:
        raise UserError(f"cannot read prompt file {path!r}: no file can have that name") from error
    except OSError as error:
        raise UserError(f"cannot read prompt file {path}: {error.strerror or error}") from error
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines)


def _clean(label: str) -> str:
    """Compose, put single spaces for runs of spaces and control characters, and trim.

    A label that shows nothing (only spaces and format characters) becomes empty. Half surrogate pairs, which
    a badly decoded command line can contain, become the replacement character, as they cannot be encoded.
    """
    label = encodable(label)
    label = unicodedata.normalize("NFC", label)
    label = "".join(" " if unicodedata.category(c) == "Cc" else c for c in label)
    label = " ".join(label.split())
    if all(unicodedata.category(c)[0] in "CZ" for c in label):
        return ""
    return label


def _checked(label: str) -> str:
    label = _clean(label)
    if not label:
        raise UserError("the label is empty; type a word or a phrase")
    _check_length(label)
    return label


def _check_length(label: str) -> None:
    if len(label) > MAX_LABEL:
        raise UserError(
            f"the label {label[:30] + '…'!r} has {len(label):,} characters; "
            f"at most {MAX_LABEL} can be read: shorten it"
        )


def _check_number(number: int) -> None:
    if number > MAX_PROMPTS:
        raise UserError(f"{number:,} prompts are too many; at most {MAX_PROMPTS:,} can be scored live")
