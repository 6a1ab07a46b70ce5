"""The table a headless run shows: the answer on top and the status below, however many words there are.

It is as high as the terminal at most, and its columns are as wide as all words need, not as wide as those
shown just now, so that nothing jumps when others come to the top.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from neuroclip_live.recognition.prediction import Prediction

BAR = 24
MOST_ROWS = 20
_LEAST_LABEL, _NUMBER, _GAP = 16, 5, 2


@dataclass
class LiveTable:
    """One state of the table; ask rich to show it.

    Attributes
    ----------
    prediction : Prediction
    foot : str
        The status line: cut, not folded, where the terminal is narrower.
    """

    prediction: Prediction
    foot: str
    _unicode: bool = field(default_factory=lambda: _can_show("█·…"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width, height = options.max_width, options.size.height
        prediction = self.prediction
        ranked = sorted(prediction.scores.items(), key=lambda item: -item[1])
        longest = max((cell_len(label) for label in prediction.scores), default=0)
        label_width = min(max(longest, _LEAST_LABEL), max(8, width - _NUMBER - _GAP - 4))
        bar_width = min(BAR, max(0, width - label_width - _NUMBER - 2 * _GAP))
        things = list(prediction.objects or ())
        room = max(1, height - 4)  # the answer, the status, what is left out, and the cursor have a line each
        things = things[: max(0, room - min(len(ranked), 3))]
        rows = min(len(ranked), MOST_ROWS, max(1, room - len(things)))
        state = {"no-motion": "no motion"}.get(prediction.state, prediction.label or "none of these")
        yield self._line(state, width, "bold")
        for label, probability in ranked[:rows]:
            best = label == prediction.label
            line = _cell(label, label_width, "bold green" if best else "")
            line.append(" " * _GAP + f"{probability:.2f}".rjust(_NUMBER))
            line.append(" " * _GAP + self._bar(probability, bar_width))
            yield line
        if len(ranked) > rows:
            yield self._line(f"and {len(ranked) - rows} more", width, "dim")
        for found in things:
            style = "dim" if found.state == "waiting" else "bold"
            line = _cell(f"#{found.id} {found.label or 'none of these'}", label_width, style)
            place = "{},{} to {},{}".format(*found.box) + " waiting" * (found.state == "waiting")
            line.append(" " * _GAP + f"{found.probability:.2f}".rjust(_NUMBER) + " " * _GAP + place)
            line.truncate(width, overflow="ellipsis" if self._unicode else "crop")
            yield line
        yield self._line(self.foot, width, "dim")

    def _line(self, text: str, width: int, style: str) -> Text:
        line = Text(text, style=style, no_wrap=True)
        line.truncate(width, overflow="ellipsis" if self._unicode else "crop")
        return line

    def _bar(self, share: float, width: int) -> str:
        return ("█" if self._unicode else "#") * round(share * width)


def _cell(text: str, width: int, style: str) -> Text:
    """Return a text of exactly this width."""
    cell = Text(text, style=style, no_wrap=True)
    cell.truncate(width, overflow="ellipsis" if _can_show("…") else "crop", pad=True)
    return cell


def _can_show(characters: str) -> bool:
    """Tell whether the terminal's encoding has these characters."""
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
