"""Models converted once and kept, so that later starts need neither torch nor open_clip.

Importing torch and open_clip takes seconds, holds the interpreter lock while it does, and costs most of the
memory of the whole program; running a small model needs neither. After the first start on a CPU the user's
cache holds both towers as OpenVINO networks and the facts about the model; the tokenizer is ours
(:mod:`neuroclip_live.model.tokenizer`).

A folder's name is a digest of everything that could change its content: the model's files, the packages that
convert and run it, the kind of processor. What is stale is therefore never found.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from neuroclip_live.bounded import read_json
from neuroclip_live.model.checkpoints import Checkpoint
from neuroclip_live.model.model_config import CONFIG_FILE
from neuroclip_live.model.model_info import ModelFacts
from neuroclip_live.model.runtimes.openvino_runtime import (
    IMAGE_FILE,
    OpenVinoRuntime,
    open_kept_image,
    save_network,
)
from neuroclip_live.model.runtimes.runtime import require_equal
from neuroclip_live.model.text_encoder import (
    OpenVinoTextEncoder,
    TextEncoder,
    TextRuntime,
    convert_text_tower,
)

logger = logging.getLogger(__name__)

TEXT_FILE = "text.xml"
FACTS_FILE = "facts.json"

_CHECK_TEXTS = ("a mug", "a black and white photo of the number: 7", "scissors, 2 of them!", "日本語")
_VERSIONS_KEPT = 3


@dataclass(frozen=True)
class KeptModel:
    """A model read back, ready to run."""

    facts: ModelFacts
    image: OpenVinoRuntime
    text: TextRuntime


def cache_folder() -> Path:
    """Return the folder of all kept models, which need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("neuroclip-live") / "models"


def folder_for(name: str, files: Sequence[Path]) -> Path | None:
    """Return where the model made from ``files`` is kept, or is to be; None for a model without files."""
    if not files:
        return None
    digest = hashlib.blake2b(digest_size=12)
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
    software = [
        _version(package) for package in ("neuroclip-live", "openvino", "torch", "open_clip_torch", "timm")
    ]
    digest.update(json.dumps([name, software, platform.machine()]).encode())
    slug = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return cache_folder() / f"{slug}_{digest.hexdigest()}"


def read(folder: Path, threads: int | None = None, text: TextRuntime | None = None) -> KeptModel | None:
    """Return the model kept in ``folder``, or None where there is none that works.

    ``text`` runs its words where they need no conversion.
    """
    needed = (IMAGE_FILE, FACTS_FILE) if text is not None else (IMAGE_FILE, TEXT_FILE, FACTS_FILE)
    if not all((folder / file).is_file() for file in needed):
        return None
    try:
        facts = ModelFacts(**read_json(folder / FACTS_FILE))
        if text is None:
            text = OpenVinoTextEncoder(folder / TEXT_FILE, facts.context_length, threads)
        return KeptModel(facts, open_kept_image(folder, threads), text)
    except (OSError, RuntimeError, ValueError, TypeError, ImportError) as error:
        logger.warning("the model kept in %s is unusable (%s); loading it anew", folder, error)
        return None


def keep(folder: Path, checkpoint: Checkpoint, *, own_text_tower: bool = True) -> None:
    """Complete ``folder``, which holds the image tower already, with the text tower and the facts.

    A model whose text tower or tokenizer is of another kind is left incomplete, and a folder that cannot be
    written is only logged: both mean that later starts go through torch. ``own_text_tower`` is False for
    models whose words need no conversion.
    """
    if not (folder / IMAGE_FILE).is_file():
        return
    facts = checkpoint.about()
    if own_text_tower and not _plain_tokenizer(checkpoint):
        return
    try:
        if own_text_tower:
            _keep_text_tower(folder, checkpoint, facts.context_length)
        (folder / FACTS_FILE).write_text(json.dumps(asdict(facts)), encoding="utf-8")
    except (OSError, RuntimeError, ValueError, TypeError, ImportError) as error:
        logger.warning("cannot keep %s for quicker starts: %s", facts.name, error)
        return
    logger.info("kept %s in %s: later starts need no torch", facts.name, folder)
    _forget_old_versions(folder)


def _keep_text_tower(folder: Path, checkpoint: Checkpoint, context_length: int) -> None:
    network = convert_text_tower(checkpoint.model, context_length)
    made = OpenVinoTextEncoder(network, context_length)
    require_equal(
        made.encode(_CHECK_TEXTS),
        TextEncoder(checkpoint.model, checkpoint.tokenizer).encode(_CHECK_TEXTS),
    )
    save_network(network, folder / TEXT_FILE)


def _plain_tokenizer(checkpoint: Checkpoint) -> bool:
    """Tell whether the tokenizer is open_clip's own with nothing changed, which is what ours equals."""
    config: dict[str, Any] = {}
    for file in checkpoint.files:
        if file.name == CONFIG_FILE:
            config = read_json(file)
    text = config.get("model_cfg", {}).get("text_cfg", {})
    special = ("hf_tokenizer_name", "hf_model_name", "tokenizer_kwargs", "tokenizer_mode")
    return bool(text) and not any(text.get(key) for key in special)


def _forget_old_versions(folder: Path) -> None:
    slug = folder.name.rpartition("_")[0]
    versions = sorted(folder.parent.glob(f"{slug}_*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in versions[_VERSIONS_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
