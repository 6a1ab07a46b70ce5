"""Can a window open here? Asked before Qt is, because Qt's answer to "no" is to abort the whole process.

Looks at what Qt would look at: the platforms asked for, the display's socket, the system libraries that
Qt's platform plug-in needs and PySide6's wheels do not carry, and whether an X server lets this user in.
Imports no Qt: where nothing less tells, Qt is tried in a process of its own.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from neuroclip_live.errors import UserError

_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libICE.so.6": "libice6",
    "libSM.so.6": "libsm6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""Shared libraries of Qt's plug-ins and the Debian packages they are in."""

_NO_SCREEN = ("offscreen", "minimal")
_BARE_SCREEN = ("vnc", "linuxfb", "eglfs", "vkkhrdisplay", "minimalegl")
_TIMEOUT_S = 3.0
_TRIAL_S = 20.0
_CONNECT = """
import ctypes, sys
xcb = ctypes.CDLL("libxcb.so.1")
xcb.xcb_connect.restype = ctypes.c_void_p
xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
sys.exit(xcb.xcb_connection_has_error(xcb.xcb_connect(None, None)) != 0)
"""
"""Talks to an X server as Qt will, with this user's cookies; apart, for a server may let it wait for good."""
_OPEN_QT = """
import sys
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
sys.exit(0 if app.screens() else "it has no screen")
"""


def check_display(environment: Mapping[str, str] | None = None) -> None:
    """Return if a window can open, as far as can be told without Qt.

    Parameters
    ----------
    environment : mapping, optional
        In place of the process's own variables.

    Raises
    ------
    UserError
        If it cannot; the message names the packages to install or the option to use instead.
    """
    environment = os.environ if environment is None else environment
    plugins = _plugins()
    if sys.platform != "linux":
        return
    refusal: UserError | None = None
    for platform in _platforms(environment):
        try:
            _check_platform(platform, environment, plugins)
        except UserError as error:
            refusal = refusal or error
        else:
            return
    assert refusal is not None, "at least one platform is tried"
    raise refusal


def _platforms(environment: Mapping[str, str]) -> list[str]:
    """Return what Qt will try in turn: what is asked for, else what there are displays for."""
    asked = [each.split(":")[0] for each in environment.get("QT_QPA_PLATFORM", "").split(";")]
    displays = {"wayland": "WAYLAND_DISPLAY", "xcb": "DISPLAY"}
    found = [each for each in asked if each] or [p for p, name in displays.items() if environment.get(name)]
    if not set(found) & {*_NO_SCREEN, *_BARE_SCREEN} and not any(map(environment.get, displays.values())):
        raise UserError(
            "no display: neither DISPLAY nor WAYLAND_DISPLAY is set; use --headless, or log in with ssh -X"
        )
    return found


def _check_platform(platform: str, environment: Mapping[str, str], plugins: Path) -> None:
    """Return if Qt can open a window on one of its platforms; raise UserError if not."""
    wayland, x11 = environment.get("WAYLAND_DISPLAY"), environment.get("DISPLAY")
    if platform in (*_NO_SCREEN, *_BARE_SCREEN):
        _need_libraries([plugins.parent.parent / "lib" / "libQt6Gui.so.6"])
        reason = (
            _reason_of([sys.executable, "-c", _OPEN_QT], environment) if platform in _BARE_SCREEN else None
        )
        if reason is not None:
            raise UserError(
                f"no window can open with QT_QPA_PLATFORM={platform} ({reason}); unset it, or use --headless"
            )
    elif platform == "wayland" and wayland:
        _need_socket("WAYLAND_DISPLAY", wayland, environment)
        _need_libraries([plugins / "libqwayland.so"])
    elif platform == "xcb" and x11:
        _need_socket("DISPLAY", x11, environment)
        _need_libraries([plugins / "libqxcb.so"])
        reason = _reason_of([sys.executable, "-I", "-S", "-c", _CONNECT], environment)
        if reason is not None:
            raise UserError(
                f"the display DISPLAY={x11} lets nobody in ({reason}); start the program as who is logged in "
                "there, set XAUTHORITY to their file of cookies, or use --headless"
            )
    else:
        raise UserError(
            f"QT_QPA_PLATFORM={platform} does not go with this display; unset it, or use --headless"
        )


