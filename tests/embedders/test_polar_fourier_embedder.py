"""What is particular to PolarFourierEmbedder: invariance, units, sizes."""

import numpy as np
import pytest

from invariant_cluster import PolarFourierEmbedder
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.embedders import _polar_fourier_embedder as module
from invariant_cluster.geometry import move_array
from invariant_cluster.metrics import neighbor_purity_score

OPTIONS = {
    "samples": {},
    "magnitudes": {"power": 1.0},
    "zernike": {"radial_basis": "zernike"},
}


@pytest.fixture(params=OPTIONS)
def make(request, make_polar_embedder):
    """Return a maker of embedders by each kind of features."""

    def make(**parameters):
        return make_polar_embedder(**{**OPTIONS[request.param], **parameters})

    return make


@pytest.fixture(scope="module")
def blobs():
    """Return 24 smooth objects of several parts, (24, 64, 64), within the disc."""
    random = np.random.default_rng(0)
    row, column = np.indices((64, 64)) - 31.5
    images = np.zeros((24, 64, 64))
    for image in images:
        for _ in range(4):
            (y, x), width = random.uniform(-12, 12, 2), random.uniform(3, 6)
            image += np.exp(-(((row - y) ** 2 + (column - x) ** 2) / width**2) / 2)
    return (60 * images).astype(np.float32)


def distance(z, moved):
    """Return how far z moves, in parts of how far images are from their mean."""
    far = np.linalg.norm(z - z.mean(axis=0), axis=1).mean()
    return np.linalg.norm(moved - z, axis=1).mean() / far


def move(images, alpha=0.0, shift=(0.0, 0.0)):
    n = len(images)
    tau = np.tile(np.asarray(shift, dtype=float), (n, 1))
    return move_array(images[:, None], np.full(n, alpha), tau, 0.0)[:, 0]


# Precision


def test_the_order_of_training_images_does_not_matter(make, digits):
    """But for the sign of each component."""
    images, _ = digits
    z = make(d=10).fit_transform(images)
    other = make(d=10).fit(images[::-1]).transform(images)
    assert abs(abs(z) - abs(other)).max() < 1e-6 * z.std()


def test_magnitudes_that_are_zero_stay_zero(make_polar_embedder):
    """A disc and its quarter turn have the same features at any power."""
    row, column = np.indices((5, 24, 24))[1:] - 11.5
    radius = np.arange(3, 8)[:, None, None]
    discs = np.exp(-((row**2 + column**2) / radius**2)).astype(np.float32)
    for basis in ("samples", "zernike"):
        embedder = make_polar_embedder(
            d=4, radial_basis=basis, power=0.1, invariance="rotation"
        ).fit(discs)
        z = embedder.transform(discs)
        turned = embedder.transform(np.rot90(discs, axes=(1, 2)))
        assert abs(z - turned).max() < 1e-5 * z.std()


# Invariance


@pytest.mark.parametrize("side", [16, 15])
@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("invariance", ["rotation", "rotation+translation"])
def test_quarter_turns_change_nothing(make, images, invariance, turns, side):
    images = images[:, :side, :side]
    embedder = make(invariance=invariance).fit(images)
    z = embedder.transform(images)
    turned = embedder.transform(np.rot90(images, turns, axes=(1, 2)))
    assert z.std() > 0
    np.testing.assert_allclose(turned, z, atol=1e-3 * z.std())


@pytest.mark.parametrize("invariance", ["rotation", "rotation+reflection"])
def test_mirror_images_are_not_told_apart(make, images, invariance):
    embedder = make(invariance=invariance).fit(images)
    z = embedder.transform(images)
    mirrored = embedder.transform(images[:, :, ::-1])
    np.testing.assert_allclose(mirrored, z, atol=1e-3 * z.std())
    plain = make(invariance=invariance.removesuffix("+reflection")).fit(images)
    np.testing.assert_array_equal(plain.transform(images), z)


