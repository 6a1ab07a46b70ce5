"""Several things at once: regions, tracks and words, on drawn (simulated) scenes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeBackbone

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, empty_packet
from neuroclip_live.model.scoring import Scores
from neuroclip_live.objects import boxes, camera, cells
from neuroclip_live.objects.found import FoundObject, Missed, ObjectsSettings
from neuroclip_live.objects.objects import Objects, warm_up
from neuroclip_live.objects.parting import Parting
from neuroclip_live.objects.regions import Region
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.recognition.decision import DecisionSettings
from neuroclip_live.recognition.prediction_log import Outcome
from neuroclip_live.recognition.recognizer import Recognizer, RecognizerSettings
from neuroclip_live.recognition.run_facts import Summary
from neuroclip_live.recognition.spare_time import SpareTime
from neuroclip_live.recognition.thing_names import calm_name
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.frames import event_frame
from neuroclip_live.stream.slicing import Slice

SENSOR = Resolution(320, 240)
STEP_US = 50_000


def square(left: float, top: float, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a textured square that moves: half of them fire."""
    rng = np.random.default_rng(seed)
    xs, ys = np.meshgrid(np.arange(side), np.arange(side))
    fires = rng.random((side, side)) < 0.5
    return xs[fires] + round(left), ys[fires] + round(top)


def scene(
    step: int, *places: tuple[float, float, int], noise: int = 300, sensor: Resolution = SENSOR
) -> Packet:
    """One slice: squares (left, top, side), and noise events anywhere."""
    rng = np.random.default_rng(step)
    parts = [square(*place, seed=step * 7 + i) for i, place in enumerate(places)]
    parts.append((rng.integers(0, sensor.width, noise), rng.integers(0, sensor.height, noise)))
    x, y = (np.concatenate(axis) for axis in zip(*parts, strict=True))
    order = rng.permutation(len(x))  # everything fires all the time
    x, y = x[order], y[order]
    events = np.zeros(len(x), EVENT_DTYPE)
    events["x"], events["y"] = x, y
    events["t"] = step * STEP_US + np.sort(rng.integers(0, STEP_US, len(x)))
    events["p"] = rng.integers(0, 2, len(x))
    return events


class Watching:
    """Feeds slices to an :class:`Objects`."""

    def __init__(self, sensor: Resolution = SENSOR, **settings: object) -> None:
        self.backbone = FakeBackbone()
        options = {"enabled": True, "budget_ms": float("inf"), **settings}
        self.objects = Objects(self.backbone, ObjectsSettings(**options), 4)  # type: ignore[arg-type]
        self.sensor = sensor
        self.objects.begin(sensor)
        self.step = 0

    def see(self, *places: tuple[float, float, int], noise: int = 300) -> tuple[FoundObject, ...]:
        events = scene(self.step, *places, noise=noise, sensor=self.sensor)
        self.step += 1
        frame = event_frame(events, self.sensor)
        return self.objects.update(
            events,
            frame,
            self.step * STEP_US,
            0,
            lambda features, t_us, memory: ("a mug", 0.9, {"a mug": 0.9}),
        )


def near(found: FoundObject, place: tuple[float, float, int], by: int = 8) -> bool:
    left, top, side = place
    return bool(np.abs(np.array(found.box) - [left, top, left + side, top + side]).max() <= by)


def test_two_things_have_two_boxes_and_a_word_each() -> None:
    watching = Watching()
    for _ in range(6):
        found = watching.see((40, 50, 50), (200, 120, 60))
    assert len(found) == 2
    assert near(found[0], (40, 50, 50)) or near(found[1], (40, 50, 50))
    assert {f.label for f in found} == {"a mug"}
    assert all(f.state == "seen" and f.age_us == 5 * STEP_US for f in found)


@pytest.mark.parametrize("noise", [0, 2000, 8000])
def test_noise_alone_is_nothing(noise: int) -> None:
    watching = Watching()
    assert not any(watching.see(noise=noise) for _ in range(20))


def test_an_identity_survives_a_crossing() -> None:
    watching = Watching()
    first = second = 0
    for step in range(40):
        found = watching.see((20 + 6 * step, 60, 40), (254 - 6 * step, 90, 40))
        if step == 5:
            first, second = (f.id for f in sorted(found, key=lambda f: f.box.left))
    right, left = sorted(found, key=lambda f: -f.box.left)
    assert (right.id, left.id) == (first, second)


