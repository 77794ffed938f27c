"""A file of the package imports lower levels only, and other rooms by their names.

A test takes what users have, and private names of its own room alone. The checkers are
functions from source text to complaints, so they are themselves tested on sources that
break each rule.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

PACKAGE = "invariant_cluster"
TESTS = Path(__file__).parent
ROOT = TESTS.parent / PACKAGE

# A unit is a room (a subpackage), or a file beside the rooms; a row is a level.
FLOOR = {"progress"}  # below the first level: all of it may show progress
LEVELS = [
    {"geometry", "losses", "neighbors", "runtime", "validation"},
    {"images", "readers", "views"},
    {"datasets", "drift", "inspection", "modules"},
    {"metrics", "training"},
    {"model_selection", "persistence"},
    {"clusterers", "embedders", "out_of_core", "plot"},
    {"pipelines", "verdict"},
    {"report"},
    {"__init__"},
    {"cli"},
    {"__main__"},
]
DOOR = "validation"  # the only file that imports private names of scikit-learn
VAGUE_NAMES = {"util", "utils", "helper", "helpers"}


def level_of(unit: str) -> int | None:
    levels = enumerate([FLOOR, *LEVELS], start=-1)
    return next((i for i, units in levels if unit in units), None)


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
        target, level = "__init__", level_of("__init__")
    own = level_of(unit)
    if level is None or own is None:
        return f"imports {name}, and {target if level is None else unit} has no level"
    if target == unit:
        return None
    if level >= own:
        return f"(level {own}) imports {target} (level {level})"
    if any(map(is_private, parts[1:])):
        return f"imports {name}, which is private: go through {target}/__init__.py"
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
        ("__init__.py", "from .embedders import IRLINREmbedder"),
        ("__init__.py", "from . import datasets, metrics"),
        ("losses.py", "from .progress import progress_bar"),
        ("embedders/_simclr.py", "from ._image_embedder import ImageEmbedder"),
        ("embedders/_simclr.py", "from invariant_cluster.training import Net"),
        ("modules/_inr.py", "from ._fourier import Features\nfrom .. import geometry"),
        ("modules/__init__.py", "from ._inr import INR"),
        ("validation.py", "from sklearn.utils._param_validation import Interval"),
        ("losses.py", "from sklearn.utils.validation import validate_data"),
        ("losses.py", "import sklearn\nversion = sklearn.__version__"),
        ("losses.py", "from numpy._core import multiarray\nself._validate()"),
    ],
)
def test_checker_accepts(path, source):
    assert check_source(path, source) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("losses.py", "from .training import Net", "(level 0) imports training (level"),
        ("losses.py", "from . import geometry", "imports geometry (level 0)"),
        ("progress.py", "from . import losses", "imports losses (level 0)"),
        ("views/_rigid.py", "def f():\n    import invariant_cluster.modules", "line 2"),
        ("views/_rigid.py", "from invariant_cluster import SCANClusterer", "(level 8)"),
        ("views/_rigid.py", "from .. import __version__", "__init__ (level 8)"),
        ("views/_rigid.py", "import invariant_cluster", "__init__ (level 8)"),
        ("embedders/_simclr.py", "from ..clusterers import x", "clusterers (level 5)"),
        ("clusterers/_scan.py", "from ..embedders import x", "embedders (level 5)"),
        ("plot/_grid.py", "from ..embedders import x", "(level 5)"),
        ("datasets/_own.py", "from ..modules import x", "imports modules (level 2)"),
        ("plot/_grid.py", "from ..images._border import x", "images/__init__.py"),
        ("plot/_grid.py", "from ..images import _border", "which is private"),
        ("losses.py", "from ._unknown import x", "_unknown has no level"),
        ("_unknown.py", "", "_unknown has no level"),
        ("plot/_utils.py", "", "is called _utils"),
        ("plot/__init__.py", "from . import helpers", "name a file for its one idea"),
        ("losses.py", "from .utils import x", "name a file for its one idea"),
        ("losses.py", "from sklearn.base import _fit_context", "is private"),
        ("losses.py", "import sklearn.utils._tags", "is private"),
        ("losses.py", "from sklearn.utils._tags import Tags", "is private"),
        ("losses.py", "from sklearn import utils as u\nu._tags.Tags()", "u._tags"),
        (
            "losses.py",
            "import sklearn.utils as u\nu._safe_indexing",
            "u._safe_indexing",
        ),
    ],
)
def test_checker_complains(path, source, complaint):
    assert any(complaint in line for line in check_source(path, source))


def test_files_are_found():
    assert {"__init__.py", "validation.py"} <= set(FILES)


# Tests


def named_in_tests(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of imports, and of strings that name what to patch."""
    yield from imported_names(tree, [])
    for node in ast.walk(tree):
        value = getattr(node, "value", None)
        if isinstance(value, str) and re.fullmatch(rf"{PACKAGE}(\.\w+)+", value):
            yield node.lineno, value


def check_test_source(path: str, source: str) -> list[str]:
    """List what the file at ``path``, relative to the tests, takes of other rooms."""
    room, *_ = PurePosixPath(path).parts
    room = room.removesuffix(".py").removeprefix("test_")
    return [
        f"line {line}: {name} is private: take what {parts[1]}/__init__.py lists"
        for line, name in named_in_tests(ast.parse(source))
        if (parts := name.split("."))[0] == PACKAGE
        and any(map(is_private, parts[1:]))
        and parts[1] != room
    ]


TEST_FILES = sorted(p.relative_to(TESTS).as_posix() for p in TESTS.rglob("*.py"))


@pytest.mark.parametrize("path", [p for p in TEST_FILES if p != "test_layers.py"])
def test_a_test_takes_private_names_of_its_own_room_alone(path):
    assert check_test_source(path, (TESTS / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("views/test_rigid.py", "from invariant_cluster.views._rigid import move"),
        ("views/test_rigid.py", "from invariant_cluster.views import _rigid"),
        ("views/test_rigid.py", "patch('invariant_cluster.views._rigid._TURN', 0)"),
        ("views/test_rigid.py", "from invariant_cluster import SCANClusterer, runtime"),
        ("test_losses.py", "from invariant_cluster.losses import _TINY"),
        ("test_memory.py", "import invariant_cluster.runtime\nimport _thread"),
        ("conftest.py", "from invariant_cluster import __version__"),
        ("test_memory.py", "'see invariant_cluster._private for more'"),
    ],
)
def test_checker_of_tests_accepts(path, source):
    assert check_test_source(path, source) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        (
            "views/test_rigid.py",
            "def f():\n    from invariant_cluster.modules._inr import INR",
            "line 2: invariant_cluster.modules._inr.INR is private: take what modules",
        ),
        ("cli/test_app.py", "from invariant_cluster.embedders import _sizes", "_sizes"),
        ("cli/conftest.py", "import invariant_cluster.report._page", "report/__init__"),
        ("test_memory.py", "from invariant_cluster.runtime import _MOST_ROWS", "_MOST"),
        ("test_memory.py", "p('invariant_cluster.images._checks._CHUNK', 8)", "images"),
    ],
)
def test_checker_of_tests_complains(path, source, complaint):
    assert any(complaint in line for line in check_test_source(path, source))


def test_test_files_are_found():
    assert {"conftest.py", "test_losses.py", "cli/test_command_line.py"} <= set(
        TEST_FILES
    )
