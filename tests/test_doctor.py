"""Checks of the machine, with machines made up."""

from __future__ import annotations

import json
import shutil
import socket
import stat
from pathlib import Path

import pytest

from neuroclip_drivers.camera_info import CameraInfo
from neuroclip_drivers.film.webcams import Webcam
from neuroclip_drivers.usb import UsbCamera
from neuroclip_live.cli import display, doctor, doctor_machine
from neuroclip_live.cli.display import check_display, missing_libraries, packages_for
from neuroclip_live.cli.doctor import Check, examine, worst
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.model import catalog


@pytest.fixture
def qt(tmp_path, monkeypatch):
    """A made-up PySide6 with platform plug-ins and an `ldd` that finds what the test says is missing."""
    plugins = tmp_path / "PySide6" / "Qt" / "plugins" / "platforms"
    plugins.mkdir(parents=True)
    (tmp_path / "PySide6" / "Qt" / "lib").mkdir()
    for file in ("plugins/platforms/libqxcb.so", "plugins/platforms/libqwayland.so", "lib/libQt6Gui.so.6"):
        (tmp_path / "PySide6" / "Qt" / file).touch()
    monkeypatch.setattr(display, "_plugins", lambda: plugins)
    monkeypatch.setattr(display.sys, "platform", "linux")
    missing: dict[str, list[str]] = {}
    monkeypatch.setattr(
        display,
        "missing_libraries",
        lambda *files: sorted({m for f in files for m in missing.get(f.name, [])}),
    )
    return missing


@pytest.fixture
def answering(monkeypatch):
    asked = []
    monkeypatch.setattr(display, "_answers", lambda address: asked.append(address) or True)
    monkeypatch.setattr(display, "_reason_of", lambda trial, environment: None)
    return asked


def test_no_display_suggests_headless(qt):
    with pytest.raises(UserError, match=r"no display: .*--headless"):
        check_display({})


def test_offscreen_needs_no_display(qt):
    check_display({"QT_QPA_PLATFORM": "offscreen:size=800x600"})
    qt["libQt6Gui.so.6"] = ["libEGL.so.1"]
    with pytest.raises(UserError, match="apt-get install libegl1"):
        check_display({"QT_QPA_PLATFORM": "offscreen"})


def test_missing_libraries_name_their_packages(qt, answering):
    check_display({"DISPLAY": ":0"})
    qt["libqxcb.so"] = ["libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxkbcommon-x11.so.0"]
    with pytest.raises(UserError) as caught:
        check_display({"DISPLAY": ":0"})
    assert str(caught.value) == (
        "the window cannot open without libxcb-cursor.so.0, libxcb-icccm.so.4, libxkbcommon-x11.so.0: "
        "sudo apt-get install libxcb-cursor0 libxcb-icccm4 libxkbcommon-x11-0 (Debian, Ubuntu); "
        "or use --headless"
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (":0", "/tmp/.X11-unix/X0"),
        (":12.1", "/tmp/.X11-unix/X12"),
        ("unix:3", "/tmp/.X11-unix/X3"),
        ("localhost:10.0", ("localhost", 6010)),
        ("tcp/far.example:1", ("far.example", 6001)),
    ],
)
def test_a_display_is_asked_at_its_address(qt, answering, name, address):
    check_display({"DISPLAY": name})
    assert answering == [address]


