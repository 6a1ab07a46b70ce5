"""Read (or download, then read) a model's weights and build it with open_clip, however it was named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neuroclip_live.errors import UserError
from neuroclip_live.extras import need
from neuroclip_live.model.checkpoint_errors import told
from neuroclip_live.model.event_checkpoints import (
    FACTS,
    eventbind,
    is_eventbind,
    is_image_tower,
    put_image_tower,
)
from neuroclip_live.model.foreign_names import own_names, read_state, renamed_file, unwrapped
from neuroclip_live.model.hub import Progress, fetch, fetch_url, silent
from neuroclip_live.model.image_only import image_model
from neuroclip_live.model.model_config import CONFIG_FILE, FACTS_KEY, read_config, refuse_remote_code
from neuroclip_live.model.model_info import ModelFacts
from neuroclip_live.model.model_names import SAFE_NAMES, TORCH_NAMES, ModelSpec, folder_files
from neuroclip_live.model.word_targets import has_word_targets


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


def load(spec: ModelSpec, progress: Progress) -> Checkpoint:
    """Read (or download, then read) the weights of ``spec`` and build the model, in float32 on the CPU.

    Raises
    ------
    UserError
        If the weights cannot be had, cannot be read or do not fit, or torch is not installed.
    """
    need(spec.name, "torch", "open_clip")
    if spec.kind == "folder":
        return _load_folder(spec, progress)
    if spec.kind == "hub":
        config = fetch(spec.arch, [CONFIG_FILE], progress, spec.revision)
        read_config(config)  # before gigabytes are fetched for nothing
        weights = fetch(spec.arch, [*SAFE_NAMES[:1], *TORCH_NAMES[:1]], progress, spec.revision)
        if weights.parent != config.parent:
            raise UserError(
                f"{spec.name} changed on the hub between two downloads: try again, or pin it with @REVISION"
            )
        return _load_files(spec, config, weights, progress)
    if spec.kind == "random":
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = _build(spec.name, None, progress, spec.arch, pretrained_text=False)
        return _finish(spec, model, spec.arch, {}, ())
    if spec.kind == "file":
        return _load_file(spec, progress)
    weights, options = _tag_options(spec, progress)
    model = _build(spec.name, weights, progress, spec.arch, pretrained=str(weights), **options)
    return _finish(spec, model, spec.arch, {}, (weights,))


def _load_file(spec: ModelSpec, progress: Progress) -> Checkpoint:
    """Read a weights file: open_clip's own, or one of those of ``event_checkpoints``."""
    assert spec.path is not None
    path = spec.path
    with told(spec.name, path):
        stored, plain = read_state(path)
    state = unwrapped(stored)
    if is_eventbind(state):
        progress(f"loading {spec.name}", None)
        with silent(), told(spec.name, path):
            model = eventbind(spec.arch, state)
        return _finish(spec, model, spec.arch, FACTS, (path,))
    if is_image_tower(state):
        if not spec.tag:
            raise UserError(
                f"{path} holds an image tower alone; name the weights its text tower comes from, "
                f"as in --model {spec.arch}/TAG --weights {path.name}"
            )
        weights, options = _tag_options(spec, progress)
        model = _build(spec.name, weights, progress, spec.arch, pretrained=str(weights), **options)
        with told(spec.name, path):
            put_image_tower(model, state)
        return _finish(spec, model, spec.arch, {}, (path, weights))
    named = _named(stored, plain, path)
    del stored, state  # a large model would be in memory twice
    with told(spec.name, path), _file_of(named, path) as file:
        model = _build(spec.name, path, progress, spec.arch, pretrained=str(file))
    return _finish(spec, model, spec.arch, {}, (path,))


def _named(state: dict[str, Any], plain: bool, path: Path) -> dict[str, Any]:
    """Return a file's tensors by a model's own names; nothing where open_clip finds them by itself."""
    try:
        named = own_names(state)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return {} if plain and named.keys() == state.keys() else named


@contextmanager
def _file_of(named: dict[str, Any], path: Path) -> Iterator[Path]:
    """Give a file that open_clip can read: the one that was named, or one of its tensors renamed."""
    if not named:
        yield path
        return
    with renamed_file(named) as renamed:
        yield renamed


