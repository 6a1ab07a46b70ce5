"""One door to open_clip: frames and words in, features out.

A :class:`Backbone` hides which model, device and runtime do the work. Frames arrive at the sensor's size and
leave as raw features; texts leave as unit features. The image tower runs in the fastest runtime that gives
the model's own outputs (:mod:`neuroclip_live.model.runtimes`); the text tower, used only when prompts change,
stays in torch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.model import converted_cache
from neuroclip_live.model.checkpoints import load
from neuroclip_live.model.devices import resolve_device
from neuroclip_live.model.hub import Progress
from neuroclip_live.model.lexicon import lexicon
from neuroclip_live.model.model_info import BackboneInfo, ModelFacts
from neuroclip_live.model.model_names import ModelSpec, folder_files, parse_model
from neuroclip_live.model.plain_weights import read_plain
from neuroclip_live.model.preprocess import Normalization, Preprocess
from neuroclip_live.model.runtimes.openvino_runtime import openvino_available
from neuroclip_live.model.runtimes.registry import AUTO, check_runtime, choose_runtime
from neuroclip_live.model.runtimes.runtime import ImageRuntime, OutOfDeviceMemory
from neuroclip_live.model.scoring import normalized, summary
from neuroclip_live.model.text_encoder import TextEncoder, TextRuntime
from neuroclip_live.model.vocabulary import Familiarity, Vocabulary
from neuroclip_live.model.word_targets import WordTargets, has_word_targets
from neuroclip_live.stream.frames import Fit
from neuroclip_live.stream.representations.registry import representation as find_representation

__all__ = ["Backbone", "BackboneInfo", "Familiarity", "load_backbone"]

logger = logging.getLogger(__name__)

Array = npt.NDArray[np.float32]

_REMEMBERED = 2000  # texts whose familiarity is kept
_ONE_TOKEN = 3  # with the marks of start and end


class Backbone:
    """A loaded model. Make one with :func:`load_backbone`.

    Frames and texts may be encoded from different threads at once; two threads encoding frames wait for each
    other.

    Parameters
    ----------
    info : BackboneInfo
    preprocess : Preprocess
    image : ImageRuntime
        Runs the image tower.
    text : TextRuntime
        Runs the text tower.
    vocabulary : Vocabulary, optional
        What the model was taught, for :meth:`familiarity`.
    to_cpu : callable, optional
        Called once when the device is out of memory; returns a runtime on the CPU.
    notice : callable, optional
        Told what the user should know, as for ``progress`` of :func:`load_backbone`.
    """

    def __init__(
        self,
        info: BackboneInfo,
        preprocess: Preprocess,
        image: ImageRuntime,
        text: TextRuntime,
        *,
        vocabulary: Vocabulary | None = None,
        to_cpu: Callable[[], ImageRuntime] | None = None,
        notice: Progress | None = None,
    ) -> None:
        self.preprocess = preprocess
        self._info = info
        self._image = image
        self._text = text
        self._vocabulary = vocabulary
        self._to_cpu = to_cpu
        self._notice = notice
        self._familiar: dict[str, Familiarity] = {}
        self._image_lock = RLock()

    @property
    def info(self) -> BackboneInfo:
        """What the model is and how it is being run now."""
        return self._info

    def encode_frames(self, frames: npt.NDArray[Any]) -> Array:
        """Encode event frames.

        Parameters
        ----------
        frames : ndarray of uint8, shape (N, H, W) or (N, H, W, 3)
            Of any size; fitted, scaled and normalized here.

        Returns
        -------
        ndarray of float32, shape (N, C)
            Raw features, not normalized.

        Raises
        ------
        ValueError
            If ``frames`` is not a stack of uint8 images.
        """
        batch = self.preprocess(frames)
        if not len(batch):
            return np.zeros((0, self._info.embed_dim), dtype=np.float32)
        with self._image_lock:
            try:
                return self._image(batch)
            except OutOfDeviceMemory:
                if self._to_cpu is None:
                    raise
                self._move_to_cpu()
                return self._image(batch)

    def encode_texts(self, texts: Sequence[str]) -> Array:
        """Encode sentences.

        Parameters
        ----------
        texts : sequence of str
            Longer ones than the context are cut; see :meth:`token_counts`.

        Returns
        -------
        ndarray of float32, shape (N, C)
            Rows of length 1.
        """
        if not texts:
            return np.zeros((0, self._info.embed_dim), dtype=np.float32)
        try:
            features = self._text.encode(texts)
        except OutOfDeviceMemory:
            with self._image_lock:
                self._move_to_cpu()
            features = self._text.encode(texts)
        return normalized(features)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has before any cut, start and end marks included."""
        return [self._text.count(text) for text in texts]

    def familiarity(self, text: str) -> Familiarity | None:
        """Tell how near ``text`` is to what the model was taught; None for models that cannot tell."""
        if self._vocabulary is None:
            return None
        known = self._familiar.get(text)
        if known is None:
            judgement = lexicon().judge(text, self._is_one_token)
            known = self._vocabulary.familiarity(self.encode_texts([text])[0]).judged(judgement)
            if len(self._familiar) >= _REMEMBERED:
                self._familiar.clear()
            self._familiar[text] = known
        return known

    def nearest_words(self, features: npt.NDArray[Any], k: int = 5) -> list[tuple[str, float]] | None:
        """Say what frames show without being given words to choose from.

        Parameters
        ----------
        features : ndarray of floats, shape (T, C) or (C,)
            Of one window, as :meth:`encode_frames` returns them; each counts alike.
        k : int

        Returns
        -------
        list of (str, float) or None
            The ``k`` nearest of the model's nouns and their mean cosines, the nearest first; None for models
            that bring no nouns.

        Raises
        ------
        ValueError
            If the features are not this model's.
        """
        if self._vocabulary is None:
            return None
        return self._vocabulary.nearest(summary(np.atleast_2d(features)), k)

    def rivals(self) -> Array | None:
        """Return the nouns "none of these" is judged by, (V, C); None where that is not calibrated."""
        known = self._vocabulary if self._info.none_gap is not None else None
        return None if known is None else known.rivals

    def _is_one_token(self, word: str) -> bool:
        """Tell whether the model's own names have a word, or its tokenizer knows it as a whole."""
        named = self._vocabulary is not None and word in self._vocabulary
        return named or self._text.count(word) == _ONE_TOKEN

    def _move_to_cpu(self) -> None:
        if self._to_cpu is None:
            return
        device, make, self._to_cpu = self._info.device, self._to_cpu, None
        message = f"{device} is out of memory; {self._info.name} runs on the CPU now, which is slower"
        logger.warning(message)
        if self._notice is not None:
            self._notice(message, None)
        self._text.move_to("cpu")
        self._image = make()
        self._info = replace(self._info, device="cpu", runtime=self._image.name)


