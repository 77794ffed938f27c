"""Names of the package are imported when they are first used."""

import subprocess
import sys

import pytest

import invariant_cluster

HEAVY = ("torch", "sklearn", "pandas", "scipy", "skorch", "matplotlib", "numpy")


def heavy_after(code):
    """Return the large packages that a new process has imported after some code."""
    told = f"print(*[m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    run = [sys.executable, "-c", f"{code}\nimport sys\n{told}"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    return done.stderr.split()


def test_the_package_alone_is_small():
    assert heavy_after("import invariant_cluster; dir(invariant_cluster)") == []


def test_a_name_brings_what_it_needs():
    assert "torch" in heavy_after("from invariant_cluster import make_pipeline")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["fit", "--help"], ["predict", "--help"]]
)
def test_help_imports_nothing_large(arguments):
    pytest.importorskip("typer")
    code = f"""
import sys
sys.argv[1:] = {arguments}
from invariant_cluster.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code"""
    assert heavy_after(code) == []


def test_all_public_names_are_there():
    names = invariant_cluster.__all__
    assert sorted(names) == sorted(set(names))
    assert set(names) <= set(dir(invariant_cluster))
    for name in names:
        made = getattr(invariant_cluster, name)
        assert getattr(invariant_cluster, name) is made
        assert made.__name__.endswith(name)


def test_rooms_are_there():
    assert invariant_cluster.embedders.LIGHT
    assert invariant_cluster.pipelines.make_pipeline is invariant_cluster.make_pipeline


@pytest.mark.parametrize("name", ["IRLINREmbeder", "_nothing", "__wrapped__"])
def test_other_names_are_refused(name):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
        getattr(invariant_cluster, name)
    with pytest.raises(ImportError, match=f"cannot import name '{name}'"):
        exec(f"from invariant_cluster import {name}")
