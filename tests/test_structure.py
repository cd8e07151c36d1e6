"""What holds for every module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for top in ("analysis", "app") for path in (ROOT / top).rglob("*.py"))


def _texts(tree: ast.Module) -> set[str]:
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in found if isinstance(value, str)}


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    read = (path.read_text(encoding="utf-8") for path in MODULES)
    names = (path.relative_to(ROOT).as_posix() for path in MODULES)
    return dict(zip(names, map(ast.parse, read), strict=True))


def test_modules_import_nothing_private_of_one_another(trees: dict[str, ast.Module]) -> None:
    private = [
        (name, alias.name)
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("analysis", "app"))
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert private == []


def test_why_a_unit_has_no_concept_is_spelt_in_one_place(trees: dict[str, ast.Module]) -> None:
    spelt = [name for name, tree in trees.items() if "failed threshold" in _texts(tree)]
    assert spelt == ["analysis/dissection/categories.py"]


def test_one_helper_tells_numbers_from_none(trees: dict[str, ast.Module]) -> None:
    defined = [
        name
        for name, tree in trees.items()
        if name.startswith("analysis/audits/")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in ("_number", "number_or_none")
    ]
    assert defined == ["analysis/audits/plan.py"]
