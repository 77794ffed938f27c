"""Troubles that people reported of such tools, from files to clusters."""

import warnings

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from invariant_cluster import PolarFourierEmbedder
from invariant_cluster.datasets import load_image_folder, load_oriented_digits
from invariant_cluster.inspection import check_batches

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def digits():
    """Four kinds of object, dark on white, and their classes."""
    bunch = load_oriented_digits(size=24)
    some = np.isin(bunch.target, (0, 1, 3, 7))
    return 255 - bunch.images[some][:300], bunch.target[some][:300]


def cluster(images, n_clusters=4, **parameters):
    embedder = PolarFourierEmbedder(d=16, random_state=0, **parameters)
    z = embedder.fit_transform(images)
    return KMeans(n_clusters, n_init=10, random_state=0).fit_predict(z)


@pytest.fixture(scope="module")
def vignettes(digits, tmp_path_factory):
    """A folder of pictures: the object, and below it a scale bar."""
    folder = tmp_path_factory.mktemp("vignettes")
    for number, one in enumerate(digits[0]):
        picture = np.full((36, 24), 255, np.uint8)
        picture[:24], picture[30:32, 3:18] = one, 0
        Image.fromarray(picture).save(folder / f"{number:03d}.png")
    return folder


def test_a_scale_bar_is_told_and_can_be_left_out(digits, vignettes, tmp_path):
    images, target = digits
    clean = adjusted_rand_score(target, cluster(images))
    assert clean > 0.6
    marked = load_image_folder(vignettes, size=32).images
    with pytest.warns(UserWarning, match=r"(?s)the same in all .*crop=.*mask="):
        spoilt = adjusted_rand_score(target, cluster(marked))
    assert spoilt < 0.2
    mask = np.zeros((36, 24), bool)
    mask[24:] = True
    for options in ({"crop": (0, 0, 12, 0)}, {"mask": mask}):
        given = load_image_folder(vignettes, size=32, **options).images
        assert adjusted_rand_score(target, cluster(given)) > clean - 0.15


def test_true_size_is_kept_where_it_is_asked_for(tmp_path):
    for side in (24, 240):  # one organism ten times as long as the other
        y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
        ellipse = np.where((x / 0.35) ** 2 + (y / 0.15) ** 2 < 1, 40, 255)
        Image.fromarray(ellipse.astype(np.uint8)).save(tmp_path / f"{side:03d}.png")
    fitted = load_image_folder(tmp_path, size=32)
    assert fitted.sizes.tolist() == [[24, 24], [240, 240]]
    small, large = (fitted.images < 150).sum(axis=(1, 2))
    assert small == pytest.approx(large, rel=0.2)
    kept = load_image_folder(tmp_path, size=32, keep_scale=True)
    small, large = (kept.images < 150).sum(axis=(1, 2))
    assert small < large / 20


def test_a_dimmer_microscope_is_told_and_can_be_ignored(digits):
    images, target = digits
    kept = np.isin(target, (1, 3))
    images, target = images[kept], target[kept]
    batch = np.arange(len(images)) % 2
    dimmer = np.where(batch[:, None, None] == 1, images * 0.4 + 30, images)
    mixed = dimmer.astype(np.uint8)
    labels = cluster(mixed, 2)
    assert adjusted_rand_score(batch, labels) > adjusted_rand_score(target, labels)
    with pytest.warns(UserWarning, match="batch"):
        check_batches(labels, batch)
    labels = cluster(mixed, 2, invariance="rotation+translation+brightness")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_batches(labels, batch)
    assert adjusted_rand_score(target, labels) > 0.5


def test_hot_pixels_do_not_rule_the_scale(digits):
    images, target = digits
    rng = np.random.default_rng(0)
    counts = 300 + (255 - images) / 255 * 900 + rng.normal(0, 20, images.shape)
    counts = counts.astype(np.uint16)
    clean = adjusted_rand_score(target, cluster(counts))
    counts[7, 3, 5] = 65535
    with pytest.warns(UserWarning, match="65,535"):
        hot = adjusted_rand_score(target, cluster(counts))
    assert hot > clean - 0.1
