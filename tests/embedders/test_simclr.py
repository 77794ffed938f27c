"""SimCLR: projections in training, z before them, a score without a decoder."""

import numpy as np
import pytest
import torch

from invariant_cluster import SimCLREmbedder
from invariant_cluster.losses import effective_dimension, nt_xent_consistency
from invariant_cluster.modules import ViewPair
from invariant_cluster.training import SimCLRObjective

SMALL = {
    "encoder_width": 2,
    "max_epochs": 1,
    "device": "cpu",
    "precision": "float32",
    "random_state": 0,
}


@pytest.fixture
def fitted(images):
    embedder = SimCLREmbedder(d=4, projection_dim=3, batch_size=16, **SMALL)
    return embedder.fit(images)


def test_objective_contrasts_projections_not_z():
    p1, p2, z1 = torch.randn(6, 3), torch.randn(6, 3), torch.randn(6, 5)
    terms = SimCLRObjective(0.2)(ViewPair(p1, p2, z1))
    assert terms["loss"] == nt_xent_consistency(p1, p2, 0.2)
    assert terms["effective_d"] == effective_dimension(z1)


def test_views_are_encoded_before_they_are_projected(fitted):
    module = fitted.net_.module_
    seen = torch.rand(6, 1, 16, 16)
    views = module.forward_views(seen)
    z = module.encoder.embed_aligned(seen)
    torch.testing.assert_close(views.z1, z[:3])
    torch.testing.assert_close(torch.cat([views.p1, views.p2]), module.projector(z))
    assert views.p1.shape == (3, 3)


def test_transform_is_before_the_projection(fitted, images):
    assert fitted.transform(images).shape == (len(images), 4)


def test_score_is_the_same_at_each_call_and_a_loss_of_views(fitted, images):
    score = fitted.score(images)
    assert score == fitted.score(images)
    # Chance is log(2 n - 1) for batches of n; the cosines' range bounds the rest.
    assert -score == pytest.approx(np.log(2 * 16 - 1), abs=2.1)
    fitted.net_.module_.projector[-1].weight.data.zero_()  # all views look alike
    assert -fitted.score(images) == pytest.approx(np.log(2 * 16 - 1), abs=1e-4)


def test_score_weighs_each_image_alike(fitted, images):
    """Of views that look alike the loss of a batch is log(2 n - 1), of 3 batches."""
    fitted.net_.module_.projector[-1].weight.data.zero_()
    expected = (32 * np.log(2 * 16 - 1) + 8 * np.log(2 * 8 - 1)) / 40
    assert -fitted.score(images[:40]) == pytest.approx(expected, abs=1e-4)


def test_pose_is_the_analytic_one(fitted, images):
    for learned, analytic in zip(
        fitted.predict_pose(images),
        fitted.predict_pose(images, learned=False),
        strict=True,
    ):
        np.testing.assert_allclose(learned, analytic)


def test_aligned_views_are_told_from_aligned_images(images):
    """z of turned copies is nearer to the image's with align than without."""
    settings = {"d": 8, **SMALL}
    turned = np.rot90(images, axes=(1, 2))

    def distance(align):
        embedder = SimCLREmbedder(align=align, **settings).fit(images)
        z, other = (np.asarray(embedder.transform(x)) for x in (images, turned))
        return np.linalg.norm(z - other, axis=1).mean()

    assert distance(True) < 0.1 * distance(False)


@pytest.mark.parametrize(
    ("invariance", "name"), [("rotation", "S1+R"), ("rotation+translation", "S1+R+T")]
)
def test_views_shift_where_z_shall_not_see_it(images, invariance, name):
    settings = {"d": 4, **SMALL}
    auto, named = (
        SimCLREmbedder(invariance=invariance, augmentation=augmentation, **settings)
        for augmentation in ("auto", name)
    )
    z = np.asarray(auto.fit_transform(images))
    np.testing.assert_array_equal(z, np.asarray(named.fit_transform(images)))


def test_alignment_crops_nothing(images):
    embedder = SimCLREmbedder(d=4, align=True, **SMALL)
    assert embedder.fit(images).encoder_.aligner.seen_shape == (1, 16, 16)
