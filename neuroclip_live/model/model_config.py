"""A model's configuration: read with its size limited, and held to what data may ask for.

Whoever made the model wrote it, and open_clip hands parts of it on: ``tokenizer_kwargs`` go to transformers,
where ``trust_remote_code`` would run Python from the hub, or to open_clip's own tokenizer, where ``bpe_path``
names any file of this machine. Only what describes a model is let through.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from neuroclip_live.bounded import read_json
from neuroclip_live.errors import UserError

CONFIG_FILE = "open_clip_config.json"
FACTS_KEY = "neuroclip_live"
"""Key of :data:`CONFIG_FILE` under which a model carries what open_clip has no field for."""

_PREPROCESS = ("mean", "std", "interpolation", "resize_mode", "fill_color")
_TOKENIZER_ARGUMENTS = {"clean", "strip_sep_token", "language", "context_length", "reduction_mask"}
_REPOSITORY = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_TIMM_NAME = re.compile(r"\w[\w.-]*")
_NAMES = (
    ("text_cfg", "hf_tokenizer_name", _REPOSITORY),
    ("text_cfg", "hf_model_name", _REPOSITORY),
    ("vision_cfg", "timm_model_name", _TIMM_NAME),
)


def read_config(path: Path) -> dict[str, Any]:
    """Read and check a model's configuration.

    Raises
    ------
    UserError
        When it cannot be read, is not open_clip's, or asks for more than a model may.
    """
    try:
        config = read_json(path)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()
        raise UserError(
            f"cannot read the model's configuration {path}: {reason[0][:200] if reason else error}"
        ) from error
    if not isinstance(config, dict):
        raise UserError(f"{path} is not an open_clip configuration")
    model = config.get("model_cfg")
    if not isinstance(model, dict):
        raise UserError(f"{path} has no 'model_cfg': not an open_clip configuration")
    _check(path, model)
    return config


def _check(path: Path, model: dict[str, Any]) -> None:
    for part in ("text_cfg", "vision_cfg"):
        if not isinstance(model.get(part, {}), dict):
            raise UserError(f"{path}: {part} is no description of a network")
    arguments = model.get("text_cfg", {}).get("tokenizer_kwargs") or {}
    if not isinstance(arguments, dict) or not arguments.keys() <= _TOKENIZER_ARGUMENTS:
        asked = ", ".join(sorted(map(str, set(arguments) - _TOKENIZER_ARGUMENTS)))
        raise UserError(
            f"{path} sets {asked} for its tokenizer, by which a model could run code or read other files: "
            "it is not loaded; take those lines out if you know that you can"
        )
    for part, key, pattern in _NAMES:
        name = model.get(part, {}).get(key)
        if name and not (isinstance(name, str) and pattern.fullmatch(name)):
            raise UserError(f"{path}: {key} {name!r} is not the name of a model; paths are not followed")


def preprocess_of(described: dict[str, Any]) -> dict[str, Any]:
    """Return open_clip's ``preprocess_cfg`` of a checked configuration, with the tower's size."""
    given = described.get("preprocess_cfg", {})
    size = int(described["model_cfg"]["vision_cfg"]["image_size"])
    return {"size": size, **{key: given[key] for key in _PREPROCESS if key in given}}


def refuse_remote_code(model: dict[str, Any]) -> None:
    """Have transformers refuse a text tower or tokenizer that brings Python of its own.

    Its own default is to ask at the terminal, which for a window is nobody, and to run it on a "y".
    """
    text = model.get("text_cfg", {})
    if (text.get("hf_tokenizer_name") or text.get("hf_model_name")) and find_spec("transformers"):
        from transformers import dynamic_module_utils

        dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0