def _tag_options(spec: ModelSpec, progress: Progress) -> tuple[Path, dict[str, Any]]:
    """Download a tag's weights; return them and what open_clip has to be told to build them."""
    weights, tag_cfg = _download_tag(spec, progress)
    return weights, {
        "force_preprocess_cfg": {
            key: tag_cfg.get(key) for key in ("mean", "std", "interpolation", "resize_mode")
        },
        # the tag says which activation its weights were trained with; the architecture's default may differ
        "force_quick_gelu": bool(tag_cfg.get("quick_gelu", False)),
    }


def _load_folder(spec: ModelSpec, progress: Progress) -> Checkpoint:
    return _load_files(spec, *folder_files(spec), progress)


def _load_files(spec: ModelSpec, config: Path, weights: Path, progress: Progress) -> Checkpoint:
    """Build a model from the files that were checked: open_clip asks the hub for none of them again."""
    described = read_config(config)
    refuse_remote_code(described["model_cfg"])
    with told(spec.name, weights):
        state, plain = read_state(weights)
        named = _named(state, plain, weights)
    if has_word_targets(config.parent):
        progress(f"loading {spec.name}", None)
        with told(spec.name, weights):
            model = image_model(described, named or state)
        return Checkpoint(
            spec,
            model.eval(),
            None,
            model.visual.preprocess_cfg,
            described.get(FACTS_KEY, {}),
            (config, weights),
        )
    del state  # a large model would be in memory twice
    name = f"local-dir:{config.parent}"
    if named:
        import open_clip

        none = {"load_weights": False, "pretrained_image": False, "pretrained_text": False}
        model = _build(spec.name, weights, progress, name, **none)
        with silent(), told(spec.name, weights), renamed_file(named) as file:
            open_clip.load_checkpoint(model, str(file))
    else:
        model = _build(spec.name, weights, progress, name, require_pretrained=True)
    text = described["model_cfg"].get("text_cfg", {})
    tokenizer = _hub_tokenizer(spec, text) if spec.kind == "hub" and text.get("hf_tokenizer_name") else name
    return _finish(spec, model, tokenizer, described.get(FACTS_KEY, {}), (config, weights))


def _hub_tokenizer(spec: ModelSpec, text: dict[str, Any]) -> Any:
    """Return a tokenizer from the hub, of the model's own revision where it lies beside the model."""
    from open_clip.tokenizer import HFTokenizer

    source = text["hf_tokenizer_name"]
    arguments = dict(text.get("tokenizer_kwargs") or {})
    arguments.setdefault("context_length", text.get("context_length", 77))
    if source == spec.arch and spec.revision is not None:
        arguments["revision"] = spec.revision
    with silent(), told(spec.name, None):
        return HFTokenizer(source, tokenizer_mode=text.get("tokenizer_mode"), **arguments)


def _finish(
    spec: ModelSpec, model: Any, tokenizer: Any, facts: dict[str, Any], files: tuple[Path, ...]
) -> Checkpoint:
    import open_clip

    if isinstance(tokenizer, str):
        with silent(), told(spec.name, None):
            tokenizer = open_clip.get_tokenizer(tokenizer)
    return Checkpoint(spec, model.eval(), tokenizer, dict(model.visual.preprocess_cfg), dict(facts), files)


def _build(name: str, weights: Path | None, progress: Progress, open_clip_name: str, **options: Any) -> Any:
    progress("loading the libraries", None)
    import open_clip

    progress(f"loading {name}", None)
    if not open_clip_name.startswith("local-dir:"):
        refuse_remote_code(open_clip.get_model_config(open_clip_name) or {})
    with silent(), told(name, weights):
        return open_clip.create_model(open_clip_name, **options)


def _download_tag(spec: ModelSpec, progress: Progress) -> tuple[Path, dict[str, Any]]:
    import open_clip

    config: dict[str, Any] = open_clip.get_pretrained_cfg(spec.arch, spec.tag)
    if location := config.get("hf_hub"):
        repository, _, filename = location.rpartition("/")
        names = [filename] if filename else list(TORCH_NAMES[:1])
        # a safetensors twin, where there is one, is preferred: it cannot hold code
        safe = [
            SAFE_NAMES[0] if name == TORCH_NAMES[0] else f"{Path(name).stem}.safetensors" for name in names
        ]
        return fetch(repository, [*safe, *names], progress), config
    return fetch_url(config["url"], progress), config
