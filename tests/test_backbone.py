"""The model door, on tiny models with random weights: no download, no GPU."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pickle
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import CNN, CONTEXT, EMBED_DIM, VIT, make_tiny_model

from neuroclip_live.errors import UserError
from neuroclip_live.model import converted_cache, devices, hub
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.model.model_names import parse_model
from neuroclip_live.model.runtimes import openvino_runtime, plain_torch
from neuroclip_live.model.runtimes import runtime as runtimes
from neuroclip_live.model.runtimes.registry import RUNTIMES
from neuroclip_live.prompting.prompts import PromptEncoder, parse_prompts
from neuroclip_live.stream.frames import fit_frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(converted_cache, "cache_folder", lambda: tmp_path / "cache")


@pytest.fixture(scope="module")
def eager(folder):
    return load_backbone(str(folder), runtime="torch", device="cpu")


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).choice(np.array([0, 127, 255], np.uint8), size=(3, 30, 40))


def need_openvino():
    if not openvino_runtime.openvino_available():
        pytest.skip("OpenVINO has no wheel for this platform")


def open_clip_model(folder):
    import open_clip

    with hub.silent():
        return open_clip.create_model(f"local-dir:{folder}").eval()


def test_features_are_open_clips_own(folder, eager, frames):
    assert eager.info.embed_dim == EMBED_DIM
    assert (eager.info.image_size, eager.info.context_length, eager.info.fit) == (32, CONTEXT, "letterbox")
    assert (eager.info.device, eager.info.runtime, eager.info.bundled) == ("cpu", "torch", False)
    assert eager.info.logit_scale == pytest.approx(np.exp(3.0), rel=1e-5)
    fitted = np.stack([fit_frame(f, 32) for f in frames]).astype(np.float32) / 255
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.3, 0.4])
    images = (fitted[:, None] - mean[:, None, None]) / std[:, None, None]
    with torch.no_grad():
        expected = open_clip_model(folder).encode_image(torch.from_numpy(images).float()).numpy()
    features = eager.encode_frames(frames)
    assert features.shape == (3, EMBED_DIM)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_a_frame_alone_equals_that_frame_in_a_batch(eager, frames):
    one_by_one = np.concatenate([eager.encode_frames(frames[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(eager.encode_frames(frames), one_by_one, rtol=1e-4, atol=1e-4)
    assert eager.encode_frames(frames[:0]).shape == (0, EMBED_DIM)


@pytest.mark.parametrize("bad", [np.zeros((3, 4), np.uint8), np.zeros((1, 3, 4), np.float32)])
def test_what_is_not_a_stack_of_frames_is_refused(eager, bad):
    with pytest.raises(ValueError, match="uint8"):
        eager.encode_frames(bad)


def test_the_references_normalization_is_an_option(folder, frames):
    backbone = load_backbone(
        str(folder), runtime="torch", device="cpu", normalization="reference", fit="squash"
    )
    batch = backbone.preprocess(frames)
    np.testing.assert_allclose(batch[0, 1], fit_frame(frames[0], 32, "squash") / 255 - 0.5, atol=1e-6)
    assert (backbone.info.normalization, backbone.info.fit) == ("reference", "squash")


def test_focus_crops_to_the_activity(folder):
    backbone = load_backbone(str(folder), runtime="torch", device="cpu", focus=True)
    frame = np.full((64, 64), 127, np.uint8)
    frame[4:24, 4:24] = 0
    assert (backbone.preprocess.fitted(frame) == 0).mean() > 2 * (fit_frame(frame, 32) == 0).mean()


def test_texts_are_unit_features_in_chunks(folder, eager):
    import open_clip

    texts = [f"thing number {i}" for i in range(70)]
    with hub.silent(), torch.no_grad():
        tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(texts)
        expected = open_clip_model(folder).encode_text(tokens, normalize=True).numpy()
    features = eager.encode_texts(texts)
    np.testing.assert_allclose(features, expected, atol=1e-5)
    assert eager.encode_texts([]).shape == (0, EMBED_DIM)


def test_token_counts_are_of_the_whole_text(eager):
    assert eager.token_counts(["mug", "", "word " * 50]) == [3, 2, 52]
    with pytest.raises(UserError, match=f"52 tokens long; tiny reads {CONTEXT}"):
        PromptEncoder(eager).encode(parse_prompts("word " * 50))


def test_any_unicode_is_encoded(eager):
    table = PromptEncoder(eager).encode(
        parse_prompts("日本語, 🐕‍🦺, \udc80, e\u0301, \u202eabc, <end_of_text>")
    )
    assert np.isfinite(table.features).all()
    assert len(table.labels) == 6


@pytest.mark.parametrize("vision", [VIT, CNN], ids=["vit", "cnn"])
@pytest.mark.parametrize("runtime", RUNTIMES.names())
def test_runtimes_agree_with_torch(tmp_path, frames, vision, runtime):
    if RUNTIMES.find(runtime).missing:
        pytest.skip(f"{runtime} is not installed")
    model = str(make_tiny_model(tmp_path / "m", vision))
    (tmp_path / "cache").write_text("a file where the folder should be: nothing can be kept")
    expected = load_backbone(model, runtime="torch", device="cpu").encode_frames(frames)
    backbone = load_backbone(model, runtime=runtime, device="cpu")
    assert backbone.info.runtime == runtime
    features = backbone.encode_frames(frames)
    np.testing.assert_allclose(features, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(
        backbone.encode_frames(frames[:1]), features[:1], atol=1e-5 * np.abs(expected).max()
    )
    assert backbone.encode_texts(["still works"]).shape == (1, EMBED_DIM)


def test_a_model_is_kept_used_again_and_mended(tmp_path, folder, frames, eager, monkeypatch):
    need_openvino()
    texts = ["a mug", "日本語", "word " * 50]
    made = load_backbone(str(folder), device="cpu")
    (home,) = (tmp_path / "cache").iterdir()

    def load(*args):
        raise AssertionError("loaded twice")

    with monkeypatch.context() as patch:
        patch.setattr("neuroclip_live.model.backbone.load", load)
        again = load_backbone(str(folder), device="cpu", fit="squash")
    assert again.info == dataclasses.replace(made.info, fit="squash")
    assert again.token_counts(texts) == eager.token_counts(texts)
    np.testing.assert_allclose(again.encode_texts(texts), eager.encode_texts(texts), atol=1e-5)
    shutil.rmtree(home / "compiled")
    (home / "image.xml").write_text("not a network")
    mended = load_backbone(str(folder), device="cpu")
    expected = eager.encode_frames(frames)
    for backbone in (made, mended):
        assert backbone.info.runtime == "openvino"
        features = backbone.encode_frames(frames)
        np.testing.assert_allclose(features, expected, atol=1e-4 * np.abs(expected).max())
    # later starts need neither torch nor open_clip, and say the same
    code = (
        "import sys, pathlib, numpy as np; from neuroclip_live.model import converted_cache, backbone;"
        "converted_cache.cache_folder = lambda: pathlib.Path(sys.argv[2]);"
        "b = backbone.load_backbone(sys.argv[1]);"
        "assert not {'torch', 'open_clip'} & set(sys.modules);"
        "np.save(sys.argv[3], b.encode_frames(np.load(sys.argv[4])))"
    )
    np.save(tmp_path / "frames.npy", frames)
    arguments = [folder, tmp_path / "cache", tmp_path / "out.npy", tmp_path / "frames.npy"]
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-4 * np.abs(expected).max())


def test_what_is_kept_belongs_to_these_files(tmp_path, folder):
    other = shutil.copytree(folder, tmp_path / "tiny")
    files = [other / "open_clip_config.json", other / "open_clip_model.safetensors"]
    before = converted_cache.folder_for("tiny", files)
    assert before == converted_cache.folder_for("tiny", [folder / file.name for file in files])
    files[0].write_text(files[0].read_text() + " ")
    assert converted_cache.folder_for("tiny", files) != before
    assert converted_cache.folder_for("tiny", []) is None


def test_old_versions_are_forgotten(tmp_path):
    homes = [tmp_path / f"tiny_{i}" for i in range(5)]
    for i, home in enumerate([*homes, tmp_path / "other_1"]):
        home.mkdir()
        os.utime(home, (i, i))
    converted_cache._forget_old_versions(homes[4])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other_1", "tiny_2", "tiny_3", "tiny_4"]


def test_openvino_reports_to_nobody(folder):
    need_openvino()
    assert sys.modules.get("openvino_telemetry") is None


def test_a_runtime_that_is_not_installed_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r'needs .*onnxruntime.*pip install "neuroclip-live\[onnx\]"'):
        load_backbone(str(folder), device="cpu", runtime="onnx")


def test_auto_falls_back_to_torch_and_says_why(folder, caplog, monkeypatch):
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setitem(sys.modules, "openvino", None)
        assert load_backbone(str(folder), device="cpu").info.runtime == "torch"
        assert "does not run in openvino: it is not installed" in caplog.text
        with pytest.raises(UserError, match='pip install "openvino"'):
            load_backbone(str(folder), device="cpu", runtime="openvino")
    need_openvino()
    monkeypatch.setattr(openvino_runtime, "convert", lambda tower, size: None)
    monkeypatch.setattr(
        openvino_runtime, "OpenVinoRuntime", lambda *args: lambda batch: np.ones((1, EMBED_DIM))
    )
    with caplog.at_level(logging.INFO):
        assert load_backbone(str(folder), device="cpu").info.runtime == "torch"
    assert "differ from plain torch's by" in caplog.text


def test_half_precision_weights_and_facts(tmp_path, frames):
    facts = {"logit_scale": 25.0, "none_cosine": 0.2, "fit": "squash", "focus": True, "threshold": 1}
    backbone = load_backbone(
        str(make_tiny_model(tmp_path / "m", facts=facts, half=True)), runtime="torch", device="cpu"
    )
    info = backbone.info
    assert (info.logit_scale, info.none_logit, info.fit) == (25.0, 5.0, "squash")
    assert (info.focus, info.threshold) == (True, 1)
    assert backbone.encode_frames(frames).dtype == np.float32
    assert backbone.familiarity("mug") is None


def test_familiarity_compares_with_the_models_vocabulary(folder, eager, tmp_path):
    from neuroclip_live.model.vocabulary import Vocabulary

    taught = shutil.copytree(folder, tmp_path / "taught")
    names = ["mug", "dog", "scissors"]
    Vocabulary(names, eager.encode_texts(names), low=0.1, high=0.9).save(taught)
    backbone = load_backbone(str(taught), runtime="torch", device="cpu")
    known = backbone.familiarity("dog")
    assert known is not None
    assert (known.nearest[0], known.score) == ("dog", 1.0)
    assert backbone.familiarity("dog") is known
    for label, kind in (("a dog", "name"), ("zwxqk", "unknown"), ("very fast", "describes")):
        found = backbone.familiarity(label)
        assert found is not None
        assert found.kind == kind
        assert found.hardly_known == (kind == "unknown")
    assert eager.familiarity("dog") is None


def test_out_of_memory_moves_to_the_cpu_with_a_notice(folder, frames, eager, monkeypatch):
    class Full:
        """Has room for the first frame, at loading, and for no other."""

        name, device = "torch", "cuda:0"

        def __init__(self, tower, device="cpu"):
            self.real, self.device, self.calls = made(tower), device, 0

        def __call__(self, batch):
            self.calls += 1
            if self.device != "cpu" and self.calls > 1:
                with runtimes.memory_errors():
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return self.real(batch)

    made = plain_torch.TorchRuntime
    monkeypatch.setattr(plain_torch, "TorchRuntime", Full)
    monkeypatch.setattr("neuroclip_live.model.backbone.resolve_device", lambda device: "cuda:0")
    monkeypatch.setattr("neuroclip_live.model.text_encoder.TextEncoder.move_to", lambda self, device: None)
    told: list[str] = []
    backbone = load_backbone(
        str(folder), runtime="torch", progress=lambda message, share: told.append(message)
    )
    assert backbone.info.device == "cuda:0"
    np.testing.assert_allclose(backbone.encode_frames(frames), eager.encode_frames(frames), atol=1e-5)
    assert backbone.info.device == "cpu"
    assert [m for m in told if "out of memory" in m] == [
        "cuda:0 is out of memory; tiny runs on the CPU now, which is slower"
    ]
    backbone.encode_frames(frames)
    assert len([m for m in told if "out of memory" in m]) == 1


def test_no_room_at_loading_means_the_cpu(folder, monkeypatch):
    class Full:
        name = "torch"

        def __new__(cls, tower, device="cpu"):
            if device != "cpu":
                raise runtimes.OutOfDeviceMemory("no room")
            return made(tower, device)

    made = plain_torch.TorchRuntime
    monkeypatch.setattr(plain_torch, "TorchRuntime", Full)
    monkeypatch.setattr("neuroclip_live.model.backbone.resolve_device", lambda device: "cuda:0")
    told: list[str] = []
    backbone = load_backbone(
        str(folder), runtime="torch", progress=lambda message, share: told.append(message)
    )
    assert backbone.info.device == "cpu"
    assert any("has no room for tiny" in message for message in told)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda", "cuda was asked for, but .*use --device cpu"),
        ("cuda:3", "cuda:3 was asked for, but"),
        ("mps", "no Apple GPU"),
        ("gpu", "no device is called gpu"),
        ("cuda:x", "no device is called cuda:x"),
        ("mps:1", "no device is called mps:1"),
    ],
)
def test_a_device_that_is_not_there(device, message, folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        load_backbone(str(folder), device=device)
    assert load_backbone(str(folder), device="auto", runtime="torch").info.device == "cpu"


def test_a_gpu_number_too_high(monkeypatch):
    from neuroclip_live.model.devices import resolve_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(devices, "_gpu_driver", lambda: True)
    assert resolve_device("auto") == "cuda:0"
    assert resolve_device("CUDA:1") == "cuda:1"
    with pytest.raises(UserError, match="no cuda:2: this machine has 2"):
        resolve_device("cuda:2")


@pytest.mark.parametrize(
    ("model", "weights", "message"),
    [
        ("", None, "name is empty"),
        ("event-nan", None, "no model is called event-nan; did you mean event-nano"),
        ("ViT-B-32", None, "ViT-B-32 needs weights: add a tag, as in ViT-B-32/"),
        ("ViT-B/32", None, "ViT-B-32 needs weights"),
        ("ViT-B-33/openai", None, "no architecture ViT-B-33; did you mean ViT-B-32"),
        ("ViT-B-32/openia", None, "no weights called openia; did you mean openai"),
        ("vit-b-32/openai", None, "did you mean ViT-B-32"),
        ("qqqqqqqq/openai", None, "no architecture qqqqqqqq$"),
        ("hf-hub:laion", None, "hf-hub:ORGANISATION/NAME"),
        ("local-dir:/no/such/folder", None, "no model folder"),
        ("ViT-B-32", "/no/such/weights.pt", "no weights file /no/such/weights.pt"),
        ("ViT-Z", "random", "no architecture ViT-Z"),
    ],
)
def test_a_name_that_means_nothing(model, weights, message):
    with pytest.raises(UserError, match=message) as caught:
        load_backbone(model, weights=weights)
    assert "\n" not in str(caught.value)


def test_options_that_mean_nothing(folder):
    for options in ({"runtime": "nonsense"}, {"fit": "crop"}, {"normalization": "none"}, {"threads": 0}):
        with pytest.raises(UserError):
            load_backbone(str(folder), device="cpu", **options)


def test_a_folder_that_is_no_model(tmp_path, folder):
    with pytest.raises(UserError, match=r"has no open_clip_config\.json"):
        load_backbone(str(tmp_path))
    (tmp_path / "open_clip_config.json").write_text("{")
    with pytest.raises(UserError, match="cannot read the model's configuration"):
        load_backbone(str(tmp_path))
    (tmp_path / "open_clip_config.json").write_text("{}")
    with pytest.raises(UserError, match="not an open_clip configuration"):
        load_backbone(str(tmp_path))
    shutil.copy(folder / "open_clip_config.json", tmp_path)
    with pytest.raises(UserError, match="has no weights"):
        load_backbone(str(tmp_path))


class _Ran(Exception):
    pass


class _Bomb:
    def __reduce__(self):
        return exec, ("raise __import__('test_backbone')._Ran",)


@pytest.fixture
def arch(folder, tmp_path_factory):
    """The tiny model as one of open_clip's architectures, so that it can be named with a weights file."""
    import open_clip

    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    path = tmp_path_factory.mktemp("arch") / "Tiny-Test.json"
    path.write_text(json.dumps(config))
    open_clip.add_model_config(path)
    return "Tiny-Test"


