"""The bundled model without torch: the same features, the same lines, and one line for what needs more."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from neuroclip_live import extras
from neuroclip_live.cli import doctor
from neuroclip_live.errors import UserError
from neuroclip_live.model import converted_cache, plain_weights
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.model.checkpoints import load as load_with_torch
from neuroclip_live.model.image_network import image_network, is_buildable
from neuroclip_live.model.model_names import MODELS_DIR, parse_model

HIDDEN = ("torch", "torchvision", "open_clip", "timm", "spikingjelly")

HIDE = f"import sys\nfor name in {HIDDEN!r}: sys.modules[name] = None\n"
"""An import of what stands as None in ``sys.modules`` fails as if it were not installed."""


def run(code: str, tmp_path, *arguments: str, hide: bool = True) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with an empty home."""
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return subprocess.run(
        [sys.executable, "-c", (HIDE if hide else "") + code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **places, "QT_QPA_PLATFORM": "offscreen", "HF_HUB_OFFLINE": "1"},
        timeout=300,
        check=False,
    )


PROGRAM = "import sys\nfrom neuroclip_live.cli.main import main\nsys.exit(main(sys.argv[1:]))\n"


def frames() -> np.ndarray:
    drawn = np.full((3, 128, 160), 127, np.uint8)
    drawn[0, 30:90, 40:110] = 0
    drawn[1, ::7, 20:100] = 255
    drawn[2] = np.random.default_rng(3).choice([0, 127, 255], drawn[2].shape, p=[0.05, 0.9, 0.05])
    return drawn


def test_features_equal_those_of_torch(tmp_path, monkeypatch):
    monkeypatch.setattr(converted_cache, "cache_folder", lambda: tmp_path)
    plain = load_backbone()
    assert plain.info.runtime == "openvino"
    with_torch = load_backbone(runtime="torch")
    ours, theirs = plain.encode_frames(frames()), with_torch.encode_frames(frames())
    assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()
    assert plain.info.logit_scale == pytest.approx(with_torch.info.logit_scale, rel=1e-6)
    for name in ("context_length", "parameters", "mean", "std", "fit", "focus", "templates", "none_gap"):
        assert getattr(plain.info, name) == getattr(with_torch.info, name), name
    np.testing.assert_allclose(plain.encode_texts(["a mug"]), with_torch.encode_texts(["a mug"]), atol=1e-6)


def test_a_first_start_imports_no_torch(tmp_path):
    code = (
        "import sys\nfrom neuroclip_live.model.backbone import load_backbone\n"
        f"load_backbone()\nprint([name for name in {HIDDEN!r} if name in sys.modules])"
    )
    assert run(code, tmp_path, hide=False).stdout.strip() == "[]"


def test_the_lines_of_a_recording_are_the_same(tmp_path):
    arguments = ("--headless", "--speed", "max", "--end", "2", "--jsonl", "-")
    without = run(PROGRAM, tmp_path, *arguments)
    with_torch = run(PROGRAM, tmp_path, *arguments, "--runtime", "torch", hide=False)
    assert without.returncode == 0, without.stderr
    ours, theirs = ([json.loads(line) for line in done.stdout.splitlines()] for done in (without, with_torch))
    assert len(ours) == len(theirs) > 10
    for one, other in zip(ours[1:-1], theirs[1:-1], strict=True):
        assert (one["t_us"], one["label"]) == (other["t_us"], other["label"])
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--headless", "--model", "ViT-B-32/openai"), "ViT-B-32/openai needs open_clip_torch"),
        (("--headless", "--adapter", "mine.safetensors"), "--adapter needs torch"),
        (("--headless", "--device", "cuda"), "--device cuda needs torch"),
        (("--headless", "--runtime", "torch"), "needs torch"),
        (("train", "--dataset", "folder", "--root", ".", "--shots", "1", "--out", "a"), "train needs torch"),
        (("evaluate", "--dataset", "folder", "--root", ".", "--out", "a.csv"), "evaluate needs torch"),
    ],
)
def test_what_needs_torch_says_so_in_one_line(tmp_path, arguments, named):
    done = run(PROGRAM, tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert named in done.stderr
    assert f'pip install "{extras.ALL}"' in done.stderr


def test_teaching_says_so_before_anything_is_collected(tmp_path):
    code = (
        "from neuroclip_live.learning.teaching import Teacher\n"
        "from neuroclip_live.errors import UserError\n"
        "teacher = Teacher('event-nano', 4, 2, 10.0, lambda adapter: None)\n"
        "teacher.prepare()\n"
        "try: teacher.begin('a mug')\n"
        "except UserError as error: print(error)\n"
        "print(teacher.close())\n"
    )
    assert run(code, tmp_path).stdout.splitlines() == [
        f'teaching needs torch, not installed here: pip install "{extras.ALL}"',
        "True",
    ]


def test_doctor_and_models_go_through(tmp_path):
    report = run(PROGRAM, tmp_path, "doctor")
    assert "GPU" in report.stdout
    assert "the check itself failed" not in report.stdout + report.stderr
    models = run(PROGRAM, tmp_path, "models")
    assert models.returncode == 0, models.stderr
    assert extras.ALL in models.stdout


def test_doctor_names_what_brings_torch(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "torch" else "1.0")
    findings = {check.name: check for check in doctor.check_versions()}
    assert findings["packages"].status == "ok"
    assert findings["torch"].text.startswith("not installed: torch;")
    assert extras.ALL in findings["torch"].fix


def test_the_front_door_explains_itself(tmp_path):
    code = "import neuroclip_live as nl\ntry: nl.load_adapter\nexcept nl.UserError as error: print(error)"
    assert extras.ALL in run(code, tmp_path).stdout


def bundled_weights() -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(MODELS_DIR / "event_nano" / "open_clip_model.safetensors")


def test_a_tower_of_another_kind_is_refused():
    weights = bundled_weights()
    with pytest.raises(KeyError, match=r"conv_stem"):
        image_network({k: v for k, v in weights.items() if "conv_stem" not in k}, 96)
    with pytest.raises(ValueError, match=r"visual.more"):
        image_network({**weights, "visual.more": np.zeros(3, np.float32)}, 96)
    assert not is_buildable({"model_cfg": {"vision_cfg": {"timm_model_name": "resnet50", "image_size": 96}}})
    assert not is_buildable({"model_cfg": {}})


def test_bundled_weights_that_are_damaged_are_named(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in (MODELS_DIR / "event_nano").iterdir():
        if file.name != "open_clip_model.safetensors":
            (folder / file.name).symlink_to(file)
    whole = (MODELS_DIR / "event_nano" / "open_clip_model.safetensors").read_bytes()
    (folder / "open_clip_model.safetensors").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(plain_weights, "have", lambda module: False)
    with pytest.raises(UserError, match=r"open_clip_model.safetensors is not a readable safetensors file"):
        load_backbone(str(folder))
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"open_clip_model.safetensors"):
        load_with_torch(parse_model(str(folder)), lambda message, share: None)


def test_other_import_errors_are_left_alone():
    assert extras.explained(ImportError("no", name="something.else")) is None
    assert extras.explained(ImportError("broken inside", name="torch")) is None  # it is installed
