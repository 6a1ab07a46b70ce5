"""What recognition is asked to be. Any thread sets it, inference follows between predictions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from neuroclip_live.events import Resolution
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.prompting.prompts import PromptSet
from neuroclip_live.recognition.decision import DecisionSettings
from neuroclip_live.recognition.model_change import Load
from neuroclip_live.recognition.pipeline_state import PipelineSettings
from neuroclip_live.recognition.recognizer import FeatureAdapter, RecognizerSettings
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.capture import Capture, Tap
from neuroclip_live.stream.filters import Treatment
from neuroclip_live.stream.region import fitting
from neuroclip_live.stream.slicing import SliceBy

LoadAdapter = Callable[[Backbone], FeatureAdapter]


class DesiredState:
    """The stream, the words, the model to begin with, and how to cut and recognize.

    Parameters
    ----------
    capture : Capture
    prompts : PromptSet
    settings : PipelineSettings
    load : callable
        Returns the model to begin with; may take minutes.
    load_adapter : callable or None
        Called with the loaded model; returns the adapter to begin with.

    Attributes
    ----------
    lock : Lock
        Held while one stream takes the place of another, and while something is said of the one at hand.
    """

    def __init__(
        self,
        capture: Capture,
        prompts: PromptSet,
        settings: PipelineSettings,
        load: Load,
        load_adapter: LoadAdapter | None = None,
    ) -> None:
        self.capture = capture
        self.lock = threading.Lock()
        self.prompts = prompts
        self.settings = settings
        self.load = load
        self.load_adapter = load_adapter
        self._region: tuple[Box | None, Resolution] = (None, capture.resolution)

    def wake(self) -> None:
        """Have the inference thread look, also where no events come."""
        self.capture.news.set()

    @property
    def region(self) -> Box | None:
        """The part of the picture that is recognized; None for all of it.

        Where a picture of another size comes in, the region waits until the former is back.
        """
        region, resolution = self._region
        return region if resolution == self.capture.resolution else None

    def set_region(self, region: Box | None) -> None:
        """Choose the part of the picture that is recognized.

        Raises
        ------
        UserError
            When too little of it lies on the picture.
        """
        resolution = self.capture.resolution
        self._region = (fitting(region, resolution) if region is not None else None, resolution)
        self.wake()

    def set_prompts(self, prompts: PromptSet) -> None:
        """Choose what is scored against; it takes effect with the next slice."""
        self.prompts = prompts
        self.wake()

    def tap(self, tap: Tap) -> None:
        """Let somebody listen to all that comes in from now on, whatever is opened."""
        with self.lock:
            self.capture.tap(tap)

    def untap(self, tap: Tap) -> None:
        """Let somebody listen no more."""
        with self.lock:
            self.capture.untap(tap)

    def treat(self, treatment: Treatment) -> None:
        """Filter noise, flip or turn from the next packet on."""
        self.capture.treatment = treatment

    def set_slicing(self, slice_by: SliceBy) -> None:
        """Choose how the stream is cut."""
        self._set(replace(self.settings, slice_by=slice_by))

    def set_decision(self, decision: DecisionSettings) -> None:
        """Choose how calm the answer is."""
        self._set(replace(self.settings, decision=decision))

    def set_recognizer(self, recognizer: RecognizerSettings) -> None:
        """Choose T, and how motion is judged."""
        self._set(replace(self.settings, recognizer=recognizer))

    def keep_sentences(self) -> None:
        """Leave the prompts in the sentences they are in, whatever model is loaded."""
        self._set(replace(self.settings, model_templates=False))

    def _set(self, settings: PipelineSettings) -> None:
        self.settings = settings
        self.wake()