def test_a_checkpoint_on_disk(folder, arch, frames, eager, tmp_path):
    weights = load_file(folder / "open_clip_model.safetensors")
    torch.save({"state_dict": {f"module.{k}": v for k, v in weights.items()}}, tmp_path / "w.pt")
    for path in (folder / "open_clip_model.safetensors", tmp_path / "w.pt"):
        backbone = load_backbone(arch, weights=path, runtime="torch", device="cpu")
        assert backbone.info.name == f"Tiny-Test ({path.name})"
        assert backbone.info.mean[0] == pytest.approx(0.48145466)  # open_clip's default, not the folder's
        ours = eager.preprocess(frames)
        np.testing.assert_allclose(backbone._image(ours), eager._image(ours), atol=1e-5)


def test_random_weights_are_the_same_every_time(arch, frames):
    first, second = (load_backbone(arch, weights="random", runtime="torch", device="cpu") for _ in range(2))
    np.testing.assert_array_equal(first.encode_frames(frames), second.encode_frames(frames))
    assert first.info.name == "Tiny-Test (random weights)"


def test_weights_that_do_not_fit(folder, arch, tmp_path):
    weights = load_file(folder / "open_clip_model.safetensors")
    path = tmp_path / "w.safetensors"

    def refused(changed, message):
        save_file(changed, path)
        with pytest.raises(UserError, match=message) as caught:
            load_backbone(arch, weights=path)
        assert "\n" not in str(caught.value)
        assert "w.safetensors" in str(caught.value)

    wrong = {**weights, "ln_final.weight": torch.zeros(5)}
    refused(wrong, r"tensor ln_final.weight has shape \[5\], the model needs \[16\]")
    refused({k: v for k, v in weights.items() if k != "ln_final.bias"}, "tensor ln_final.bias is missing")
    refused({**weights, "extra": torch.zeros(1)}, "the model has no tensor extra")
    refused({"x": torch.zeros(1)}, "is missing|do not fit")
    # open_clip asserts this one
    refused({**weights, "positional_embedding": torch.zeros(20, 24)}, "do not fit .* width changed")


