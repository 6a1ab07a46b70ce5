"""The entry in the applications menu, and the icon."""

from __future__ import annotations

import shlex
import tomllib
from configparser import ConfigParser
from pathlib import Path

from PySide6.QtGui import QIcon

from neuroclip_gui.app import ICON
from neuroclip_live.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]


def test_the_icon_is_drawn_at_every_size(qapp):
    icon = QIcon(str(ICON))
    for size in (16, 32, 48, 256):
        image = icon.pixmap(size, size).toImage()
        assert max(image.width(), image.height()) >= size
        colors = {image.pixelColor(x, y).name() for x in range(size) for y in range(size)}
        assert len(colors) > 3


def test_the_menu_starts_what_there_is():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    installed = {there: ROOT / here for here, there in wheel["shared-data"].items()}
    assert all(path.is_file() for path in installed.values())
    entry = ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read_string(installed["share/applications/neuroclip-live.desktop"].read_text())
    main = entry["Desktop Entry"]
    assert main["Terminal"] == "false"
    assert f"share/icons/hicolor/scalable/apps/{main['Icon']}.svg" in installed
    assert [f"Desktop Action {name}" for name in main["Actions"].strip(";").split(";")] == entry.sections()[
        1:
    ]
    options = {option for parameter in cli.params for option in parameter.opts}
    for section in entry.sections():
        program, *words = shlex.split(entry[section]["Exec"])
        assert program == "neuroclip-live"
        assert set(words) <= options
