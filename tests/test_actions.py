"""Actions: what fires when, what is done then, and what happens where it cannot be done."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import PROMPTS, SETTINGS, Endless, FakeBackbone, wait_for

import neuroclip_live as nl
from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_live.actions.actions import Actions
from neuroclip_live.actions.rule_file import read_rules
from neuroclip_live.actions.triggers import Trigger
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Resolution, join_packets
from neuroclip_live.objects.found import FoundObject
from neuroclip_live.outputs.carrier import Carrier, CarrierThread
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.stream.box import Box

ROOT = Path(__file__).resolve().parents[1]
FULL = Path("/dev/full")


def rules_in(folder: Path, text: str) -> Any:
    path = folder / "actions.toml"
    path.write_text(text, encoding="utf-8")
    return read_rules(path)


def seen(t_s: float, **more: Any) -> Prediction:
    """Return a prediction of a mug as likely as ``p``."""
    p = more.pop("p", 0.0)
    values = {"state": "ok", "scores": {"a mug": p, "a phone": 1 - p}, **more}
    return Prediction(round(t_s * 1e6), 1, **values)


def fired(trigger: Trigger, shares: list[float], step_s: float = 0.1, first_s: float = 0.0) -> list[float]:
    """Return when a trigger fires, in seconds, of shares that come every ``step_s``."""
    times = [first_s + step_s * k for k in range(len(shares))]
    return [round(t, 3) for t, p in zip(times, shares, strict=True) if trigger.update(seen(t, p=p))]


MUG = 'label = "a mug"\nrun = ["true"]\n'
BASE = f"[[action]]\n{MUG}"


# ---- when


def test_it_fires_after_so_long_and_once_until_it_is_below_leave(tmp_path: Path) -> None:
    (rule,) = rules_in(tmp_path, BASE + "enter = 0.7\nleave = 0.4\nfor_s = 0.3\nat_most_every_s = 0").actions
    #        0    .1   .2   .3   .4   .5   .6   .7   .8   .9   1.0  1.1  1.2  1.3  1.4
    shares = [0.8, 0.8, 0.6, 0.8, 0.8, 0.8, 0.8, 0.5, 0.8, 0.8, 0.8, 0.3, 0.7, 0.7, 0.7, 0.7, 0.9]
    trigger = Trigger(rule)
    assert fired(trigger, shares) == [0.6, 1.5]  # 0.5 lies between the two: it trembles, and is not over
    assert trigger.active


def test_firings_too_near_are_left_out_and_counted(tmp_path: Path) -> None:
    (rule,) = rules_in(tmp_path, BASE + "for_s = 0\nat_most_every_s = 1").actions
    trigger = Trigger(rule)
    assert fired(trigger, [0.9, 0.1] * 11) == [0.0, 1.0, 2.0]
    assert trigger.suppressed == 8


def test_a_gap_begins_waiting_anew_and_time_that_goes_back_begins_everything_anew(tmp_path: Path) -> None:
    (rule,) = rules_in(tmp_path, BASE + "for_s = 0.5\nat_most_every_s = 100").actions
    trigger = Trigger(rule)
    assert fired(trigger, [0.9, 0.9], step_s=1.5) == []  # nobody knows what was between the two
    assert fired(trigger, [0.9] * 6, first_s=1.6) == [2.0]
    assert fired(trigger, [0.9] * 6, first_s=0.0) == [0.5]  # a loop: the same again, whatever the rate


def test_no_motion_ends_it_and_warming_up_leaves_it(tmp_path: Path) -> None:
    (rule,) = rules_in(tmp_path, BASE + "for_s = 0\nat_most_every_s = 0").actions
    trigger = Trigger(rule)
    assert trigger.update(seen(0, p=0.9, state="warming-up")) is None
    assert trigger.update(seen(0.1, p=0.9)) is not None
    assert trigger.update(seen(0.2, p=0.1, state="warming-up")) is None
    assert trigger.active
    assert trigger.update(seen(0.3, p=0.9, state="no-motion")) is None
    assert not trigger.active
    assert trigger.update(seen(0.4, p=0.9)) is not None


def test_objects_and_regions(tmp_path: Path) -> None:
    region = BASE + "for_s = 0\nat_most_every_s = 0\nregion = [0, 0, 50, 50]"
    (rule,) = rules_in(tmp_path, region).actions
    assert rule.where == "object"

    def one(left: int, share: float, state: str = "seen") -> FoundObject:
        scores = {"A Mug": share}
        return FoundObject(left, Box(left, 0, left + 20, 20), scores=scores, state=state)  # type: ignore[arg-type]

    def due(*objects: FoundObject) -> bool:
        return Trigger(rule).update(seen(0, p=0.9, objects=objects)) is not None

    assert due(one(0, 0.2), one(10, 0.8))
    assert not due(one(60, 0.9))  # elsewhere
    assert not due(one(0, 0.9, "waiting"))  # it stands still: nothing is seen of it
    assert not due()
    firing = Trigger(rule).update(seen(0, objects=(one(0, 0.8), one(10, 0.9))))
    assert firing is not None
    assert firing.box == (10, 0, 30, 20)


# ---- the file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no actions"),
        ("[[action]]\n", "action 1: label is missing"),
        ("action = 3", "holds no actions"),
        ("[[action]", "is no TOML"),
        ("x = 1", "'x' is not known here"),
        (BASE + "entr = 0.5", r"action 1 \('a mug'\): 'entr' is not known"),
        (BASE + "enter = 1.5", "enter 1.5: give a number from 0 to 1"),
        (BASE + "enter = nan", "enter nan"),
        (BASE + "enter = true", "enter True"),
        (BASE + "enter = 0.4\nleave = 0.6", "leave 0.6 must be above 0 and at most enter, 0.4"),
        (BASE + 'for_s = "long"', "for_s 'long'"),
        (BASE + "timeout_s = 0", "timeout_s 0"),
        (BASE + 'where = "there"', "where 'there': choose picture or object"),
        (BASE + 'where = "picture"\nregion = [0, 0, 9, 9]', "region is for objects"),
        (BASE + "region = [9, 9, 0, 0]", "region"),
        (BASE + BASE, "two actions are called 'a mug'"),
        ('[[action]]\nlabel = "a mug"', "nothing is to be done; give one of run, webhook"),
        ('[[action]]\nlabel = ""\nrun = ["true"]', "label"),
        ('[[action]]\nlabel = "m"\nrun = "rm -rf x"', "run: give a list of strings"),
        ('[[action]]\nlabel = "m"\nrun = []', "run: give a list of strings"),
        ('[[action]]\nlabel = "m"\nrun = [" "]', "run: give a list of strings"),
        ('[[action]]\nlabel = "m"\nwebhook = "file:///etc/passwd"', "webhook: .* is no address"),
        ('[[action]]\nlabel = "m"\nwebhook = "http://h:99999/"', "webhook: .* is no address"),
        ('[[action]]\nlabel = "m"\nwebhook = "http://me:pw@h/"', "webhook: no name and password"),
        ('[[action]]\nlabel = "m"\nwebhook = {url = "http://h", headers = {"a b" = "c"}}', ": headers"),
        ('[[action]]\nlabel = "m"\nwebhook = {url = "http://h", headers = {a = "c\\nd"}}', ": headers"),
        ('[[action]]\nlabel = "m"\nwebhook = {uri = "http://h"}', "webhook: 'uri' is not known"),
        ('[[action]]\nlabel = "m"\nsound = "none.wav"', "sound: there is no file"),
        ('[[action]]\nlabel = "m"\nclip = "clip.mp4"', "clip: give a file that ends in .aedat4"),
        ('[[action]]\nlabel = "m"\nrecord = 3', "record: give a file that ends in .aedat4"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line_that_names_file_action_and_key(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(UserError) as told:
        rules_in(tmp_path, text)
    line = str(told.value)
    assert re.search(says, line), line
    assert f"--actions {tmp_path / 'actions.toml'}" in line
    assert "\n" not in line or "is no TOML" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--actions-dry-run"], "--actions-dry-run is for actions"),
        (["--actions-log", "log"], "--actions-log is for actions"),
        (["--actions", "{}", "--speed", "max"], "leave out --speed max"),
        (["--actions", "{objects}"], "judges objects: add --objects"),
    ],
)
def test_options_that_do_not_go_together(tmp_path, capsys, arguments, says) -> None:  # type: ignore[no-untyped-def]
    plain, objects = tmp_path / "a.toml", tmp_path / "b.toml"
    plain.write_text(BASE)
    objects.write_text(BASE + 'where = "object"')
    given = [word.format(plain, objects=objects) for word in arguments]
    assert main(["--headless", *given]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


# ---- on real and simulated events, against lists made by hand


def checked(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[tuple[str, float]]:
    assert main(["actions", "check", *arguments]) == 0
    told = capsys.readouterr().out
    return [(n, float(t)) for t, n in re.findall(r"^(\d+\.\d+) s: '([^']+)'", told, re.MULTILINE)]


def assert_as_listed(
    found: list[tuple[str, float]], listed: list[tuple[str, float]], within_s: float
) -> None:
    """Everything listed fires, in that order, at most so long after its time; and nothing else does."""
    assert [name for name, _ in found] == [name for name, _ in listed]
    for (name, t), (_, at) in zip(found, listed, strict=True):
        assert at <= t <= at + within_s, f"{name} at {t}, not after {at}"


WORDS = "a car, a giraffe, an umbrella, a chair, a bicycle, glasses, a dog, a hand"


def test_on_a_simulated_recording_each_fires_where_the_list_says(tmp_path: Path, capsys: Any) -> None:
    things = WORDS.split(", ")
    text = "".join(
        f'[[action]]\nlabel = "{thing}"\nenter = 0.6\nfor_s = 0.2\nrun = ["true"]\n' for thing in things
    )
    (tmp_path / "a.toml").write_text(text)
    found = checked([str(tmp_path / "a.toml"), str(ROOT / "recordings" / "tour.aedat4"), "-p", WORDS], capsys)
    listed = [(thing, 2.5 * place) for place, thing in enumerate(things[:6])]  # as recordings/README.md says
    assert_as_listed(found, listed, 2.5)


def test_on_real_recordings_each_fires_where_the_list_says(
    tmp_path: Path, data_dir: Path, capsys: Any
) -> None:
    """Three things in turn before a real camera, joined: what is shown when is known, so the list is."""
    folder = data_dir / "recordings" / "objects_dvs128"
    shown = [("box", 0.0), ("scissors", 5.0), ("box", 10.0), ("scissors", 15.0)]
    parts = []
    for place, (name, at) in enumerate(shown):
        begin = 2.0 + 4 * (place // 2)  # another part of the same recording
        with nl.open(
            folder / f"{name}.aedat4", start=begin, end=begin + 5, speed="max", loop=False
        ) as events:
            part = join_packets(list(events)).copy()
        part["t"] += round(at * 1e6) - part["t"][0]
        parts.append(part)
    film = tmp_path / "film.aedat4"
    write_aedat4(film, parts, Resolution(128, 128))
    text = 'label = "{}"\nenter = 0.65\nfor_s = 0.5\nleave = 0.3\nrun = ["true"]\n'
    words = ["a box", "scissors", "a mug"]
    (tmp_path / "a.toml").write_text("".join("[[action]]\n" + text.format(word) for word in words))
    found = checked([str(tmp_path / "a.toml"), str(film), "-p", ", ".join(words)], capsys)
    listed = [({"box": "a box"}.get(name, name), at) for name, at in shown]
    assert_as_listed(found, listed, 3.0)


# ---- what is done, beside a pipeline


class Beside:
    """A pipeline with actions beside it; its one label reaches ``enter`` at once."""

    def __init__(self, folder: Path, text: str, **more: Any) -> None:
        self.told: list[str] = []
        self.folder = folder
        self.pipeline = Pipeline(Endless(()), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)  # type: ignore[arg-type,return-value]
        label = "enter = 0.01\nleave = 1e-12\nfor_s = 0.02\nat_most_every_s = 0\n"
        rules = rules_in(folder, text.replace("[[action]]", f"[[action]]\n{label}"))
        self.actions = Actions(rules, self.told.append, lambda: self.pipeline, **more)
        self.thread = CarrierThread(Carrier(self.pipeline, [self.actions], self.told.append))
        self.pipeline.start()
        self.thread.start()

    def says(self, text: str) -> bool:
        return any(text in line for line in self.told)

    def close(self) -> None:
        assert self.thread.stop(30.0)
        assert self.pipeline.stop(60.0)


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Callable[..., Beside]]:
    made: list[Beside] = []

    def make(text: str, **more: Any) -> Beside:
        made.append(Beside(tmp_path, text, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def action(rest: str, name: str = "seen") -> str:
    return f'[[action]]\nname = "{name}"\nlabel = "a mug"\n{rest}\n'


def python(*code: str) -> str:
    return json.dumps([sys.executable, "-c", "; ".join(code), "{label}", "{name};$(touch no) {t_us}"])


def test_a_command_gets_its_arguments_and_no_shell_reads_them(beside: Any, tmp_path: Path) -> None:
    write = (
        "import sys, os, json; open('.out', 'w').write(json.dumps(sys.argv[1:])); os.rename('.out', 'out')"
    )
    with_command = beside(action(f"run = {python(write)}"))
    wait_for((tmp_path / "out").exists)
    label, text = json.loads((tmp_path / "out").read_text())
    assert label == "a mug"
    assert re.fullmatch(r"seen;\$\(touch no\) \d+", text)
    assert not (tmp_path / "no").exists()
    wait_for(lambda: with_command.says("'seen': ran "))


@pytest.mark.parametrize("group", ["", ", start_new_session=True"], ids=["", "in a group of its own"])
def test_a_hanging_command_is_ended_with_all_it_started_and_disturbs_nothing(
    beside: Any, tmp_path: Path, group: str
) -> None:
    child = (
        f"import subprocess, time; c = subprocess.Popen(['sleep', '1000']{group}); "
        "open('pid', 'w').write(str(c.pid))"
    )
    other = python("open('other', 'w')")
    run = beside(
        action(f"timeout_s = 2\nrun = {python(child, 'time.sleep(1000)')}", "hangs")
        + action(f"run = {other}", "other")
    )
    wait_for(lambda: run.says("took longer than 2 s and was ended"))
    assert (tmp_path / "other").exists()
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text())
    before = run.pipeline.status().predictions
    wait_for(lambda: run.pipeline.status().predictions > before)


def test_what_is_under_way_when_the_run_ends_is_ended_and_said(tmp_path: Path) -> None:
    run = Beside(tmp_path, action('timeout_s = 1000\nrun = ["sleep", "1000"]'))
    wait_for(lambda: run.actions.fired)
    run.close()
    assert run.says("sleep was still at work when the run ended and was ended")
    assert run.says("actions: 1 fired, 1 effects failed")


@pytest.mark.parametrize(
    ("run", "says"),
    [('["no-such-program"]', "no-such-program cannot be run"), ('["false"]', "false ended with status 1")],
)
def test_a_command_that_fails_is_told(beside: Any, run: str, says: str) -> None:
    told = beside(action(f"run = {run}"))
    wait_for(lambda: told.says(says))


def test_how_actions_stand_and_a_dry_run_that_is_taken_away(beside: Any, tmp_path: Path) -> None:
    run = beside(action('run = ["touch", "made"]') + '[[action]]\nlabel = "x"\nrun = ["true"]', dry_run=True)
    wait_for(lambda: run.actions.fired)
    first, second = run.actions.states()
    assert (first.name, first.label, first.standing, first.count) == ("seen", "a mug", "fired", 1)
    assert first.effects == ("run",)
    assert "'seen': a mug at" in first.why
    assert (second.standing, second.count, second.why) == ("missing", 0, "")
    count, lines = run.actions.lines
    assert count >= 2
    assert any("would run ['touch', 'made']" in line for line in lines)
    run.actions.dry_run = False
    run.actions.triggers[0].begin_anew()
    wait_for((tmp_path / "made").exists)
    wait_for(lambda: run.actions.states()[0].count == 2)
    run.actions.close(None)
    run.actions.dry_run = True
    run.actions.triggers[0].begin_anew()
    run.actions.write(seen(0.0, p=1.0))
    assert run.actions.states()[0].standing == "ready"  # closed: nothing is judged any more


def test_a_label_that_is_seen_and_not_due_yet(tmp_path: Path) -> None:
    rules = rules_in(tmp_path, '[[action]]\nlabel = "a mug"\nfor_s = 5\nrun = ["true"]\n')
    actions = Actions(rules, lambda line: None)
    for share, standing, held_s in (
        (0.1, "ready", 0.0),
        (0.9, "ready", 0.0),
        (0.8, "seen", 0.2),
        (0.6, "ready", 0),
    ):
        actions.write(seen(0.2 * actions.triggers[0].judged, p=share))
        (state,) = actions.states()
        assert (state.standing, round(state.held_s, 3), state.share) == (standing, held_s, share)
    actions.close(None)


def test_a_dry_run_does_nothing_and_the_log_says_what_and_why(beside: Any, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"kept": true}\n')
    write = python("open('out', 'w')")
    run = beside(action(f'run = {write}\nwebhook = "http://127.0.0.1:9/"'), dry_run=True, log=log)
    wait_for(lambda: run.says("would run"))
    run.thread.stop(30.0)
    first, entry = (json.loads(line) for line in log.read_text().splitlines()[:2])
    assert first == {"kept": True}
    assert entry["name"] == "seen"
    assert entry["dry_run"]
    assert "post to 127.0.0.1:9" in entry["plan"]
    assert entry["probability"] >= entry["enter"] == 0.01
    assert entry["held_s"] >= 0.02
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_log_is_told_once_and_actions_go_on(beside: Any, tmp_path: Path) -> None:
    run = beside(action(f"run = {python('open(chr(111), chr(119))')}"), log=FULL)
    wait_for((tmp_path / "o").exists)
    wait_for(lambda: run.says("the log /dev/full cannot be written: No space left on device"))
    assert sum("cannot be written" in line for line in run.told) == 1


class Hooks(HTTPServer):
    """Keeps what is posted; answers with a redirect where that is asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.got: list[Any] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, json.loads(body), dict(self.headers)))  # type: ignore[attr-defined]
        self.send_response(302 if "away" in self.path else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        pass


def test_a_webhook_gets_the_firing_and_redirects_are_not_followed(beside: Any) -> None:
    hooks = Hooks()
    address = f"http://127.0.0.1:{hooks.server_port}"
    good = f'webhook = {{url = "{address}/here?a=b", headers = {{Authorization = "Bearer x"}}}}'
    run = beside(action(good) + action(f'webhook = "{address}/away"', "away"))
    wait_for(lambda: len(hooks.got) >= 2)
    wait_for(lambda: run.says("'seen': posted to 127.0.0.1") and run.says("answered 302"))
    hooks.shutdown()
    hooks.server_close()
    paths = {path for path, _, _ in hooks.got}
    assert paths == {"/here?a=b", "/away"}
    body, headers = next((body, headers) for path, body, headers in hooks.got if path != "/away")
    assert body["type"] == "action"
    assert body["label"] == "a mug"
    assert headers["Authorization"] == "Bearer x"
    assert not run.says("here?a=b")  # where services put their secrets


def test_a_dead_webhook_is_told_and_disturbs_nothing(beside: Any, tmp_path: Path) -> None:
    with socket.socket() as silent, socket.socket() as dripping:
        for one in (silent, dripping):
            one.bind(("127.0.0.1", 0))
            one.listen()
        ports = [one.getsockname()[1] for one in (silent, dripping)]
        stop = threading.Event()

        def drip() -> None:  # a byte now and then: no single read takes long
            connection, _ = dripping.accept()
            with connection:
                connection.send(b"HTTP/1.1 200 OK\r\nX: ")
                while not stop.wait(0.1):
                    try:
                        connection.send(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        texts = [
            action(f'timeout_s = 1\nwebhook = "http://127.0.0.1:{port}/"', f"n{port}") for port in (*ports, 9)
        ]
        run = beside("".join(texts) + action(f"run = {python('open(chr(111), chr(119))')}", "other"))
        for port in ports:
            wait_for(lambda port=port: run.says(f"127.0.0.1:{port} did not answer within 1 s"))
        wait_for(lambda: run.says("127.0.0.1:9 cannot be reached: Connection refused"))
        wait_for((tmp_path / "o").exists)
        before = run.pipeline.status().predictions
        wait_for(lambda: run.pipeline.status().predictions > before)
        stop.set()
        thread.join(30)


def events_in(path: Path) -> np.ndarray:
    recording = Recording(path)
    try:
        return join_packets([*recording.read(), np.empty(0, EVENT_DTYPE)])
    finally:
        recording.close()


def test_a_clip_holds_what_came_before_and_after(beside: Any, tmp_path: Path) -> None:
    run = beside(action('before_s = 0.05\nafter_s = 0.1\nclip = "clips/{name}.aedat4"'))
    wait_for(lambda: run.says("saved "))
    saved = next(line for line in run.told if "saved " in line)
    t_us = next(float(line.split(" s: ")[0]) for line in run.told if " s: 'seen'" in line) * 1e6
    events = events_in(tmp_path / "clips" / "seen.aedat4")
    assert f"{len(events):,} events" in saved
    assert t_us - 50_000 <= events["t"][0] <= t_us
    assert t_us + 90_000 <= events["t"][-1] < t_us + 100_000
    assert (np.diff(events["t"]) == 100).all()  # none is missing, none is there twice


def test_a_recording_goes_on_until_it_is_over_and_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "seen.aedat4").write_text("mine")
    run = Beside(tmp_path, action('before_s = 0.02\nafter_s = 0\nlongest_s = 1000\nrecord = "{name}.aedat4"'))
    wait_for((tmp_path / "seen-2.aedat4").exists)
    before = run.pipeline.status().total_events
    wait_for(lambda: run.pipeline.status().total_events > before + 5000)
    run.close()
    assert (tmp_path / "seen.aedat4").read_text() == "mine"
    assert run.says("saved ")
    events = events_in(tmp_path / "seen-2.aedat4")
    assert len(events) > 4000
    assert (np.diff(events["t"]) == 100).all()


def test_names_filled_in_make_no_folders(beside: Any, tmp_path: Path) -> None:
    run = beside(action('before_s = 0\nafter_s = 0\nclip = "clips/{name}.aedat4"', "../../out/../x"))
    wait_for(lambda: run.says("saved "))
    assert [path.name for path in (tmp_path / "clips").iterdir()] == ["____out___x.aedat4"]


LIMIT = """
import resource, sys
from pathlib import Path
import test_actions as t
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
folder = Path(sys.argv[1])
clip = t.action('longest_s = 1000\\nrecord = "full.aedat4"', "fills")
run = t.Beside(folder, clip + t.action(f"run = {t.python('open(chr(111), chr(119))')}", "other"))
t.wait_for(lambda: any(line.startswith("'fills': ") for line in run.told), 200)
t.wait_for((folder / "o").exists)
before = run.pipeline.status().predictions
t.wait_for(lambda: run.pipeline.status().predictions > before)
run.close()
print(next(line for line in run.told if line.startswith("'fills': ")))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files there")
def test_a_full_disk_under_a_recording_is_told_and_disturbs_nothing(tmp_path: Path) -> None:
    import subprocess

    ran = subprocess.run(
        [sys.executable, "-c", LIMIT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *sys.path])},
    )
    assert ran.returncode == 0, ran.stderr
    assert "File too large" in ran.stdout
    assert len(events_in(tmp_path / "full.aedat4")) > 100  # what came before is kept, and plays


def test_a_label_nobody_asks_for_is_told(beside: Any) -> None:
    run = beside('[[action]]\nlabel = "a zebra"\nrun = ["true"]')
    wait_for(lambda: run.says("'a zebra' cannot fire: 'a zebra' is no prompt and not taught"))
    run.pipeline.set_prompts(PROMPTS.add("A zebra"))
    wait_for(lambda: run.actions.fired)


BY_HAND = {"phone": ["a phone"], "scissors": ["scissors"], "mug": ["a mug"]}
"""What each recording shows, from its first second to its last: one firing each, and none of another's."""


@pytest.mark.parametrize("name", BY_HAND)
def test_on_real_recordings_each_fires_where_the_list_says_and_none_in_between(
    name: str, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "all.toml"
    labels = [label for seen in BY_HAND.values() for label in seen]
    rules.write_text("".join(f'[[action]]\nlabel = "{it}"\nleave = 0.2\nrun = ["true"]\n' for it in labels))
    recording = data_dir / "recordings" / "objects_dvs128" / f"{name}.aedat4"
    assert (
        main(["actions", "check", str(rules), str(recording), "-p", "a mug, a phone, scissors, a dog"]) == 0
    )
    fired = re.findall(r"^([\d.]+) s: '(.*?)': ", capsys.readouterr().out, re.M)
    assert [label for _, label in fired] == BY_HAND[name]
    assert float(fired[0][0]) < 2.0


def test_actions_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["actions"]) == 2
    assert "check" in capsys.readouterr().err


def test_a_terminal_that_does_not_answer_holds_nothing_up(tmp_path: Path) -> None:
    block = threading.Event()
    rules = rules_in(tmp_path, BASE + "for_s = 0\nat_most_every_s = 0")
    stuck = Actions(rules, lambda line: block.wait() and None, dry_run=True)
    for k in range(2000):
        stuck.write(seen(k / 10, p=0.9 * (k % 2)))
    assert stuck.fired == 1000
    block.set()
    stuck.close(None)
    assert 700 < stuck.lost_lines < 800
