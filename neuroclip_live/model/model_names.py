"""Understand how a model was named.

Five ways to name one:

=========================  ==================================================================
``event-nano``             the model that ships with the project
``ARCH/TAG``               open_clip's own list, as in ``ViT-B-32/laion2b_s34b_b79k``; downloads once
``hf-hub:ORG/NAME``        any repository on the hub with an open_clip configuration; downloads once;
                           ``@REVISION`` after it pins a commit, branch or tag
``ARCH`` with ``weights``  a checkpoint on disk (.safetensors, or torch's format without pickled code)
``ARCH/TAG`` the same      an image tower on disk; the text tower is that of the tag
``PATH``                   a folder with ``open_clip_config.json`` and weights (``local-dir:`` may precede it)
=========================  ==================================================================

The weights "random" build an architecture without weights, for benchmarks. Everything a user can get wrong
ends in a :class:`UserError` that says what to type instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neuroclip_live.errors import UserError
from neuroclip_live.extras import need
from neuroclip_live.model.model_config import CONFIG_FILE, read_config

BUNDLED = "event-nano"
MODELS_DIR = Path(__file__).parents[1] / "models"
RANDOM = "random"

SAFE_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
TORCH_NAMES = (
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "pytorch_model.bin",
    "model.pth",
)

_HUB_NAME = re.compile(r"hf-hub:(?P<repository>[\w-][\w.-]*/[\w-][\w.-]*)/?(?:@(?P<revision>\w[\w./-]*))?")


@dataclass(frozen=True)
class ModelSpec:
    """A model as named, understood but not yet loaded."""

    name: str
    kind: Literal["folder", "hub", "tag", "file", "random"]
    arch: str = ""
    tag: str = ""
    path: Path | None = None
    revision: str | None = None

    @property
    def bundled(self) -> bool:
        """Whether it ships with the project."""
        return self.path is not None and self.path.parent == MODELS_DIR


def parse_model(model: str, weights: str | Path | None = None) -> ModelSpec:
    """Understand a model's name.

    Parameters
    ----------
    model : str
        See the module's table.
    weights : str or Path, optional
        A checkpoint file for the architecture ``model``, or ``"random"``.

    Returns
    -------
    ModelSpec

    Raises
    ------
    UserError
        If nothing has that name; the message suggests what may have been meant.
    """
    model = model.strip()
    if not model:
        raise UserError(f"the model's name is empty; try {BUNDLED}")
    if weights is not None:
        arch, tag = _arch_and_tag(model)
        if str(weights) == RANDOM:
            return ModelSpec(f"{arch} (random weights)", "random", arch=arch)
        path = Path(weights).expanduser()
        if not path.is_file():
            raise UserError(f"no weights file {weights}; give a .safetensors or .pt file of {arch}")
        return ModelSpec(f"{arch} ({path.name})", "file", arch=arch, tag=tag, path=path)
    if model == BUNDLED:
        return ModelSpec(BUNDLED, "folder", path=MODELS_DIR / "event_nano")
    if model.startswith("hf-hub:"):
        found = _HUB_NAME.fullmatch(model)
        if found is None:
            raise UserError(
                f"{model}: a hub model is written hf-hub:ORGANISATION/NAME, perhaps with @REVISION after it"
            )
        repository, revision = found["repository"], found["revision"]
        name = f"hf-hub:{repository}@{revision}" if revision else f"hf-hub:{repository}"
        return ModelSpec(name, "hub", arch=repository, revision=revision)
    folder = Path(model.removeprefix("local-dir:")).expanduser()
    if model.startswith(("local-dir:", "/", "~", ".")) or folder.is_dir():
        return _folder(folder)
    return _tagged(model)


def lasting_name(model: str) -> str:
    """Return a name that loads the same model wherever the program is started: a folder's whole path."""
    model = model.strip()
    folder = Path(model.removeprefix("local-dir:")).expanduser()
    if not model or model == BUNDLED or not (model.startswith("local-dir:") or folder.is_dir()):
        return model
    return str(folder.absolute())


def _folder(folder: Path) -> ModelSpec:
    if not folder.is_dir():
        raise UserError(f"no model folder {folder}")
    if not (folder / CONFIG_FILE).is_file():
        raise UserError(f"{folder} is not a model: it has no {CONFIG_FILE}")
    return ModelSpec(folder.name or str(folder), "folder", path=folder)


def _folder_of(spec: ModelSpec) -> Path:
    assert spec.path is not None
    if spec.name == BUNDLED and not (spec.path / CONFIG_FILE).is_file():
        raise UserError(
            f"the bundled model {BUNDLED} is missing from {spec.path}; install neuroclip-live again"
        )
    return spec.path


def folder_files(spec: ModelSpec) -> tuple[Path, Path]:
    """Return the configuration and the weights of a model folder.

    Raises
    ------
    UserError
        If either is missing, or the configuration is not open_clip's.
    """
    folder = _folder_of(spec)
    read_config(folder / CONFIG_FILE)
    found = [folder / name for name in (*SAFE_NAMES, *TORCH_NAMES) if (folder / name).is_file()]
    found += sorted(folder.glob("open_clip*.safetensors")) + sorted(folder.glob("*.pth"))
    if not found:
        raise UserError(f"{folder} has no weights; it needs {SAFE_NAMES[0]}")
    return folder / CONFIG_FILE, found[0]


def _arch_and_tag(model: str) -> tuple[str, str]:
    """Split what stands before a weights file: an architecture, perhaps with a tag that has the rest."""
    need(model, "open_clip")
    import open_clip

    if "/" in model and model.replace("/", "-") not in open_clip.list_models():
        spec = _tagged(model)
        return spec.arch, spec.tag
    return _known_arch(model), ""


def _known_arch(arch: str) -> str:
    import open_clip

    name = arch.replace("/", "-")
    known = open_clip.list_models()
    if name in known:
        return name
    raise UserError(f"open_clip has no architecture {arch}{_suggestion(name, known)}")


def _tagged(model: str) -> ModelSpec:
    need(model, "open_clip")
    import open_clip

    known = open_clip.list_models()
    whole = model.replace("/", "-")
    if whole in known:
        tags = open_clip.list_pretrained_tags_by_model(whole)
        example = f"add a tag, as in {whole}/{tags[-1]}, or " if tags else ""
        raise UserError(f"{whole} needs weights: {example}give a checkpoint with --weights FILE")
    if "/" not in model:
        near = [*known, BUNDLED]
        raise UserError(f"no model is called {model}{_suggestion(model, near)}; see neuroclip-live models")
    arch, tag = model.rsplit("/", 1)
    arch = _known_arch(arch)
    tags = open_clip.list_pretrained_tags_by_model(arch)
    if not open_clip.get_pretrained_cfg(arch, tag):
        if not tags:
            raise UserError(f"open_clip knows no weights for {arch}; give a checkpoint with --weights FILE")
        raise UserError(
            f"{arch} has no weights called {tag}{_suggestion(tag, tags)}; it has {', '.join(tags)}"
        )
    return ModelSpec(f"{arch}/{tag}", "tag", arch=arch, tag=tag)


def _suggestion(word: str, known: Sequence[str]) -> str:
    lowered = {name.lower(): name for name in known}
    near = [lowered[match] for match in difflib.get_close_matches(word.lower(), list(lowered), 3, 0.6)]
    return f"; did you mean {' or '.join(near)}?" if near else ""
