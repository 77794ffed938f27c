import numpy as np
import pytest

from invariant_cluster.drift import Finding, Span, likely_cause, measure_span

OLD = Span("uint8", 0.0, 0.0, 250.0)


def finding(aspect, shift, training=1.0, new=1.0):
    return Finding(aspect, training, 0.0, 2.0, new, shift, 0.6)


@pytest.mark.parametrize(
    ("new", "cause"),
    [
        (Span("float32", 0.0, 0.0, 0.98), "divided by 255?"),
        (Span("uint16", 0.0, 0.0, 64250.0), "multiplied by 257?"),
        (Span("uint16", 0.0, 0.0, 63750.0), "multiplied by 257?"),
        (Span("float32", -0.4, -0.4, 3.0), "standardised?"),
        (Span("uint8", 250.0, 0.0, 250.0), "inverted?"),
        (Span("uint8", 80.0, 80.0, 200.0), "another kind of image?"),
    ],
)
def test_values_tell_the_cause(new, cause):
    assert likely_cause(OLD, new, [finding("unlike all training images", 1.0)]) == cause


@pytest.mark.parametrize(
    ("findings", "cause"),
    [
        ([finding("background", 1.0)], "another background?"),
        (
            [finding("background", -1.0, 90.0, 30.0), finding("contrast", -1.0, 3, 1)],
            "0.33 times as bright?",
        ),
        ([finding("contrast", -0.9, 80.0, 40.0)], "0.5 times as bright?"),
        ([finding("contrast", -0.9), finding("size", -1.0, 1, 0.5)], "objects of 0.5"),
        ([finding("sharpness", -1.0), finding("contrast", -1.0)], "blurred?"),
        ([finding("sharpness", 1.0), finding("coverage", 1.0)], "noisier?"),
        ([finding("color", 0.9), finding("size", 0.1)], "other colours?"),
    ],
)
def test_findings_tell_the_cause(findings, cause):
    new = Span("uint8", 0.0, 0.0, 200.0)
    assert likely_cause(OLD, new, findings).startswith(cause)


def test_spans_are_those_of_the_values():
    images = np.zeros((10, 1, 10, 10), dtype=np.uint8)
    images[:, :, 3:7, 3:7] = 200
    assert measure_span(images) == Span("uint8", 0.0, 0.0, 200.0)
    assert measure_span(images.astype(bool)) == Span("bool", 0.0, 0.0, 1.0)
    assert measure_span(np.full((2, 1, 8, 8), 3.0)) == Span("float64", 3.0, 3.0, 4.0)


def test_one_bright_pixel_is_no_range():
    images = np.random.default_rng(0).integers(0, 100, (50, 1, 16, 16), dtype=np.uint16)
    images[0, 0, 5, 5] = 65535
    assert measure_span(images).high < 101


def test_floats_become_integers_by_255():
    old, new = Span("float32", 0.0, 0.0, 0.98), Span("uint8", 0.0, 0.0, 250.0)
    cause = likely_cause(old, new, [finding("unlike all training images", 1.0)])
    assert cause == "multiplied by 255?"
