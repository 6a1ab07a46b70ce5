"""The lesson of the third part: later blocks alone, three kinds of targets, two of them regressed too."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.lessons import Batch, Candidates, Facts, Indices, scored
from training.photographs import PhotoTargets
from training.vocabulary import Vocabulary


class PartsLesson:
    """Later blocks of the tower alone, against words, looks and CLIP's words side by side.

    Beside telling names apart, every frame's looks and CLIP's word are regressed: the cosine of each part
    with the name's own. Photographs are also taught what ImageNet's tower sees in them, as in
    :class:`LooksLesson`.

    Parameters
    ----------
    tower : nn.Module
        open_clip's ``TimmModel`` of timm's EfficientNet, of as many outputs as the targets have.
    vocabulary : Vocabulary
    targets : ndarray (S, D) float16
        One unit row for each sentence of the vocabulary.
    widths : (int, int, int)
        How many numbers are words, looks and CLIP's word.
    photographs : PhotoTargets
    classes : ndarray (K, D) float32
        Targets of the classifier's classes.
    always : ndarray of int
        Concepts to be told apart from every time.
    frozen : int
        Stem and so many first blocks stand still: edges are edges, and what is left costs half.
    """

    REGRESSED = 0.4
    CLASSES_WEIGHT = 0.5
    LOOKS_WEIGHT = 1.5

    def __init__(
        self,
        tower: nn.Module,
        vocabulary: Vocabulary,
        targets: npt.NDArray[np.float16],
        widths: tuple[int, int, int],
        photographs: PhotoTargets,
        classes: npt.NDArray[np.float32],
        always: Indices,
        candidates: int = 1024,
        frozen: int = 3,
    ) -> None:
        self.model = nn.ModuleDict({"tower": tower})
        trunk: Any = tower.trunk
        self._still = [trunk.conv_stem, trunk.bn1, *trunk.blocks[:frozen]]
        for module in self._still:
            module.requires_grad_(False)
        self._moving = trunk.blocks[frozen:]
        self._targets, self._classes = targets, torch.from_numpy(classes)
        self._looks = slice(widths[0], widths[0] + widths[1])
        self._clip = slice(widths[0] + widths[1], sum(widths))
        self._photographs, self._row = photographs, photographs.rows()
        self._candidates = Candidates(vocabulary, candidates, always)
        self.start = self._candidates.start

    def features(self, images: Tensor) -> Tensor:
        """Return the tower's output; nothing is remembered of what stands still."""
        tower: Any = self.model["tower"]
        trunk = tower.trunk
        with torch.no_grad():
            seen = images.contiguous(memory_format=torch.channels_last)
            for module in self._still:
                module.eval()  # its running means stand still too
                seen = module(seen)
        for block in self._moving:
            seen = block(seen)
        made: Tensor = tower.head(trunk.forward_head(trunk.bn2(trunk.conv_head(seen))))
        return made

    def loss(self, batch: Batch, scale: Tensor) -> tuple[Tensor, Facts]:
        """Score a batch; the fact ``regressed`` is the sum of both parts' mean distances."""
        raw = self.features(batch.images)
        images = functional.normalize(raw, dim=-1)
        listed, column, masked = self._candidates.draw(batch.concepts)
        texts = torch.from_numpy(self._targets[self._candidates.sentences(listed)].astype(np.float32))
        loss, hard, accuracy = scored(scale * images @ texts.T, texts[column] @ texts.T, column, masked)
        own = texts[column]
        apart = [
            1 - functional.cosine_similarity(raw[:, part], own[:, part], dim=-1).mean()
            for part in (self._looks, self._clip)
        ]
        regressed = apart[0] + apart[1]
        facts = {"loss": float(hard.detach()), "accuracy": accuracy, "regressed": float(regressed.detach())}
        loss = loss + self.REGRESSED * regressed
        known = [i for i, photograph in enumerate(batch.photographs) if int(photograph) in self._row]
        if known:
            rows = [self._row[int(batch.photographs[i])] for i in known]
            share = len(known) / len(batch.photographs)
            seen = torch.from_numpy(self._photographs.looks[rows].astype(np.float32))
            looks = 1 - functional.cosine_similarity(raw[known][:, self._looks], seen, dim=-1).mean()
            chances = torch.from_numpy(self._photographs.chances[rows].astype(np.float32))
            guesses = (scale * images[known] @ self._classes.T).log_softmax(-1)
            guesses = guesses.gather(1, torch.from_numpy(self._photographs.classes[rows].astype(np.int64)))
            classes = -(chances * guesses).sum(-1).mean()
            loss = loss + share * (self.CLASSES_WEIGHT * classes + self.LOOKS_WEIGHT * looks)
        return loss, facts
