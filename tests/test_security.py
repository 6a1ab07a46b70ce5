"""What the threat model in docs/security.md promises of the code as a whole, and of files that carry code."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import make_tiny_model

from neuroclip_live.cli.main import main
from neuroclip_live.datasets.formats import UnreadableSample, read_events_npz, read_frames_npz, read_sample
from neuroclip_live.errors import UserError
from neuroclip_live.learning.adapter import load_adapter
from neuroclip_live.learning.adapter_training import train_adapter
from neuroclip_live.learning.lesson_file import read_lessons
from neuroclip_live.learning.train_settings import TrainSettings
from neuroclip_live.model import converted_cache
from neuroclip_live.model.backbone import load_backbone

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("neuroclip_live", "drivers", "gui")
ALL = (*PRODUCT, "recordings", "benchmarks", "training", ".ci", "docs")

# ---- the source itself

PICKLES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
NAMES_ONLY = {"PickleError", "UnpicklingError"}
"""Naming what a library raises is not unpickling."""
YAML_LOADERS = {"load", "load_all", "full_load", "unsafe_load"}
SHELLS = {("os", "system"), ("os", "popen"), ("tempfile", "mktemp")}
UNVERIFIED = {"CERT_NONE", "_create_unverified_context"}
SERVER = "drivers/neuroclip_drivers/network/listening.py"
"""The only place that listens; ``test_server.py`` and ``test_event_server.py`` are about who does."""
SERVING = {"bind", "listen", "create_server", "HTTPServer", "ThreadingHTTPServer", "TCPServer", "QTcpServer"}


def findings(tree: ast.AST, *, product: bool) -> Iterator[str]:
    """Yield what must not be in the source, with its line."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.ImportFrom) and node.module in PICKLES:
            if not {alias.name for alias in node.names} <= NAMES_ONLY:
                yield f"{line}: from {node.module} import"
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner in PICKLES and node.attr not in NAMES_ONLY:
                yield f"{line}: {owner}.{node.attr}"
            if (owner, node.attr) in SHELLS or node.attr in UNVERIFIED or node.attr == "extractall":
                yield f"{line}: {owner}.{node.attr}"
            if owner == "yaml" and node.attr in YAML_LOADERS:
                yield f"{line}: yaml.{node.attr}"
            if product and node.attr in SERVING:
                yield f"{line}: {owner}.{node.attr} serves"
        elif isinstance(node, ast.Call):
            yield from _calls(node, line)


def _calls(node: ast.Call, line: int) -> Iterator[str]:
    called = ast.unparse(node.func)
    given = {keyword.arg: keyword.value for keyword in node.keywords}

    def is_set(name: str, value: object) -> bool:
        kept = given.get(name)
        return isinstance(kept, ast.Constant) and kept.value is value

    if called in ("eval", "exec", "compile", "__import__"):
        yield f"{line}: {called}()"
    if called == "torch.load" and not is_set("weights_only", True):
        yield f"{line}: torch.load without weights_only=True"
    if called == "torch.jit.load":
        yield f"{line}: torch.jit.load"
    if "allow_pickle" in given and not is_set("allow_pickle", False):
        yield f"{line}: allow_pickle"
    if "weights_only" in given and not is_set("weights_only", True):
        yield f"{line}: weights_only"
    if "shell" in given and not is_set("shell", False):
        yield f"{line}: shell"
    if "trust_remote_code" in given:
        yield f"{line}: trust_remote_code"


def sources(rooms: tuple[str, ...]) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", sources(ALL), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_unpickles_evaluates_or_serves(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    product = name.split("/")[0] in PRODUCT and name != SERVER
    found = list(findings(ast.parse(path.read_text(encoding="utf-8")), product=product))
    assert not found, found


@pytest.mark.parametrize(
    "bad",
    [
        "import pickle; pickle.load(f)",
        "import pickle; pickle.Unpickler(f).load()",
        "from pickle import loads",
        "import marshal; marshal.loads(b)",
        "import joblib; joblib.load(f)",
        "eval(text)",
        "exec(text)",
        "yaml.load(text)",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "torch.load(f, weights_only=flag)",
        "torch.jit.load(f)",
        "np.load(f, allow_pickle=True)",
        "np.load(f, allow_pickle=flag)",
        "subprocess.run(c, shell=True)",
        "os.system(c)",
        "archive.extractall(folder)",
        "context.verify_mode = ssl.CERT_NONE",
        "AutoModel.from_pretrained(n, trust_remote_code=True)",
        "socket.socket().bind(('', 1))",
        "http.server.HTTPServer(a, b)",
    ],
)
def test_the_scan_finds_what_it_looks_for(bad: str) -> None:
    assert list(findings(ast.parse(bad), product=True))


