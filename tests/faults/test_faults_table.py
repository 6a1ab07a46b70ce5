"""docs/faults.md and the fault tests say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TABLE = (TESTS.parent / "docs" / "faults.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w/]+\.py)::(\w+)`", TABLE))


def found_in(path: Path) -> set[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {(path.relative_to(TESTS).as_posix(), name) for name in names if name.startswith("test_")}


def test_every_test_in_the_table_exists() -> None:
    assert len(NAMED) > 60
    there = {each for path in {path for path, _ in NAMED} for each in found_in(TESTS / path)}
    assert NAMED <= there, f"not there: {sorted(NAMED - there)}"


def test_every_fault_test_is_in_the_table() -> None:
    own = Path(__file__).name
    files = [path for path in TESTS.rglob("test_faults_*.py") if path.name != own]
    assert len(files) >= 9
    tests = set().union(*map(found_in, files))
    assert tests <= NAMED, f"not in docs/faults.md: {sorted(tests - NAMED)}"


def test_every_row_has_all_five_columns_and_a_test() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| fault")]
    assert len(rows) > 40
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 5, row
        assert all(cells), row
        assert "::test_" in cells[4], row
