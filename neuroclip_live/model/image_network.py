"""The bundled model's image tower in OpenVINO, built from its plain weights: no torch, no timm.

EfficientNet-Lite (Google, Apache-2.0) as timm names its tensors and TensorFlow pads its images: a stem, seven
stages of depthwise blocks, a head, the mean over all places, and a linear map. Batch normalization is folded
into the convolution before it. Whether a model is of this kind is asked of its configuration; others go
through torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.runtimes.openvino_runtime import import_openvino

_NAMES = tuple(f"tf_efficientnet_lite{size}" for size in range(5))
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_EPSILON = 1e-3
_MOST = 6.0  # ReLU6

Array = npt.NDArray[np.float32]
Weights = Mapping[str, npt.NDArray[Any]]


def is_buildable(described: Mapping[str, Any]) -> bool:
    """Tell whether a checked configuration describes a tower that :func:`image_network` builds."""
    vision = described["model_cfg"].get("vision_cfg", {})
    return (
        vision.get("timm_model_name") in _NAMES
        and vision.get("timm_pool", "avg") == "avg"
        and vision.get("timm_proj", "linear") == "linear"
        and isinstance(vision.get("image_size"), int)
    )


def image_network(weights: Weights, size: int) -> Any:
    """Build the tower for one (1, 3, size, size) float32 image; its output is (1, C) float32.

    Parameters
    ----------
    weights : mapping of str to ndarray
        ``visual.*``, of any floating type.
    size : int

    Raises
    ------
    KeyError
        If a tensor is missing.
    ValueError, RuntimeError
        If one does not fit the others.
    """
    openvino = import_openvino()
    ops = openvino.opset13
    trunk = "visual.trunk."
    used: set[str] = set()

    def read(name: str) -> Array:
        used.add(name)
        return np.asarray(weights[name], np.float32)

    def convolved(x: Any, name: str, norm: str, stride: int = 1) -> Any:
        """Convolve and normalize; a kernel of one input channel is a depthwise one."""
        kernel = read(f"{trunk}{name}.weight")
        mean, variance = read(f"{trunk}{norm}.running_mean"), read(f"{trunk}{norm}.running_var")
        factor = read(f"{trunk}{norm}.weight") / np.sqrt(variance + _EPSILON)
        bias = read(f"{trunk}{norm}.bias") - mean * factor
        kernel = kernel * factor[:, None, None, None]
        zeros, steps, ones = [0, 0], [stride, stride], [1, 1]
        if kernel.shape[1] == 1:
            grouped = ops.constant(kernel[:, None])
            y = ops.group_convolution(x, grouped, steps, zeros, zeros, ones, "same_upper")
        else:
            y = ops.convolution(x, ops.constant(kernel), steps, zeros, zeros, ones, "same_upper")
        return ops.add(y, ops.constant(bias[None, :, None, None]))

    def clipped(x: Any) -> Any:
        return ops.clamp(x, 0.0, _MOST)

    image = ops.parameter([1, 3, size, size], np.float32)
    x = clipped(convolved(image, "conv_stem", "bn1", 2))
    for stage, first_stride in enumerate(_STRIDES):
        block = 0
        while f"{trunk}blocks.{stage}.{block}.conv_pw.weight" in weights:
            name = f"blocks.{stage}.{block}."
            stride = first_stride if block == 0 else 1
            if f"{trunk}{name}conv_pwl.weight" in weights:
                y = clipped(convolved(x, f"{name}conv_pw", f"{name}bn1"))
                y = clipped(convolved(y, f"{name}conv_dw", f"{name}bn2", stride))
                y = convolved(y, f"{name}conv_pwl", f"{name}bn3")
            else:
                y = clipped(convolved(x, f"{name}conv_dw", f"{name}bn1", stride))
                y = convolved(y, f"{name}conv_pw", f"{name}bn2")
            x = ops.add(x, y) if stride == 1 and x.get_output_shape(0) == y.get_output_shape(0) else y
            block += 1
        if not block:
            raise KeyError(f"{trunk}blocks.{stage}.0.conv_pw.weight")
    x = clipped(convolved(x, "conv_head", "bn2"))
    pooled = ops.reduce_mean(x, ops.constant(np.array([2, 3])), False)
    features = ops.matmul(pooled, ops.constant(read("visual.head.proj.weight")), False, True)
    if "visual.head.proj.bias" in weights:
        features = ops.add(features, ops.constant(read("visual.head.proj.bias")[None]))
    unknown = {name for name in weights if name.startswith("visual.")} - used
    if unknown := {name for name in unknown if not name.endswith("num_batches_tracked")}:
        raise ValueError(f"the tower has no tensor {min(unknown)}")
    return openvino.Model([features], [image], "image tower")
