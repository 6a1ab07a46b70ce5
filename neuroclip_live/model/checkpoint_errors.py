"""What open_clip, torch and safetensors raise about a bad checkpoint, in one line for the user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.lfs_pointer import refuse_pointer
from neuroclip_live.model.hub import cache_folder

# open_clip checks some shapes by assertion, and indexes what is not there
_MISFITS = (
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OSError,
    StopIteration,
    OverflowError,
)


@contextmanager
def told(name: str, weights: Path | None) -> Iterator[None]:
    """Turn whatever is raised inside about a bad checkpoint into a UserError of one line."""
    import pickle

    from safetensors import SafetensorError

    if weights is not None:
        refuse_pointer(weights, "the weights")
    source = f" in {weights}" if weights is not None else ""
    try:
        yield
    except UserError:
        raise
    except (pickle.UnpicklingError, EOFError) as error:
        raise UserError(
            f"{weights} is no plain weights file (it is damaged, or holds pickled code, which is never run); "
            "save the state dict as .safetensors"
        ) from error
    except SafetensorError as error:
        raise UserError(f"{weights} is not a readable safetensors file: {_first_line(error)}") from error
    except ImportError as error:
        raise UserError(
            f"{name} needs a package that is not here ({error.name}); pip install {error.name or 'it'}"
        ) from error
    except _MISFITS as error:
        if _is_of_the_network(error):
            raise UserError(
                f"{name} needs a tokenizer or text tower from the hub, which cannot be reached; connect "
                f"this machine once (it is kept in {cache_folder()})"
            ) from error
        raise UserError(f"the weights{source} do not fit {name}: {_misfit(error)}") from error


def refuse_no_numbers(name: str, *numbers: npt.ArrayLike) -> None:
    """Refuse a model that answers with no numbers, or with zeros alone: its weights are damaged.

    Raises
    ------
    UserError
        If it does.
    """
    for each in map(np.asarray, numbers):
        if not np.isfinite(each).all() or not each.any():
            raise UserError(
                f"the weights of {name} are damaged: its answers are no numbers; copy or download it again"
            )


def _is_of_the_network(error: BaseException | None) -> bool:
    """Tell whether an error, or what caused it, is that a file of the hub could not be had."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    while error is not None:
        if isinstance(error, (LocalEntryNotFoundError, ConnectionError)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _misfit(error: BaseException) -> str:
    """Return the first tensor an error of ``load_state_dict`` complains of, in words."""
    text = str(error)
    if shape := re.search(
        r"size mismatch for ([\w.]+): .*?torch\.Size\((\[[^]]*\])\).*?torch\.Size\((\[[^]]*\])\)", text, re.S
    ):
        return f"tensor {shape[1]} has shape {shape[2]}, the model needs {shape[3]}"
    if missing := re.search(r'Missing key\(s\) in state_dict: "([^"]+)"', text):
        return f"tensor {missing[1]} is missing"
    if unexpected := re.search(r'Unexpected key\(s\) in state_dict: "([^"]+)"', text):
        return f"the model has no tensor {unexpected[1]}"
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
