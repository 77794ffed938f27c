"""The API reference leaves no public name out."""

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "api.rst"
MODULES = ["", ".datasets", ".metrics", ".model_selection", ".out_of_core", ".plot"]


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_on_the_page(name):
    module = importlib.import_module(f"invariant_cluster{name}")
    listed = set(re.findall(r"^   (\w+)$", PAGE.read_text(encoding="utf-8"), re.M))
    made = {name for name in module.__all__ if callable(getattr(module, name))}
    assert made
    assert sorted(made - listed) == [], "list them in docs/api.rst"
