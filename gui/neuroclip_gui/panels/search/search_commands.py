"""Searches an archive from the window: opens its index, asks it, plays what is chosen, and indexes folders.

Everything slow is done in one thread of its own; indexing in a process (:mod:`.index_run`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from platformdirs import user_data_path
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFileDialog

import neuroclip_live
from neuroclip_drivers.source import SourceState
from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.search.found import Found
from neuroclip_gui.panels.search.index_run import IndexRun
from neuroclip_gui.panels.search.moment_picture import moment_picture
from neuroclip_gui.panels.search.search_panel import SearchPanel
from neuroclip_gui.style.palettes import EventColors
from neuroclip_live.errors import UserError
from neuroclip_live.extras import need
from neuroclip_live.prompting.prompt_set import split_prompts

_LOOK_S = 0.1
SHOWN = 30
"""So many moments at the most: each has a picture, for which its recording is opened."""


@dataclass(frozen=True)
class Asked:
    """What is looked for: words that are seen, words that are not, or what looks like a moment; and where."""

    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    like: Found | None = None
    where: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Asked:
        """Return what was typed; UserError where there is no word that is to be seen."""
        prompts = split_prompts(text)
        words = tuple(prompt.label for prompt in prompts if not prompt.negative)
        if not words:
            raise UserError("Type a word for what was seen; words after a - are what was not")
        return cls(words, tuple(prompt.label for prompt in prompts if prompt.negative))


_SOON = "Nothing is indexed yet: what is looked for is shown as soon as it is"
_EMPTY = "The index is empty: index a folder of recordings"


class Search(Presenter):
    """Commands of searching.

    Parameters
    ----------
    context : Context
        Its ``options`` are those by which a new index is made.
    """

    def __init__(self, context: Context) -> None:
        self.panel = panel = SearchPanel()
        super().__init__(panel)
        self.jobs = Jobs()  # its own: a large index takes seconds to open, and so does its model
        self.run = IndexRun(self._on_indexed, self._on_not_indexed)
        self._settings, self._say, self._context = context.settings, context.say, context
        self._due = Due(_LOOK_S)
        self._index: neuroclip_live.Index | None = None
        self._backbone: Any = None
        self._asked: Asked | None = None
        self._number = 0
        self._loading = ""
        panel.asked.connect(self.ask)
        panel.alike.connect(self.ask_alike)
        panel.chosen.connect(lambda found: context.doors.moment(found.path, found.from_s))
        panel.open_asked.connect(self.ask_index)
        panel.index_asked.connect(self.ask_folder)
        panel.stop_asked.connect(self.run.stop)
        self._show_place(self.place)

    @property
    def place(self) -> str:
        """The index that is searched; empty before there is one."""
        return self._settings.index

    def focus(self) -> None:
        """Come into view, and put the cursor where is typed what to look for."""
        self._context.show("search")
        self.panel.entry.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def update(self, snapshot: Snapshot) -> None:
        """Take up what the thread and the process have come to; indexing rests while a camera is live."""
        if not self._due(snapshot.now_s):
            return
        source = snapshot.pipeline.source
        self._backbone = snapshot.pipeline.backbone
        self.jobs.collect()
        if self._loading:
            self.panel.say(self._loading)
        run = self.run
        run.pause(source.live and snapshot.standing.state is SourceState.STREAMING)
        run.look()
        resting = run.paused and run.doing != "Stopping"
        self.panel.show_progress(f"Rests while {source.name} is live" if resting else run.doing, run.share)

    def stop(self) -> None:
        """Index no further, as the window closes."""
        self.run.close()

    def close(self) -> bool:
        """End the thread that searches."""
        return self.jobs.close()

    # ---- which index

    def ask_index(self) -> None:
        """Choose an index to search."""
        if self._is_missing("Searching"):
            return
        folder = QFileDialog.getExistingDirectory(self.panel.window(), "Open an index", self.place)
        if folder:
            self.open_index(folder)

    def open_index(self, place: str) -> None:
        """Search this index from now on; one that cannot be opened leaves the one before."""

        def opened(index: neuroclip_live.Index) -> None:
            self._settings.index = place
            self._show_index(index)
            self._ask_again()

        self._number += 1
        self.panel.say(f"Opening {Path(place).name}")
        self.jobs.do(lambda: neuroclip_live.Index(place), opened, self._on_failed)

    def ask_folder(self) -> None:
        """Choose a folder of recordings to index."""
        if self._is_missing("An index"):
            return
        recent = self._settings.recent
        folder = str(Path(recent[0]).parent) if recent else ""
        folder = QFileDialog.getExistingDirectory(self.panel.window(), "Index a folder of recordings", folder)
        if folder:
            self.index_folder(folder)

    def index_folder(self, folder: str) -> None:
        """Bring the index up to date with a folder; where there is none yet, make one."""
        if self.run.running:
            self._say("A folder is being indexed: wait for its end, or stop it in the Search panel", "hint")
            return
        place = self.place or str(user_data_path("neuroclip-live") / "archive")
        self._show_place(place)
        self._settings.index = place
        self.run.start([folder, "--into", place, "--as-before", *self._context.options()])

    # ---- asking

    def ask(self, text: str) -> None:
        """Look for what was typed."""
        try:
            self._ask(replace(Asked.read(text), where=self.panel.filters.options()))
        except UserError as error:
            self._say(str(error), "hint")

    def ask_alike(self, found: Found) -> None:
        """Look for what looks like a moment that was found."""
        try:
            self._ask(Asked(like=found, where=self.panel.filters.options()))
        except UserError as error:
            self._say(str(error), "hint")

    def _ask(self, asked: Asked) -> None:
        if self._is_missing("Searching"):
            return
        if not self.place:
            self._say("There is nothing to search yet: index a folder, or open an index", "hint")
            return
        self._asked, self._number = asked, self._number + 1
        self.panel.say("Searching")
        place, held, anew = self.place, self._index, self.run.running
        self.jobs.do(
            lambda: _find(place, held, anew, asked, self._backbone, self._tell_loading),
            partial(self._on_found, self._number),
            self._on_failed,
        )

    def _ask_again(self) -> None:
        if self._asked is not None and self._asked.like is None:
            self._ask(self._asked)

    def _on_found(self, number: int, result: tuple[neuroclip_live.Index, list[Found], Sequence[str]]) -> None:
        index, found, notes = result
        self._loading = ""
        if number != self._number:
            return
        self._show_index(index)
        told = f"{len(found)} moments" if len(found) != 1 else "1 moment"
        if len(found) == SHOWN:
            told = f"The best {SHOWN} moments"
        if self._asked is not None and self._asked.like is not None:
            told += f" like {self._asked.like.name} at {self._asked.like.when}"
        lines = [told if found else "Nothing found: ask for something else", *notes]
        if not len(index):  # no other word would find anything either
            lines = [_SOON if self.run.running else _EMPTY]
        self.panel.say("\n".join(lines))
        self.panel.show_found(found)
        colors = self._context.event_colors()
        for row, moment in enumerate(found):
            self.jobs.do(
                partial(self._picture, number, moment, colors),
                partial(self._on_picture, number, row, colors),
                lambda _: None,  # a recording that is gone has no picture, and says so when it is chosen
            )

    def _picture(self, number: int, moment: Found, colors: EventColors) -> npt.NDArray[np.uint8] | None:
        return moment_picture(moment, colors) if number == self._number else None

    def _on_picture(
        self, number: int, row: int, colors: EventColors, picture: npt.NDArray[np.uint8] | None
    ) -> None:
        if picture is not None and number == self._number:
            self.panel.show_picture(row, picture, QColor(*colors.ground))

    def _on_failed(self, message: str) -> None:
        self._loading = ""
        self.panel.say("")
        self._say(message, "error")

    def _tell_loading(self, text: str, share: float | None) -> None:
        self._loading = text if share is None else f"{text}, {share:.0%}"

    # ---- indexing

    def _on_indexed(self, report: Mapping[str, Any]) -> None:
        place = self.place
        broken = report["broken"]
        told = f"Indexed {report['encoded']:,} recordings, {report['unchanged']:,} were known"
        if not report["recordings"]:
            told = "No recordings were found in that folder; neuroclip-live doctor lists the formats"
        if report["stopped"]:
            told = f"Indexing was stopped; {report['encoded']:,} recordings are new in the index"
        if broken:
            first = next(iter(broken))
            told += f"; {len(broken):,} could not be read: {Path(first).name}: {broken[first]}"
        self._say(told, "warn" if broken else "info")
        if place:
            self.open_index(place)

    def _on_not_indexed(self, message: str) -> None:
        self._say(message, "error")

    # ---- small things

    def _is_missing(self, what: str) -> bool:
        """Tell whether what an archive needs is not installed, and say what to install."""
        try:
            need(what, "pyarrow")
        except UserError as error:
            self._say(str(error), "error")
            return True
        return False

    def _show_place(self, place: str) -> None:
        self.panel.show_index(Path(place).name, "", place)

    def _show_index(self, index: neuroclip_live.Index) -> None:
        self._index = index
        facts = f"{len(index.recordings):,} recordings · {len(index):,} moments"
        self.panel.show_index(Path(self.place).name, facts, self.place)


def _find(
    place: str,
    held: neuroclip_live.Index | None,
    anew: bool,
    asked: Asked,
    backbone: Any,
    tell: Callable[[str, float | None], None],
) -> tuple[neuroclip_live.Index, list[Found], Sequence[str]]:
    """Ask an index, opened first where it is not yet; ``anew``: it grows, so look at what is there now."""
    if held is None or held.store.place != place:
        held = neuroclip_live.Index(place, progress=tell)
    elif anew:
        held.reload()
    if backbone is not None:
        held.offer(backbone)
    like = (asked.like.path, asked.like.best_s) if asked.like is not None else None
    text, both = (asked.words[0], asked.words[1:]) if asked.words else (None, ())
    table = held.search(text, both=both, without=asked.without, like=like, top=SHOWN, **asked.where)
    notes = (table.schema.metadata or {}).get(b"notes", b"").decode().splitlines()
    places = held.places
    return held, [Found.of(row, places) for row in table.to_pylist()], notes