def test_the_scan_leaves_alone_what_is_harmless() -> None:
    fine = (
        "import pickle\nmodel.eval()\nnp.load(f)\nnp.load(f, allow_pickle=False)\nyaml.safe_load(t)\n"
        "torch.load(f, weights_only=True)\nraise pickle.UnpicklingError"
    )
    assert not list(findings(ast.parse(fine), product=True))


WATCHED = """
import os, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
def watch(event, args):
    if event.startswith("socket.") or event == "pickle.find_class":
        caller = sys._getframe(1).f_code.co_filename
        os.write(log, f"{event}\\t{caller}\\t{args!r}\\n".encode())
sys.addaudithook(watch)
from neuroclip_live.cli.main import program
sys.argv = ["neuroclip-live", "--headless", "--speed", "max", "--duration", "1", "--jsonl", os.devnull]
program()
"""


@pytest.mark.timeout(1000)  # where no other run kept the model converted, this one does it
def test_a_run_reaches_for_no_network_and_unpickles_nothing(tmp_path: Path) -> None:
    """Python's own audit hooks tell of every connection, and of every name looked up for a pickle."""
    log = tmp_path / "events"
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    run = subprocess.run(
        [sys.executable, "-c", WATCHED, str(log)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr
    told = [line.split("\t") for line in log.read_text().splitlines()]
    # Numba keeps compiled code as pickles beside the modules' own .pyc files: who can write there owns both
    left = [each for each in told if not (each[0] == "pickle.find_class" and "numba" in each[1])]
    assert not [each for each in left if each[0] not in ("socket.__new__", "socket.gethostname")], left


def test_training_keeps_its_names_as_plain_arrays(tmp_path: Path) -> None:
    from training.gathering import keep_vocabulary, read_vocabulary
    from training.vocabulary import Vocabulary

    some = Vocabulary(
        ("a mug", "schön"),
        np.eye(3, 4, dtype=np.float32),
        np.array([0, 2]),
        np.array([2, 1]),
        np.array([[False, True], [True, False]]),
    )
    keep_vocabulary(some, tmp_path / "v.npz")
    back = read_vocabulary(tmp_path / "v.npz")
    assert back.names == some.names
    for name in ("vectors", "first", "count", "near"):
        np.testing.assert_array_equal(getattr(back, name), getattr(some, name))
        assert getattr(back, name).dtype == getattr(some, name).dtype


# ---- files that carry code


class Bomb:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.target), 0o700)


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """Where a bomb would show that it went off; it must not have, whatever the test did."""
    target = tmp_path / "went-off"
    yield target
    assert not target.exists(), "the pickled code was run"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converted_cache, "cache_folder", lambda: tmp_path / "cache")


@pytest.fixture(scope="module")
def arch(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    import open_clip

    name = "tiny-for-security"
    known = tmp_path_factory.mktemp("configs") / f"{name}.json"
    known.write_text(json.dumps(json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]))
    open_clip.add_model_config(known)
    return name


def test_a_bomb_does_go_off(tmp_path: Path) -> None:
    target = tmp_path / "here"
    pickle.loads(pickle.dumps(Bomb(target)))
    assert target.is_dir()


def bombs(target: Path) -> dict[str, bytes]:
    """Every way to wrap pickled code in something that looks like weights, by the name of the file."""
    plain = pickle.dumps(Bomb(target))
    inside, legacy, zipped, array, arrays = (io.BytesIO() for _ in range(5))
    torch.save({"state_dict": Bomb(target)}, inside)
    torch.save({"state_dict": Bomb(target)}, legacy, _use_new_zipfile_serialization=False)
    torch.save(Bomb(target), zipped)
    objects = np.array([Bomb(target)], dtype=object)
    np.save(array, objects, allow_pickle=True)
    np.savez(arrays, objects)
    return {
        "plain.bin": plain,
        "plain.pt": plain,
        "plain.safetensors": plain,
        "inside.pt": inside.getvalue(),
        "inside.pth": inside.getvalue(),
        "legacy.pt": legacy.getvalue(),
        "zipped.ckpt": zipped.getvalue(),
        "renamed.safetensors": zipped.getvalue(),
        "array.npy": array.getvalue(),
        "arrays.npz": arrays.getvalue(),
    }


BOMBS = tuple(bombs(Path("nowhere")))


