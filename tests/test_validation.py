"""Checks of options, and estimators that a failed check leaves alone."""

import pytest
from sklearn.base import BaseEstimator

from invariant_cluster.validation import check_sizes, unchanged_on_error


def test_attributes_come_back_if_the_block_raises():
    estimator = BaseEstimator()
    estimator.kept_, estimator.changed_ = 1, 2

    def change():
        estimator.changed_, estimator.new_ = 3, 4
        del estimator.kept_
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), unchanged_on_error(estimator):
        change()
    assert vars(estimator) == {"kept_": 1, "changed_": 2}


def test_attributes_stay_if_the_block_does_not_raise():
    estimator = BaseEstimator()
    with unchanged_on_error(estimator):
        estimator.new_ = 1
    assert vars(estimator) == {"new_": 1}


@pytest.mark.parametrize("given", [(4, 5), [4, 5]])
def test_sizes_become_a_tuple(given):
    assert check_sizes("inr_hidden", given) == (4, 5)
