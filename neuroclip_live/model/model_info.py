"""What is known about a model: plain facts, safe to hand to any thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model.checkpoint_errors import refuse_no_numbers
from neuroclip_live.model.preprocess import Normalization, Preprocess
from neuroclip_live.stream.frames import Fit
from neuroclip_live.stream.representations.registry import DEFAULT


@dataclass(frozen=True)
class ModelFacts:
    """What a checkpoint says of itself, before it is decided how to run it. Fit for JSON.

    Attributes
    ----------
    name : str
    bundled : bool
    logit_scale : float
        As trained, exponentiated.
    context_length : int
    parameters : int
    preprocess_cfg : dict
        open_clip's: ``size``, ``mean``, ``std``, ``resize_mode``.
    own : dict
        What the model's configuration says under our own key.
    """

    name: str
    bundled: bool
    logit_scale: float
    context_length: int
    parameters: int
    preprocess_cfg: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)

    @property
    def representation(self) -> str:
        """What the model wants slices of events turned into."""
        return str(self.own.get("representation", DEFAULT))

    def in_representation(self, name: str | None) -> ModelFacts:
        """Return the facts with another representation, the same for None."""
        return self if name is None else replace(self, own={**self.own, "representation": name})

    def preprocess(self, normalization: Normalization, fit: Fit | None, focus: bool | None) -> Preprocess:
        """Return the model's preprocessing, with what the user overrides.

        Raises
        ------
        UserError
            If the model reads images that are not square.
        """
        config = self.preprocess_cfg
        size = config.get("size", 224)
        if not isinstance(size, int):
            height, width = size
            if height != width:
                raise UserError(f"{self.name} reads {width}x{height} images; only square ones are supported")
            size = int(height)
        own: Fit = self.own.get("fit") or ("squash" if config.get("resize_mode") == "squash" else "letterbox")
        mean, std = (tuple(float(v) for v in config[key]) for key in ("mean", "std"))
        return Preprocess(
            size=size,
            mean=(mean[0], mean[1], mean[2]),
            std=(std[0], std[1], std[2]),
            fit=fit or own,
            focus=bool(self.own.get("focus", False)) if focus is None else focus,
            normalization=normalization,
        )

    def info(
        self, preprocess: Preprocess, feature: npt.NDArray[Any], device: str, runtime: str
    ) -> BackboneInfo:
        """Return the facts together with how the model is being run; ``feature`` is one of its own, (C,).

        Raises
        ------
        UserError
            If the feature holds no numbers.
        """
        own = self.own
        scale = float(own.get("logit_scale") or self.logit_scale)
        refuse_no_numbers(self.name, feature, scale)
        none_logit, gap = own.get("none_logit"), own.get("none_gap")
        if none_logit is None and own.get("none_cosine") is not None:
            none_logit = scale * float(own["none_cosine"])
        return BackboneInfo(
            name=self.name,
            embed_dim=len(feature),
            image_size=preprocess.size,
            context_length=self.context_length,
            mean=preprocess.mean,
            std=preprocess.std,
            fit=preprocess.fit,
            device=device,
            runtime=runtime,
            bundled=self.bundled,
            logit_scale=scale,
            none_logit=None if none_logit is None else float(none_logit),
            none_gap=(float(gap[0]), float(gap[1])) if gap else None,
            description=str(own.get("description", "trained on photographs, not on event frames")),
            focus=preprocess.focus,
            threshold=int(own.get("threshold", 0)),
            templates=tuple(own.get("templates", ("{}",))),
            normalization=preprocess.normalization,
            parameters=self.parameters,
            representation=self.representation,
        )


@dataclass(frozen=True)
class BackboneInfo:
    """What a model is and how it is being run.

    Attributes
    ----------
    name : str
    embed_dim : int
        C, the length of a feature.
    image_size : int
        Side of the encoder's square input in pixels.
    context_length : int
        Tokens a prompt may have, start and end marks included.
    mean, std : tuple of three floats
    fit : {"letterbox", "squash"}
    device : str
        As torch names it.
    runtime : str
        What runs the image tower: Its name in :data:`~neuroclip_live.model.runtimes.registry.RUNTIMES`.
    bundled : bool
        It came with the project.
    logit_scale : float
        What cosines are multiplied by; calibrated for the bundled model.
    none_logit : float or None
        Logit of "none of these"; None for models without a calibrated one.
    none_gap : (float, float) or None
        Where the model knows nouns of its own: how far the best label's cosine may lie below the nearest
        noun's before it is "none of these", for ten labels, and what is added for each e-fold of labels.
    description : str
        One line on what the model is good for.
    focus : bool
        Frames are cropped to their activity first.
    threshold : int
        Events a pixel needs more than, to speak; the default of the slicing settings.
    templates : tuple of str
        Templates the model does best with.
    normalization : {"model", "reference"}
    parameters : int
    representation : str
        What slices of events are turned into for it; a name of
        :data:`~neuroclip_live.stream.representations.registry.REPRESENTATIONS`.
    """

    name: str
    embed_dim: int
    image_size: int
    context_length: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Fit
    device: str
    runtime: str
    bundled: bool
    logit_scale: float
    none_logit: float | None
    description: str
    none_gap: tuple[float, float] | None = None
    focus: bool = False
    threshold: int = 0
    templates: tuple[str, ...] = ("{}",)
    normalization: Normalization = "model"
    parameters: int = 0
    representation: str = DEFAULT

    @property
    def features(self) -> str:
        """Name of the features it makes: what was learned from those of one representation fits no other."""
        return self.name if self.representation == DEFAULT else f"{self.name} ({self.representation})"