def test_what_stops_is_waited_for_and_found_again() -> None:
    watching = Watching()
    for _ in range(6):
        before = watching.see((40, 50, 50), (200, 120, 60))
    for _ in range(20):
        stopped = watching.see((200, 120, 60))
    assert sorted(f.state for f in stopped) == ["seen", "waiting"]
    again = watching.see((40, 50, 50), (200, 120, 60))
    assert [f.id for f in again] == [f.id for f in before]
    assert {f.state for f in again} == {"seen"}
    for _ in range(70):  # 3.5 s
        left = watching.see((200, 120, 60))
    assert len(left) == 1
    for _ in range(4):
        new = watching.see((40, 50, 50), (200, 120, 60))
    assert max(f.id for f in new) > max(f.id for f in before)


def test_a_moving_camera_gives_no_things() -> None:
    watching = Watching()
    for _ in range(6):
        found = watching.see((0, 0, 320), noise=0)
    assert watching.objects.camera_moves
    assert not found


def test_no_more_things_than_asked_for_and_the_rest_are_counted() -> None:
    watching = Watching(most=2)
    places = [(20 + 100 * i, 30 + 110 * j, 50) for i in range(3) for j in range(2)]
    for _ in range(5):
        found = watching.see(*places)
    assert len(found) == 2
    assert watching.objects.left_out == 4 * 5


def test_without_time_every_thing_still_has_its_turn_and_what_waited_is_counted() -> None:
    watching = Watching(budget_ms=0.0)
    places = [(20 + 100 * i, 30 + 110 * j, 50) for i in range(3) for j in range(2)]
    for _ in range(3):
        watching.see(*places)
    assert watching.backbone.encoded == 1
    assert watching.objects.passed_over == 5
    for _ in range(5):
        found = watching.see(*places)
    assert all(f.label == "a mug" for f in found)


def test_small_regions_are_no_things() -> None:
    watching = Watching(smallest=60)
    for _ in range(5):
        found = watching.see((40, 50, 40), (150, 100, 90))
    assert len(found) == 1


def test_a_hot_pixel_is_no_thing() -> None:
    watching = Watching()
    events = np.zeros(5000, EVENT_DTYPE)
    events["x"], events["y"], events["t"] = 100, 100, np.arange(5000)
    frame = event_frame(events, SENSOR)
    assert not any(watching.objects.update(events, frame, t * STEP_US, 0, None) for t in range(1, 8))


def test_numbers_are_not_given_again_after_a_new_begin() -> None:
    watching = Watching()
    for _ in range(4):
        before = watching.see((40, 50, 50))
    watching.objects.begin(SENSOR)
    for _ in range(4):
        after = watching.see((40, 50, 50))
    assert after[0].id > before[0].id


def test_boxes_lie_on_the_sensor_and_nothing_is_found_in_nothing() -> None:
    watching = Watching()
    for step in range(12):
        for found in watching.see((-30 + 0 * step, 200, 70), (290, -20, 60)):
            assert 0 <= found.box.left < found.box.right <= SENSOR.width
            assert 0 <= found.box.top < found.box.bottom <= SENSOR.height
    assert watching.objects.update(empty_packet(), event_frame(empty_packet(), SENSOR), 10**9, 0, None) == ()


