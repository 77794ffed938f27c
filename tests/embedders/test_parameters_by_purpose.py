"""The docstring sorts every parameter into one group, those to set first at the top."""

import inspect
import re

from invariant_cluster import IRLINREmbedder


def read_groups():
    """Return {group: names of parameters} of the list in the docstring's Notes."""
    _, told = inspect.getdoc(IRLINREmbedder).split("Parameters by purpose:")
    told = told.split("\nReferences\n")[0]
    groups = re.findall(r"^- \*(.+?)\*:(.*?\.)$", told, re.MULTILINE | re.DOTALL)
    return {name: re.findall(r"``(\w+)``", text) for name, text in groups}


def test_each_parameter_is_in_one_group():
    named = [name for names in read_groups().values() for name in names]
    assert sorted(named) == sorted(IRLINREmbedder().get_params())


def test_five_come_first_and_the_summary_names_them():
    first, *_ = read_groups().values()
    summary, _ = inspect.getdoc(IRLINREmbedder).split("\nParameters\n-")
    assert len(first) == 5
    assert all(f"``{name}``" in summary for name in first)
