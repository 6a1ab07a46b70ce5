"""Feeds the list of words: the numbers of the answer in the headline, and what the model says of words."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from neuroclip_gui.panel_spec import Context, Due, Presenter, Snapshot
from neuroclip_gui.panels.prompts.prompts_panel import PromptsPanel
from neuroclip_gui.panels.prompts.unfamiliar_words import Strangeness
from neuroclip_live.recognition.prediction import Decision

_SCORES_S, _MODEL_S = 0.03, 0.1


class PromptUpdates(Presenter):
    """Between the pipeline and the list.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.panel = PromptsPanel(context.theme)
        super().__init__(self.panel)
        self._strangeness = Strangeness(context.jobs, self.panel.model.note_words)
        self._scores_due, self._model_due = Due(_SCORES_S), Due(_MODEL_S)
        self._scored = Decision()
        self._scored_s = 0.0

    @property
    def answers(self) -> tuple[QWidget, ...]:
        """The list, and the row of those that are none."""
        return self.panel.list, self.panel.none

    def update(self, snapshot: Snapshot) -> None:
        """Show the numbers of the headline: at once where it says something else, else gliding there."""
        if self._model_due(snapshot.now_s):
            self._look(snapshot)
        due = self._scores_due(snapshot.now_s)
        if due or snapshot.answered or snapshot.shown is not self._scored:
            self.panel.show_scores(snapshot.shown, snapshot.now_s - self._scored_s)
            self._scored, self._scored_s = snapshot.shown, snapshot.now_s

    def _look(self, snapshot: Snapshot) -> None:
        """Show which words and which model are in use."""
        pipeline = snapshot.pipeline
        if pipeline.prompts is not self.panel.prompts:  # the model's templates, or a set that was refused
            self.panel.show_prompts(pipeline.prompts)
        info = getattr(pipeline.backbone, "info", None)
        if info is not None:
            self.panel.show_model(info.name, info.none_logit is not None)
            self._strangeness.look(pipeline, info.name, self.panel.prompts.labels)