def _reason_of(trial: list[str], environment: Mapping[str, str]) -> str | None:
    """Return why a trial failed, None where it went well or nobody can tell."""
    try:
        tried = subprocess.run(
            trial, env=dict(environment), capture_output=True, timeout=_TRIAL_S, check=False
        )
    except OSError:
        return None
    except subprocess.TimeoutExpired:
        return "it does not answer"
    lines = tried.stderr.decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else f"status {tried.returncode}") if tried.returncode else None


def missing_libraries(*files: Path) -> list[str]:
    """Return the names of the shared libraries that ``files`` need and this system lacks, sorted."""
    ldd = shutil.which("ldd")
    if ldd is None:
        return sorted(
            name for name in _PACKAGES if name.startswith(("libxcb", "libxkb", "libEGL")) and not _loads(name)
        )
    missing: set[str] = set()
    for file in files:
        if not file.is_file():
            continue
        try:
            listing = subprocess.run(
                [ldd, str(file)], capture_output=True, text=True, timeout=10, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            continue
        missing.update(re.findall(r"^\s*(\S+) => not found", listing, re.MULTILINE))
    return sorted(missing)


def packages_for(libraries: list[str]) -> list[str]:
    """Return the Debian packages that hold ``libraries``, as far as they are known."""
    return sorted({_PACKAGES[name] for name in libraries if name in _PACKAGES})


def _plugins() -> Path:
    """Return the folder of Qt's platform plug-ins."""
    spec = find_spec("PySide6")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the window needs PySide6, which is not here: pip install PySide6-Essentials, or use --headless"
        )
    root = Path(next(iter(spec.submodule_search_locations)))
    bundled = root / "Qt" / "plugins" / "platforms"
    # a distribution's PySide6 uses the system's Qt, whose packages bring their own libraries
    return bundled if bundled.is_dir() else root


def _need_libraries(files: list[Path]) -> None:
    missing = missing_libraries(*files)
    if not missing:
        return
    packages = packages_for(missing)
    cure = f"sudo apt-get install {' '.join(packages)} (Debian, Ubuntu)" if packages else "install them"
    raise UserError(f"the window cannot open without {', '.join(missing)}: {cure}; or use --headless")


def _need_socket(variable: str, value: str, environment: Mapping[str, str]) -> None:
    """Raise UserError if nobody answers at the display's address."""
    if variable == "WAYLAND_DISPLAY":
        address: str | tuple[str, int] = str(Path(environment.get("XDG_RUNTIME_DIR", "/run/user")) / value)
    else:
        match = re.fullmatch(r"(?:(?P<protocol>\w+)/)?(?P<host>[^:]*):(?P<number>\d+)(?:\.\d+)?", value)
        if match is None:
            if value.startswith("/"):
                return
            raise UserError(
                f"DISPLAY={value} is not a display's name, such as :0; correct it, or use --headless"
            )
        host, number = match["host"], int(match["number"])
        address = (host, 6000 + number) if host and host != "unix" else f"/tmp/.X11-unix/X{number}"
    if not _answers(address):
        raise UserError(f"no display answers at {variable}={value}; start one, correct it, or use --headless")


def _answers(address: str | tuple[str, int]) -> bool:
    if isinstance(address, tuple):
        try:
            socket.create_connection(address, timeout=_TIMEOUT_S).close()
        except OSError:
            return False
        return True
    for path in (address, f"\0{address}"):  # the second is Linux's namespace of sockets without a file
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(_TIMEOUT_S)
            try:
                client.connect(path)
            except OSError:
                continue
            return True
    return False


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
