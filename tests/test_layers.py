"""A file of the package imports lower levels only; private names come through one door.

The checker is a function from source text to complaints, so it is itself tested on
sources that break each rule.
"""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest

PACKAGE = "invariant_cluster"
ROOT = Path(__file__).parents[1] / PACKAGE

# A unit is a file or a subpackage directly below the package. The first pattern that
# matches gives its level; files of one subpackage may import each other.
LEVELS = {
    "cli": 9,
    "__init__": 8,
    "report": 7,
    "_scan_clusterer": 7,
    "_generative_embedder": 6,
    "_image_embedder": 5,
    "_saved_embedder": 4,
    "_*_embedder": 7,
    "_scan_stages": 3,
    "_saved_scan": 4,
    "_saved_models": 3,
    "_nets": 2,
    "_blueprint": 3,
    "_weights": 2,
    "_savable": 2,
    "_progress": 2,
    "_extent": 2,
    "_trunk": 2,
    "plot": 4,
    "model_selection": 3,
    "_views": 1,
    "_rows": 1,
    "_rotation_invariants": 1,
    "modules": 1,
    "datasets": 1,
    "metrics": 2,
    "_exemplars": 1,
    "_pictures": 1,
    "_turned": 1,
    "_plane": 1,
    "_model_file": 1,
    "_onnx_file": 1,
    "_json_values": 0,
    "_atomic": 0,
    "_embedding": 0,
    "_losses": 0,
    "_geometry": 0,
    "_neighbors": 0,
    "_outliers": 0,
    "_centroids": 0,
    "_intensity": 0,
    "_photometry": 0,
    "_validation": 0,
    "_runtime": 0,
    "_variation": 0,
}
DOOR = "_validation"  # the only file that imports private names of scikit-learn
VAGUE_NAMES = {"util", "utils", "helper", "helpers"}


def level_of(unit: str) -> int | None:
    matches = (level for name, level in LEVELS.items() if fnmatchcase(unit, name))
    return next(matches, None)


def module_of(path: PurePosixPath) -> list[str]:
    """Dotted parts of a file, relative to the package: ``plot/_grid.py`` -> two."""
    return [*path.parent.parts, path.stem]


def imported_names(tree: ast.AST, package: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute dotted name) of everything imported, anywhere in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            source = [*above, node.module] if node.module else above
            for alias in node.names:
                yield node.lineno, ".".join([*source, alias.name])


def check_units(unit: str, name: str) -> str | None:
    """Complain when the import of ``name`` by ``unit`` does not go down."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return None
    target = parts[1] if len(parts) > 1 else "__init__"
    level = level_of(target)
    if level is None and len(parts) == 2:  # `from invariant_cluster import name`
        target, level = "__init__", LEVELS["__init__"]
    own = level_of(unit)
    if level is None or own is None:
        return f"imports {name}, and {target if level is None else unit} has no level"
    if target != unit and level >= own:
        return f"(level {own}) imports {target} (level {level})"
    return None


def is_private(part: str) -> bool:
    return part.startswith("_") and not part.endswith("__")


def sklearn_attributes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of attributes read off names imported from sklearn."""
    bound = {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] == "sklearn"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            if dotted.split(".")[0] in bound:
                yield node.lineno, dotted


def check_names(unit: str, parts: list[str]) -> Iterator[str]:
    if level_of(unit) is None:
        yield f"{unit} has no level: add it to the table of tests/test_layers.py"
    vague = [part for part in parts if part.strip("_") in VAGUE_NAMES]
    if vague:
        yield f"is called {vague[0]}: name a file for its one idea"


def check_sklearn(tree: ast.AST, imported: list[tuple[int, str]]) -> Iterator[str]:
    named = [(line, name) for line, name in imported if name.startswith("sklearn.")]
    for line, name in [*named, *sklearn_attributes(tree)]:
        if any(map(is_private, name.split("."))):
            yield f"line {line}: {name} is private: go through {DOOR}.py"


def check_imports(unit: str, imported: list[tuple[int, str]]) -> Iterator[str]:
    for line, name in imported:
        parts = name.split(".")
        if complaint := check_units(unit, name):
            yield f"line {line}: {complaint}"
        if parts[0] == PACKAGE and VAGUE_NAMES & {part.strip("_") for part in parts}:
            yield f"line {line}: imports {name}: name a file for its one idea"


def check_source(path: str, source: str) -> list[str]:
    """List the rules that the file at ``path``, relative to the package, breaks."""
    parts = module_of(PurePosixPath(path))
    unit, tree = parts[0], ast.parse(source)
    imported = list(imported_names(tree, [PACKAGE, *parts[:-1]]))
    complaints = [*check_names(unit, parts), *check_imports(unit, imported)]
    if unit != DOOR:
        complaints += check_sklearn(tree, imported)
    return complaints


FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES)
def test_file_keeps_to_its_layer(path):
    assert check_source(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("__init__.py", "from ._irlinr_embedder import IRLINREmbedder"),
        ("__init__.py", "from . import datasets, metrics"),
        ("_irlinr_embedder.py", "from ._image_embedder import ImageEmbedder"),
        ("_simclr_embedder.py", "from invariant_cluster._nets import Net"),
        ("modules/_inr.py", "from ._fourier import Features\nfrom .. import _geometry"),
        ("modules/__init__.py", "from ._inr import INR"),
        ("_validation.py", "from sklearn.utils._param_validation import Interval"),
        ("_nets.py", "from sklearn.utils.validation import validate_data"),
        ("_nets.py", "import sklearn\nversion = sklearn.__version__"),
        ("_nets.py", "from numpy._core import multiarray\nself._validate()"),
    ],
)
def test_checker_accepts(path, source):
    assert check_source(path, source) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("_losses.py", "from ._nets import Net", "(level 0) imports _nets (level 2)"),
        ("_losses.py", "from . import _geometry", "imports _geometry (level 0)"),
        ("_views.py", "def f():\n    import invariant_cluster.modules", "line 2"),
        ("_views.py", "from invariant_cluster import SCANClusterer", "(level 8)"),
        ("_views.py", "from . import __version__", "__init__ (level 8)"),
        ("_views.py", "import invariant_cluster", "__init__ (level 8)"),
        ("_simclr_embedder.py", "from ._irlinr_embedder import x", "(level 7)"),
        ("_image_embedder.py", "from ._scan_clusterer import x", "(level 7)"),
        ("plot/_grid.py", "from .._irlinr_embedder import x", "(level 7)"),
        ("datasets/_own.py", "from ..modules import x", "imports modules (level 1)"),
        ("_nets.py", "from ._unknown import x", "_unknown has no level"),
        ("_unknown.py", "", "_unknown has no level"),
        ("plot/_utils.py", "", "is called _utils"),
        ("plot/__init__.py", "from . import helpers", "name a file for its one idea"),
        ("_nets.py", "from .utils import x", "name a file for its one idea"),
        ("_nets.py", "from sklearn.base import _fit_context", "is private"),
        ("_nets.py", "import sklearn.utils._tags", "is private"),
        ("_nets.py", "from sklearn.utils._tags import Tags", "is private"),
        ("_nets.py", "from sklearn import utils as u\nu._tags.Tags()", "u._tags"),
        ("_nets.py", "import sklearn.utils as u\nu._safe_indexing", "u._safe_indexing"),
    ],
)
def test_checker_complains(path, source, complaint):
    assert any(complaint in line for line in check_source(path, source))


def test_files_are_found():
    assert {"__init__.py", "_validation.py"} <= set(FILES)
