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
from rich.live import Live
from rich.text import Text

from neuroclip_live.console import console
from neuroclip_live.errors import UserError
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

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
        moves = prediction.camera_moves
        room = max(
            1, height - 4 - moves
        )  # the answer, the status, what is left out, and the cursor have a line each
        things = things[: max(0, room - min(len(ranked), 3))]
        rows = min(len(ranked), MOST_ROWS, max(1, room - len(things)))
        state = answer(prediction)
        yield self._line(state, width, "bold")
        for label, probability in ranked[:rows]:
            best = label == prediction.label
            line = _cell(label, label_width, "bold green" if best else "")
            line.append(" " * _GAP + f"{probability:.2f}".rjust(_NUMBER))
            line.append(" " * _GAP + self._bar(probability, bar_width))
            yield line
        if len(ranked) > rows:
            yield self._line(f"and {len(ranked) - rows} more", width, "dim")
        if moves:
            yield self._line("the camera moves: no things are told apart", width, "dim")
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


def answer(prediction: Prediction) -> str:
    """Return the answer in words, as the window says it."""
    decision = prediction.decision
    if decision.kind == "label":
        return decision.label
    if decision.kind == "unsure":
        return f"not sure, perhaps {decision.label}"
    if decision.kind == "no-motion" or prediction.state == "no-motion":
        return "no motion"
    return "none of these" if decision.kind == "none" else prediction.label or "waiting"


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


class TableOutput:
    """Shows the newest prediction on the terminal while a run goes on.

    Parameters
    ----------
    argument : str
        Nothing.
    """

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise UserError(f"table takes nothing: write --output table, not table:{argument}")
        self._console = console()
        self._live = Live(Text("loading", style="dim"), console=self._console, refresh_per_second=12)
        self._shown = False
        self._prediction: Prediction | None = None
        self._line = ""

    def loading(self, text: str, share: float | None) -> None:
        """Show what loading the model is at."""
        if text:
            self._begin()
            self._live.update(Text(text if share is None else f"{text} {share:.0%}", style="dim"))

    def status(self, line: str) -> None:
        """Show rates and counts below the scores."""
        self._line = line
        self._show()

    def open(self, header: Header) -> None:
        """Begin to show; of the header itself nothing is."""
        self._begin()

    def write(self, prediction: Prediction) -> None:
        """Show a prediction instead of the one before."""
        self._prediction = prediction
        self._show()

    def close(self, summary: Summary | None) -> None:
        """Leave what was shown last on the terminal."""
        self._live.stop()
        if self._shown and not self._console.is_terminal:
            self._console.line()  # a pipe gets whole lines
        self._shown = False

    def _begin(self) -> None:
        self._live.start()  # once is enough
        self._shown = True

    def _show(self) -> None:
        if self._prediction is not None:
            self._live.update(LiveTable(self._prediction, self._line))