def load_backbone(
    model: str = "event-nano",
    *,
    weights: str | Path | None = None,
    device: str = "auto",
    runtime: str = AUTO,
    progress: Progress | None = None,
    normalization: Normalization = "model",
    fit: Fit | None = None,
    focus: bool | None = None,
    threads: int | None = None,
    representation: str | None = None,
) -> Backbone:
    """Load a model and make it ready to encode.

    Parameters
    ----------
    model : str
        ``event-nano`` (bundled), ``ARCH/TAG`` or ``hf-hub:ORG/NAME`` (downloaded once), a folder, or ``ARCH``
        with ``weights``.
    weights : str or Path, optional
        A checkpoint on disk, or ``random``.
    device : str
        ``auto`` (CUDA where there is one, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    runtime : str
        What runs the image tower: ``auto``, or one of
        :data:`~neuroclip_live.model.runtimes.registry.RUNTIMES`.
    progress : callable, optional
        Called with a message and a share from 0 to 1, or None where nobody can tell.
    normalization : {"model", "reference"}
        The model's own mean and deviation, or the ``x / 255 - 0.5`` of NeuroCLIP's published code.
    fit : {"letterbox", "squash"}, optional
        Override the model's way to fit a frame to the square.
    focus : bool, optional
        Override whether frames are cropped to their activity.
    threads : int, optional
        How many threads encoding may use. If left out, one for small image towers in OpenVINO and all cores
        for others. A number holds for torch in the whole process.
    representation : str, optional
        Override what slices of events are turned into
        (:mod:`neuroclip_live.stream.representations.registry`).

    Raises
    ------
    UserError
        If the model, its weights or the device cannot be had.
    """
    tell: Progress = progress if progress is not None else _ignore
    if normalization not in ("model", "reference"):
        raise UserError(f"no normalization is called {normalization}; choose model or reference")
    if fit not in (None, "letterbox", "squash"):
        raise UserError(f"no fit is called {fit}; choose letterbox or squash")
    if threads is not None and threads < 1:
        raise UserError(f"{threads} threads: at least 1 is needed")
    if representation is not None:
        find_representation(representation)
    spec = parse_model(model, weights)
    place = resolve_device(device)
    check_runtime(runtime, place)
    with_openvino = place == "cpu" and runtime in (AUTO, "openvino") and openvino_available()
    words = _word_targets(spec, threads)
    if with_openvino and spec.kind == "folder":
        found = read_plain(spec, words, threads) if words is not None else None
        if found is None:
            folder = converted_cache.folder_for(spec.name, folder_files(spec))
            found = converted_cache.read(folder, threads, words) if folder is not None else None
        if found is not None:
            preprocess = found.facts.preprocess(normalization, fit, focus)
            facts = found.facts.in_representation(representation)
            return _assemble(facts, preprocess, found.image, found.text, _vocabulary(spec), tell)
    checkpoint = load(spec, tell)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    facts = checkpoint.about().in_representation(representation)
    preprocess = facts.preprocess(normalization, fit, focus)
    folder = converted_cache.folder_for(spec.name, checkpoint.files) if with_openvino else None

    def run_on(device: str) -> ImageRuntime:
        return choose_runtime(
            checkpoint.image_tower, preprocess.size, device, runtime, folder, threads=threads
        )

    text: TextRuntime = words or TextEncoder(checkpoint.model, checkpoint.tokenizer)
    tell("preparing the encoders for this machine" + (", this once" if folder is not None else ""), None)
    try:
        image = run_on(place)
        text.move_to(place)
    except OutOfDeviceMemory:
        tell(f"{place} has no room for {spec.name}; it runs on the CPU, which is slower", None)
        text.move_to("cpu")
        image = run_on("cpu")
    if image.name == "openvino" and folder is not None:
        converted_cache.keep(folder, checkpoint, own_text_tower=words is None)
    if image.name != "torch":
        # the converted network has its own copy of the weights
        del checkpoint.model.visual
    to_cpu = (lambda: run_on("cpu")) if image.device != "cpu" else None
    return _assemble(facts, preprocess, image, text, _vocabulary(spec), tell, to_cpu)


