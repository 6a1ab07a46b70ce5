"""Find a model's weights and build it with open_clip, whatever way it was named.

Five ways to name a model, one result:

=========================  ==================================================================
``event-nano``             the model that ships with the project
``ARCH/TAG``               open_clip's own list, as in ``ViT-B-32/laion2b_s34b_b79k``; downloads once
``hf-hub:ORG/NAME``        any repository on the hub with an open_clip configuration; downloads once
``ARCH`` with ``weights``  a checkpoint on disk (.safetensors, or torch's format without pickled code)
``PATH``                   a folder with ``open_clip_config.json`` and weights (``local-dir:`` may precede it)
=========================  ==================================================================

The weights "random" build an architecture without weights, for benchmarks. Everything a user can get wrong
ends in a :class:`UserError` that says what to type instead.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from neuroclip_live.errors import UserError
from neuroclip_live.hub import Progress, cache_folder, fetch, fetch_url, silent
from neuroclip_live.model_info import ModelFacts

BUNDLED = "event-nano"
MODELS_DIR = Path(__file__).parent / "models"
CONFIG_FILE = "open_clip_config.json"
RANDOM = "random"
FACTS_KEY = "neuroclip_live"
"""Key of :data:`CONFIG_FILE` under which a model carries what open_clip has no field for."""

_SAFE_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
_TORCH_NAMES = (
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "pytorch_model.bin",
    "model.pth",
)


@dataclass(frozen=True)
class ModelSpec:
    """A model as named, understood but not yet loaded."""

    name: str
    kind: Literal["folder", "hub", "tag", "file", "random"]
    arch: str = ""
    tag: str = ""
    path: Path | None = None

    @property
    def bundled(self) -> bool:
        """Whether it ships with the project."""
        return self.path is not None and self.path.parent == MODELS_DIR


@dataclass
class Checkpoint:
    """A built model with everything that travels with its weights."""

    spec: ModelSpec
    model: Any
    tokenizer: Any
    preprocess_cfg: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    """What the weights and the configuration were read from; empty for random weights."""

    def about(self) -> ModelFacts:
        """Return what the checkpoint says of itself."""
        model = self.model
        context: Any = getattr(model, "context_length", None) or getattr(self.tokenizer, "context_length", 77)
        return ModelFacts(
            name=self.spec.name,
            bundled=self.spec.bundled,
            logit_scale=float(model.logit_scale.detach().exp().mean()),
            context_length=int(context),
            parameters=sum(p.numel() for p in model.parameters()),
            preprocess_cfg=self.preprocess_cfg,
            own=self.facts,
        )

    def image_tower(self) -> Any:
        """Return the image tower as a module that maps (N, 3, S, S) to (N, C)."""
        import torch

        model = self.model
        if not hasattr(model, "text_decoder"):
            return model.visual

        class ImageTower(torch.nn.Module):
            """CoCa's tower returns tokens too; only its ``encode_image`` knows which part is the feature."""

            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, images: Any) -> Any:
                return self.model.encode_image(images)

        return ImageTower().eval()


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
        arch = _known_arch(model)
        if str(weights) == RANDOM:
            return ModelSpec(f"{arch} (random weights)", "random", arch=arch)
        path = Path(weights).expanduser()
        if not path.is_file():
            raise UserError(f"no weights file {weights}; give a .safetensors or .pt file of {arch}")
        return ModelSpec(f"{arch} ({path.name})", "file", arch=arch, path=path)
    if model == BUNDLED:
        return ModelSpec(BUNDLED, "folder", path=MODELS_DIR / "event_nano")
    if model.startswith("hf-hub:"):
        repository = model.removeprefix("hf-hub:").strip("/")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            raise UserError(f"{model}: a hub model is written hf-hub:ORGANISATION/NAME")
        return ModelSpec(f"hf-hub:{repository}", "hub", arch=repository)
    folder = Path(model.removeprefix("local-dir:")).expanduser()
    if model.startswith("local-dir:") or folder.is_dir():
        return _folder(folder)
    return _tagged(model)


