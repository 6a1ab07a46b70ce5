"""Tensors whose names begin with what they were once wrapped in, as training scripts save them.

``torch.compile`` puts ``_orig_mod.`` before every name, data parallelism ``module.``, Lightning the attribute
that the model was (``model.``, ``clip.``); also one inside the other, and beside tensors of other things.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neuroclip_live.errors import UserError

WRAPPERS = ("_orig_mod", "module")
"""Parts of names that are never a model's own, wherever they stand."""

CLIP_ANCHOR = "logit_scale"
"""Every CLIP has it, at its root."""


def read_state(path: Path) -> tuple[dict[str, Any], bool]:
    """Return the tensors of a weights file by name, without the sleeves that training scripts put round them.

    Returns
    -------
    tensors : dict of str to tensor
    plain : bool
        Whether open_clip finds them in the file by itself.

    Raises
    ------
    pickle.UnpicklingError, EOFError, safetensors.SafetensorError, OSError, RuntimeError
        If the file cannot be read, or holds code.
    """
    import torch
    from safetensors.torch import load_file

    if path.suffix == ".safetensors":
        stored: Any = load_file(path)
    else:
        with (
            warnings.catch_warnings()
        ):  # of TorchScript it warns, and then refuses it, which is told in one line
            warnings.simplefilter("ignore", UserWarning)
            stored = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(stored, dict) and isinstance(stored.get("state_dict"), dict):
        stored = stored["state_dict"]
    plain = True
    for sleeve in ("model_state_dict", "model"):
        if isinstance(stored, dict) and isinstance(stored.get(sleeve), dict):
            stored, plain = stored[sleeve], False
    if not isinstance(stored, dict):
        return {}, False
    tensors = {str(name): value for name, value in stored.items() if torch.is_tensor(value)}
    return tensors, plain and tensors.keys() == stored.keys()


def own_names(state: Mapping[str, Any], anchor: str = CLIP_ANCHOR) -> dict[str, Any]:
    """Return a model's tensors by their names without what they were wrapped in.

    Parameters
    ----------
    state : mapping of str to tensor
    anchor : str
        A tensor that the model has: what stands before it is foreign, and what lacks that is of other things.

    Returns
    -------
    dict
        Equal to ``state`` where no name has anything foreign.

    Raises
    ------
    UserError
        If two models are in there, and none of them is the outermost.
    """
    if anchor in state:
        return unwrapped(state)
    roots = [name.removesuffix(anchor) for name in state if name.endswith(f".{anchor}")]
    outer = [root for root in roots if not any(root.startswith(other) and root != other for other in roots)]
    if len(outer) > 1:
        raise UserError(
            f"there are several models in it ({', '.join(sorted(root[:-1] for root in outer))}); "
            "save the state dict of one of them"
        )
    if not outer:
        return unwrapped(state)
    root = outer[0]
    return unwrapped({name.removeprefix(root): v for name, v in state.items() if name.startswith(root)})


@contextmanager
def renamed_file(state: Mapping[str, Any]) -> Iterator[Path]:
    """Give a file of these tensors for as long as the context lasts: open_clip reads nothing but files.

    Raises
    ------
    OSError, RuntimeError
        If there is no room for it.
    """
    import torch

    with tempfile.TemporaryDirectory(prefix="neuroclip-live-") as folder:
        path = Path(folder) / "renamed.pt"
        torch.save(dict(state), path)
        yield path


def unwrapped(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return tensors by their names without :data:`WRAPPERS`, nor a ``model.`` that all of them have."""
    named = {
        ".".join(part for part in name.split(".") if part not in WRAPPERS): value
        for name, value in state.items()
    }
    if len(named) != len(state):  # two models: neither may win unsaid
        named = dict(state)
    while named and all(name.startswith("model.") for name in named):
        named = {name.removeprefix("model."): value for name, value in named.items()}
    return named
