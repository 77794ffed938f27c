"""The gallery: examples are many, compile, are titled, and import what there is.

Running them takes minutes: ``make docs`` does.
"""

import ast
import importlib
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


def imports_of(tree: ast.AST) -> list[tuple[str, str]]:
    """Return (module, name) of each ``from invariant_cluster... import name``."""
    return [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and str(node.module).split(".")[0] == "invariant_cluster"
        for alias in node.names
    ]


def test_gallery_holds_at_least_eight_examples():
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_compiles(path):
    compile(path.read_text(encoding="utf-8"), path.name, "exec")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_opens_with_a_title_and_prose(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    above, title, below, *prose = docstring.splitlines()
    assert set(above) == set(below) == {"="}
    assert len(above) == len(below) >= len(title)
    assert len(" ".join(prose)) > 100


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_imports_what_the_package_has(path):
    imported = imports_of(ast.parse(path.read_text(encoding="utf-8")))
    assert imported
    missing = [
        f"{module}.{name}"
        for module, name in imported
        if not hasattr(importlib.import_module(module), name)
    ]
    assert missing == []