@pytest.mark.parametrize("size", [(128, 128), (640, 480), (1280, 720), (34, 34), (8, 8)])
def test_sensors_of_any_size(size: tuple[int, int]) -> None:
    sensor = Resolution(*size)
    watching = Watching(sensor)
    side = min(size) // 4
    for _ in range(4):
        found = watching.see((size[0] // 3, size[1] // 3, side), noise=0)
    assert len(found) == (1 if side >= 8 else 0)


@pytest.mark.parametrize("wrong", [{"most": 0}, {"most": 65}, {"smallest": 1}, {"smallest": 5000}])
def test_settings_out_of_range_are_told(wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match="choose"):
        ObjectsSettings(**wrong)  # type: ignore[arg-type]


def test_a_line_has_what_is_documented() -> None:
    watching = Watching()
    for _ in range(4):
        found = watching.see((40, 50, 50))
    line = found[0].to_dict()
    assert list(line) == ["id", "box", "label", "probability", "scores", "state", "age_us"]
    assert all(type(side) is int for side in line["box"])


def test_the_whole_pictures_answer_is_the_same_with_objects_and_without() -> None:
    table = PromptEncoder(FakeBackbone()).encode(parse_prompts("a mug, a phone, scissors"))  # type: ignore[arg-type]
    answers = []
    for enabled in (False, True):
        settings = RecognizerSettings(timesteps=3, objects=ObjectsSettings(enabled, budget_ms=float("inf")))
        recognizer = Recognizer(FakeBackbone(), table, settings)  # type: ignore[arg-type]
        recognizer.begin(SENSOR)
        for step in range(6):
            events = scene(step, (40, 50, 50), (200, 120, 60))
            slice_ = Slice(events, step * STEP_US, (step + 1) * STEP_US, 0, step, 0)
            prediction = recognizer.update(slice_)
        answers.append(prediction)
    without, with_objects = answers
    assert without.objects is None
    assert with_objects.objects is not None
    assert len(with_objects.objects) == 2
    assert all(set(found.scores) == {"a mug", "a phone", "scissors"} for found in with_objects.objects)
    bare = {k: v for k, v in without.to_dict().items() if k != "latency_ms"}
    assert bare == {k: v for k, v in with_objects.to_dict().items() if k not in ("latency_ms", "objects")}


def test_in_a_region_boxes_are_those_of_the_whole_picture() -> None:
    settings = RecognizerSettings(timesteps=3, objects=ObjectsSettings(True, budget_ms=float("inf")))
    recognizer = Recognizer(FakeBackbone(), None, settings)  # type: ignore[arg-type]
    recognizer.begin(SENSOR, Box(100, 20, 100 + SENSOR.width, 20 + SENSOR.height))
    for step in range(6):
        slice_ = Slice(scene(step, (40, 50, 50)), step * STEP_US, (step + 1) * STEP_US, 0, step, 0)
        prediction = recognizer.update(slice_)
    assert prediction.objects is not None
    (found,) = prediction.objects
    assert near(found, (140, 70, 50))
    assert found.look is not None
    assert "look" not in found.to_dict()


def test_a_thing_that_passes_through_anothers_box_keeps_its_own() -> None:
    watching = Watching()
    for step in range(30):
        found = watching.see((100, 40, 120), (10 + 3 * step, 190, 36))
    assert len(found) == 2


def test_what_parts_has_a_track_each() -> None:
    watching = Watching()
    for step in range(30):
        found = watching.see((130 - 3 * step, 60, 40), (172 + 3 * step, 60, 40))
    assert [f.state for f in found].count("seen") == 2
    assert all(near(f, (43, 60, 40), 12) or near(f, (259, 60, 40), 12) for f in found if f.state == "seen")


def test_three_parts_that_move_as_one_become_one_thing() -> None:
    """Bars, too far apart for one region, that move together: no more than one is told at any time."""
    watching = Watching()
    for step in range(30):
        left = 10 + 4 * step
        bars = [(left + 66 * bar, 40 + 50 * half, 50) for bar in range(3) for half in range(2)]
        found = watching.see(*bars, noise=100)
        assert len(found) <= 1
    assert near(found[0], (left, 40, 182), 90)
    assert found[0].box.right - found[0].box.left > 170


def test_a_thing_keeps_its_extent_while_only_a_part_of_it_is_seen() -> None:
    """Edges along its motion do not fire: half of it for a quarter second is no smaller thing."""
    watching = Watching()
    for step in range(10):
        watching.see((30 + 4 * step, 60, 40), (70 + 4 * step, 60, 40))
    for step in range(10, 14):
        found = watching.see((30 + 4 * step, 60, 40))
    assert len(found) == 1
    assert found[0].box.right - found[0].box.left > 60


def backdrop(step: int, by: int) -> tuple[tuple[float, float, int], ...]:
    """A background of small squares everywhere, shifted."""
    return tuple((x + by * step % 24, y, 10) for x in range(-24, SENSOR.width, 24) for y in range(0, 240, 24))


def test_a_camera_that_moves_over_a_scene_with_gaps_gives_no_things() -> None:
    """Most of the picture is quiet at any time, but there is an edge nearly everywhere."""
    watching = Watching()
    for step in range(12):
        found = watching.see(*backdrop(step, 3), (120, 80, 60))
        assert step < 6 or not found
    assert watching.objects.camera_moves
    watching.objects.at_rest(13 * STEP_US, 0)
    assert not watching.objects.camera_moves


def test_many_things_before_a_camera_at_rest_are_told() -> None:
    watching = Watching()
    places = [(20 + 78 * i, 20 + 110 * j, 48) for i in range(4) for j in range(2)]
    for _ in range(12):
        found = watching.see(*places)
    assert not watching.objects.camera_moves
    assert len(found) == 8


def test_a_prediction_says_that_the_camera_moves() -> None:
    settings = RecognizerSettings(timesteps=3, objects=ObjectsSettings(True, budget_ms=float("inf")))
    recognizer = Recognizer(FakeBackbone(), None, settings)  # type: ignore[arg-type]
    recognizer.begin(SENSOR)
    for step in range(12):
        events = scene(step, *backdrop(step, 3))
        prediction = recognizer.update(Slice(events, step * STEP_US, (step + 1) * STEP_US, 0, step, 0))
    assert prediction.camera_moves
    assert prediction.to_dict()["camera_moves"] is True
    assert prediction.to_dict()["objects"] == []


COMPILED = (
    cells.mark_into,
    cells.parts_of,
    cells.extent_of,
    cells.nearest_of,
    boxes.shares,
    boxes.gaps,
    boxes.costs,
    boxes.groups,
    cells.active_in,
    camera._ratio,
)


def test_warming_up_compiles_all_that_slices_need() -> None:
    watching = Watching()
    warm_up()
    compiled = [len(each.signatures) for each in COMPILED]
    assert min(compiled) > 0
    for step in range(40):
        watching.see((20 + 6 * step, 60, 40), (254 - 6 * step, 90, 40), (100, 170, 30))
    assert [len(each.signatures) for each in COMPILED] == compiled


def test_boxes_against_boxes() -> None:
    one = boxes.rows_of([Box(0, 0, 10, 10), Box(100, 0, 104, 30)])
    assert boxes.shares(one, boxes.rows_of([Box(5, 0, 25, 40)])).tolist() == [[0.5], [0.0]]
    assert boxes.gaps(one, boxes.rows_of([Box(13, 14, 20, 20), Box(0, 5, 3, 6)])).tolist() == [
        [5.0, 0.0],
        [80.0, 97.0],
    ]
    same, apart = boxes.costs(one, one)[0]
    assert same == 0.0
    assert apart > 1.0
    assert boxes.shares(one, boxes.rows_of([])).shape == (2, 0)
    assert boxes.grown(one, 0.5)[0].tolist() == [-5, -5, 15, 15]


def test_what_is_near_for_its_shape_is_one_group() -> None:
    bars = boxes.rows_of([Box(0, 0, 4, 40), Box(30, 0, 34, 40), Box(80, 0, 110, 30), Box(120, 0, 150, 30)])
    masses = np.array([100.0, 100.0, 400.0, 400.0])
    assert boxes.groups(bars, masses, 2.0, 2.5).tolist() == [
        0,
        0,
        2,
        3,
    ]  # edges of one thing; two solid things
    assert boxes.groups(bars, masses, 10.0, 2.5).tolist() == [0, 0, 2, 2]


def test_a_parting_is_seen_in_the_parts_alone() -> None:
    def parts(gap: float) -> list[Region]:
        boxes = Box(10, 10, 40, 40), Box(50 + round(gap), 10, 80 + round(gap), 40)
        return [Region(np.zeros(1, np.int32), box, mass) for box, mass in zip(boxes, (90, 80), strict=True)]

    together, apart, brief = Parting(), Parting(), Parting()
    assert not any(together.update(parts(step % 2), 3) for step in range(20))
    told = [apart.update(parts(3 * step), 3) for step in range(8)]
    assert told[:3] == [None] * 3
    assert any(part is not None and part.mass == 80 for part in told)
    assert not any(brief.update(parts(20 * step), 3) for step in range(20))  # no part twice: it jumps


def test_the_answer_for_a_thing_is_calm_and_as_asked() -> None:
    table = PromptEncoder(FakeBackbone()).encode(parse_prompts("a mug, a phone"))  # type: ignore[arg-type]

    def scores(mug: float) -> Scores:
        return Scores(
            np.array([mug, 1 - mug], np.float32), np.zeros(2, np.float32), np.zeros((1, 2), np.float32)
        )

    calm, at_once = DecisionSettings(smoothing_s=0.3), DecisionSettings(smoothing_s=0.0)
    memory: dict[str, object] = {}
    for step in range(20):
        calm_name(scores(0.9), table, calm, step * STEP_US, memory)
    label, probability, shown = calm_name(scores(0.1), table, calm, 20 * STEP_US, memory)
    assert label == "a mug"
    assert 0.6 < probability < 0.9
    assert shown["a phone"] == pytest.approx(1 - probability, abs=1e-6)
    assert calm_name(scores(0.1), table, at_once, 21 * STEP_US, memory)[0] == "a phone"


def test_a_recognizer_tells_what_it_missed_and_names_things_anew_by_other_words() -> None:
    encoder = PromptEncoder(FakeBackbone())  # type: ignore[arg-type]
    settings = RecognizerSettings(timesteps=3, objects=ObjectsSettings(True, most=1, budget_ms=float("inf")))
    recognizer = Recognizer(FakeBackbone(), encoder.encode(parse_prompts("a mug, a phone")), settings)  # type: ignore[arg-type]
    recognizer.begin(SENSOR)
    outcome = Outcome()
    for step in range(6):
        events = scene(step, (40, 50, 50), (200, 120, 60))
        prediction = recognizer.update(Slice(events, step * STEP_US, (step + 1) * STEP_US, 0, step, 0))
        outcome.add(prediction, None)
    assert prediction.missed == Missed(0, 1)
    assert outcome.missed == Missed(0, 6)
    assert Summary(missed=outcome.missed).to_dict()["objects"] == {"passed_over": 0, "left_out": 6}
    assert "objects" not in Summary().to_dict()
    assert prediction.objects is not None
    (thing,) = prediction.objects
    assert len(thing.frames) == 3
    assert thing.windows[-1].shape[0] == 3
    assert not any(one.windows or one.frames for p in outcome.after(0) for one in p.objects or ())
    recognizer.set_prompts(encoder.encode(parse_prompts("scissors")))
    again = recognizer.rescored(prediction)
    assert again.objects is not None
    assert [set(one.scores) for one in again.objects] == [{"scissors"}]
    assert [one.box for one in again.objects] == [thing.box]


def recognized(focus: bool, *places: tuple[float, float, int], steps: int = 12) -> tuple[FakeBackbone, list]:  # type: ignore[type-arg]
    """Predictions of a scene that stands still and fires, and the model that saw it."""
    backbone = FakeBackbone()
    backbone.info = replace(backbone.info, focus=focus)
    table = PromptEncoder(backbone).encode(parse_prompts("a mug, a phone"))  # type: ignore[arg-type]
    settings = RecognizerSettings(timesteps=3, objects=ObjectsSettings(True, budget_ms=float("inf")))
    recognizer = Recognizer(backbone, table, settings)  # type: ignore[arg-type]
    recognizer.decider.settings = DecisionSettings(0.0)
    recognizer.begin(SENSOR)
    seen = []
    for step in range(steps):
        events = scene(step, *places)
        seen.append(recognizer.update(Slice(events, step * STEP_US, (step + 1) * STEP_US, 0, step, 0)))
    return backbone, seen


def test_one_thing_that_is_all_the_picture_shows_is_not_encoded_again() -> None:
    backbone, seen = recognized(True, (120, 80, 90))
    assert backbone.encoded == 12 + 1  # when it is new, what came before may have been another's
    (found,) = seen[-1].objects
    assert found.label == seen[-1].decision.label
    assert found.scores == pytest.approx(seen[-1].decision.scores, abs=1e-6)
    assert len(found.windows) == 12 - 2 - 2  # it is a thing in the third slice, and three make a window
    assert len(found.frames) == 3


@pytest.mark.parametrize(
    ("focus", "places"),
    [
        (False, [(120, 80, 90)]),  # seen small in the whole picture, and large in its crop
        (True, [(120, 80, 56)]),  # smaller than a focused picture shows it
        (True, [(30, 80, 90), (200, 80, 90)]),
    ],
)
def test_what_the_picture_shows_otherwise_is_encoded_for_itself(focus: bool, places: list) -> None:  # type: ignore[type-arg]
    backbone, seen = recognized(focus, *places)
    assert len(seen[-1].objects) == len(places)
    assert backbone.encoded == 12 + 10 * len(places)


def test_an_answer_is_there_before_its_things() -> None:
    backbone = FakeBackbone()
    settings = RecognizerSettings(timesteps=3, objects=ObjectsSettings(True))
    recognizer = Recognizer(backbone, None, settings)  # type: ignore[arg-type]
    recognizer.begin(SENSOR)
    outcome = Outcome()
    for step in range(6):
        events = scene(step, (40, 50, 50), (200, 120, 60))
        answer = recognizer.answer(Slice(events, step * STEP_US, (step + 1) * STEP_US, 0, step, 0))
        assert answer.objects is None
        assert backbone.encoded == step + 1 + 2 * max(0, step - 2)
        outcome.answered = answer
        assert outcome.answer() is answer
        told = recognizer.with_things(answer)
        assert (told.number, told.scores) == (answer.number, answer.scores)
        outcome.add(told, None)
        assert outcome.answer() is outcome.latest is told
    assert told.objects is not None
    assert len(told.objects) == 2


def test_without_time_to_spare_nothing_is_encoded_and_all_is_counted() -> None:
    watching = Watching(budget_ms=40.0)
    places = [(40, 50, 50), (200, 120, 60)]
    for step in range(6):
        events = scene(step, *places)
        frame = event_frame(events, SENSOR)
        watching.objects.update(events, frame, (step + 1) * STEP_US, 0, None, spare_ms=0.0)
    assert watching.backbone.encoded == 0
    assert watching.objects.passed_over == 4 * 2
    assert len(watching.objects.at_rest(6 * STEP_US, 0)) == 2


def test_numbers_go_on_where_things_were_not_looked_for_in_between() -> None:
    settings = RecognizerSettings(timesteps=3, objects=ObjectsSettings(True, budget_ms=float("inf")))
    off = replace(settings, objects=ObjectsSettings(False))
    recognizer = Recognizer(FakeBackbone(), None, settings)  # type: ignore[arg-type]
    recognizer.begin(SENSOR)
    ids: list[int] = []
    for step in range(20):
        if step in (6, 9):
            wanted = off if step == 6 else settings
            recognizer = recognizer.successor(recognizer.backbone, wanted)
        events = scene(step, (40, 50, 50))
        prediction = recognizer.update(Slice(events, step * STEP_US, (step + 1) * STEP_US, 0, step, 0))
        assert (prediction.objects is None) == (6 <= step < 9)
        ids += [one.id for one in prediction.objects or () if one.id not in ids]
    assert ids == [1, 2]


def test_time_to_spare_is_what_passes_idle() -> None:
    spare, now = SpareTime(), 0.0
    for _ in range(50):  # 10 ms for an answer, 40 ms until the next slice
        spare.begin(now)
        allowed = spare.answered(now + 0.010)
        spare.end(now + 0.020)
        now += 0.050
    assert 20 < allowed < 40
    for _ in range(50):  # now slices come without a pause
        spare.begin(now)
        allowed = spare.answered(now + 0.030)
        took_s = min(allowed, 40.0) / 1e3 if allowed > 4 else 0.0
        spare.end(now + 0.030 + took_s)
        now += 0.030 + took_s
    assert allowed < 10


def test_where_there_is_never_time_a_look_is_saved_for() -> None:
    spare, now, looks = SpareTime(), 0.0, 0
    for _ in range(200):  # 500 ms for an answer, as long for a look
        spare.begin(now)
        allowed = spare.answered(now + 0.5)
        looked = allowed >= 500
        looks += looked
        now += 0.5 + 0.5 * looked
        spare.end(now)
    assert 10 <= looks <= 20


def test_one_look_that_there_is_time_for_is_had_whatever_the_settings_allow() -> None:
    watching = Watching(budget_ms=0.0)  # as for an encoder that needs longer than they allow
    for step in range(6):
        events = scene(step, (40, 50, 50), (200, 120, 60))
        frame = event_frame(events, SENSOR)
        watching.objects.update(events, frame, (step + 1) * STEP_US, 0, None, spare_ms=1e9)
    assert watching.backbone.encoded == 4
    assert watching.objects.passed_over == 4
