"""Who collects cyclic garbage, and when."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject

from neuroclip_gui.garbage import Collector, collected_here


class Knot(QObject):
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self


def allocate_much(count: int = 10_000) -> list[list[int]]:
    return [[i] for i in range(count)]


def test_a_worker_that_allocates_leaves_qt_objects_alone(qtbot):
    with collected_here():
        gone = weakref.ref(Knot())
        worker = threading.Thread(target=allocate_much)
        worker.start()
        worker.join()
        assert gone() is not None
        kept = allocate_much()  # what is freed at once is no reason to collect
        qtbot.waitUntil(lambda: gone() is None, timeout=20_000)
        assert kept


def test_collecting_is_given_back():
    gc.enable()
    with collected_here():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_collecting_stays_here_where_a_thread_is_left(qapp):
    gc.enable()
    try:
        with collected_here(unless=lambda: True):
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.unfreeze()
        gc.enable()


def test_collecting_that_was_off_stays_off(qapp):
    gc.disable()
    with collected_here():
        pass
    assert not gc.isenabled()


def test_every_so_often_everything_is_looked_at(qapp):
    collector = Collector()
    collector.start()
    try:
        gone = weakref.ref(Knot())
        gc.collect(1)
        knot = Knot()
        old = weakref.ref(knot)
        gc.collect(1)  # now in the oldest generation
        del knot
        for _ in range(120):
            collector.look()
    finally:
        collector.stop()
    assert gone() is None
    assert old() is None


def test_what_comes_in_a_burst_is_set_aside_unlooked_at(qapp):
    collector = Collector()
    collector.start()
    try:
        before, collections = gc.get_freeze_count(), [g["collections"] for g in gc.get_stats()]
        modules = allocate_much(100_000)
        collector.look()
        assert gc.get_freeze_count() >= before + len(modules)
        assert [g["collections"] for g in gc.get_stats()] == collections
        knot = weakref.ref(Knot())  # what comes later is looked at as ever
        some = allocate_much()
        collector.look()
        assert some
        assert knot() is None
    finally:
        collector.stop()
