"""Opening and closing a file of actions beside the running window, and showing how they stand.

A file chosen here begins as a dry run: it may run programs, so what would fire is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog

from neuroclip_gui.jobs import Jobs
from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.acting.acting_panel import ActingPanel
from neuroclip_live.actions.running import Acting, RunningActions

_LOOK_S = 0.1
_FILTER = "Actions (*.toml);;All files (*)"


class ActingCommands(Presenter):
    """Commands of actions.

    Parameters
    ----------
    context : Context

    Attributes
    ----------
    acting : Acting or None
        What is at work.
    """

    def __init__(self, context: Context) -> None:
        self.panel = panel = ActingPanel(context.theme)
        super().__init__(panel)
        self._context, self._say = context, context.say
        self.jobs = Jobs()  # its own: ending waits for programs that are under way
        self.acting: Acting | None = None
        self._end: Callable[[], Any] = _nothing
        self._busy = self._own = False
        self._told = 0
        self._folder = ""
        self._due = Due(_LOOK_S)
        panel.opened.connect(self.ask)
        panel.closed.connect(self.close_file)
        panel.dry_run_wanted.connect(self.set_dry_run)

    def take_up(self, acting: Acting | None) -> None:
        """Show what the command line began."""
        if acting is not None:
            self._begin(acting, lambda: acting.close(None))

    # ---- commands

    def ask(self) -> None:
        """Choose a file; the panel that then shows it comes into view."""
        self._context.show("acting")
        path, _ = QFileDialog.getOpenFileName(self._context.parent, "Open actions", self._folder, _FILTER)
        if path:
            self._folder = str(Path(path).parent)
            self.open(path)

    def open(self, path: str) -> None:
        """Have the actions of a file judged from now on, as a dry run; those before end."""
        pipeline, end = self._context.pipeline(), self._end
        if pipeline is None:
            self._say("Still starting: try again in a moment", "hint")
            return
        objects = pipeline.settings.recognizer.objects.enabled
        if self._busy:
            return

        def work() -> RunningActions:
            running = RunningActions(path, pipeline, objects=objects, dry_run=True)
            end()  # only now: a file that cannot be used leaves the one before at work
            return running

        def done(running: RunningActions) -> None:
            self._busy = False
            self._own = True
            self._begin(running.actions, running.close)
            self._say(f"{Path(path).name}: nothing is done before Dry run is taken away", "hint")

        self._busy = True
        self.jobs.do(work, done, self._failed)

    def close_file(self) -> None:
        """Do nothing any more when something is seen."""
        if self.acting is None or self._busy:
            return
        self._busy = True
        end, self._end, self.acting = self._end, _nothing, None
        self.panel.show_file(None, dry_run=False)

        def done(_: object) -> None:
            self._busy = False

        self.jobs.do(end, done, self._failed)

    def set_dry_run(self, on: bool) -> None:
        """Do what the actions say from now on, or only say it."""
        if self.acting is not None:
            self.acting.dry_run = on

    def _begin(self, acting: Acting, end: Callable[[], Any]) -> None:
        self.acting, self._end, self._told = acting, end, 0
        path = Path(acting.rules.path)
        self.panel.begin_log()
        self.panel.show_file(path.name, dry_run=acting.dry_run, where=str(path))
        self._context.show("acting")

    def _failed(self, message: str) -> None:
        self._busy = False
        self._say(message.replace("--actions ", "", 1), "error")  # nobody typed an option here

    # ---- each look

    def update(self, snapshot: Snapshot) -> None:
        """Show how the actions stand and what was told since; ten times a second."""
        if not self._due(snapshot.now_s):
            return
        self.jobs.collect()
        if self.acting is None:
            return
        self.panel.show_states(self.acting.states())
        count, lines = self.acting.lines
        if count != self._told:
            self.panel.add_lines(lines[-min(len(lines), count - self._told) :])
            self._told = count

    def close(self) -> bool:
        """End what was begun here; called when the window is closed."""
        if self._own:
            self._end()
        return self.jobs.close()


def _nothing() -> None:
    """End nothing."""
