from __future__ import annotations

import numpy as np
import pytest
from fakes import DIM, SENSOR, FakeBackbone, packet

from neuroclip_live.errors import UserError
from neuroclip_live.model.scoring import score
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.recognizer import STALE_US, Recognizer, RecognizerSettings
from neuroclip_live.stream.frames import event_frame
from neuroclip_live.stream.slicing import Slice

HOP_US = 20_000


def piece(index: int, count: int = 200, epoch: int = 0) -> Slice:
    start = index * HOP_US
    return Slice(packet(start, count), start, start + HOP_US, 0, index, epoch)


def make(timesteps: int = 4, prompts: str = "a mug, a phone, scissors", **options: bool) -> Recognizer:
    backbone = FakeBackbone()
    table = PromptEncoder(backbone).encode(parse_prompts(prompts, **options))  # type: ignore[arg-type]
    recognizer = Recognizer(backbone, table, RecognizerSettings(timesteps=timesteps))  # type: ignore[arg-type]
    recognizer.begin(SENSOR)
    return recognizer


def run(recognizer: Recognizer, count: int) -> list[Prediction]:
    return [recognizer.update(piece(i)) for i in range(count)]


def test_streaming_equals_encoding_all_timesteps_afresh() -> None:
    recognizer = make(timesteps=4)
    for index, prediction in enumerate(run(recognizer, 9)):
        newest = range(max(0, index - 3), index + 1)
        frames = np.stack([event_frame(piece(i).events, SENSOR) for i in newest])
        afresh = score(FakeBackbone().encode_frames(frames), recognizer._table, 20.0)
        np.testing.assert_allclose(list(prediction.scores.values()), afresh.probabilities, atol=1e-5)
        np.testing.assert_allclose(prediction.step_scores, afresh.step_cosines, atol=1e-5)


def test_one_encoding_a_slice_never_t() -> None:
    recognizer = make(timesteps=4)
    run(recognizer, 9)
    assert recognizer.backbone.encoded == 9  # type: ignore[attr-defined]


def test_states_from_warming_up_to_ok() -> None:
    predictions = run(make(timesteps=3), 4)
    assert [p.state for p in predictions] == ["warming-up", "warming-up", "ok", "ok"]
    assert [len(p.frames) for p in predictions] == [1, 2, 3, 3]
    assert [p.number for p in predictions] == [1, 2, 3, 4]


def test_no_motion_has_no_label_and_costs_no_encoding() -> None:
    recognizer = make()
    run(recognizer, 2)
    quiet = recognizer.update(piece(2, count=0))
    assert (quiet.state, quiet.label, dict(quiet.scores)) == ("no-motion", None, {})
    assert recognizer.backbone.encoded == 2  # type: ignore[attr-defined]


def test_features_that_are_too_old_are_forgotten() -> None:
    recognizer = make(timesteps=4)
    run(recognizer, 4)
    late = recognizer.update(piece(STALE_US // HOP_US + 10))
    assert (late.state, len(late.frames)) == ("warming-up", 1)


def test_a_new_epoch_forgets_the_features() -> None:
    recognizer = make(timesteps=4)
    run(recognizer, 4)
    assert len(recognizer.update(piece(0, epoch=1)).frames) == 1


def test_prompts_change_between_slices_without_losing_features() -> None:
    recognizer = make(timesteps=4)
    run(recognizer, 4)
    recognizer.set_prompts(PromptEncoder(recognizer.backbone).encode(parse_prompts("a dog")))
    prediction = recognizer.update(piece(4))
    assert (list(prediction.scores), prediction.state) == (["a dog"], "ok")
    recognizer.set_prompts(None)
    assert (recognizer.update(piece(5)).label, recognizer.features.shape) == (None, (4, DIM))


def test_probabilities_of_prompts_negatives_and_none_add_up() -> None:
    prediction = run(make(prompts="a mug, -a hand", none_of_these=True), 1)[0]
    assert list(prediction.scores) == ["a mug"]
    assert prediction.scores["a mug"] + prediction.rejected == pytest.approx(1)


def test_a_negative_wins_without_becoming_the_label() -> None:
    labels = [f"word {i}" for i in range(30)]
    best = run(make(prompts=",".join(labels)), 1)[0].label
    prediction = run(make(prompts=",".join(label if label != best else f"-{label}" for label in labels)), 1)[
        0
    ]
    assert prediction.label is None
    assert prediction.probability > max(prediction.scores.values())


def test_the_adapter_stands_between_features_and_scores() -> None:
    class Flip:
        last_spikes = np.ones((1, 2))

        def __call__(self, features: np.ndarray) -> np.ndarray:
            return -features

    plain, flipped = make(), make()
    flipped.adapter = Flip()
    a, b = plain.update(piece(0)), flipped.update(piece(0))
    np.testing.assert_allclose(a.step_scores, -b.step_scores, atol=1e-6)
    assert a.spikes is None
    assert b.spikes is not None


@pytest.mark.parametrize("settings", [{"timesteps": 0}, {"timesteps": 1000}, {"threshold": -1}])
def test_impossible_settings_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(UserError):
        RecognizerSettings(**settings)
