"""Which models there are: the bundled one, those already downloaded, and a few worth downloading.

Nothing here touches the network or builds a model, so the window's picker and ``neuroclip-live models``
answer at once. open_clip, slow to import, is asked only when the hub's cache holds something to name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neuroclip_live.bounded import parse_json, read_json
from neuroclip_live.extras import ALL, have
from neuroclip_live.model.model_config import CONFIG_FILE, FACTS_KEY
from neuroclip_live.model.model_names import BUNDLED, MODELS_DIR

Availability = Literal["bundled", "cached", "download"]


@dataclass(frozen=True)
class ModelInfo:
    """One line of the list of models.

    Attributes
    ----------
    name : str
        What to give ``--model``.
    availability : {"bundled", "cached", "download"}
        ``bundled`` and ``cached`` need no network.
    description : str
    size_mb : float or None
        On disk, or to download.
    parameters : int or None
    image_size : int or None
        Side of the encoder's input in pixels.
    path : Path or None
        Where it is on disk.
    """

    name: str
    availability: Availability
    description: str = ""
    size_mb: float | None = None
    parameters: int | None = None
    image_size: int | None = None
    path: Path | None = None

    @property
    def needs(self) -> str:
        """What it takes to use the model, in words."""
        if self.availability != "download":
            return "nothing: it is here"
        first = "" if have("open_clip") else f"{ALL} and "
        return first + (f"a download of {self.size_mb:,.0f} MB" if self.size_mb is not None else "a download")


_WORTH_DOWNLOADING = (
    ModelInfo(
        "RN50/openai", "download", "CLIP ResNet-50, the fastest on a CPU of those here", 408, 102_007_137, 224
    ),
    ModelInfo("ViT-B-32/openai", "download", "CLIP ViT-B/32, as in the papers", 605, 151_277_313, 224),
    ModelInfo(
        "ViT-B-32/laion2b_s34b_b79k", "download", "ViT-B/32 trained on LAION-2B", 605, 151_277_313, 224
    ),
    ModelInfo(
        "ViT-B-16/laion2b_s34b_b88k",
        "download",
        "ViT-B/16: sharper, four times the work",
        599,
        149_620_737,
        224,
    ),
    ModelInfo("ViT-L-14/openai", "download", "CLIP ViT-L/14, for a GPU", 1711, 427_616_513, 224),
)


def available_models() -> list[ModelInfo]:
    """List the bundled model, then cached ones, then some worth downloading that are not cached."""
    cached = cached_models()
    here = {model.name for model in cached}
    bundled = bundled_model()
    return [
        *([] if bundled is None else [bundled]),
        *cached,
        *(model for model in _WORTH_DOWNLOADING if model.name not in here),
    ]


def bundled_model() -> ModelInfo | None:
    """Return the model that ships with the project, or None if its files are missing."""
    folder = MODELS_DIR / "event_nano"
    weights = sorted(folder.glob("*.safetensors"))
    try:
        config = read_json(folder / CONFIG_FILE)
    except (OSError, ValueError):
        return None
    if not weights:
        return None
    facts = config.get(FACTS_KEY, {})
    return ModelInfo(
        BUNDLED,
        "bundled",
        str(facts.get("description", "")),
        sum(file.stat().st_size for file in weights) / 1e6,
        _count_parameters(folder / "open_clip_model.safetensors"),
        int(config["model_cfg"]["vision_cfg"]["image_size"]),
        folder,
    )


def cached_models() -> list[ModelInfo]:
    """Return the open_clip models in the hub's cache, by the names that load them without a network."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = [r for r in scan_cache_dir().repos if r.repo_type == "model"]
    except CacheNotFound:
        return []
    found: list[ModelInfo] = []
    tags = _tags_by_location() if repositories else {}
    for repository in repositories:
        for revision in repository.revisions:
            files = {file.file_name: file for file in revision.files}
            for name, file in sorted(files.items()):
                if not name.endswith((".safetensors", ".bin", ".pt", ".pth")):
                    continue
                names = tags.get((repository.repo_id, Path(name).stem), [])
                if not names and CONFIG_FILE in files:
                    names = [f"hf-hub:{repository.repo_id}"]
                size = file.size_on_disk / 1e6
                parameters = _count_parameters(file.file_path)
                found += [
                    ModelInfo(n, "cached", "", size, parameters, path=file.file_path)
                    for n in names
                    if n not in {model.name for model in found}
                ]
    return sorted(found, key=lambda model: model.name.lower())


def damage(weights: Path) -> str | None:
    """Return what is wrong with a safetensors file, or None: its length must be what its header says."""
    try:
        header = _safetensors_header(weights)
        ends = [int(entry["data_offsets"][1]) for entry in header.values()]
        with weights.open("rb") as file:
            start = 8 + int.from_bytes(file.read(8), "little")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{weights} cannot be read: {error}"
    expected, size = start + max(ends, default=0), weights.stat().st_size
    return (
        None if size == expected else f"{weights} has {size:,} bytes where {expected:,} belong: it is damaged"
    )


def _tags_by_location() -> dict[tuple[str, str], list[str]]:
    """Map a hub repository and a file's stem to the ``ARCH/TAG`` names whose weights they are."""
    if not have("open_clip"):
        return {}
    import open_clip

    names: dict[tuple[str, str], list[str]] = {}
    for arch, tag in open_clip.list_pretrained():
        repository, _, file = str(open_clip.get_pretrained_cfg(arch, tag).get("hf_hub", "")).rpartition("/")
        stems = {Path(file).stem} if file else {"open_clip_pytorch_model", "open_clip_model"}
        if Path(file).stem == "open_clip_pytorch_model":
            stems.add("open_clip_model")
        for stem in stems:
            names.setdefault((repository, stem), []).append(f"{arch}/{tag}")
    return names


def _count_parameters(weights: Path) -> int | None:
    """Count the numbers in a safetensors file from its header; None for other files."""
    try:
        shapes = _safetensors_header(weights)
    except (OSError, ValueError):
        return None
    total = 0
    for entry in shapes.values():
        count = 1
        for side in entry["shape"]:
            count *= int(side)
        total += count
    return total


def _safetensors_header(path: Path) -> dict[str, Any]:
    if path.suffix != ".safetensors":
        raise ValueError(f"{path} is not a safetensors file")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= 100_000_000:
            raise ValueError(f"{path} has no safetensors header")
        header: dict[str, Any] = parse_json(file.read(length).decode())
    header.pop("__metadata__", None)
    return header
