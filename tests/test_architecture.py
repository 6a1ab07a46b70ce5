"""The house rules, held against the code: who may import what, and no cycles."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("neuroclip_live", "drivers/neuroclip_drivers", "gui/neuroclip_gui")
FLOORS = (
    *("stream", "model", "prompting", "objects", "datasets"),
    *("learning", "recording", "recognition", "evaluation"),
    *("archive", "outputs", "actions", "server", "cli"),
)
QT = {"PySide6", "pyqtgraph", "shiboken6"}
TORCH = {"torch", "torchvision", "open_clip", "timm", "spikingjelly"}


@cache
def modules() -> dict[str, Path]:
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to((ROOT / room).parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, *, top_level_only: bool) -> set[str]:
    """Names imported by a file; those only for type checkers are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if checking or (top_level_only and function):
            skipped.update(ast.walk(node))
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported = {f"{node.module}.{alias.name}" for alias in node.names}
            names.update(imported)
            if not imported <= modules().keys():  # "from package import module" asks for the module alone
                names.add(node.module)
    return names


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path, top_level_only=False)}


@pytest.mark.parametrize("module", [m for m in modules() if m.split(".")[0] != "neuroclip_gui"])
def test_only_the_window_imports_qt(module: str) -> None:
    assert not packages(modules()[module]) & QT


@pytest.mark.parametrize(
    "module", [m for m in modules() if m.split(".")[0] in ("neuroclip_gui", "neuroclip_drivers")]
)
def test_window_and_drivers_import_no_torch(module: str) -> None:
    assert not packages(modules()[module]) & TORCH


@pytest.mark.parametrize("module", [m for m in modules() if m.split(".")[0] == "neuroclip_drivers"])
def test_drivers_know_only_events_and_errors(module: str) -> None:
    known = {n for n in imports(modules()[module], top_level_only=False) if n.startswith("neuroclip_live.")}
    allowed = tuple(f"neuroclip_live.{name}" for name in ("events", "errors", "registry", "compiled"))
    assert all(name.startswith(allowed) for name in known), known


def test_compiled_functions_are_made_in_one_way() -> None:
    """Else the first of them that runs waits for SciPy's linear algebra, which none of them needs."""
    usual = re.compile(r"^(from numba import .*\bnjit\b|import numba\b)", re.MULTILINE)
    found = [name for name, path in modules().items() if usual.search(path.read_text(encoding="utf-8"))]
    assert found == ["neuroclip_live.compiled"], "import njit from neuroclip_live.compiled"


def test_rooms_build_on_those_below() -> None:
    """Above all others ``cli``, then ``recognition``, and so on down; what is imported late may look up."""
    known = modules()
    for name, path in known.items():
        if name.startswith("neuroclip_live.") and name.count(".") > 1:
            room = name.split(".")[1]
            for other in imports(path, top_level_only=True) & known.keys():
                there = other.split(".")[1] if other.startswith("neuroclip_live.") else ""
                if there in FLOORS:
                    assert FLOORS.index(there) <= FLOORS.index(room), f"{name} imports {other}"


def test_imports_have_no_cycles() -> None:
    known = modules()
    graph = {name: imports(path, top_level_only=True) & known.keys() - {name} for name, path in known.items()}
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError, naming the cycle


def test_importing_the_package_stays_light() -> None:
    code = (
        "import sys, neuroclip_live, neuroclip_live.cli.main, neuroclip_live.cli.options\n"
        "heavy = {'torch', 'PySide6', 'open_clip', 'numba', 'cv2', 'dv_processing', 'numpy', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


MOST_LINES = 350


@pytest.mark.parametrize("module", list(modules()))
def test_modules_stay_small(module: str) -> None:
    lines = modules()[module].read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{module} has {lines} lines: split it by what it does"


MOST_HIDDEN = {
    "neuroclip_live": (37, 105),
    "neuroclip_drivers": (5, 6),
    "neuroclip_gui": (39, 35),
}
"""Most ``TYPE_CHECKING`` blocks, and most imports of the project's own modules inside functions, by package.

Both hide who needs whom from the test of cycles above: these numbers only ever shrink.
"""


def hidden_imports(path: Path) -> tuple[int, int]:
    """Count the ``TYPE_CHECKING`` blocks of a file, and the project's own modules it imports in functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    late: set[ast.AST] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    named = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    named = [node.module or ""]
                else:
                    continue
                if any(name.split(".")[0] in MOST_HIDDEN for name in named):
                    late.add(node)
    return len(blocks), len(late)


@pytest.mark.parametrize("package", list(MOST_HIDDEN))
def test_imports_hidden_from_the_test_of_cycles_grow_no_more(package: str) -> None:
    counts = [hidden_imports(path) for name, path in modules().items() if name.split(".")[0] == package]
    now = sum(blocks for blocks, _ in counts), sum(late for _, late in counts)
    most = MOST_HIDDEN[package]
    assert now[0] <= most[0], f"{now[0]} TYPE_CHECKING blocks, {most[0]} at most: import it, or need less"
    assert now[1] <= most[1], f"{now[1]} imports in functions, {most[1]} at most: import at the top"
    few = now[0] < most[0] - 5 or now[1] < most[1] - 5
    assert not few, f"fewer than before: say {now} in MOST_HIDDEN, so that they do not grow back"
