"""What the window promises while predictions run: driven as a user would, with a prediction at every look."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import groupby
from types import SimpleNamespace

import pytest
from fakes import FakeBackbone
from gui_fakes import FakePipeline, FakeSource, ring_of_events
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QLineEdit

from neuroclip_drivers.demo import demo_recording
from neuroclip_drivers.replay import ReplaySource
from neuroclip_drivers.source import SourceState
from neuroclip_gui.autosave import as_kept
from neuroclip_gui.panels.prompts.prompt_model import ROW
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline, PipelineSettings
from neuroclip_live.stream.slicing import parse_slice


@pytest.fixture
def running(window, pipeline):
    """Predictions that change at every few milliseconds."""
    timer = QTimer()
    timer.count = 0

    def predict() -> None:
        timer.count += 1
        labels = [p.label for p in pipeline.prompts.enabled if not p.negative]
        pipeline.predict({label: (0.2 + 0.01 * (timer.count % 30)) / len(labels) for label in labels})

    timer.timeout.connect(predict)
    timer.start(5)
    yield timer
    timer.stop()


def pass_by(qtbot, timer, count: int = 40) -> None:
    """Let so many predictions pass."""
    until = timer.count + count
    qtbot.waitUntil(lambda: timer.count >= until)


@pytest.mark.parametrize("how", ["F2", "double click"])
def test_what_is_typed_into_a_name_survives_predictions(qtbot, window, pipeline, running, how):
    view = window.prompts.list
    if how == "F2":
        view.setFocus()
        view.select(["a phone"])
        qtbot.keyClick(view, Qt.Key.Key_F2)
    else:
        at = view.visualRect(window.prompts.model.index(1)).topLeft() + QPoint(80, 12)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    editor = view.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "a smart")
    pass_by(qtbot, running)
    assert editor.text() == "a smart"
    window.want_prompts(pipeline.prompts.add("a tree").remove("a mug"))  # and other words that come and go
    pass_by(qtbot, running)
    assert editor.text() == "a smart"
    qtbot.keyClicks(editor, "phone")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pipeline.prompts.labels == ("a smartphone", "scissors", "a tree"))


def test_a_word_that_was_renamed_stays_selected_for_the_next_key(qtbot, window, pipeline, running):
    view = window.prompts.list
    view.setFocus()
    view.select(["a phone"])
    qtbot.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "a tree")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    pass_by(qtbot, running)
    assert view.selected() == ["a tree"]
    window.actions_.by_name["negative"].trigger()
    assert pipeline.prompts.prompts[1].negative
    window.undo.stack.undo()
    window.undo.stack.undo()
    assert view.selected() == ["a phone"]


def test_a_selection_and_what_is_being_typed_survive_predictions(qtbot, window, pipeline, running):
    window.prompts.list.select(["a phone", "scissors"])
    window.prompts.entry.setFocus()
    qtbot.keyClicks(window.prompts.entry, "a half ty")
    window.panels["teach"].widget.entry.setCurrentText("a thing")
    pass_by(qtbot, running)
    assert window.prompts.list.selected() == ["a phone", "scissors"]
    assert window.prompts.entry.text() == "a half ty"
    assert window.panels["teach"].widget.entry.currentText() == "a thing"
    window.prompts.entry.clear()


def test_a_word_too_long_leaves_the_others_and_stays_to_be_mended(qtbot, window, pipeline):
    window.prompts.entry.setText(f'a tree, "-{"x" * 301}", -{"y" * 301}, a bush, a mug')
    qtbot.keyClick(window.prompts.entry, Qt.Key.Key_Return)
    assert pipeline.prompts.labels[-2:] == ("a tree", "a bush")
    assert window.prompts.entry.text() == f'"-{"x" * 301}", -{"y" * 301}'
    assert "301 characters" in window.banner.text
    assert "a mug" in window.banner.text


def test_the_list_shows_the_number_of_the_headline_at_every_look(qtbot, window, pipeline, running):
    model, seen = window.prompts.model, set()
    for _ in range(30):
        pass_by(qtbot, running, 12)  # 60 ms: the same word is shown anew after 50
        decision = window.decision._decision
        for row, label in enumerate(pipeline.prompts.labels):
            assert model.index(row).data(ROW).score == decision.scores.get(label)
        seen.add(round(decision.probability, 4))
    assert len(seen) > 5


def test_a_stream_that_is_away_is_waited_for_by_headline_and_list(qtbot, make_window):
    source = FakeSource("tcp 127.0.0.1:7777", live=True)
    window = make_window(source)
    window.pipeline.predict({"a mug": 0.9, "a phone": 0.1})
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug")
    source.state, source.message = SourceState.WAITING, "the server is away"
    window.pipeline.predict({}, state="no-motion")
    qtbot.waitUntil(lambda: window.decision.words()[0] == "Waiting for tcp 127.0.0.1:7777")
    qtbot.waitUntil(lambda: window.prompts.model.index(0).data(ROW).score is None)
    source.state, source.message = SourceState.STREAMING, ""
    qtbot.waitUntil(lambda: window.decision.words()[0] == "Waiting")
    window.pipeline.predict({"a mug": 0.8, "a phone": 0.2})
    qtbot.waitUntil(lambda: window.decision.words()[0] == "a mug")


def test_a_model_is_remembered_only_once_it_is_at_work(qtbot, window, pipeline, monkeypatch):
    from neuroclip_live.model import backbone

    made = Loaded(replace_info(pipeline.backbone.info, name="other"))
    monkeypatch.setattr(backbone, "load_backbone", lambda name, **_: made)
    window.recognition.use_model("other/model", "cpu")
    qtbot.settle(window)
    assert window.settings.model == "event-nano"
    loaded = pipeline.loads[-1](lambda *_: None)
    qtbot.settle(window)
    assert window.settings.model == "event-nano"  # loaded, and perhaps there is no room to use it
    pipeline.backbone = loaded
    qtbot.waitUntil(lambda: (window.settings.model, window.settings.device) == ("other/model", "cpu"))


class Loaded:
    def __init__(self, info):
        self.info = info


def replace_info(info, **others):
    return SimpleNamespace(**{**vars(info), **others})


def test_a_model_that_cannot_be_had_is_never_remembered(qtbot, window, pipeline):
    window.recognition.use_model("no/such-model", "cpu")
    pipeline.now = replace(pipeline.now, message="no/such-model cannot be had")
    qtbot.settle(window)
    window.close()
    assert window.store.load().model == "event-nano"


def test_words_are_on_the_disk_a_moment_after_they_are_typed(qtbot, make_window):
    first = make_window()
    first.prompts.entry.setText('a red fox, -a hand, "salt, pepper"')
    qtbot.keyClick(first.prompts.entry, Qt.Key.Key_Return)
    first.prompts.list.select(["a mug"])
    first.prompts.toggle_enabled()
    first.prompts.threshold.setValue(55)
    # nothing is closed: as after SIGKILL, only the file counts
    qtbot.waitUntil(lambda: as_kept(first.pipeline.prompts).items() <= first.store.load().words.items())
    qtbot.waitUntil(lambda: first.store.load().threshold == 0.55)
    second = make_window()
    assert second.pipeline.prompts.prompts == first.pipeline.prompts.prompts
    assert second.prompts.threshold.value() == 55
    second.prompts.remove_all()
    qtbot.waitUntil(lambda: second.store.load().words["words"].strip() == "")
    assert make_window().pipeline.prompts.labels == ()


def test_words_of_the_command_line_hold_for_their_run(qtbot, make_window):
    first = make_window()
    first.prompts.add("a red fox")
    first.close()
    second = make_window(attach=False)
    second.recognition.given = frozenset({"prompts"})
    second.attach(FakePipeline(parse_prompts("a mug")))
    assert second.pipeline.prompts.labels == ("a mug",)
    qtbot.waitUntil(lambda: second.live.ready)


@pytest.mark.parametrize("words", [{"words": 3}, {"words": "a, b", "off": ["c"], "templates": ["{}"]}])
def test_words_that_were_tampered_with_keep_no_window_from_opening(qtbot, make_window, words):
    first = make_window()
    first.settings.words = words
    first.close()
    second = make_window()
    assert second.pipeline.prompts.labels == ("a mug", "a phone", "scissors")
    assert "cannot be used" in second.banner.text


def still(qtbot, pipeline) -> None:
    """Wait until what was read before the pause is recognized: no number moves for a while."""
    seen = [(pipeline.prediction().number, time.monotonic())]

    def same() -> bool:
        number = pipeline.prediction().number
        if number != seen[-1][0]:
            seen.append((number, time.monotonic()))
        return time.monotonic() - seen[-1][1] > 0.5

    qtbot.waitUntil(same, timeout=60_000)


def test_a_word_typed_while_paused_is_scored_at_once_and_the_label_stays(qtbot, make_window):
    source = ReplaySource(demo_recording(), speed=None, hold_at_end=True)  # at its end it pauses
    settings = PipelineSettings(slice_by=parse_slice("40ms"), wait_for_model=True)
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug, a fox"), settings)
    window = make_window(attach=False)
    window.attach(pipeline)
    window.prompts.threshold.setValue(0)
    qtbot.waitUntil(lambda: window.transport.paused and window.decided.kind == "label")
    window.prompts.add("a tree")
    qtbot.waitUntil(lambda: "a tree" in window.decided.scores)
    still(qtbot, pipeline)
    number = pipeline.prediction().number
    row = window.prompts.model.index(2).data(ROW)
    qtbot.waitUntil(lambda: window.prompts.model.index(2).data(ROW).score is not None)
    assert row.prompt.label == "a tree"
    window.prompts.list.select(["a fox"])
    window.prompts.toggle_enabled()
    qtbot.waitUntil(lambda: set(window.decided.scores) == {"a mug", "a tree"})
    rest_s = time.monotonic() + 1.0  # longer than after which a scene that is not paused is at rest
    qtbot.waitUntil(lambda: time.monotonic() > rest_s)
    assert pipeline.prediction().number == number + 1
    assert window.decided.kind == "label"


def test_the_place_sought_while_paused_is_the_one_that_is_recognized(qtbot, make_window):
    source = ReplaySource(demo_recording(), speed=None, hold_at_end=True)
    settings = PipelineSettings(slice_by=parse_slice("40ms"), wait_for_model=True)
    pipeline = Pipeline(source, lambda progress: FakeBackbone(), parse_prompts("a mug, a fox"), settings)
    window = make_window(attach=False)
    window.attach(pipeline)
    qtbot.waitUntil(lambda: window.transport.paused and pipeline.prediction() is not None)
    first, last = source.recording.first_us, source.recording.last_us

    def recognized() -> None:
        qtbot.waitUntil(lambda: not pipeline.place_pending and pipeline.prediction().paused)
        assert pipeline.prediction().t_us == source.status().position_us

    for share in (0.3, 0.7, 0.5):
        target = first + round(share * (last - first))
        window.transport.seek_us(target)
        qtbot.waitUntil(lambda at=target: abs(source.jump.to_us - at) <= 1)
        recognized()
        assert len(pipeline.prediction().frames) == 10
    window.do.step(1)
    qtbot.waitUntil(lambda: source.jump.to_us > target)
    recognized()


class _Painted(QObject):
    """Which of some widgets were painted, in order."""

    def __init__(self, **widgets):
        super().__init__()
        self.names = {widget: name for name, widget in widgets.items()}
        self.order = []
        for widget in self.names:
            widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.order.append(self.names[watched])
        return False


def test_the_list_is_painted_with_the_headline_and_not_a_picture_later(qtbot, window, pipeline, running):
    painted = _Painted(
        headline=window.decision,
        words=window.prompts.list.viewport(),
        picture=window.view.focusProxy().viewport(),
    )
    pipeline.make_events = lambda: ring_of_events(0.001 * running.count)
    pass_by(qtbot, running, 200)
    assert "picture" in painted.order
    between = [list(group) for is_it, group in groupby(painted.order, "picture".__eq__) if not is_it]
    with_headline = [group for group in between if "headline" in group]
    assert len(with_headline) > 10
    assert all("words" in group for group in with_headline)
