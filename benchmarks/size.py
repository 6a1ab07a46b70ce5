"""Installed size, dependency by dependency, and whether each is imported anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

from benchmarks.machine import ROOT
from benchmarks.timing import Options, Row, told

ROOMS = ("neuroclip_live", "drivers", "gui")
_BIG_MIB = 20.0


def run(options: Options) -> Iterator[Row]:
    """Add up the files of everything that our dependencies pull in."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [Requirement(text).name for text in project["dependencies"]]
    everything = closure(direct)
    sizes = {name: size_mib(found) for name, found in everything.items()}
    own = _own_mib()
    yield told("size", "neuroclip-live itself", own, "MiB", "event-nano and recordings included")
    yield told("size", "with all dependencies", sum(sizes.values()) + own, "MiB", f"{len(sizes)} packages")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if size >= _BIG_MIB:
            yield told("size", name, size, "MiB", "asked for" if name in map(_plain, direct) else "pulled in")
    unused = [name for name in direct if not imported(everything[_plain(name)])]
    yield told("size", "dependencies never imported", len(unused), "packages", ", ".join(unused))


def _own_mib() -> float:
    rooms = (ROOT / room for room in (*ROOMS, "recordings"))
    files = (file for room in rooms for file in room.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files if "__pycache__" not in file.parts) / 2**20


def closure(names: list[str]) -> dict[str, Distribution]:
    """Return the distributions that ``names`` need, themselves included, by normalized name."""
    found: dict[str, Distribution] = {}
    todo = list(names)
    while todo:
        name = _plain(todo.pop())
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        for text in found[name].requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    return found


def size_mib(found: Distribution) -> float:
    """Return what a distribution's files take, in MiB."""
    total = 0
    for file in found.files or ():
        path = file.locate()
        if path.is_file():  # type: ignore[union-attr]
            total += path.stat().st_size  # type: ignore[union-attr]
    return total / 2**20


def imported(found: Distribution) -> bool:
    """Tell whether any of our modules imports a distribution by one of its top-level names."""
    tops = {str(file).split("/")[0].removesuffix(".py") for file in found.files or ()}
    tops = {top for top in tops if re.fullmatch(r"[A-Za-z]\w*", top)} | {
        found.metadata["Name"].replace("-", "_")
    }
    pattern = re.compile(rf"^\s*(import|from)\s+({'|'.join(sorted(map(re.escape, tops)))})\b", re.MULTILINE)
    files = (file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return any(pattern.search(file.read_text(encoding="utf-8")) for file in files)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
