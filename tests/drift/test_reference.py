import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import pairwise_distances

from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.drift import as_table, measure_reference, watch_for
from invariant_cluster.drift._reference import far_share

WATCH = watch_for("rotation+translation")


@pytest.fixture(scope="module")
def digits():
    return load_oriented_digits(size=16)


@pytest.fixture(scope="module")
def reference(digits):
    return measure_reference(digits.images[:900, None], WATCH)


def drifted(findings):
    return {found.aspect for found in findings if found.is_drift}


def test_new_images_of_the_same_kind_do_not_drift(digits, reference):
    assert drifted(reference.compare(digits.images[900:, None])) == set()


@pytest.mark.parametrize("digit", range(10))
def test_a_class_alone_does_not_drift(digits, reference, digit):
    new, target = digits.images[900:], digits.target[900:]
    assert drifted(reference.compare(new[target == digit][:, None])) == set()


@pytest.mark.parametrize(
    ("aspect", "spoil"),
    [
        ("contrast", lambda x: x // 3),
        ("background", lambda x: x // 2 + 100),
        ("background", lambda x: 255 - x),
        ("contrast", lambda x: x / 255),
        ("contrast", lambda x: x.astype(np.uint16) * 257),
        ("unlike all training images", lambda x: (x - x.mean()) / x.std()),
        ("sharpness", lambda x: gaussian_filter(x, (0, 0, 1, 1))),
    ],
)
def test_what_was_done_to_images_drifts(digits, reference, aspect, spoil):
    findings = reference.compare(spoil(digits.images[900:, None]))
    assert aspect in drifted(findings)


def test_objects_of_half_the_size_drift_in_size(digits, reference):
    images = digits.images[900:]
    small = np.zeros_like(images)
    small[:, 4:12, 4:12] = images.reshape(len(images), 8, 2, 8, 2).mean(axis=(2, 4))
    assert "size" in drifted(reference.compare(small[:, None]))


def test_what_invariance_allows_is_no_drift(digits):
    images = digits.images[:, None]
    reference = measure_reference(images[:900], watch_for("rotation+brightness"))
    assert drifted(reference.compare(images[900:] // 3)) == set()


def test_nothing_is_compared_if_everything_may_change(digits):
    images = digits.images[:, None]
    watch = watch_for("rotation+scale+brightness")
    assert measure_reference(images[:900], watch).compare(images[900:] // 3) == []


def test_few_training_images_are_no_reference(digits):
    few = measure_reference(digits.images[:39, None], WATCH)
    assert few.compare(255 - digits.images[:20, None]) == []
    assert (
        few._replace(z=np.zeros((39, 3), np.float32)).compare_z(np.ones((5, 3))) == []
    )


def test_one_image_drifts_if_it_is_far_off(digits, reference):
    one = digits.images[900:901, None]
    assert drifted(reference.compare(one)) == set()
    assert "unlike all training images" in drifted(reference.compare(255 - one))


def test_far_rows_are_those_beyond_the_reach_of_known_ones():
    rng = np.random.default_rng(0)
    known, new = rng.normal(size=(200, 4)), rng.normal(size=(60, 4)) * 2
    own = np.sort(pairwise_distances(known), axis=1)[:, 5]
    distance = np.sort(pairwise_distances(new, known), axis=1)[:, 4]
    naive = (distance > 1.5 * np.quantile(own, 0.99)).mean()
    assert 0.05 < naive < 0.95
    assert far_share(known, new) == pytest.approx(naive)


def test_z_far_from_that_of_training_drifts():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 8)).astype(np.float32)
    reference = measure_reference(rng.random((300, 1, 8, 8)), WATCH)._replace(z=z)
    assert drifted(reference.compare_z(rng.normal(size=(100, 8)))) == set()
    assert drifted(reference.compare_z(rng.normal(size=(100, 8)) + 9)) == {
        "z unlike that of all training images"
    }


def test_z_near_that_of_training_is_no_drift_however_alike_that_is(reference):
    rng = np.random.default_rng(0)
    objects = rng.normal(size=(5, 8))
    # Each object in many poses: invariant z that nearly coincide.
    z = (objects.repeat(60, axis=0) + rng.normal(0, 1e-6, (300, 8))).astype(np.float32)
    new = objects.repeat(20, axis=0) + rng.normal(0, 0.02, (100, 8))
    assert drifted(reference._replace(z=z).compare_z(new)) == set()


def test_copies_count_once(digits):
    images = digits.images[:300, None]
    copied = measure_reference(np.tile(images, (4, 1, 1, 1)), WATCH)
    # Of a period, all images are seen, and none is far from the others for its copies.
    assert 250 < copied.values.shape[1] <= 300
    assert drifted(copied.compare(digits.images[300:, None])) == set()


def test_blank_training_images_are_no_reference():
    reference = measure_reference(np.full((60, 1, 8, 8), 5), WATCH)
    assert reference.compare(np.full((60, 1, 8, 8), 9)) == []


def test_the_table_has_a_row_a_finding(digits, reference):
    findings = reference.compare(digits.images[900:, None] // 3)
    table = as_table(findings)
    assert list(table.columns) == [
        "training",
        "low",
        "high",
        "new",
        "shift",
        "limit",
        "drifted",
    ]
    contrast = table.loc["contrast"]
    # In the units of the images.
    assert contrast["low"] < contrast["training"] < contrast["high"]
    assert contrast["new"] == pytest.approx(contrast["training"] / 3, rel=0.1)
    assert as_table([]).shape == (0, 7)


def test_values_that_are_clipped_away_do_not_count():
    rng = np.random.default_rng(0)
    images = rng.integers(300, 1200, (120, 1, 8, 8)).astype(np.uint16)
    images[5, 0, 3, 3] = 65535
    reference = measure_reference(images, WATCH._replace(limits=(0.0, 3000.0)))
    assert reference.span.high < 1300
    assert drifted(reference.compare(images[5:6])) == set()
    dead = images[:20].astype(np.int32)
    dead[:, 0, 1, 1] = -9999
    assert "background" not in drifted(reference.compare(dead))
