"""What a panel of the window is: declared once, given a small context, and updated with a snapshot.

A panel is a file with a :class:`Presenter` and a line in :data:`neuroclip_gui.panels.declared.PANELS`. Its
dock, its place, its entry in the menu and the saved layout come from that line. It knows neither the window
nor other panels: what it may use is in its :class:`Context`, and what there is to show in the
:class:`Snapshot` that the window's timer brings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QWidget

from neuroclip_drivers.source import EventSource, SourceStatus
from neuroclip_gui.jobs import Jobs
from neuroclip_gui.settings import WindowSettings
from neuroclip_gui.style.banner import Level
from neuroclip_gui.style.palettes import EventColors
from neuroclip_gui.style.theme import Theme
from neuroclip_live.prompting.prompt_set import PromptSet
from neuroclip_live.recognition.prediction import Decision, Prediction

if TYPE_CHECKING:
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol
    from neuroclip_live.recognition.pipeline_state import Status
    from neuroclip_live.stream.box import Box


class Say(Protocol):
    """Shows a message over the picture."""

    def __call__(self, text: str, level: Level = "info") -> None:
        """Say it."""


@dataclass(frozen=True)
class Doors:
    """Where a panel may have events come from.

    Attributes
    ----------
    camera : callable
        Opens a camera by its serial number; None is the first.
    stream : callable
        Opens a network stream by its address.
    moment : callable
        Plays a recording, by its path, from a second on.
    place : callable
        Goes to a time of the stream, in microseconds, where a recording is played.
    region : callable
        Recognizes a part of the sensor alone, or with None all of it; says why where it cannot.
    """

    camera: Callable[[str | None], None]
    stream: Callable[[str], None]
    moment: Callable[[str, float], None]
    place: Callable[[int], None]
    region: Callable[[Box | None], None]


@dataclass(frozen=True)
class Words:
    """The words that are looked for, and what is taught of them.

    Attributes
    ----------
    now : callable
        Returns those in use.
    want : callable
        Scores against others from now on; the user can take it back.
    selected : callable
        Returns the labels selected in the list.
    color : callable
        Returns a label's color.
    note_lessons : callable
        Lets a change of what is taught be taken back: gets a text, the teacher, and its book before.
    change_lists : callable
        Keeps other saved lists, which can be taken back: gets a text, those before and those from now on.
    """

    now: Callable[[], PromptSet]
    want: Callable[[PromptSet], None]
    selected: Callable[[], list[str]]
    color: Callable[[str], QColor]
    note_lessons: Callable[[str, object, object], None]
    change_lists: Callable[[str, dict[str, Any], dict[str, Any]], None]


@dataclass(frozen=True)
class Context:
    """What a panel, or what gives commands beside it, may use of the window it is in.

    Attributes
    ----------
    parent : QWidget
        Of its dialogs.
    theme : Theme
    settings : WindowSettings
    jobs : Jobs
        Does what is slow; one that may hang or takes long has jobs of its own.
    pipeline : callable
        Returns what is at work; None before there is one.
    say : Say
    show : callable
        Brings a panel into view, by its name.
    action : callable
        Returns one of the window's actions, by its name.
    decided : callable
        Returns what is decided now.
    event_colors : callable
        Returns the colors of events in use.
    options : callable
        Returns how it recognizes, as options of a command.
    words : Words
    doors : Doors
    """

    parent: QWidget
    theme: Theme
    settings: WindowSettings
    jobs: Jobs
    pipeline: Callable[[], PipelineProtocol | None]
    say: Say
    show: Callable[[str], None]
    action: Callable[[str], QAction]
    decided: Callable[[], Decision]
    event_colors: Callable[[], EventColors]
    options: Callable[[], Sequence[str]]
    words: Words
    doors: Doors

    def complain(self, text: str) -> None:
        """Say why something was not done."""
        self.say(text, "hint")


@dataclass(frozen=True)
class Snapshot:
    """What there is to show, looked up once a tick for all panels.

    Attributes
    ----------
    now_s : float
        Monotonic seconds.
    clock_s : float
        Seconds of the stream that were seen; none pass while a recording is paused.
    pipeline : PipelineProtocol
        For what is asked for only where it is shown: the newest events, say.
    standing : SourceStatus
        Where the source stands at this tick.
    status : Status or None
        Of the pipeline, at most 0.1 s old.
    prediction : Prediction or None
        The newest.
    past : sequence of Prediction
        Those that are new since the tick before.
    taken : Prediction or None
        The newest where it is new at this tick and is what the window goes by.
    shown : Decision
        What the headline says.
    answered : bool
        The headline has just taken up another prediction.
    minimized, frozen : bool
        Nothing of the window is seen; the picture is held still.
    paint_hz, worst_gap_ms : float
        How well the window keeps up.
    """

    now_s: float
    clock_s: float
    pipeline: PipelineProtocol
    standing: SourceStatus
    status: Status | None
    prediction: Prediction | None
    past: Sequence[Prediction]
    taken: Prediction | None
    shown: Decision
    answered: bool
    minimized: bool
    frozen: bool
    paint_hz: float
    worst_gap_ms: float


class Presenter:
    """Between the window and one panel; each does what it needs of this.

    Parameters
    ----------
    widget : QWidget
        The panel.

    Attributes
    ----------
    badge : str
        What to say over the picture; empty for nothing.
    """

    badge = ""

    def __init__(self, widget: QWidget) -> None:
        self.widget = widget

    def update(self, snapshot: Snapshot) -> None:
        """Show what there is now; called at every tick, up to sixty times a second."""

    @property
    def answers(self) -> tuple[QWidget, ...]:
        """Parts of the panel that show the answer, and are painted together with the headline."""
        return ()

    def source_changed(self, source: EventSource) -> None:
        """Begin anew: events come from somewhere else."""

    def stop(self) -> None:
        """Begin nothing more, as the window closes."""

    def close(self) -> bool:
        """End what runs beside the window, which is closed; return whether all of it has ended."""
        return True


class Where(Enum):
    """Where a panel is at first; those at one place are tabs of each other, in the order declared."""

    WORDS = "right, above"
    PAST = "right, below"
    LEFT = "left"
    BOTTOM = "bottom"


@dataclass(frozen=True)
class PanelSpec:
    """One panel, declared.

    Attributes
    ----------
    name : str
        In the saved layout, and to bring it into view by.
    title : str
        What the user reads.
    where : Where
    make : callable
        Makes its presenter.
    at_first : bool
        Whether it is there before anybody asks for it.
    """

    name: str
    title: str
    where: Where
    make: Callable[[Context], Presenter]
    at_first: bool = True


class Due:
    """Tells when something that need not follow every tick is due.

    Parameters
    ----------
    every_s : float
        The least time between two.
    """

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self.at_s = 0.0

    def __call__(self, now_s: float) -> bool:
        """Tell whether it is due, and if so, begin to wait for the next time."""
        if now_s < self.at_s:
            return False
        self.at_s = now_s + self.every_s
        return True