def load(spec: ModelSpec, progress: Progress) -> Checkpoint:
    """Read (or download, then read) the weights of ``spec`` and build the model, in float32 on the CPU.

    Raises
    ------
    UserError
        If the weights cannot be had, cannot be read or do not fit.
    """
    if spec.kind == "folder":
        return _load_folder(spec, progress)
    if spec.kind == "hub":
        config = fetch(spec.arch, [CONFIG_FILE], progress)
        weights = fetch(spec.arch, [*_SAFE_NAMES[:1], *_TORCH_NAMES[:1]], progress)
        facts = _read_config(config).get(FACTS_KEY, {})
        model = _build(spec.name, weights, progress, f"hf-hub:{spec.arch}", require_pretrained=True)
        return _finish(spec, model, f"hf-hub:{spec.arch}", facts, (config, weights))
    if spec.kind == "random":
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = _build(spec.name, None, progress, spec.arch, pretrained_text=False)
        return _finish(spec, model, spec.arch, {}, ())
    options: dict[str, Any] = {}
    if spec.kind == "tag":
        weights, tag_cfg = _download_tag(spec, progress)
        options["force_preprocess_cfg"] = {
            key: tag_cfg.get(key) for key in ("mean", "std", "interpolation", "resize_mode")
        }
        # the tag says which activation its weights were trained with; the architecture's default may differ
        options["force_quick_gelu"] = bool(tag_cfg.get("quick_gelu", False))
    else:
        assert spec.path is not None
        weights = spec.path
    model = _build(spec.name, weights, progress, spec.arch, pretrained=str(weights), **options)
    return _finish(spec, model, spec.arch, {}, (weights,))


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
    if "model_cfg" not in _read_config(folder / CONFIG_FILE):
        raise UserError(f"{folder / CONFIG_FILE} has no 'model_cfg': not an open_clip configuration")
    found = [folder / name for name in (*_SAFE_NAMES, *_TORCH_NAMES) if (folder / name).is_file()]
    found += sorted(folder.glob("open_clip*.safetensors")) + sorted(folder.glob("*.pth"))
    if not found:
        raise UserError(f"{folder} has no weights; it needs {_SAFE_NAMES[0]}")
    return folder / CONFIG_FILE, found[0]


def _load_folder(spec: ModelSpec, progress: Progress) -> Checkpoint:
    config, weights = folder_files(spec)
    name = f"local-dir:{config.parent}"
    model = _build(spec.name, weights, progress, name, require_pretrained=True)
    return _finish(spec, model, name, _read_config(config).get(FACTS_KEY, {}), (config, weights))


def _finish(
    spec: ModelSpec, model: Any, tokenizer_name: str, facts: dict[str, Any], files: tuple[Path, ...]
) -> Checkpoint:
    import open_clip

    with silent(), _told(spec.name, None):
        tokenizer = open_clip.get_tokenizer(tokenizer_name)
    return Checkpoint(spec, model.eval(), tokenizer, dict(model.visual.preprocess_cfg), dict(facts), files)


def _build(name: str, weights: Path | None, progress: Progress, open_clip_name: str, **options: Any) -> Any:
    progress("loading the libraries", None)
    import open_clip

    progress(f"loading {name}", None)
    with silent(), _told(name, weights):
        return open_clip.create_model(open_clip_name, **options)


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
)


@contextmanager
def _told(name: str, weights: Path | None) -> Iterator[None]:
    """Turn what open_clip, torch and safetensors raise about a bad checkpoint into one line."""
    import pickle

    from safetensors import SafetensorError

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


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the model's configuration {path}: {_first_line(error)}") from error
    if not isinstance(config, dict):
        raise UserError(f"{path} is not an open_clip configuration")
    return config


def _known_arch(arch: str) -> str:
    import open_clip

    name = arch.replace("/", "-")
    known = open_clip.list_models()
    if name in known:
        return name
    raise UserError(f"open_clip has no architecture {arch}{_suggestion(name, known)}")


def _tagged(model: str) -> ModelSpec:
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


def _download_tag(spec: ModelSpec, progress: Progress) -> tuple[Path, dict[str, Any]]:
    import open_clip

    config: dict[str, Any] = open_clip.get_pretrained_cfg(spec.arch, spec.tag)
    if location := config.get("hf_hub"):
        repository, _, filename = location.rpartition("/")
        names = [filename] if filename else list(_TORCH_NAMES[:1])
        # a safetensors twin, where there is one, is preferred: it cannot hold code
        safe = [
            _SAFE_NAMES[0] if name == _TORCH_NAMES[0] else f"{Path(name).stem}.safetensors" for name in names
        ]
        return fetch(repository, [*safe, *names], progress), config
    return fetch_url(config["url"], progress), config
