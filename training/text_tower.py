"""The text tower of event-nano: open_clip's transformer, started from the teacher; and its scores.

Why it is built so:

- open_clip's byte-pair vocabulary (49,408 entries) takes most of the size, but a table costs nothing to look
  up, and it is where the knowledge of words lives. So each entry starts as *the teacher's sentence vector of
  that entry's string*, reduced by PCA to the tower's width; the first layer starts as a plain mean over the
  tokens, the output projection as the inverse of the PCA. Before a single step, the tower is a bag of the
  teacher's word vectors.
- A causal mask with the end token as the pool (open_clip's usual form) lets padding be cut off: the result
  does not depend on it, and short texts, nearly all of the corpus, train several times faster. Pools without
  a causal mask need every text padded to the context's length.
- A context of 32 tokens: labels and template sentences are shorter, and a prompt costs a third of CLIP's 77.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

TEXT_CFG: dict[str, int] = {"context_length": 32, "vocab_size": 49408, "width": 240, "heads": 6, "layers": 4}
EMBED_DIM = 384
_TABLE_STD = 0.3

Encode = Callable[[Sequence[str]], np.ndarray]


def build_tower(cfg: dict[str, int] | None = None, embed_dim: int = EMBED_DIM) -> nn.Module:
    """Return open_clip's ``TextTransformer``, untrained, for a ``text_cfg`` (or :data:`TEXT_CFG`)."""
    from open_clip.transformer import TextTransformer

    return TextTransformer(output_dim=embed_dim, **(cfg or TEXT_CFG))


def build_tokenizer(cfg: dict[str, int] | None = None) -> Any:
    """Return the tokenizer that ``open_clip.get_tokenizer`` makes for this configuration."""
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=(cfg or TEXT_CFG)["context_length"])


def forward(tower: nn.Module, tokens: Tensor) -> Tensor:
    """Run the tower on ``(B, L)`` tokens of any ``L`` up to the context's length: ``(B, C)``, not normalized.

    open_clip's own ``forward`` accepts the full length only, since it does not cut its causal mask.
    """
    mask = tower.attn_mask
    tower.attn_mask = mask[: tokens.shape[1], : tokens.shape[1]]
    try:
        features: Tensor = tower(tokens)
    finally:
        tower.attn_mask = mask
    return features


def encoder(tower: nn.Module, tokenizer: Any, *, batch: int = 256) -> Encode:
    """Return a function from texts to ``(N, C)`` float32 unit vectors."""

    def encode(texts: Sequence[str]) -> np.ndarray:
        tower.eval()
        parts = []
        with torch.inference_mode():
            for start in range(0, len(texts), batch):
                tokens = tokenizer(list(texts[start : start + batch]))
                longest = int(tokens.argmax(-1).max()) + 1
                parts.append(nn.functional.normalize(forward(tower, tokens[:, :longest]).float(), dim=-1))
        return torch.cat(parts).numpy() if parts else np.empty((0, EMBED_DIM), np.float32)

    return encode


def token_strings(tokenizer: Any) -> list[str]:
    """Return the text of every vocabulary entry but the two special ones at the end."""
    return [tokenizer.decode([i]).strip() or " " for i in range(tokenizer.vocab_size - 2)]


def predicted_vectors(
    inputs: np.ndarray, outputs: np.ndarray, hidden: np.ndarray, ridge: float = 1.0
) -> np.ndarray:
    """Fill the rows of ``outputs`` that ``hidden`` marks, by ridge regression from ``inputs`` on the rest.

    For vocabulary entries that are held-out lemmas: the teacher's sentence vectors of these may not be used,
    so their start is predicted from the teacher's *input* vectors (its own vocabulary), as anyone could for a
    word never seen.
    """
    design = np.concatenate([inputs, np.ones((len(inputs), 1), inputs.dtype)], 1).astype(np.float64)
    shown = design[~hidden]
    gram = shown.T @ shown + ridge * np.eye(design.shape[1])
    weights = np.linalg.solve(gram, shown.T @ outputs[~hidden].astype(np.float64))
    filled = outputs.astype(np.float32).copy()
    filled[hidden] = design[hidden] @ weights
    return filled


