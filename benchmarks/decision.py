"""A decision per new slice: one encoding against the reference's way, T frames and all texts each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.events import DAVIS346, moving_edge
from benchmarks.threads import ROUNDS, favor
from benchmarks.timing import Options, Row, alternate, compared
from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.model.checkpoints import load
from neuroclip_live.model.model_names import parse_model
from neuroclip_live.prompting.prompts import PromptEncoder, PromptSet, parse_prompts
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.stream.frames import event_frame
from neuroclip_live.stream.slicing import Slice

TIMESTEPS = 10
SLICE_EVENTS = 20_000
PROMPTS = "a person, a hand, a mug, a phone, scissors, a computer mouse, a box, a bottle, a car, a dog"
EQUAL = 2e-4
"""Largest difference of cosines."""
CASES: tuple[tuple[str, str | None, str, float], ...] = (
    ("event-nano", None, "auto", 20.0),
    ("event-nano", None, "torch", 0.0),
    ("ViT-B-32", "random", "torch", 4.5),
    ("ViT-B-32", "random", "auto", 8.0),
)
"""Model, weights, our runtime and the least ratio wanted; 0 is told only."""


def run(options: Options) -> Iterator[Row]:
    """Measure both models in plain torch and in the runtime a user gets."""
    for model, weights, runtime, goal in CASES[:1] if options.quick else CASES:
        yield _one(model, weights, runtime, goal, options)


def _one(model: str, weights: str | None, runtime: str, goal: float, options: Options) -> Row:
    import torch

    torch.manual_seed(0)  # random weights are then the same ones, twice
    backbone = load_backbone(model, weights=weights, runtime=runtime, device="cpu")
    prompts = parse_prompts(PROMPTS, ("{}",), False)
    slices = _slices(4 * TIMESTEPS)
    recognizer = Recognizer(backbone, None, RecognizerSettings(timesteps=TIMESTEPS))
    recognizer.begin(DAVIS346)
    recognizer.set_prompts(PromptEncoder(backbone).encode(prompts))
    torch.manual_seed(0)
    reference = _reference_way(model, weights, backbone, prompts)
    for piece in slices[: TIMESTEPS - 1]:
        recognizer.update(piece)
    first = recognizer.update(slices[TIMESTEPS - 1])
    wanted = reference(slices[:TIMESTEPS])
    difference = float(np.abs(first.step_scores - wanted).max())
    if difference > EQUAL:
        raise RuntimeError(f"{model} in {backbone.info.runtime} decides otherwise by {difference:.1e}")
    at = iter(range(TIMESTEPS, 10**9))

    def ours() -> object:
        piece = slices[next(at) % len(slices)]
        return recognizer.update(Slice(piece.events, piece.start_us, piece.end_us, 0, 0, 0))

    threads = favor(lambda: reference(slices[:TIMESTEPS]), 1 if options.quick else ROUNDS)
    samples = alternate({"ours": ours, "reference": lambda: reference(slices[:TIMESTEPS])}, options.repeats)
    return compared(
        "decision",
        f"{model}, {backbone.info.runtime}, T = {TIMESTEPS}",
        samples,
        "ours",
        "reference",
        goal=goal or None,
        note=f"{len(prompts.prompts)} prompts; cosines equal to {difference:.0e}; torch on {threads} threads",
    )


def _slices(count: int) -> list[Slice]:
    events = moving_edge(count * SLICE_EVENTS, DAVIS346)
    made = []
    for number in range(count):
        piece = events[number * SLICE_EVENTS : (number + 1) * SLICE_EVENTS]
        # all at one time: nothing is stale, and slices may come again
        made.append(Slice(piece, 0, 50_000, 0, number, 0))
    return made


def _reference_way(
    model: str, weights: str | None, backbone: Backbone, prompts: PromptSet
) -> Callable[[list[Slice]], npt.NDArray[Any]]:
    """Return a function from T slices to cosines (T, K) that keeps nothing, as the published code does."""
    import torch
    from torch.nn.functional import normalize

    checkpoint = load(parse_model(model, weights), lambda message, share: None)
    net, tokenizer = checkpoint.model, checkpoint.tokenizer
    sentences = [prompts.sentences(prompt.label)[0] for prompt in prompts.prompts]
    threshold = backbone.info.threshold

    def decide(slices: list[Slice]) -> npt.NDArray[Any]:
        frames = np.stack([event_frame(piece.events, DAVIS346, threshold) for piece in slices])
        with torch.no_grad():
            images = normalize(net.visual(torch.from_numpy(backbone.preprocess(frames))), dim=-1)
            if hasattr(net, "encode_text"):
                texts = net.encode_text(tokenizer(sentences), normalize=True)
            else:  # a model without a text tower: its words are the same for both
                texts = torch.from_numpy(backbone.encode_texts(sentences))
            cosines: npt.NDArray[Any] = (images @ texts.T).numpy()
        return cosines

    return decide
