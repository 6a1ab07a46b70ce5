"""The program's own words go with the source; words of the user stay."""

from __future__ import annotations

import pytest
from gui_fakes import FakePipeline, FakeSource

from neuroclip_drivers.demo import DEMO_PROMPTS, DIGIT_PROMPTS
from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_drivers.simulator.show_words import SHOW_PROMPTS
from neuroclip_live.prompting.prompts import parse_prompts


@pytest.fixture
def shown(make_window):
    window = make_window(attach=False)
    window.attach(FakePipeline(parse_prompts(DEMO_PROMPTS), FakeSource()))
    return window


def labels(text: str) -> tuple[str, ...]:
    return parse_prompts(text).labels


def test_the_simulated_camera_and_the_demo_bring_their_words(qtbot, shown):
    pipeline = shown.pipeline
    shown.want_prompts(pipeline.prompts.with_none_of_these(True))
    shown.sources.open_simulator()
    qtbot.waitUntil(lambda: pipeline.prompts.labels == labels(SHOW_PROMPTS))
    assert pipeline.prompts.none_of_these
    shown.sources.open_demo("tour")
    qtbot.waitUntil(lambda: pipeline.prompts.labels == labels(DEMO_PROMPTS))


def test_words_that_were_changed_stay(qtbot, shown):
    pipeline = shown.pipeline
    shown.prompts.add("a red fox")
    shown.sources.open_simulator()
    qtbot.waitUntil(lambda: pipeline.source.name == "Simulated camera")
    qtbot.settle(shown)
    assert pipeline.prompts.labels == (*labels(DEMO_PROMPTS), "a red fox")


def test_words_of_the_program_are_not_kept_as_the_users(qtbot, shown):
    shown.sources.open_simulator()
    qtbot.waitUntil(lambda: shown.pipeline.prompts.labels == labels(SHOW_PROMPTS))
    shown.close()
    assert not shown.store.load().words


def test_only_those_that_know_what_they_show_bring_words():
    for kind, target, words in (
        ("demo", "dog", DEMO_PROMPTS),
        ("demo", "digits", DIGIT_PROMPTS),
        ("simulator", None, SHOW_PROMPTS),
    ):
        source = open_source(SourceSpec(kind, target))
        assert source.words == words
        source.close()
