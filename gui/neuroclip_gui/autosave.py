"""Keeps the words and all settings as they change, so that one that is killed loses at most a moment."""

from __future__ import annotations

import copy
import logging
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from neuroclip_gui.files import as_text
from neuroclip_gui.jobs import Jobs
from neuroclip_gui.kept_lessons import KeptLessons
from neuroclip_gui.panel_spec import Context
from neuroclip_gui.settings import SettingsStore
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompt_set import PromptSet, parse_prompts

if TYPE_CHECKING:
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol
    from neuroclip_live.stream.box import Box

log = logging.getLogger(__name__)

EVERY_S = 0.5
_DECIDES = frozenset({"prompts", "prompt_file", "demo"})
"""Options of the command line with words of their own: those saved then wait for another start."""


class Keeping:
    """Between the window and its settings file.

    Parameters
    ----------
    context : Context
    store : SettingsStore
    jobs : Jobs
        Writes: none that may hang on a source.

    Attributes
    ----------
    touched : bool
        The user changed the words: a model's or a demo's are not theirs, and not kept.
    given : frozenset of str
        Settings that the command line decides.
    lessons : KeptLessons
    """

    def __init__(self, context: Context, store: SettingsStore, jobs: Jobs) -> None:
        self._context, self._settings, self._store, self._jobs = context, context.settings, store, jobs
        self._written: dict[str, Any] = asdict(context.settings)
        self._first: PromptSet | None = None
        self.touched = False
        self.given: frozenset[str] = frozenset()
        self.lessons = KeptLessons(context, store, jobs)
        self._region: Box | None = None
        self._due_s = 0.0
        self._lock = threading.Lock()
        self._in_trouble = self._closed = False

    def begin(self, pipeline: PipelineProtocol) -> None:
        """Bring the words of the last time back; a file that was tampered with brings none."""
        kept = self._settings.words
        if kept and not self.given & _DECIDES:
            try:
                words = words_of(kept)
                if "templates" in self.given:
                    words = words.with_templates(pipeline.prompts.templates)
                pipeline.set_prompts(words)
                if kept.get("own_sentences"):
                    pipeline.keep_sentences()
            except (UserError, KeyError, TypeError, ValueError) as error:
                self._context.complain(f"The words of the last time cannot be used: {error}")
        self._first, self.touched = pipeline.prompts, False
        self.bring_region(pipeline)

    def bring_region(self, pipeline: PipelineProtocol) -> None:
        """Keep recognition to the part of the last time, where the picture has the same size."""
        *sides, width, height = self._settings.region or [0, 0]
        if sides and (width, height) == tuple(pipeline.resolution):
            from neuroclip_live.stream.box import Box

            try:
                pipeline.set_region(Box(*sides))
            except UserError as error:
                log.warning("the part of the picture of the last time: %s", error)
        self._region = pipeline.region

    def look(self, now_s: float) -> None:
        """Have what changed written, in a thread of its own; call often."""
        if now_s < self._due_s or self._first is None or self._closed:
            return
        self._due_s = now_s + EVERY_S
        self._note()
        pipeline = self._context.pipeline()
        if pipeline is not None:
            self.lessons.look(pipeline, self.given)
        state = asdict(self._settings)
        if state != self._written:
            self._written = state
            self._jobs.do(self._writer(), self._written_or_not, self._context.complain)

    def _written_or_not(self, trouble: str) -> None:
        """Say once that nothing is kept, and say so again only after it was."""
        if trouble and not self._in_trouble:
            words = "Words, lists and settings will be gone after this run"
            self._context.say(f"{words}: {trouble}", "warn")
        self._in_trouble = bool(trouble)

    def close(self) -> None:
        """Write everything now; no write that is late comes after it."""
        if self._first is not None:
            self._note()
            pipeline = self._context.pipeline()
            if pipeline is not None:
                self.lessons.look(pipeline, self.given, closing=True)
            self.lessons.close()
        with self._lock:
            self._closed = True
            self._store.save(self._settings)

    def _note(self) -> None:
        """Take over what the user changed."""
        prompts, settings, pipeline = self._context.words.now(), self._settings, self._context.pipeline()
        if self.touched and prompts is not self._first:
            self._first = prompts
            own = getattr(getattr(pipeline, "backbone", None), "info", None)
            others = own is not None and prompts.templates != own.templates
            settings.words = {**as_kept(prompts), "own_sentences": others}
        region = pipeline.region if pipeline is not None else None
        size = list(pipeline.resolution) if pipeline is not None else []
        elsewhere = pipeline is not None and settings.region[4:] not in ([], size)
        if region != self._region and (region is not None or not elsewhere):  # else the picture is another
            self._region = region
            settings.region = [*region, *size] if region is not None else []

    def _writer(self) -> Any:
        settings = copy.deepcopy(self._settings)

        def write() -> str:
            with self._lock:
                if not self._closed:
                    self._store.save(settings)
                return self._store.trouble

        return write


def as_kept(prompts: PromptSet) -> dict[str, Any]:
    """Return a set as a settings file holds it."""
    return {
        "words": as_text(prompts),
        "off": [p.label for p in prompts.prompts if not p.enabled],
        "templates": list(prompts.templates),
        "none_of_these": prompts.none_of_these,
    }


def words_of(kept: dict[str, Any]) -> PromptSet:
    """Return a set that was kept, perhaps an empty one (UserError, KeyError, TypeError, ValueError)."""
    off, templates = list(kept["off"]), list(kept["templates"])
    if not all(isinstance(text, str) for text in (kept["words"], *off, *templates)):
        raise TypeError("it holds something that is no text")
    prompts = parse_prompts(kept["words"], tuple(templates), bool(kept["none_of_these"]))
    for label in off:
        prompts = prompts.replace(label, enabled=False)
    return prompts
