import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from invariant_cluster import IRLINREmbedder, PolarFourierEmbedder
from invariant_cluster.plot import ReconstructionDisplay

TITLES = [
    "input, turned",
    "reconstruction",
    "canonical reconstruction",
    "input, canonical view",
]


def test_rows_are_what_the_embedder_makes_of_turned_copies(fitted_pipe, images):
    display = ReconstructionDisplay.from_estimator(fitted_pipe, images[:2], n_turns=4)
    embedder = fitted_pipe[0]
    assert list(display.rows) == TITLES
    copies = np.stack([np.rot90(image, k) for image in images[:2] for k in range(4)])
    low, high = embedder.intensity_range_
    expected = [
        copies,
        embedder.reconstruct(copies),
        embedder.reconstruct(copies, canonical=True),
        embedder.canonicalize(copies),
    ]
    for found, seen in zip(display.rows.values(), expected, strict=True):
        scaled = np.clip((seen.astype(float) - low) / (high - low), 0, 1)
        np.testing.assert_allclose(found, scaled, atol=0.02)
    ticks = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert ticks == ["0°", "90°", "180°", "270°"] * 2


def test_what_draws_nothing_shows_its_views_alone(fitted_simclr, images):
    display = ReconstructionDisplay.from_estimator(fitted_simclr, images[:1])
    assert list(display.rows) == [TITLES[0], TITLES[3]]


def test_flat_rows_and_colours_are_shown(make_embedder, images):
    flat = images.reshape(len(images), -1)
    embedder = make_embedder().fit(flat)
    display = ReconstructionDisplay.from_estimator(embedder, flat[:1], n_turns=2)
    assert display.rows[TITLES[1]].shape == (2, 16, 16)
    coloured = np.repeat(images[..., None], 3, axis=-1)
    embedder = make_embedder().fit(coloured)
    display = ReconstructionDisplay.from_estimator(embedder, coloured[:1], n_turns=2)
    assert display.rows[TITLES[1]].shape == (2, 16, 16, 3)


def test_bad_input_is_named(fitted_pipe, images):
    make = ReconstructionDisplay.from_estimator
    with pytest.raises(ValueError, match="n_turns=0: show at least 1"):
        make(fitted_pipe, images[:1], n_turns=0)
    with pytest.raises(ValueError, match="but IRLINREmbedder was fitted on arrays"):
        make(fitted_pipe, images[:1, :9, :9])
    with pytest.raises(TypeError, match="PolarFourierEmbedder has no canonicalize"):
        make(PolarFourierEmbedder(), images[:1])
    with pytest.raises(NotFittedError):
        make(IRLINREmbedder(), images[:1])
