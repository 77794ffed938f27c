"""The best number is in bold, whatever stands around it."""

import pytest

from benchmarks.best import bold, mark_best, number_of


@pytest.mark.parametrize(
    ("cell", "number"),
    [("65.0 ± 7.1", 65.0), ("50.8, scattering", 50.8), ("-", None), ("-0.5", -0.5)],
)
def test_a_cell_begins_with_its_number(cell, number):
    assert number_of(cell) == number


def test_number_and_deviation_are_bold_and_nothing_else():
    assert bold("65.8 ± 0.1 (3), z + heads") == "**65.8 ± 0.1** (3), z + heads"


def test_the_largest_is_marked_and_all_that_equal_it():
    cells = ["50.8 ± 5.5", "-", "50.8, scattering", "9.9"]
    assert mark_best(cells) == ["**50.8 ± 5.5**", "-", "**50.8**, scattering", "9.9"]


def test_the_smallest_of_errors_is_marked():
    assert mark_best(["0.10", "0.09"], min) == ["0.10", "**0.09**"]


def test_one_number_is_no_contest():
    assert mark_best(["1.0", "-"]) == ["1.0", "-"]
    assert mark_best([]) == []
