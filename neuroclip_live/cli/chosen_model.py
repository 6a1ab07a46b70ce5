"""The model that a command's options choose: checked first, loaded when all else is known to be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neuroclip_live.cli.options import MOST_THREADS
from neuroclip_live.config import MODEL_NAMES, Config
from neuroclip_live.model.backbone import Backbone
from neuroclip_live.option_names import at_least, refuse_blank
from neuroclip_live.session import loader


def check_model(values: Mapping[str, Any]) -> None:
    """Raise UserError for a model option that is wrong whatever is loaded."""
    at_least({"--threads": values["threads"]}, 1, MOST_THREADS)
    refuse_blank({"--model": values["model"]}, "a name that `neuroclip-live models` lists")
    refuse_blank({"--weights": values["weights"]}, "a file")


def load_model(values: Mapping[str, Any], tell: Callable[[str, float | None], None]) -> Backbone:
    """Load it; raises UserError when it cannot be had."""
    return loader(Config(**{name: values[name] for name in MODEL_NAMES}))(tell)
