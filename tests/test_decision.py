"""The answer made of predictions: calm, the same at any speed, and part of every prediction."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import PROMPTS, SENSOR, FakeBackbone, packet, wait_for

from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompts import PromptEncoder
from neuroclip_live.recognition.decision import Decider, DecisionSettings
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.stream.slicing import Slice


def decider(smoothing_s: float, threshold: float) -> Decider:
    return Decider(DecisionSettings(smoothing_s, threshold))


def prediction(scores, t_us=0, **facts):
    best = max(scores, key=scores.get) if scores else None
    return Prediction(t_us, 1, **{"state": "ok", "label": best, "scores": scores, **facts})


def test_without_smoothing_the_newest_scores_decide():
    decide = decider(0.0, 0.0).update
    assert decide(prediction({"a": 0.9, "b": 0.1})).label == "a"
    decision = decide(prediction({"a": 0.1, "b": 0.9}, 10_000))
    assert (decision.kind, decision.label, decision.since_us) == ("label", "b", 10_000)


def test_smoothing_keeps_a_blink_out():
    decide = decider(1.0, 0.0).update
    decide(prediction({"a": 0.9, "b": 0.1}))
    assert decide(prediction({"a": 0.1, "b": 0.9}, 50_000)).label == "a"
    for step in range(60):
        decision = decide(prediction({"a": 0.1, "b": 0.9}, 100_000 + 50_000 * step))
    assert decision.label == "b"
    assert decision.probability == pytest.approx(0.9, abs=0.05)


def test_a_new_label_begins_at_its_own_score():
    decide = decider(1.0, 0.0).update
    decide(prediction({"a": 1.0}))
    assert decide(prediction({"a": 0.2, "new": 0.8}, 10_000)).scores["new"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (prediction({"a": 0.2, "b": 0.15}, rejected=0.1), "unsure"),
        (prediction({"a": 0.2, "b": 0.1}, rejected=0.7), "none"),
        (prediction({"a": 0.9, "b": 0.1}, state="no-motion"), "no-motion"),
        (prediction({}), "waiting"),
        (prediction({"a": 0.9}, state="warming-up"), "label"),
    ],
)
def test_what_is_said(given, kind):
    assert decider(0.0, 0.3).update(given).kind == kind


def test_a_near_tie_does_not_flicker():
    decide = decider(0.0, 0.0).update
    labels = {
        decide(prediction({"a": 0.50 + d, "b": 0.50 - d}, i * 50_000)).label
        for i, d in enumerate([0.005, -0.005] * 10)
    }
    assert labels == {"a"}


def test_no_score_that_is_told_is_better_than_that_of_the_answer():
    decide, random = decider(0.3, 0.0).update, np.random.default_rng(3)
    held = 0
    for step in range(2000):
        parts = random.dirichlet([60, 60, 60, 20])
        scores = dict(zip("abc", map(float, parts), strict=False))
        decision = decide(prediction(scores, 20_000 * step, rejected=float(parts[3])))
        told = decision.scores
        assert told[decision.label] == decision.probability == max(told.values())
        held += sum(score == decision.probability for score in told.values()) > 1
    assert held > 100
    assert decide(prediction({"a": 0.4, "b": 0.3}, 90_000_000, rejected=0.3)).label == "a"
    decision = decider_at_a_tie()
    assert decision.scores == pytest.approx({"a": 0.35, "b": 0.35, "c": 0.2})


def decider_at_a_tie():
    decide = decider(0.0, 0.0).update
    decide(prediction({"a": 0.5, "b": 0.3, "c": 0.1}, rejected=0.1))
    return decide(prediction({"a": 0.345, "b": 0.355, "c": 0.2}, 50_000, rejected=0.1))


@pytest.mark.parametrize("t_us", [900_000, 5_000_000], ids=["back in time", "after a long gap"])
def test_another_time_begins_anew(t_us):
    decide = decider(1.0, 0.0).update
    decide(prediction({"a": 0.9, "b": 0.1}, 1_000_000))
    decision = decide(prediction({"a": 0.1, "b": 0.9}, t_us))
    assert (decision.label, decision.probability, decision.since_us) == ("b", 0.9, t_us)


@pytest.mark.parametrize(("smoothing_s", "threshold"), [(-1, 0), (float("nan"), 0), (0, 1.5), (0, -0.1)])
def test_settings_that_make_no_sense_are_refused(smoothing_s, threshold):
    with pytest.raises(UserError, match="choose 0 to"):
        DecisionSettings(smoothing_s, threshold)


# ---- in predictions


def recognizer(settings: DecisionSettings | None = None) -> Recognizer:
    made = Recognizer(FakeBackbone(), PromptEncoder(FakeBackbone()).encode(PROMPTS), RecognizerSettings(3))
    made.decider.settings = settings or DecisionSettings()
    made.begin(SENSOR)
    return made


def slices(count: int, epoch: int = 0) -> list[Slice]:
    return [Slice(packet(i * 10_000, 100), i * 10_000, (i + 1) * 10_000, 0, i, epoch) for i in range(count)]


def test_every_prediction_has_the_answer_and_so_has_its_line():
    made = recognizer(DecisionSettings(0.0, 0.0))
    predictions = [made.update(piece) for piece in slices(5)]
    for each in predictions:
        assert each.decision.kind == "label"
        assert each.decision.label == each.label
        assert each.decision.probability == pytest.approx(each.probability)
    assert [p.decision.settling for p in predictions] == [True, True, False, False, False]
    line = predictions[-1].to_dict()
    assert line["decision"]["label"] == line["label"]
    assert line["schema"] == 1


def test_a_new_epoch_begins_the_answer_anew():
    made = recognizer(DecisionSettings(60.0, 0.0))
    for piece in slices(3):
        made.update(piece)
    (again,) = slices(1, epoch=1)
    prediction = made.update(again)
    assert prediction.decision.since_us == again.end_us
    assert prediction.decision.probability == pytest.approx(prediction.probability)


def test_a_successor_goes_on_with_the_answer():
    made = recognizer(DecisionSettings(60.0, 0.0))
    first = made.update(slices(1)[0])
    other = made.successor(made.backbone, RecognizerSettings(5))
    assert other.update(slices(2)[1]).decision.since_us == first.decision.since_us


def test_what_is_said_at_rest_is_in_the_log_too(scripted_rest):
    pipeline = scripted_rest
    wait_for(lambda: (latest := pipeline.prediction()) is not None and latest.state == "no-motion")
    latest, log = pipeline.prediction(), pipeline.predictions()
    assert log[-1].number == latest.number
    assert log[-1].decision.kind == "no-motion"
    status = pipeline.status()
    assert status.predictions == len(log)


@pytest.fixture
def scripted_rest():
    import threading

    from fakes import ScriptedSource, pipelines

    forever = threading.Event()
    with pipelines() as make:
        yield make(ScriptedSource([packet(0, 1_000), forever]))
        forever.set()
