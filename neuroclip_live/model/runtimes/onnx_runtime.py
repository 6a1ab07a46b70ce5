"""ONNX Runtime: the tower exported to ONNX, for CPUs that OpenVINO has no wheel for, or is slow on.

Only on request (``--runtime onnx``, ``pip install "neuroclip-live[onnx]"``). The network is exported at every
start and not kept; its outputs are compared with plain torch's before it is used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from neuroclip_live.model.runtimes.plain_torch import TorchRuntime
from neuroclip_live.model.runtimes.runtime import Array, Plan, require_equal, threads_for, unfused


def make(tower: Callable[[], Any], plan: Plan) -> OnnxRuntime:
    """Return the tower in ONNX Runtime.

    Raises
    ------
    RuntimeError
        If it cannot be exported, or its outputs differ from plain torch's.
    """
    module = tower().to("cpu")
    parameters = sum(p.numel() for p in module.parameters())
    made = OnnxRuntime(export(module, plan.size), threads_for(parameters, plan.threads))
    noise = np.random.default_rng(0).standard_normal((1, 3, plan.size, plan.size), dtype=np.float32)
    require_equal(made(noise), TorchRuntime(module)(noise))
    return made


class OnnxRuntime:
    """A network in ONNX Runtime on the CPU, in float32.

    Parameters
    ----------
    network : bytes
        ONNX, for one image.
    threads : int, optional
        How many threads it may use; all cores if left out.
    """

    name = "onnx"
    device = "cpu"

    def __init__(self, network: bytes, threads: int | None = None) -> None:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # threads that spin while they wait take the cores of capture and window
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(network, options, ["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base but this
            raise RuntimeError(str(error)) from error
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: Array) -> Array:
        """Encode; see :class:`~neuroclip_live.model.runtimes.runtime.ImageRuntime`."""
        # one at a time, as the network was made for one
        return np.concatenate(
            [self._session.run(None, {self._input: batch[i : i + 1]})[0] for i in range(len(batch))]
        )


def export(module: Any, size: int) -> bytes:
    """Return a torch image tower as ONNX, for one (1, 3, size, size) image."""
    import torch

    written: Any = BytesIO()
    with unfused(), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # the exporter that traces: the newer one needs a package more, and gains nothing on these networks
        torch.onnx.export(
            module, (torch.zeros(1, 3, size, size),), written, input_names=["image"], dynamo=False
        )
    network: bytes = written.getvalue()
    return network
