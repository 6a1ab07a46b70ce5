"""The simulated camera without a picture: many things in turn, each recognized by the bundled model."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_drivers.simulator.show_words import SHOW, SHOW_PROMPTS
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.recognition.replay_all import Totals, recognize_all
from neuroclip_live.stream.slicing import parse_slice

EACH_S = 1.2


def recognized(source, words: str):
    """Recognize with the bundled model, "none of these" on."""
    model = load_backbone("event-nano")
    prompts = parse_prompts(words, none_of_these=True)
    recognizer = Recognizer(model, PromptEncoder(model).encode(prompts), RecognizerSettings())
    return recognize_all(source, recognizer, parse_slice("auto", 2), Totals())


@pytest.fixture(scope="module")
def predictions():
    """What is predicted while each thing is in view, the first half second of it left out: by its name."""
    source = SimulatorSource(realtime=False, seconds_each=EACH_S, duration_s=EACH_S * len(SHOW))
    found = defaultdict(list)
    for prediction in recognized(source, SHOW_PROMPTS):
        number, share = divmod(prediction.t_us / 1e6 / EACH_S, 1)
        if share * EACH_S > 0.5 and number < len(SHOW):
            found[SHOW[int(number)]].append(prediction)
    return found


@pytest.mark.parametrize("name", SHOW)
def test_each_is_recognized_and_none_is_rejected(predictions, name: str) -> None:
    """With "none of these" on; without it a probability is what it is among the others."""
    seen = predictions[name]
    assert len(seen) >= 5
    assert np.mean([p.label == name for p in seen]) >= 0.8
    assert np.mean([p.scores[name] / (1 - p.rejected) for p in seen]) >= 0.8


@pytest.mark.parametrize(
    ("name", "things"),
    [
        ("tour", ["a car", "a giraffe", "an umbrella", "a chair", "a bicycle", "glasses"]),
        ("dog", ["a dog"]),
        ("digits", ["the digit 3", "the digit 7", "the digit 4"]),
    ],
)
def test_the_demos_bring_words_and_their_things_are_not_rejected(name: str, things: list[str]) -> None:
    source = open_source(SourceSpec("demo", name, speed=None))
    seen = [p.decision for p in recognized(source, source.words) if p.decision.kind != "waiting"]
    source.close()
    labels = [decision.label for decision in seen if decision.kind == "label"]
    assert set(labels) >= set(things)
    assert np.mean([label in things for label in labels]) >= 0.9
    assert sum(decision.kind == "none" for decision in seen) <= 0.1 * len(seen)


def test_it_says_what_it_shows() -> None:
    source = open_source(SourceSpec("simulator", speed=None))
    assert isinstance(source, SimulatorSource)
    assert source.name == "Simulated camera"
    assert source.status().shows == SHOW[0]
    shown = []
    for number, _ in enumerate(source.packets()):
        if source.status().shows not in shown:
            shown.append(source.status().shows)
        if number > 1700:  # packets of 5 ms: two changes of 4 s
            break
    source.close()
    assert shown == list(SHOW[:3])


def test_words_come_with_it() -> None:
    from neuroclip_live.config import Config
    from neuroclip_live.session import prompts_of

    assert prompts_of(Config(), SourceSpec("simulator")).labels == parse_prompts(SHOW_PROMPTS).labels
    assert "a ladder" not in prompts_of(Config(), SourceSpec("simulator", "picture.png")).labels