def test_damaged_and_dangerous_weights(arch, tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00not json at all!")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        load_backbone(arch, weights=path)
    path = tmp_path / "w.pt"
    torch.save({"state_dict": _Bomb()}, path)
    with pytest.raises(UserError, match="pickled code, which is never run"):
        load_backbone(arch, weights=path)
    path.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(UserError, match=r"w\.pt"):
        load_backbone(arch, weights=path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"w\.pt"):
        load_backbone(arch, weights=path)


def test_loading_is_quiet(folder, capfd):
    root = logging.getLogger()
    handlers = list(root.handlers)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_backbone(str(folder), runtime="torch", device="cpu")
    assert capfd.readouterr() == ("", "")
    assert root.handlers == handlers


def test_progress_is_told(folder):
    told = []
    load_backbone(str(folder), runtime="torch", device="cpu", progress=lambda *args: told.append(args))
    assert ("loading tiny", None) in told
    assert told[-1] == ("ready", 1.0)


def test_an_unreachable_hub_says_what_to_do(monkeypatch, tmp_path):
    with pytest.raises(UserError, match=r"connect this machine once .*--model ARCH --weights FILE"):
        load_backbone("ViT-B-32/laion2b_s34b_b79k")
    with pytest.raises(UserError, match=r"cannot download some/thing"):
        load_backbone("hf-hub:some/thing")


def test_a_tokenizer_that_cannot_be_fetched_is_not_called_a_misfit(folder, monkeypatch):
    import open_clip

    def get_tokenizer(name):
        try:
            raise ConnectionError("no route")
        except ConnectionError as error:
            raise OSError("We couldn't connect to the hub") from error

    monkeypatch.setattr(open_clip, "get_tokenizer", get_tokenizer)
    with pytest.raises(UserError, match="tiny needs a tokenizer or text tower from the hub"):
        load_backbone(str(folder), runtime="torch", device="cpu")


def test_a_download_reports_and_the_cache_is_asked_first(folder, arch, monkeypatch, frames, eager):
    import huggingface_hub
    import open_clip.pretrained
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    asked = []

    def download(repository, name, *, local_files_only=False, tqdm_class=None):
        asked.append((repository, name, local_files_only))
        if local_files_only:
            raise LocalEntryNotFoundError("not cached")
        if name.endswith(".safetensors"):
            raise EntryNotFoundError("no such file")
        bar = tqdm_class(total=100, desc=name, unit="B", disable=False)
        bar.update(40)
        bar.update(60)
        bar.close()
        return str(folder / "open_clip_model.safetensors")

    config = open_clip.pretrained._pcfg(
        hf_hub="org/tiny/weights.bin", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)
    )
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, arch, {"tag": config})
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(hub, "_probe", lambda repository: None)
    told = []
    backbone = load_backbone(
        f"{arch}/tag", runtime="torch", device="cpu", progress=lambda *args: told.append(args)
    )
    assert asked == [
        ("org/tiny", "weights.safetensors", True),
        ("org/tiny", "weights.bin", True),
        ("org/tiny", "weights.safetensors", False),
        ("org/tiny", "weights.bin", False),
    ]
    assert [share for message, share in told if message == "downloading org/tiny"][-2:] == [0.4, 1.0]
    assert backbone.info.mean == (0.5, 0.4, 0.3)
    np.testing.assert_allclose(backbone.encode_frames(frames), eager.encode_frames(frames), atol=1e-5)


def test_importing_the_package_imports_no_torch():
    code = (
        "import sys, neuroclip_live, neuroclip_live.model.backbone, neuroclip_live.prompting.prompts;"
        "assert not {'torch', 'open_clip', 'openvino', 'PySide6', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_specs_of_the_bundled_model():
    assert parse_model("event-nano").bundled
