"""Asking new words of the past: the same scores as if they had been typed before."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeBackbone, ScriptedSource, packet, wait_for

from neuroclip_live.model.scoring import normalized
from neuroclip_live.prompting.prompts import PromptEncoder, PromptTable, parse_prompts
from neuroclip_live.recognition.history import FeatureHistory, rescore
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.stream.slicing import Slicer, parse_slice


class Stretching:
    """An adapter whose timesteps have different lengths, as the spiking one's have."""

    last_spikes = None

    def __call__(self, features):
        return features[:, ::-1] * (1.0 + np.arange(len(features), dtype=np.float32))[:, None]


def slices(count: int):
    by = parse_slice("40ms")
    made = Slicer(by, FakeSensor).push(packet(0, 400 * count, step_us=50))
    return made[:count]


FakeSensor = ScriptedSource([]).resolution


@pytest.mark.parametrize("adapter", [None, Stretching()])
@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("words", ["a tree", "a tree, a mug, -a hand"])
def test_the_past_has_the_scores_it_would_have_had(adapter, reference, words):
    backbone = FakeBackbone()
    settings = RecognizerSettings(timesteps=4, reference_logits=reference)
    table = PromptEncoder(backbone).encode(parse_prompts(words))
    knew = Recognizer(backbone, table, settings)
    knew_not = Recognizer(backbone, None, settings)
    history, expected = FeatureHistory(), []
    for recognizer in (knew, knew_not):
        recognizer.begin(FakeSensor)
        recognizer.adapter = adapter
    for piece in slices(12):
        expected.append(knew.update(piece))
        prediction = knew_not.update(piece)
        if knew_not.summary is not None:
            history.add(prediction.number, knew_not.summary, len(prediction.frames))
    assert len(history) > 6
    found = rescore(history.past(), table, backbone.info.logit_scale, reference_logits=reference)
    by_number = {p.number: p for p in expected}
    for number, row, decided in zip(found.numbers, found.scores, found.decided, strict=True):
        was = by_number[int(number)]
        assert dict(zip(found.labels, row, strict=True)) == pytest.approx(dict(was.scores), abs=3e-3)
        assert decided == was.label


def test_a_still_scene_leaves_nothing_behind():
    recognizer = Recognizer(FakeBackbone(), None, RecognizerSettings(timesteps=4))
    recognizer.begin(FakeSensor)
    recognizer.update(slices(4)[0])
    assert recognizer.summary is not None
    recognizer.at_rest(10_000_000)
    assert recognizer.summary is None


def table_of(count: int, none_logit: float | None = None) -> PromptTable:
    features = normalized(np.random.default_rng(0).normal(size=(count, 8)))
    return PromptTable(
        tuple(f"thing {i}" for i in range(count)), np.zeros(count, dtype=bool), features, none_logit
    )


def test_only_the_newest_are_kept_in_order():
    history = FeatureHistory(kept=5)
    for number in range(1, 13):
        history.add(number, np.full(8, number, dtype=np.float32), 2)
    assert len(history) == 5
    past = history.past()
    assert past.numbers.tolist() == [8, 9, 10, 11, 12]
    assert past.vectors[:, 0].tolist() == [8, 9, 10, 11, 12]
    history.clear()
    assert len(history) == 0
    assert rescore(history.past(), table_of(3), 20.0).scores.shape == (0, 3)


def test_another_width_forgets_what_was():
    history = FeatureHistory()
    history.add(1, np.zeros(8), 1)
    history.add(2, np.zeros(6), 1)
    assert history.past().numbers.tolist() == [2]


def test_none_of_these_can_win_the_past():
    history = FeatureHistory()
    history.add(1, np.zeros(8), 1)
    found = rescore(history.past(), table_of(2, none_logit=9.0), 20.0)
    assert found.decided == (None,)
    assert found.scores.sum() < 0.01


def test_memory_stays_what_it_is():
    history = FeatureHistory()
    for number in range(10_000):
        history.add(number, np.zeros(512, dtype=np.float32), 10)
    arrays = [v for v in vars(history).values() if isinstance(v, np.ndarray)]
    assert sum(a.nbytes for a in arrays) < 4.5e6


def test_the_pipeline_asks_a_new_word_of_what_it_saw():
    source = ScriptedSource([packet(i * 20_000, 400, step_us=50) for i in range(60)], live=False)
    settings = PipelineSettings(slice_by=parse_slice("40ms"), wait_for_model=True)
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug"), settings)
    pipeline.start()
    try:
        wait_for(lambda: pipeline.status().state.value == "ended")
        before = pipeline.table
        pipeline.set_prompts(parse_prompts("a mug, a tree"))
        wait_for(lambda: pipeline.table is not before)
        found = pipeline.rescore()
        made = {p.number for p in pipeline.predictions() if p.state != "no-motion"}
        assert set(found.numbers.tolist()) == made
        assert found.labels == ("a mug", "a tree")
        assert found.scores.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
        pipeline.set_prompts(parse_prompts(""))
        wait_for(lambda: pipeline.table is None)
        assert pipeline.rescore() is None
        pipeline.set_prompts(parse_prompts("a mug"))
        wait_for(lambda: pipeline.table is not None)
        pipeline.open(ScriptedSource([]))
        assert pipeline.rescore() is None
    finally:
        assert pipeline.stop(60.0)
