"""The calm answer for one thing among several, as the whole picture has one."""

from __future__ import annotations

from typing import Any

from neuroclip_live.model.scoring import Scores
from neuroclip_live.objects.naming import Named
from neuroclip_live.prompting.prompts import PromptTable
from neuroclip_live.recognition.decision import Decider, DecisionSettings
from neuroclip_live.recognition.prediction import Prediction


def calm_name(
    scores: Scores, table: PromptTable, settings: DecisionSettings, t_us: int, memory: dict[str, Any]
) -> Named:
    """Return a thing's label, probability and scores, smoothed over the stream's time.

    Parameters
    ----------
    scores : Scores
        Of its newest timesteps.
    table : PromptTable
    settings : DecisionSettings
        How calm; below the least probability a thing keeps its label, and its probability tells.
    t_us : int
    memory : dict
        The thing's own; its decider is kept there.
    """
    rows = zip(table.labels, scores.probabilities, table.negative, strict=False)
    shown = {label: float(p) for label, p, negative in rows if not negative}
    decider = memory.setdefault("decider", Decider(settings))
    decider.settings = settings
    rejected = max(0.0, 1 - sum(shown.values()))
    answer = decider.update(Prediction(t_us, 0, "ok", scores=shown, rejected=rejected))
    return answer.label or None, answer.probability, answer.scores