def _assemble(
    facts: ModelFacts,
    preprocess: Preprocess,
    image: ImageRuntime,
    text: TextRuntime,
    vocabulary: Vocabulary | None,
    tell: Progress,
    to_cpu: Callable[[], ImageRuntime] | None = None,
) -> Backbone:
    # the first image warms the runtime up, and tells how long a feature is and whether it holds numbers
    blank = np.full((1, preprocess.size, preprocess.size), 127, dtype=np.uint8)
    info = facts.info(preprocess, image(preprocess(blank))[0], image.device, image.name)
    tell("ready", 1.0)
    return Backbone(info, preprocess, image, text, vocabulary=vocabulary, to_cpu=to_cpu, notice=tell)


def _vocabulary(spec: ModelSpec) -> Vocabulary | None:
    return Vocabulary.load(spec.path) if spec.kind == "folder" and spec.path is not None else None


def _word_targets(spec: ModelSpec, threads: int | None) -> WordTargets | None:
    if spec.kind != "folder" or spec.path is None or not has_word_targets(spec.path):
        return None
    if not openvino_available():
        raise UserError(
            f"{spec.name} reads words with OpenVINO, which is not installed: pip install openvino"
        )
    return WordTargets(spec.path, threads)


def _ignore(message: str, share: float | None) -> None:
    return
