import numpy as np
import pytest

from invariant_cluster.plot import LatentTraversalDisplay

make = LatentTraversalDisplay.from_estimator


def as_shown(embedder, drawn):
    low, high = embedder.intensity_range_
    return np.clip((drawn - low) / (high - low), 0, 1)


def test_rows_cross_in_the_mean_of_z(fitted_pipe, images):
    display = make(fitted_pipe, images, n_components=3, n_steps=5)
    embedder = fitted_pipe[0]
    z = np.asarray(embedder.transform(images))
    mean = as_shown(embedder, embedder.draw(z.mean(axis=0, keepdims=True)))[0]
    assert display.pictures.shape == (3, 5, 16, 16)
    for row in display.pictures:
        np.testing.assert_allclose(row[2], mean, atol=1e-5)
    assert (np.diff(display.explained) <= 0).all()


def test_ends_are_so_many_deviations_away(fitted_pipe, images):
    display = make(fitted_pipe, images, n_components=1, n_steps=2, extent=1.5, start=3)
    embedder = fitted_pipe[0]
    z = np.asarray(embedder.transform(images), dtype=float)
    variances, directions = np.linalg.eigh(np.cov(z.T))
    step = 1.5 * np.sqrt(variances[-1]) * directions[:, -1]
    ends = as_shown(embedder, embedder.draw(np.stack([z[3] - step, z[3] + step])))
    found = display.pictures[0]
    matches = [np.abs(found - ends).max(), np.abs(found - ends[::-1]).max()]
    assert min(matches) < 1e-4  # the sign of a component is arbitrary
    assert display.shifts.tolist() == [-1.5, 1.5]


def test_resolution_is_free(fitted_pipe, images):
    display = make(fitted_pipe, images, n_steps=3, resolution=40)
    assert display.pictures.shape == (4, 3, 40, 40)
    assert display.image_.get_array().shape[0] > 4 * 40


def test_bad_input_is_named(fitted_pipe, fitted_simclr, images):
    with pytest.raises(TypeError, match="estimator=SimCLREmbedder has no draw"):
        make(fitted_simclr, images)
    with pytest.raises(ValueError, match=r"n_components=5 but z of X has shape"):
        make(fitted_pipe, images, n_components=5)
    with pytest.raises(ValueError, match="start=48 is not an index into the 48 im"):
        make(fitted_pipe, images, start=48)
    with pytest.raises(ValueError, match="n_steps=0: draw at least 1"):
        make(fitted_pipe, images, n_steps=0)
    with pytest.raises(ValueError, match="X has 1 image: directions of z need"):
        make(fitted_pipe, images[:1])
    with pytest.raises(ValueError, match="resolution=4 is too small"):
        make(fitted_pipe, images, resolution=4)
