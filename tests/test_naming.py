"""What cannot be used is told in one line that names the option: every option of every command."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from neuroclip_live.cli.main import cli, main

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "recordings" / "digits.aedat4"
NO_FILE = "no-such-file"

REPLAY = ["--replay", str(DEMO)]
RUN = ["--headless", "--speed", "max", "-p", "a, b"]
DATA = ["--dataset", "folder", "--root", str(ROOT / "recordings"), "--out", "out"]
SHOTS = {"evaluate": ["--shots", "0"], "train": ["--shots", "1"]}
TEACH = ["--show", f"a={DEMO}", "--out", "out"]
CERTIFICATES = ("--tls-ca", "--tls-cert", "--tls-key", "--tls-name")

MODEL = {
    "--model": ["nonsense", "no/such", ""],
    "--weights": [NO_FILE, ""],
    "--device": ["nonsense", "cuda:-1"],
    "--runtime": ["nonsense"],
    "--representation": ["nonsense", ""],
    "--fit": ["nonsense"],
    "--normalization": ["nonsense"],
    "--threads": ["0", "-1", "999999999999", "x"],
}
VALUES = {
    "": {
        **MODEL,
        "--replay": [NO_FILE, "", str(ROOT)],
        "--camera": ["no-such-camera"],
        "--connect": ["nonsense", "", "1.2.3.4:99999"],
        "--tls-ca": [NO_FILE, ""],
        "--tls-cert": [NO_FILE, ""],
        "--tls-key": [NO_FILE, ""],
        "--tls-name": [""],
        "--simulate": [NO_FILE],
        "--webcam": ["no-number", "9999"],
        "--source": ["nonsense", "", "replay", "network:nonsense", "jaer", "jaer:99x99", "jaer:x/346x260"],
        "--speed": ["0", "-1", "nan", "fast"],
        "--start": ["-1", "nan", "inf", "x", "1e9"],
        "--end": ["0", "-1", "nan", "inf", "x"],
        "--stream": ["nonsense", "9"],
        "--prompts": ["", " , "],
        "--prompt-file": [NO_FILE, "", str(ROOT)],
        "--templates": ["nonsense", "", " "],
        "--adapter": [NO_FILE, "", str(ROOT)],
        "--taught": [NO_FILE, "", str(ROOT)],
        "--motion": ["nonsense", "-1", "nan", ""],
        "--smoothing": ["-1", "nan", "61", "x"],
        "--sure": ["-0.1", "1.5", "nan", "x"],
        "--sensor": ["nonsense", "0x0", "-1x5"],
        "--time-unit": ["nonsense"],
        "--output": ["nonsense", "", "jsonl"],
        "--serve": ["nonsense", "", "host:", ":80"],
        "--serve-token": ["x"],
        "--serve-cert": [NO_FILE],
        "--serve-key": [NO_FILE],
        "--serve-events": ["nonsense", "", "host:", ":80", "0.0.0.0:0"],
        "--serve-ca": [NO_FILE],
        "--actions": [NO_FILE, "", str(ROOT), str(DEMO)],
        "--actions-log": [f"{NO_FILE}/x", "", str(ROOT)],
        "--region": ["nonsense", "", "1,2,3", "0,0,4,4", "900,900,950,950", "0,0,1e9,9"],
        "--noise-filter": ["0", "-1", "nan", "1e9", "x"],
        "--turn": ["45", "x"],
        "--slice": ["nonsense", "0", "-5ms", "999999999999", "9999999s", ""],
        "--overlap": ["0", "-1", "17", "x"],
        "--timesteps": ["0", "-1", "65", "x"],
        "--threshold": ["-1", "1001", "x"],
        "--most-objects": ["0", "-1", "x"],
        "--smallest-object": ["0", "-1", "x"],
        "--jsonl": [f"{NO_FILE}/x", "", str(ROOT)],
        "--record": [str(DEMO), "", str(ROOT)],
        "--duration": ["0", "-1", "nan", "inf", "x"],
        "--config": [NO_FILE, "", str(DEMO)],
    },
    "repair": {"--out": ["", str(ROOT), str(DEMO / "x")]},
    "teach": {
        **MODEL,
        "--show": ["nonsense", "=", f"a={NO_FILE}", "a="],
        "--seconds": ["0", "-1", "nan", "inf"],
        "--slice": ["nonsense", "0", ""],
        "--timesteps": ["0", "65"],
        "--out": ["", str(ROOT)],
    },
}
VALUES["evaluate"] = {
    **MODEL,
    "--dataset": ["nonsense", ""],
    "--root": [NO_FILE, ""],
    "--templates": ["nonsense", ""],
    "--slice": ["nonsense", "0", ""],
    "--overlap": ["0", "17"],
    "--timesteps": ["0", "65"],
    "--threshold": ["-1"],
    "--limit": ["0", "-1"],
    "--copies": ["0", "999999999999"],
    "--epochs": ["0", "-1", "999999999999"],
    "--ratio": ["-1", "nan", "inf", "2"],
    "--out": ["", str(ROOT)],
    "--shots": ["nonsense", "-1", ""],
}
VALUES["convert"] = {
    "--start": ["-1", "nan", "inf", "x"],
    "--end": ["0", "-1", "nan", "inf", "x"],
    "--stream": ["nonsense", "9"],
    "--sensor": ["nonsense", "0x0", ""],
    "--time-unit": ["nonsense"],
}
VALUES["train"] = {**VALUES["evaluate"], "--shots": ["0", "-1", "x"], "--seed": ["-1", "x"]}
VALUES["evaluate"] |= {"--seeds": ["0", "999999999999"], "--methods": ["nonsense", "", ","]}
VALUES["index"] = {
    **MODEL,
    "--into": ["", str(DEMO)],
    "--slice": ["nonsense", "0", ""],
    "--overlap": ["0", "17"],
    "--timesteps": ["0", "65"],
    "--motion": ["nonsense", "-1", ""],
    "--threshold": ["-1"],
    "--stride": ["0", "65"],
    "--ray": [str(DEMO)],  # the word after --ray is taken for an address
}
VALUES["search"] = {
    "--and": [""],
    "--not": [""],
    "--like": ["nonsense", ""],
    "--top": ["0", "-1"],
    "--least": ["-1", "2", "nan"],
    "--min-duration": ["-1", "nan"],
    "--files": [""],
    "--sensor": [""],
    "--since": ["nonsense", ""],
    "--until": ["nonsense", ""],
    "--clips": ["", str(DEMO)],
}
VALUES["label"] = {
    **{option: values for option, values in VALUES["index"].items() if option not in ("--into", "--ray")},
    "--prompts": [NO_FILE, "", str(ROOT)],
    "--out": ["", str(ROOT), "labels.xlsx"],
    "--index": ["", str(DEMO)],
    "--floor": ["0", "-1", "2", "nan"],
    "--min-duration": ["-1", "nan"],
    "--review": ["-1", "x"],
    "--folder": ["", str(ROOT), str(DEMO)],
    "--yolo": ["", str(ROOT), str(DEMO), "new"],  # the last: there are no boxes without --objects
    "--coco": ["", str(ROOT), str(DEMO), "new"],
}
GIVEN = [(c, o, v) for c, options in VALUES.items() for o, values in options.items() for v in values]


def line_of(command: str, option: str, value: str) -> list[str]:
    """Return a command line that is right but for one option."""
    if not command:
        line = list(RUN)
        if option in ("--prompts", "--prompt-file"):
            line = line[:-2]
        if option in CERTIFICATES:
            line += ["--connect", "127.0.0.1:1"]
        elif option not in ("--replay", "--camera", "--connect", "--simulate", "--webcam"):
            line += REPLAY
    elif command == "repair":
        line = ["repair", str(DEMO)]
    elif command == "index":
        line = ["index", str(ROOT / "recordings"), "--into", "out"]
    elif command == "label":
        words = str(ROOT / "CITATION.cff")  # lines of text, as a file of labels
        line = ["label", str(ROOT / "recordings"), "--prompts", words, "--out", "labels.csv"]
    elif command == "search":
        line = ["search", NO_FILE, "a mug"]
    elif command == "convert":
        line = ["convert", str(DEMO), "out.aedat4"]
    else:
        rest = TEACH if command == "teach" else [*DATA, *SHOTS[command]]
        line = [command, *rest]
    if option in line:
        at = line.index(option)
        del line[at : at + 2]
    if option == "--weights":
        line += ["--model", "ViT-B-32"]
    return [*line, f"{option}={value}"]


@pytest.mark.parametrize(("command", "option", "value"), GIVEN)
def test_the_option_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    option: str,
    value: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(line_of(command, option, value)) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert option in told
    assert list(tmp_path.iterdir()) == []


def test_every_option_with_a_value_is_tried() -> None:
    for name, command in {"": cli, **cli.loaded()}.items():
        options = {
            parameter.opts[-1]
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.is_flag
        }
        assert options == set(VALUES.get(name, {})), name
