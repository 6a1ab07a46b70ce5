"""How the window recognizes: model, device, slices and T, changed while everything runs.

Every change is remembered. What was given on the command line holds for its run and is not.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from neuroclip_gui.panel_spec import Context
from neuroclip_live.config import DEFAULT, MODEL_NAMES, Config
from neuroclip_live.errors import UserError
from neuroclip_live.model.model_names import lasting_name

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone
    from neuroclip_live.recognition.model_change import Progress
    from neuroclip_live.recognition.pipeline_protocol import PipelineProtocol


_CUTTING = ("slice", "overlap", "timesteps", "motion")


@dataclass
class _Asked:
    """A model that was asked for, until it is at work."""

    model: str
    device: str
    remember: bool
    """Whether it is saved as the choice then."""
    came: list[weakref.ref[Backbone]] = field(default_factory=list)
    """What was loaded; one that is not taken up is not kept in memory."""


class Recognition:
    """Commands of one window.

    Attributes
    ----------
    given : frozenset of str
        Settings the command line decides until the user changes them in the window.
    config : Config
        What the command line asked for.
    model, device : str
        What is at work; one that was asked for and cannot be had never stands here.
    """

    def __init__(self, context: Context) -> None:
        self._context, self._settings = context, context.settings
        self.given: frozenset[str] = frozenset()
        self.config = DEFAULT
        self.model, self.device = DEFAULT.model, DEFAULT.device
        self._asked: _Asked | None = None

    def take_up(self, config: Config) -> None:
        """Hold to what the command line asked for, in this run."""
        self.config, self.given = config, config.decided
        self.model, self.device = config.model, config.device

    def begin(self, pipeline: PipelineProtocol) -> None:
        """Put saved settings into a pipeline that is about to start.

        A saved model is loaded beside the one the pipeline begins with, so that one which cannot be had,
        say without a network, costs nothing but a message.
        """
        from neuroclip_live.stream.motion_setting import parse_motion
        from neuroclip_live.stream.slicing import parse_slice

        settings, given = self._settings, self.given
        if not given & {"smoothing", "sure"}:
            self.use_decision(pipeline)
        if not given & {"slice", "overlap"}:
            pipeline.change_slicing(parse_slice(settings.slice, settings.overlap))
        if "timesteps" not in given:
            pipeline.change_timesteps(settings.timesteps)
        if "motion" not in given:
            pipeline.change_motion(parse_motion(settings.motion))
        if "objects" not in given:
            pipeline.change_objects(settings.objects)
        self._context.action("objects").setChecked(pipeline.settings.recognizer.objects.enabled)
        if not given & {"model", "device", "runtime"}:
            wanted = settings.model, settings.device
            if wanted != (self.model, self.device):
                self._load(pipeline, _Asked(*wanted, remember=False))

    def use_model(self, model: str, device: str) -> None:
        """Load another model, or the same for another device; the one at work goes on until it is there."""
        model, device = lasting_name(model), device.strip().lower()
        pipeline = self._context.pipeline()
        if not model or not device or pipeline is None:
            return
        # a checkpoint of the command line is for its run: without it the name alone would load nothing
        of_this_run = self.config.with_model(model, device).weights is not None
        self._load(pipeline, _Asked(model, device, remember=not of_this_run))

    def look(self, pipeline: PipelineProtocol) -> None:
        """Remember the model asked for once it is at work: one that cannot be had is never remembered."""
        asked, at_work = self._asked, pipeline.backbone
        if asked is None or at_work is None or not any(each() is at_work for each in asked.came):
            return
        self.model, self.device, self._asked = asked.model, asked.device, None
        if asked.remember:
            self._settings.model, self._settings.device = asked.model, asked.device

    def use_decision(self, pipeline: PipelineProtocol | None = None) -> None:
        """Make answers as calm and as sure as the settings say."""
        from neuroclip_live.recognition.decision import DecisionSettings

        settings, pipeline = self._settings, pipeline or self._context.pipeline()
        if pipeline is not None:
            pipeline.change_decision(DecisionSettings(settings.smoothing_s, settings.threshold))

    def use_slices(self, text: str, overlap: int) -> bool:
        """Cut the stream otherwise; return whether the text was understood."""
        from neuroclip_live.stream.slicing import parse_slice

        try:
            by = parse_slice(text, overlap)
        except UserError as error:
            self._context.complain(str(error))
            return False
        self._settings.slice, self._settings.overlap = by.describe(), overlap
        pipeline = self._context.pipeline()
        if pipeline is not None:
            pipeline.change_slicing(by)
        return True

    def use_timesteps(self, timesteps: int) -> None:
        """Average over another number of timesteps."""
        self._settings.timesteps = timesteps
        pipeline = self._context.pipeline()
        if pipeline is not None:
            pipeline.change_timesteps(timesteps)

    def use_motion(self, text: str) -> bool:
        """Take other slices for "no motion"; return whether the text was understood."""
        from neuroclip_live.stream.motion_setting import describe_motion, parse_motion

        try:
            motion = parse_motion(text)
        except UserError as error:
            self._context.complain(str(error))
            return False
        self._settings.motion = describe_motion(motion)
        pipeline = self._context.pipeline()
        if pipeline is not None:
            pipeline.change_motion(motion)
        return True

    def use_objects(self, on: bool) -> None:
        """Look for several things beside the whole picture's answer, or no longer."""
        pipeline = self._context.pipeline()
        if pipeline is None or pipeline.settings.recognizer.objects.enabled == on:
            return
        self._settings.objects = on
        pipeline.change_objects(on)

    def options(self) -> list[str]:
        """Return how it recognizes, as options of a command that encodes recordings alike."""
        saved = {n: getattr(self._settings, n) for n in _CUTTING if n not in self.given}
        config = replace(self.config.with_model(self.model, self.device), **saved)
        found: list[str] = []
        for name in (*MODEL_NAMES, *_CUTTING):
            value, option = getattr(config, name), name.replace("_", "-")
            if isinstance(value, bool):
                found.append(f"--{option}" if value else f"--no-{option}")
            elif value is not None and value != getattr(DEFAULT, name):
                found.append(f"--{option}={value}")
        return found

    def reset(self) -> None:
        """Go back to what a new user has."""
        settings = self._settings
        self.use_slices(settings.slice, settings.overlap)
        self.use_timesteps(settings.timesteps)
        self.use_motion(settings.motion)
        self._context.action("objects").setChecked(settings.objects)
        if (self.model, self.device) != (settings.model, settings.device):
            self.use_model(settings.model, settings.device)
        elif self._asked is not None and (pipeline := self._context.pipeline()) is not None:
            self._asked = None
            pipeline.cancel_model()

    def _load(self, pipeline: PipelineProtocol, asked: _Asked) -> None:
        """Have a model loaded, run as the command line asks."""
        from neuroclip_live.session import loader

        load = loader(self.config.with_model(asked.model, asked.device), named=False)

        def load_and_note(progress: Progress) -> Backbone:
            backbone = load(progress)
            asked.came.append(weakref.ref(backbone))
            return backbone

        self._asked = asked
        pipeline.change_model(load_and_note)
