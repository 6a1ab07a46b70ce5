"""The model at work and what belongs to it: its adapter, its teacher, and the prompts encoded for it."""

from __future__ import annotations

import logging
from pathlib import Path

from neuroclip_live.errors import UserError, reason_of
from neuroclip_live.learning.teaching import Teacher
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet, PromptTable
from neuroclip_live.recognition.desired_state import DesiredState
from neuroclip_live.recognition.history import FeatureHistory, Rescored, rescore
from neuroclip_live.recognition.recognizer import FeatureAdapter, Recognizer
from neuroclip_live.stream.filters import warm_up as warm_up_treatment

log = logging.getLogger(__name__)


class ModelAtWork:
    """Changed by the inference thread alone; read by any.

    Parameters
    ----------
    desired : DesiredState

    Attributes
    ----------
    backbone : Backbone or None
        None until one is loaded.
    teacher : Teacher or None
        What learns labels while the stream runs; None until the model is loaded.
    table : PromptTable or None
        The prompts being scored, encoded; another object whenever they changed.
    prompts : PromptSet
        Those of ``table``.
    adapter : FeatureAdapter or None
        What stands between features and scores.
    """

    def __init__(self, desired: DesiredState) -> None:
        self.backbone: Backbone | None = None
        self.teacher: Teacher | None = None
        self.table: PromptTable | None = None
        self.prompts = desired.prompts
        self.adapter: FeatureAdapter | None = None
        self._untaught: FeatureAdapter | None = None
        self._encoder: PromptEncoder | None = None
        self._desired = desired

    def adapt(self, adapter: FeatureAdapter | None) -> None:
        """Put an adapter between features and scores between two predictions; None: the one begun with."""
        self.adapter = adapter if adapter is not None else self._untaught

    def take_up(self, recognizer: Recognizer, history: FeatureHistory) -> str:
        """Put a recognizer's model to work: its sentences, adapter and teacher; return what to say of it.

        What may fail comes first: until all of that has gone well nothing is changed. Features of another
        model are taken out of the history.
        """
        backbone, timesteps = recognizer.backbone, recognizer.settings.timesteps
        info, teacher, said = backbone.info, self.teacher, ""
        desired, asked = self._desired, self._desired.prompts
        prompts = self._in_templates(asked, backbone)
        encoder = PromptEncoder(backbone)
        table = encoder.encode(prompts) if prompts.enabled else None
        recognizer.warm_up()
        warm_up_treatment()
        if teacher is None or (teacher.model, teacher.timesteps) != (info.features, timesteps):
            if teacher is not None:
                teacher.close()
            said = self._bring_adapter(backbone, timesteps, bool(teacher and teacher.status().labels))
            self.teacher = Teacher(info.features, info.embed_dim, timesteps, info.logit_scale, self.adapt)
        if self.backbone is not backbone:
            history.clear()
        # others may have been asked for meanwhile: those are encoded at the next look
        desired.prompts = (
            prompts if desired.prompts is asked else self._in_templates(desired.prompts, backbone)
        )
        self._score_against(prompts, table, recognizer)
        self._encoder, self.backbone = encoder, backbone
        return said

    def learn_lessons(self, path: Path) -> None:
        """Take up labels that were taught earlier; each becomes a prompt.

        Raises
        ------
        UserError
            When the file holds no lessons for this model.
        """
        assert self.teacher is not None, "lessons are for a model at work"
        try:
            taught = self.teacher.load(path)
        except UserError as error:
            raise UserError(f"--taught: {error}") from error
        for label in taught:
            if label not in self._desired.prompts.labels:
                self._desired.prompts = self._desired.prompts.add(label)

    def encode(self, recognizer: Recognizer) -> str | None:
        """Encode the prompts when they changed; what cannot be encoded is told and the old ones stay.

        Returns
        -------
        str or None
            What to say of it, empty where all went well; None where nothing changed.
        """
        prompts = self._desired.prompts
        if prompts is self.prompts or self._encoder is None:
            return None
        try:
            table = self._encoder.encode(prompts) if prompts.enabled else None
        except Exception as error:
            told = isinstance(error, UserError)
            if not told:
                log.error("prompts could not be encoded", exc_info=error)
            if self._desired.prompts is prompts:
                self._desired.prompts = self.prompts
            return str(error) if told else f"the prompts stay as they were: {reason_of(error)}"
        self._score_against(prompts, table, recognizer)
        return ""

    def rescored(self, history: FeatureHistory) -> Rescored | None:
        """Score a history against the prompts of now; None where there is nothing to score.

        From any thread.
        """
        table, backbone, past = self.table, self.backbone, history.past()
        if table is None or backbone is None or not len(past.numbers):
            return None
        if past.vectors.shape[1] != table.features.shape[1]:
            return None  # the model is being changed
        reference = self._desired.settings.recognizer.reference_logits
        return rescore(past, table, backbone.info.logit_scale, reference_logits=reference)

    def _score_against(self, prompts: PromptSet, table: PromptTable | None, recognizer: Recognizer) -> None:
        recognizer.set_prompts(table)
        self.prompts, self.table = prompts, table
        if self.teacher is not None and table is not None:
            self.teacher.set_labels(table.labels, table.features)

    def _in_templates(self, prompts: PromptSet, backbone: Backbone) -> PromptSet:
        """Return the prompts in the sentences of a model, unless the user chose others."""
        before = self.backbone
        if before is None:
            return self._desired.settings.with_model_templates(prompts, backbone)
        own = prompts.templates == before.info.templates
        return prompts.with_templates(backbone.info.templates) if own else prompts

    def _bring_adapter(self, backbone: Backbone, timesteps: int, taught: bool) -> str:
        """Load the adapter asked for where it fits this model and T; return a line on what does not."""
        first, adapter, lost = self.backbone is None, None, ["what was taught"] if taught else []
        if self._desired.load_adapter is not None:
            try:
                adapter = self._desired.load_adapter(backbone)
                info = getattr(adapter, "info", None)
                if info is not None and info.timesteps != timesteps:
                    adapter = None
            except Exception as error:
                if first:
                    raise
                log.info("the adapter is put aside: %s", error)
            if adapter is None:
                lost.append("the adapter")
        self.adapter = self._untaught = adapter
        return f"Put aside, as made for another model or T: {' and '.join(lost)}" if lost else ""
