"""Closing while another model is loaded beside the one at work, and with ``--record`` given at the start."""

from __future__ import annotations

import json

from test_closing import SOON_S, closes

from neuroclip_drivers.replay import ReplaySource


def test_while_another_model_is_loaded_beside_the_one_at_work(tmp_path):
    body = """
        begun = threading.Event()
        def another(progress):
            progress("reading another model", 0.1)
            begun.set()
            time.sleep(600)
        asked = []
        def factory():
            return pipeline(camera())
        def ready(window):
            if not window.decided.scores:
                return False
            if not asked:
                window.pipeline.change_model(another)
                asked.append(True)
            return begun.is_set() and window.pipeline.status().changing
    """
    assert closes(tmp_path, body) < SOON_S


def test_a_recording_asked_for_on_the_command_line_is_shown_and_whole(tmp_path):
    film = tmp_path / "film.aedat4"
    body = f"""
        import neuroclip_live.cli.run_command as running
        from neuroclip_live import session
        from functools import partial
        from neuroclip_live.config import Config
        session.loader = lambda options: lambda progress: FakeBackbone()
        options = Config(simulate="", record={str(film)!r}, config={str(tmp_path / "w.json")!r})
        def run_window(factory, **others):  # with the arguments of the command line, not of this script
            return running.run(options)
        factory = None
        def ready(window):
            film = window.pipeline.recording()
            return film is not None and film.events > 2000 and window.record_bar.isVisible()
    """
    assert closes(tmp_path, body) < SOON_S
    source = ReplaySource(film, speed=None)
    assert sum(len(packet) for packet in source.packets()) > 2000
    assert not source.status().message  # nothing to salvage: it has its index
    source.close()
    lines = (tmp_path / "film.labels.jsonl").read_text().splitlines()
    assert lines
    assert all(json.loads(line) for line in lines)