def initialize(tower: nn.Module, token_vectors: np.ndarray, *, seed: int = 0) -> None:
    """Start the tower as a bag of words: table from ``token_vectors``, first layer a mean, output to match.

    Parameters
    ----------
    tower
        As :func:`build_tower` returns it; changed in place.
    token_vectors
        ``(V - 2, C)`` the teacher's vectors of :func:`token_strings`.
    """
    generator = torch.Generator().manual_seed(seed)
    width = tower.width
    vectors = torch.from_numpy(np.asarray(token_vectors, np.float32))
    centerd = vectors - vectors.mean(0)
    _, axes = torch.linalg.eigh(centerd.T @ centerd)
    axes = axes.flip(1)[:, :width]  # (C, W), the strongest first
    # A turn at random spreads the strong axes over all channels and heads: layer norm works per token over
    # them.
    turn, _ = torch.linalg.qr(torch.randn(axes.shape[1], width, generator=generator))
    axes = axes @ turn
    table = centerd @ axes
    scale = _TABLE_STD / table.std()
    with torch.no_grad():
        tower.token_embedding.weight[: len(table)] = table * scale
        tower.token_embedding.weight[len(table) :] = 0.02 * torch.randn(
            tower.vocab_size - len(table), width, generator=generator
        )
        blocks = tower.transformer.resblocks
        for number, block in enumerate(blocks):
            mix = 1.0 if number == 0 else 0.1
            noise = 0.3 * width**-0.5
            query_key = block.attn.in_proj_weight[: 2 * width]
            query_key.copy_(0.5 * width**-0.5 * torch.randn(query_key.shape, generator=generator))
            identity = torch.eye(width)
            block.attn.in_proj_weight[2 * width :] = identity + noise * torch.randn(
                width, width, generator=generator
            )
            block.attn.out_proj.weight.copy_(mix * identity)
            block.mlp.c_proj.weight.mul_(0.5)
        tower.text_projection.copy_(axes.T)


@dataclass(frozen=True)
class TextScores:
    """How close a text tower comes to its targets on texts it never saw.

    Attributes
    ----------
    count
        Number of texts.
    cosine, cosine_low, cosine_high
        Mean cosine to the targets, and its 95 % interval (normal approximation).
    retrieval, retrieval_low, retrieval_high
        Share of texts that are nearest to their own target among ``ways`` (19 drawn from the other texts, ten
        draws a text), and its 95 % interval (bootstrap over texts).
    ways
        Number of candidates.
    retrieval_all
        The same among all ``count`` targets.
    ms_per_prompt
        Median time of encoding one text alone, in milliseconds; nan when not measured.
    """

    count: int
    cosine: float
    cosine_low: float
    cosine_high: float
    retrieval: float
    retrieval_low: float
    retrieval_high: float
    ways: int
    retrieval_all: float
    ms_per_prompt: float

    def as_dict(self) -> dict[str, float]:
        """Return the fields, for JSON and tables."""
        return asdict(self)


def evaluate_text(
    encode: Encode,
    texts: Sequence[str],
    targets: np.ndarray,
    *,
    ways: int = 20,
    seed: int = 0,
    timed: int = 50,
) -> TextScores:
    """Measure a text encoder against target vectors, such as the teacher's on the held-out lemmas.

    Parameters
    ----------
    encode
        From texts to ``(N, C)`` unit vectors.
    texts, targets
        The texts and their ``(N, C)`` targets (normalized here).
    ways
        Candidates in the retrieval: the own target and ``ways - 1`` others.
    timed
        How many texts are also encoded one by one for ``ms_per_prompt``; 0 for none.
    """
    ours = np.asarray(encode(texts), np.float32)
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    theirs = np.asarray(targets, np.float32)
    theirs = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    similarity = ours @ theirs.T
    own = np.diagonal(similarity)
    rng = np.random.default_rng(seed)
    count, draws = len(texts), 10
    hits = np.zeros(count)
    for _ in range(draws):
        for i in range(count):
            others = rng.choice(count - 1, size=min(ways, count) - 1, replace=False)
            others += others >= i
            hits[i] += own[i] > similarity[i, others].max(initial=-np.inf)
    hits /= draws
    means = hits[rng.integers(0, count, (1000, count))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    half = 1.96 * own.std(ddof=1) / np.sqrt(count)
    times = []
    for text in list(texts)[:timed]:
        begin = time.perf_counter()
        encode([text])
        times.append(1e3 * (time.perf_counter() - begin))
    return TextScores(
        count=count,
        cosine=float(own.mean()),
        cosine_low=float(own.mean() - half),
        cosine_high=float(own.mean() + half),
        retrieval=float(hits.mean()),
        retrieval_low=float(low),
        retrieval_high=float(high),
        ways=ways,
        retrieval_all=float((similarity.argmax(1) == np.arange(count)).mean()),
        ms_per_prompt=float(np.median(times)) if times else float("nan"),
    )
