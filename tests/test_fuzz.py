"""Some of the inputs of ``python -m tests.fuzz``, always the same ones, and hypothesis on what is cheap."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from fuzz.dice import dice_for
from fuzz.targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

SLOW = {
    "events": 20,
    "recording": 80,
    "repair": 60,
    "network": 60,
    "adapter": 60,
    "tokens": 80,
    "command line": 80,
}
QUIET = settings(derandomize=True, deadline=None, database=None, max_examples=60)


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Settings that make no sense are logged, each of them."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", TARGETS)
def test_bad_bytes_are_borne(name: str) -> None:
    target = TARGETS[name]
    dice = dice_for(name, 7, 0)
    for number in range(SLOW.get(name, 250)):
        data = target.input(dice)
        try:
            target.run(data)
        except Exception as error:
            raise AssertionError(f"input {number} of {name}: {data[:200]!r}") from error


def test_every_input_follows_from_its_seed() -> None:
    for target in TARGETS.values():
        first, second, other = (dice_for(target.name, seed, 3) for seed in (0, 0, 1))
        made = [target.input(first) for _ in range(5)]
        assert made == [target.input(second) for _ in range(5)]
        assert made != [target.input(other) for _ in range(5)]


@QUIET
@given(st.text(max_size=200))
def test_any_text_is_borne_as_words(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    for name in ("prompts", "prompt file"):
        TARGETS[name].run(data)


@QUIET
@given(st.binary(max_size=300))
def test_any_bytes_are_borne(data: bytes) -> None:
    names = ("aedat4 header", "aedat4 index", "aedat4 events", "aedat4 frame", "compression", "--config")
    for name in names:
        TARGETS[name].run(data)


@settings(QUIET, max_examples=15)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), st.lists))
def test_any_value_is_borne_as_a_setting(value: object) -> None:
    import json

    from fuzz.doors_settings import SETTINGS

    for name in SETTINGS:
        data = json.dumps({**SETTINGS, name: value}).encode()
        TARGETS["lists and cameras"].run(data)