@pytest.mark.parametrize("name", BOMBS)
def test_weights_with_code_in_them_are_refused(name: str, arch: str, tmp_path: Path, mark: Path) -> None:
    path = tmp_path / name
    path.write_bytes(bombs(mark)[name])
    with pytest.raises(UserError, match=name) as caught:
        load_backbone(arch, weights=path, device="cpu", runtime="torch")
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_torchscript_is_refused(arch: str, tmp_path: Path) -> None:
    class Module(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1

    path = tmp_path / "script.pt"
    torch.jit.trace(Module(), torch.zeros(1)).save(str(path))
    with pytest.raises(UserError, match=r"script\.pt"):
        load_backbone(arch, weights=path, device="cpu", runtime="torch")


def test_the_command_line_refuses_them_too(
    arch: str, tmp_path: Path, mark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "inside.pt"
    path.write_bytes(bombs(mark)["inside.pt"])
    assert main(["--headless", "--speed", "max", "--model", arch, "--weights", str(path)]) == 2
    assert "pickled code, which is never run" in " ".join(capsys.readouterr().err.split())


def test_a_model_folder_with_pickled_weights(folder: Path, tmp_path: Path, mark: Path) -> None:
    bad = tmp_path / "model"
    bad.mkdir()
    (bad / "open_clip_config.json").write_bytes((folder / "open_clip_config.json").read_bytes())
    (bad / "open_clip_pytorch_model.bin").write_bytes(bombs(mark)["inside.pt"])
    with pytest.raises(UserError):
        load_backbone(str(bad), device="cpu", runtime="torch")


def test_adapters_lessons_samples_and_interrupted_training(tmp_path: Path, mark: Path) -> None:
    for name, data in bombs(mark).items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(UserError):
            load_adapter(path)
        with pytest.raises(UserError):
            read_lessons(path, "event-nano", 512, 10)
        with pytest.raises(UnreadableSample):
            read_sample(path, read_events_npz)
        with pytest.raises(UnreadableSample):
            read_frames_npz(path)
    random = np.random.default_rng(0)
    shots = random.normal(size=(4, 2, 16)).astype(np.float32)
    with pytest.raises(UserError, match="damaged"):
        train_adapter(
            shots,
            np.array([0, 0, 1, 1]),
            np.eye(2, 16, dtype=np.float32),
            names=("a", "b"),
            model="tiny",
            logit_scale=10.0,
            settings=TrainSettings(epochs=2),
            checkpoint=tmp_path / "inside.pt",
        )


@pytest.mark.parametrize(
    ("part", "changes", "words"),
    [
        ("text_cfg", {"tokenizer_kwargs": {"trust_remote_code": True}}, "trust_remote_code"),
        ("text_cfg", {"tokenizer_kwargs": {"bpe_path": "/etc/passwd"}}, "bpe_path"),
        ("text_cfg", {"tokenizer_kwargs": ["x"]}, "tokenizer"),
        ("text_cfg", {"hf_tokenizer_name": "/home/somebody/tokenizer"}, "paths are not followed"),
        ("text_cfg", {"hf_tokenizer_name": "../other"}, "paths are not followed"),
        ("text_cfg", {"hf_model_name": "../../model"}, "paths are not followed"),
        ("text_cfg", {"hf_model_name": "a/b/c"}, "paths are not followed"),
        ("vision_cfg", {"timm_model_name": "local-dir:/tmp/model"}, "paths are not followed"),
        ("vision_cfg", {"timm_model_name": "hf-hub:other/model"}, "paths are not followed"),
    ],
)
def test_a_configuration_cannot_run_code_or_name_files(
    folder: Path, tmp_path: Path, part: str, changes: dict[str, object], words: str
) -> None:
    bad = tmp_path / "model"
    bad.mkdir()
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"][part] = {**config["model_cfg"][part], **changes}
    (bad / "open_clip_config.json").write_text(json.dumps(config))
    (bad / "open_clip_model.safetensors").write_bytes((folder / "open_clip_model.safetensors").read_bytes())
    with pytest.raises(UserError, match=words):
        load_backbone(str(bad), device="cpu", runtime="torch")


def test_open_clips_own_configurations_pass(tmp_path: Path) -> None:
    """What is refused above is nothing that published models need."""
    import open_clip

    from neuroclip_live.model.model_config import read_config

    path = tmp_path / "open_clip_config.json"
    names = open_clip.list_models()
    assert len(names) > 50
    for name in names:
        path.write_text(json.dumps({"model_cfg": open_clip.get_model_config(name)}))
        read_config(path)
