"""What is known about a model: plain facts, safe to hand to any thread."""

from __future__ import annotations

from dataclasses import dataclass

from neuroclip_live.frames import Fit
from neuroclip_live.preprocess import Normalisation


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
        What runs the image tower: ``openvino``, ``torchscript`` or ``torch``.
    bundled : bool
        It came with the project.
    logit_scale : float
        What cosines are multiplied by; calibrated for the bundled model.
    none_logit : float or None
        Logit of "none of these"; None for models without a calibrated one.
    description : str
        One line on what the model is good for.
    focus : bool
        Frames are cropped to their activity first.
    threshold : int
        Events a pixel needs more than, to speak; the default of the slicing settings.
    templates : tuple of str
        Templates the model does best with.
    normalisation : {"model", "reference"}
    parameters : int
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
    focus: bool = False
    threshold: int = 0
    templates: tuple[str, ...] = ("{}",)
    normalisation: Normalisation = "model"
    parameters: int = 0