@pytest.mark.parametrize("alpha", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("invariance", ["rotation", "rotation+translation"])
def test_other_turns_change_little(make, blobs, invariance, alpha):
    embedder = make(invariance=invariance).fit(blobs)
    moved = embedder.transform(move(blobs, alpha))
    assert distance(embedder.transform(blobs), moved) < 0.03


@pytest.mark.parametrize("shift", [(4, -2), (1.1, 2.7)])
def test_shifts_change_little_if_centred(make, blobs, shift):
    moved = move(blobs, shift=shift)
    embedder = make().fit(blobs)
    assert distance(embedder.transform(blobs), embedder.transform(moved)) < 0.03
    still = make(invariance="rotation").fit(blobs)
    assert distance(still.transform(blobs), still.transform(moved)) > 0.5


def test_neighbors_are_of_one_class_more_often_than_by_pixels():
    images, classes = load_oriented_digits(return_X_y=True)
    images, classes = images[:600], classes[:600]
    pixels = images.reshape(len(images), -1).astype(np.float32)
    by_pixels = neighbor_purity_score(pixels, classes, n_neighbors=10)
    z = PolarFourierEmbedder().fit_transform(images)
    assert neighbor_purity_score(z, classes, n_neighbors=10) > by_pixels + 0.2


# Background and units


def test_inverted_images_have_equal_features(make, images):
    z = make().fit_transform(images)
    light = make().fit(255 - images)
    np.testing.assert_array_equal(light.transform(255 - images), z)
    assert light.background_ == 255


def test_each_channel_has_its_own_background(make, images):
    one = make().fit_transform(images)
    halves = np.stack([images // 2, 200 - (images - images // 2)], axis=-1)
    embedder = make(image_shape=(16, 16, 2)).fit(halves)
    np.testing.assert_array_equal(embedder.background_, [0, 200])
    np.testing.assert_allclose(embedder.transform(halves), one, atol=1e-3 * one.std())


def test_background_can_be_given(make, images):
    """The border of these says 100, which would be mass if 0 were empty."""
    framed = images.copy()
    framed[:, [0, -1]] = framed[:, :, [0, -1]] = 100
    assert make().fit(framed).background_ == 100
    given = make(background=0).fit(framed)
    assert given.background_ == 0
    assert np.abs(given.transform(framed) - make().fit_transform(framed)).max() > 1


@pytest.mark.parametrize("scale", [0.01, 40])
def test_features_are_in_units_to_the_power(make, images, scale):
    embedder = make().fit(images)
    z = embedder.transform(images)
    in_units = make().fit_transform(images * np.float32(scale) - 7)
    np.testing.assert_allclose(in_units / scale**embedder.power, z, atol=1e-3 * z.std())


# Memory, size of the output


def test_batches_alone_are_converted(make, images, tmp_path, monkeypatch):
    """A memmap of uint8 reaches the mathematics as uint8, 256 images at a time."""
    many = np.tile(images, (12, 1, 1))
    path = tmp_path / "images.npy"
    np.save(path, many)
    seen = []

    def spy(raw, *arguments, **options):
        seen.append((len(raw), str(raw.dtype)))
        return measure_mass(raw, *arguments, **options)

    measure_mass = module.measure_mass
    monkeypatch.setattr(module, "measure_mass", spy)
    mapped = np.load(path, mmap_mode="r")
    embedder = make().fit(mapped)
    seen.clear()
    z = embedder.transform(mapped)
    assert set(seen) == {(256, "torch.uint8"), (64, "torch.uint8")}
    np.testing.assert_array_equal(z, make().fit_transform(many))


def test_components_come_from_evenly_spaced_images(make, images, monkeypatch):
    monkeypatch.setattr(module, "_MOST_TRAINING_IMAGES", 20)
    embedder = make(d=5).fit(images)
    expected = make(d=5, background=embedder.background_).fit(images[::3])
    assert embedder.pca_.n_samples_ == 16
    np.testing.assert_array_equal(
        embedder.transform(images), expected.transform(images)
    )


@pytest.mark.parametrize(
    ("parameters", "n", "d"),
    [
        ({"d": 5}, 48, 5),
        ({"d": 30}, 12, 12),
        ({"n_radii": 2, "n_orders": 3}, 48, 6),
        ({"radial_basis": "zernike", "degree": 4}, 48, 9),
        ({"radial_basis": "zernike", "degree": 0}, 48, 1),
        ({"n_angles": 1, "n_orders": 1, "n_radii": 1}, 48, 1),
    ],
)
def test_d_is_what_the_data_allow(parameters, n, d, make_polar_embedder, images):
    embedder = make_polar_embedder(**parameters).fit(images[:n])
    assert embedder.transform(images).shape == (48, d)
    names = [f"polarfourierembedder{i}" for i in range(d)]
    assert embedder.get_feature_names_out().tolist() == names


WIDE = {"n_radii": 32, "n_orders": 33, "d": 8}  # the PCA draws at random


@pytest.mark.usefixtures("generators_unchanged")
@pytest.mark.parametrize("parameters", [{}, WIDE])
def test_global_generators_are_left_alone(parameters, make_polar_embedder, images):
    z, again = (
        make_polar_embedder(**parameters).fit_transform(images) for _ in range(2)
    )
    np.testing.assert_array_equal(z, again)


# Bad input


def test_more_orders_than_angles_have(make_polar_embedder, images):
    told = r"n_orders=6 but n_angles=8.*have 5.*lower n_orders.*n_angles to 10"
    with pytest.raises(ValueError, match=told):
        make_polar_embedder(n_angles=8, n_orders=6).fit(images)
    make_polar_embedder(n_angles=10, n_orders=6).fit(images)
    unused = make_polar_embedder(radial_basis="zernike", n_angles=8, n_orders=6)
    unused.fit(images)


def test_values_whose_squares_exceed_float32(make, images):
    told = "X holds values so large.*divide X by its largest"
    with pytest.raises(ValueError, match=f"(?s){told}"):
        make(power=1.0).fit(images * 1e30)
