import warnings

import pytest

from invariant_cluster.drift import (
    DriftWarning,
    Finding,
    Span,
    is_told,
    one_warning,
    warn_of_drift,
)

OLD, NEW = Span("uint8", 0.0, 0.0, 255.0), Span("float32", 0.0, 0.0, 1.0)
DRIFT = Finding("contrast", 70.0, 50.0, 90.0, 0.3, -1.0, 0.6)
SHARE = Finding(
    "unlike all training images", 0.0, float("nan"), float("nan"), 1, 1, 0.3
)


def warn():
    warn_of_drift([DRIFT, SHARE], OLD, NEW, 1200)


def test_the_warning_has_both_figures_and_the_cause():
    with pytest.warns(DriftWarning) as told:
        warn()
    message = str(told[0].message)
    assert message.startswith(
        "The 1,200 new image(s) are not like the training images: divided by 255? "
        "Training: uint8, background 0, values 0 to 255. New: float32, background 0, "
        "values 0 to 1. Drifted: contrast (70 -> 0.3), unlike all training images "
        "(100%)."
    )
    assert "check_drift(model, X)" in message


def warn_twice():
    warn()
    with one_warning():
        warn()


def test_no_drift_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_drift([DRIFT._replace(shift=0.5)], OLD, NEW, 3)
        warn_of_drift([], OLD, NEW, 3)


def test_one_warning_in_a_context():
    with one_warning() as told:
        assert told == [False]
        with pytest.warns(DriftWarning) as caught:
            warn_twice()
        assert len(caught) == 1
        assert told == [True]
        assert is_told()
    assert not is_told()


def test_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with one_warning(silent=True):
            warn()
