"""A panel of one file and one line: its dock, its menu entry, its place when the window comes back."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from neuroclip_gui import layout, main_window
from neuroclip_gui.panel_spec import Context, PanelSpec, Presenter, Snapshot, Where
from neuroclip_gui.panels.declared import PANELS


class Newest(Presenter):
    """Says what the headline says."""

    def __init__(self, context: Context) -> None:
        self.label = QLabel("nothing yet")
        super().__init__(self.label)
        self.context, self.sources, self.stopped = context, [], False
        self.snapshots: list[Snapshot] = []

    def update(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        self.label.setText(snapshot.shown.label)
        self.badge = "Toy" if snapshot.shown.label else ""

    def source_changed(self, source) -> None:
        self.sources.append(source.name)

    def stop(self) -> None:
        self.stopped = True


def declared(monkeypatch) -> None:
    panels = (*PANELS, PanelSpec("newest", "Newest", Where.PAST, Newest))
    monkeypatch.setattr(layout, "PANELS", panels)
    monkeypatch.setattr(main_window, "PANELS", panels)


def test_a_new_panel_is_a_file_and_a_line(qtbot, make_window, monkeypatch) -> None:
    declared(monkeypatch)
    window = make_window()
    toy = window.panel(Newest)
    assert toy is window.panels["newest"]
    dock = window.docks["newest"]
    assert dock.windowTitle() == "Newest"
    assert dock.toggleViewAction() in window.actions_.menus["panels"].actions()
    assert dock in window.tabifiedDockWidgets(window.docks["timeline"])
    window.pipeline.predict({"a mug": 0.8, "a phone": 0.1})
    qtbot.waitUntil(lambda: toy.label.text() == window.decided.label != "")
    assert toy.sources == [window.pipeline.source.name]
    assert toy.context.pipeline() is window.pipeline
    times = [snapshot.now_s for snapshot in toy.snapshots]
    assert times == sorted(times)
    answered = [snapshot for snapshot in toy.snapshots if snapshot.answered]
    assert answered
    assert all(snapshot.prediction is not None for snapshot in answered)
    toy.context.show("newest")
    qtbot.waitUntil(toy.label.isVisible)
    toy.context.complain("no toys today")
    assert (window.banner.text, window.banner.level) == ("no toys today", "hint")
    window.close()
    assert toy.stopped


def test_it_is_where_it_was_when_the_window_comes_back(make_window, monkeypatch) -> None:
    declared(monkeypatch)
    first = make_window()
    assert not first.docks["newest"].isHidden()
    first.docks["newest"].hide()
    first.close()
    second = make_window()
    assert second.docks["newest"].isHidden()
    assert not second.docks["timeline"].isHidden()


def test_all_panels_have_names_of_their_own() -> None:
    names = [spec.name for spec in PANELS]
    assert len(set(names)) == len(names)