def test_a_display_that_is_not_there(qt, tmp_path):
    with pytest.raises(UserError, match="not a display's name"):
        check_display({"DISPLAY": "screen"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        closed = f"localhost:{taken.getsockname()[1] - 6000}"
        with pytest.raises(UserError, match="no display answers at DISPLAY=localhost:"):
            check_display({"DISPLAY": closed})
    with pytest.raises(UserError, match="no display answers at WAYLAND_DISPLAY=wayland-7"):
        check_display({"WAYLAND_DISPLAY": "wayland-7", "XDG_RUNTIME_DIR": str(tmp_path)})
    with pytest.raises(UserError, match="does not go with this display"):
        check_display({"DISPLAY": ":0", "QT_QPA_PLATFORM": "wayland"})


def test_a_wayland_socket_answers(qt, tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "w0"))
        server.listen()
        check_display({"WAYLAND_DISPLAY": "w0", "XDG_RUNTIME_DIR": str(tmp_path)})
        qt["libqwayland.so"] = ["libwayland-cursor.so.0"]
        with pytest.raises(UserError, match="apt-get install libwayland-cursor0"):
            check_display({"WAYLAND_DISPLAY": "w0", "XDG_RUNTIME_DIR": str(tmp_path)})


def test_x11_serves_where_wayland_cannot(qt, answering):
    qt["libqwayland.so"] = ["libwayland-cursor.so.0"]
    check_display({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"})


def test_platforms_are_tried_in_the_order_asked_for(qt, answering):
    check_display({"QT_QPA_PLATFORM": "wayland;xcb", "DISPLAY": ":0"})
    check_display({"QT_QPA_PLATFORM": "xcb;offscreen"})
    with pytest.raises(UserError, match="no display"):
        check_display({"QT_QPA_PLATFORM": "wayland;xcb"})
    with pytest.raises(UserError, match="QT_QPA_PLATFORM=xyz does not go with this display"):
        check_display({"QT_QPA_PLATFORM": "xyz;wayland", "DISPLAY": ":0"})


def test_libraries_of_a_real_file():
    if shutil.which("ldd") is None:
        pytest.skip("this system has no ldd")
    assert missing_libraries(Path(shutil.which("ldd"))) == []
    assert missing_libraries(Path("/no/such/file")) == []
    assert packages_for(["libxcb-cursor.so.0", "libunheard.so.1"]) == ["libxcb-cursor0"]


def test_libraries_without_ldd(monkeypatch):
    monkeypatch.setattr(display.shutil, "which", lambda name: None)
    monkeypatch.setattr(display, "_loads", lambda name: name != "libxcb-cursor.so.0")
    assert missing_libraries(Path("any")) == ["libxcb-cursor.so.0"]


def test_a_missing_pyside_is_told(monkeypatch):
    monkeypatch.setattr(display, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install PySide6-Essentials"):
        check_display({})


@pytest.fixture
def model_folder(tmp_path, monkeypatch):
    from safetensors.numpy import save_file

    folder = tmp_path / "models" / "event_nano"
    folder.mkdir(parents=True)
    import numpy as np

    save_file(
        {"a": np.zeros((3, 4), np.float16), "b": np.zeros(5, np.float16)},
        folder / "open_clip_model.safetensors",
    )
    (folder / "open_clip_config.json").write_text(
        json.dumps(
            {
                "model_cfg": {"vision_cfg": {"image_size": 112}},
                "neuroclip_live": {"description": "small and quick"},
            }
        )
    )
    monkeypatch.setattr(catalog, "MODELS_DIR", tmp_path / "models")
    return folder


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    import huggingface_hub

    real = huggingface_hub.scan_cache_dir
    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr(huggingface_hub, "scan_cache_dir", lambda: real(cache))
    return cache


def test_models_are_listed(model_folder, empty_cache):
    bundled, *others = catalog.available_models()
    assert (bundled.name, bundled.availability, bundled.description) == (
        "event-nano",
        "bundled",
        "small and quick",
    )
    assert (bundled.parameters, bundled.image_size, bundled.needs) == (17, 112, "nothing: it is here")
    assert all(model.availability == "download" for model in others)
    assert "ViT-B-32/laion2b_s34b_b79k" in {model.name for model in others}
    assert next(m for m in others if m.name == "ViT-B-32/openai").needs == "a download of 605 MB"


def test_cached_models_have_the_names_that_load_them(model_folder, empty_cache):
    def repository(name, *files):
        snapshot = empty_cache / f"models--{name.replace('/', '--')}" / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        for file in files:
            (snapshot / file).write_bytes(b"x" * 1000)
        refs = snapshot.parents[1] / "refs"
        refs.mkdir()
        (refs / "main").write_text("0" * 40)

    repository("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "open_clip_model.safetensors")
    repository("someone/own-clip", "open_clip_config.json", "open_clip_model.safetensors")
    repository("someone/other", "pytorch_model.bin")
    models = catalog.available_models()
    cached = [m.name for m in models if m.availability == "cached"]
    assert cached == ["hf-hub:someone/own-clip", "ViT-B-32/laion2b_s34b_b79k"]
    assert [m.name for m in models].count("ViT-B-32/laion2b_s34b_b79k") == 1


def test_a_damaged_bundled_model_is_found(model_folder, empty_cache):
    def finding():
        return next(c for c in doctor.check_models() if c.name == "bundled model")

    assert finding().status == "ok"
    weights = model_folder / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert finding().status == "fail"
    assert "damaged" in finding().text
    weights.write_bytes(b"garbage")
    assert "cannot be read" in finding().text
    weights.unlink()
    assert (finding().status, finding().text) == ("fail", "its files are missing")


def test_a_check_that_breaks_is_a_finding(monkeypatch):
    def check_moon():
        raise OSError("no such moon")

    def check_sun():
        raise UserError("too bright")

    monkeypatch.setattr(doctor, "CHECKS", (check_moon, check_sun))
    assert [(c.name, c.status) for c in examine()] == [("moon", "fail"), ("sun", "fail")]
    assert "no such moon" in examine()[0].text


def test_the_worst_finding_counts():
    ok, warn, fail = (Check("x", status, "") for status in ("ok", "warn", "fail"))
    assert [worst([]), worst([ok]), worst([ok, warn]), worst([warn, fail, ok])] == [
        "ok",
        "ok",
        "warn",
        "fail",
    ]


def test_versions_tell_what_is_missing(monkeypatch):
    found = {"opencv-python": "4.0", "numpy": "2.0", "openvino": None}
    monkeypatch.setattr(doctor, "_version", lambda name: found.get(name, "1.0"))
    findings = {c.name: c for c in doctor.check_versions()}
    assert findings["packages"].status == "ok"
    assert findings["OpenCV"].status == "warn"
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    findings = {c.name: c for c in doctor.check_versions()}
    assert findings["packages"].status == "fail"
    assert "dv-processing" in findings["packages"].fix
    assert "openvino" not in findings["packages"].fix


def test_a_camera_that_may_not_be_opened_gets_the_rule(monkeypatch):
    import neuroclip_drivers.usb

    cameras = [
        UsbCamera("DAVIS", "84010", 0x152A, 0x841A, 2, 4, "/dev/bus/usb/002/004", False),
        UsbCamera("DVXplorer", "", 0x152A, 0x8419, 2, 5, "/dev/bus/usb/002/005", True),
    ]
    monkeypatch.setattr(neuroclip_drivers.usb, "usb_cameras", lambda: cameras)
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    monkeypatch.setattr(doctor.Path, "is_dir", lambda self: True)
    closed, opened = doctor.check_cameras()
    assert (closed.status, closed.text) == (
        "fail",
        "DAVIS 84010 on /dev/bus/usb/002/004: you may not open it",
    )
    assert neuroclip_drivers.usb.MAKERS[0].rule in closed.fix
    assert (opened.status, opened.text) == ("ok", "DVXplorer on /dev/bus/usb/002/005, may be opened")
    cameras[:] = [UsbCamera("Prophesee EVK", "", 0x04B4, 0x00F5, 2, 6, "/dev/bus/usb/002/006", False)]
    monkeypatch.setattr(neuroclip_drivers.usb, "find_spec", lambda name: None)
    closed, without = doctor.check_cameras()
    assert neuroclip_drivers.usb.MAKERS[1].rule in closed.fix
    assert without.text == "Prophesee EVK needs neuromorphic-drivers, not installed here"
    assert (without.status, without.fix) == ("warn", 'pip install "neuroclip-live[prophesee]"')
    cameras.clear()
    assert doctor.check_cameras()[0].status == "ok"
    monkeypatch.setattr(doctor.Path, "is_dir", lambda self: False)
    assert doctor.check_cameras()[0].status == "warn"


def test_webcams_are_told_apart_by_whether_they_may_be_opened(monkeypatch):
    webcams = [Webcam(0, "Integrated", True), Webcam(2, "Logitech", False)]
    monkeypatch.setattr(doctor_machine, "list_webcams", lambda: webcams)
    may, may_not = doctor.check_webcams()
    assert (may.status, may.text) == ("ok", "0: Integrated, may be opened")
    assert (may_not.status, may_not.fix) == ("warn", "sudo usermod -aG video $USER")
    webcams.clear()
    assert doctor.check_webcams()[0].status == "ok"


def test_cameras_and_webcams_are_listed(monkeypatch, capsys):
    evk, webcam = CameraInfo("7", "Prophesee EVK4", trouble="busy"), Webcam(2, "Logitech", True)
    monkeypatch.setattr("neuroclip_drivers.cameras.list_cameras", lambda: [evk])
    monkeypatch.setattr("neuroclip_live.cli.reports.list_webcams", lambda: [webcam])
    assert main(["--list-cameras"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Prophesee EVK4 7: busy",
        "webcam 2: Logitech (--webcam 2)",
    ]


def test_folders(tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setattr(doctor_machine.os, "access", lambda path, mode: "locked" not in str(path))
    check = doctor_machine._check_writable("cache folder", locked / "deeper" / "down", "it is slow")
    assert (check.status, check.fix) == ("warn", f"make {locked} a folder you may write to")
    assert doctor_machine._check_writable("cache folder", tmp_path / "new", "").status == "ok"
    assert stat.S_ISDIR(locked.stat().st_mode)


def test_the_real_machine_is_examined(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    findings = examine()
    names = [c.name for c in findings]
    assert {"neuroclip-live", "Python", "packages", "processor", "GPU", "window", "disk"} <= set(names)
    assert not [c for c in findings if "the check itself failed" in c.text]
    assert all("\n" not in c.text and c.text for c in findings)
