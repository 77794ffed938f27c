"""What ``fit`` tells about images, once, and what it does about it."""

import warnings

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from invariant_cluster import (
    ClassAverageEmbedder,
    IRLINREmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    ScatteringEmbedder,
    load_model,
    save_model,
)
from invariant_cluster.datasets import load_oriented_digits

DIGITS = load_oriented_digits(size=24)
SOME = np.flatnonzero(np.isin(DIGITS.target, (0, 1)))[:120]
COUNTS = (300 + 900 * (DIGITS.images[SOME] / 255)).round().astype(np.uint16)
KINDS = DIGITS.target[SOME]
NETWORK = {
    "d": 4,
    "max_epochs": 1,
    "encoder_width": 2,
    "inr_hidden": (8,),
    "hypernetwork_hidden": (8,),
    "n_frequencies": 4,
    "device": "cpu",
}
MAKES = {
    "polar": lambda **more: PolarFourierEmbedder(d=8, random_state=0, **more),
    "scattering": lambda **more: ScatteringEmbedder(d=8, random_state=0, **more),
    "averages": lambda: ClassAverageEmbedder(
        2, n_rotations=24, n_starts=2, random_state=0
    ),
}
OUTSIDE = r"X has values from 300 to 65,535, but nearly all lie in 300 to 1,200: "
each_embedder = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)


def with_hot_pixel(images=COUNTS):
    hot = images.copy()
    hot[5, 3, 3] = 65535
    return hot


def clusters_of(embedder, images):
    z = np.asarray(embedder.fit_transform(images))
    return KMeans(2, n_init=10, random_state=0).fit_predict(z)


@each_embedder
def test_a_hot_pixel_is_told_and_costs_nothing(make):
    told = OUTSIDE + r"1 pixel\(s\) in 1 of 120 images are far .*intensity_range=\("
    clean = adjusted_rand_score(KINDS, clusters_of(make(), COUNTS))
    with pytest.warns(UserWarning, match=told):
        spoilt = clusters_of(make(), with_hot_pixel())
    assert clean > 0.5
    assert adjusted_rand_score(KINDS, spoilt) > clean - 0.05


def test_a_pixel_that_is_hot_in_all_images_costs_nothing():
    images = COUNTS.copy()
    images[:, 3, 3] = 65535
    clean = adjusted_rand_score(KINDS, clusters_of(MAKES["polar"](), COUNTS))
    with pytest.warns(UserWarning, match=r"120 pixel\(s\) in 120 of 120 images"):
        spoilt = clusters_of(MAKES["polar"](), images)
    assert adjusted_rand_score(KINDS, spoilt) > clean - 0.05


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
@pytest.mark.parametrize("name", ["polar", "scattering"])
def test_brightness_is_not_set_by_a_hot_pixel(name):
    embedder = MAKES[name](invariance="rotation+translation+brightness")
    with pytest.warns(UserWarning, match=OUTSIDE):
        embedder.fit(with_hot_pixel())
    spoilt, clean = (embedder.transform(x[5:6]) for x in (with_hot_pixel(), COUNTS))
    others = embedder.transform(COUNTS)
    assert np.linalg.norm(spoilt - clean) < np.linalg.norm(others.std(axis=0))


def test_a_network_sees_the_range_of_most_images():
    embedder = IRLINREmbedder(**NETWORK, random_state=0)
    with pytest.warns(UserWarning, match=OUTSIDE):
        embedder.fit(with_hot_pixel())
    assert embedder.intensity_range_ == (300, 1200)
    moved = embedder.predict_pose(with_hot_pixel(), learned=False)[1]
    still = embedder.predict_pose(COUNTS, learned=False)[1]
    assert abs(moved - still).max() < 0.5  # pixels


@each_embedder
def test_limits_are_saved(make, tmp_path):
    with pytest.warns(UserWarning, match=OUTSIDE):
        embedder = make().fit(with_hot_pixel())
    save_model(embedder, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.tone_ == embedder.tone_
    assert loaded.tone_.limits[1] == 1200
    np.testing.assert_array_equal(
        loaded.transform(with_hot_pixel()), embedder.transform(with_hot_pixel())
    )


def test_a_given_range_has_no_outliers():
    given = MAKES["scattering"](intensity_range=(0, 65535)).fit(with_hot_pixel())
    assert given.intensity_range_ == (0, 65535)
    assert not given.tone_.limits


@each_embedder
def test_blank_images_are_told(make):
    images = COUNTS[:40].copy()
    images[[17, 20]] = 300
    told = r"2 of 40 images are blank \(all pixels equal\), such as number 17: they"
    with pytest.warns(UserWarning, match=told):
        make().fit(images)
    images[20] = COUNTS[20]
    with pytest.warns(UserWarning, match="1 of 40 images is blank"):
        make().fit(images)


@each_embedder
def test_a_scale_bar_is_told(make):
    images = np.pad(COUNTS, ((0, 0), (0, 8), (4, 4)), constant_values=300)
    images[:, 28:30, 3:20] = 1200
    told = (
        "34 pixels in rows 28 to 29 and columns 3 to 19 are the same in all images .* "
        "Paint it with the background, or give crop= or mask= of load_image_folder"
    )
    with pytest.warns(UserWarning, match=told):
        make().fit(images)


def test_a_joint_embedder_tells_each_once():
    X = np.ma.array(with_hot_pixel(), mask=False)
    X[3, 0, 0] = np.ma.masked
    X[8] = 300
    members = [(name, make()) for name, make in MAKES.items()]
    with pytest.warns(UserWarning, match="blank|masked|far outside") as told:
        JointEmbedder(members).fit(X)
    parts = sorted(str(one.message)[:17] for one in told)
    assert parts == ["1 of 120 images i", "X has values from", "X is a masked arr"]


def test_masked_pixels_do_not_count():
    images = with_hot_pixel()
    X = np.ma.masked_outside(images, 0, 60_000)
    with pytest.warns(UserWarning, match="masked array: 1 of 69,120 values") as told:
        masked = MAKES["polar"]().fit(X)
    assert len(told) == 1
    filled = X.filled(300)
    plain = MAKES["polar"]().fit(filled)
    np.testing.assert_array_equal(masked.transform(X), plain.transform(filled))


def test_the_images_of_an_embedding_are_filled():
    X = np.ma.masked_outside(with_hot_pixel(), 0, 60_000)
    with pytest.warns(UserWarning, match="masked array"):
        z = IRLINREmbedder(**NETWORK, random_state=0).fit_transform(X)
    assert type(z.images) is np.ndarray
    np.testing.assert_array_equal(z.images, X.filled(300))
    with pytest.warns(UserWarning, match="masked array"):
        joint = JointEmbedder(
            [("learned", IRLINREmbedder(**NETWORK)), ("polar", MAKES["polar"]())]
        ).fit(X)
    np.testing.assert_array_equal(joint.transform(X).images, X.filled(300))


def test_a_few_blank_maps_are_nothing_unusual():
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 3, (300, 16, 16)).astype(np.uint8)
    maps[[7, 90]] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PolarFourierEmbedder(d=4, random_state=0).fit(maps)
    maps[100:110] = 0
    with pytest.warns(UserWarning, match="12 of 300 images are blank"):
        PolarFourierEmbedder(d=4, random_state=0).fit(maps)
