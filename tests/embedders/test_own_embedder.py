"""A user's own embedder needs two methods; the base provides the rest."""

import math
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import check_estimator
from torch import nn

from invariant_cluster import ImageEmbedder, ImageEncoder, load_model, save_model


class FlatEncoder(ImageEncoder):
    def __init__(self, aligner, d):
        super().__init__(aligner, d=d)
        n_values = math.prod(aligner.seen_shape)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_values, d))

    def embed_aligned(self, seen):
        return self.norm(self.layers(seen))


class Autoencoder(nn.Module):
    """The training step: raw images to seen and reconstructed ones."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = nn.Linear(encoder.d, math.prod(encoder.aligner.seen_shape))

    def forward(self, raw):
        aligner = self.encoder.aligner
        seen = aligner(aligner.scale(raw))
        return seen.flatten(1), self.decoder(self.encoder.embed_aligned(seen))


class SquaredDistance(nn.Module):
    def forward(self, outputs, _):
        seen, drawn = outputs
        error = (seen - drawn).square()
        return {"loss": error.mean(), "worst": error.max()}


class OwnEmbedder(ImageEmbedder):
    _terms = ("worst",)

    def __init__(self, d=4, *, max_epochs=2, batch_size=16, random_state=0, verbose=0):
        super().__init__(
            d,
            max_epochs=max_epochs,
            batch_size=batch_size,
            random_state=random_state,
            verbose=verbose,
        )

    def _make_module(self, aligner):
        return Autoencoder(FlatEncoder(aligner, self.d))

    def _make_objective(self, module, images):
        return SquaredDistance()


@pytest.mark.filterwarnings("ignore:Rows of .* values do not fill a square:UserWarning")
def test_contract():
    rounds = {"check_methods_subset_invariance": "z near 0 differs by rounding"}
    results = check_estimator(
        OwnEmbedder(), expected_failed_checks=rounds, on_skip=None, on_fail=None
    )
    failed = [r["check_name"] for r in results if r["status"] == "failed"]
    assert failed == []
    assert sum(r["status"] == "passed" for r in results) >= 45


def test_poses_and_canonical_images_come_with_the_base(images):
    embedder = OwnEmbedder().fit(images)
    for learned in [True, False]:
        theta, tau = embedder.predict_pose(images, learned=learned)
        assert (theta.shape, tau.shape) == ((48,), (48, 2))
    poses = (embedder.predict_pose(images, learned=learned)[0] for learned in (0, 1))
    np.testing.assert_allclose(*poses, atol=1e-5)  # the analytic one
    assert embedder.canonicalize(images).shape == images.shape


def test_the_score_is_the_loss_and_searches_use_it(images):
    embedder = OwnEmbedder().fit(images)
    score = embedder.score(images)
    assert score < 0
    assert embedder.score(images) == score
    assert clone(embedder).set_params(max_epochs=30).fit(images).score(images) > score
    search = GridSearchCV(OwnEmbedder(), {"d": [2, 8]}, cv=2).fit(images)
    assert search.best_estimator_.transform(images).shape[1] in {2, 8}


def test_scan_fine_tunes_its_encoder_and_files_hold_both(
    make_clusterer, images, tmp_path
):
    pipe = Pipeline([("embed", OwnEmbedder()), ("cluster", make_clusterer())])
    pipe.fit(images)
    assert isinstance(pipe["cluster"].encoder_, FlatEncoder)
    expected = pipe.predict_proba(images)
    save_model(pipe, tmp_path / "own.safetensors")
    loaded = load_model(tmp_path / "own.safetensors")
    for other in [loaded, pickle.loads(pickle.dumps(pipe))]:
        np.testing.assert_allclose(other.predict_proba(images), expected, rtol=1e-5)
    assert loaded["embed"].score(images) == pipe["embed"].score(images)


def test_its_terms_and_its_name_are_shown(images, capsys):
    embedder = OwnEmbedder(verbose=2).fit(images)
    assert set(embedder.history_) == {"loss", "worst", "seconds"}
    printed = "".join(capsys.readouterr())
    assert "OwnEmbedder" in printed
    assert "worst" in printed


# What is missing is told


def test_a_missing_method_is_named():
    class Incomplete(ImageEmbedder):
        def _make_module(self, aligner):
            return nn.Identity()

    with pytest.raises(TypeError, match="_make_objective"):
        Incomplete()


@pytest.mark.parametrize("made", [None, nn.Identity(), FlatEncoder], ids=str)
def test_a_module_without_an_encoder_is_refused(made, images, no_training):
    class Wrong(OwnEmbedder):
        def _make_module(self, aligner):
            return made

    with pytest.raises(TypeError, match=r"Wrong\._make_module .*encoder is None"):
        Wrong().fit(images)


@pytest.mark.parametrize("missing", ["loss", "worst"])
def test_a_term_that_the_objective_does_not_return_is_named(
    missing, images, no_training
):
    class Short(SquaredDistance):
        def forward(self, outputs, _):
            terms = super().forward(outputs, _)
            del terms[missing]
            return terms

    class Wrong(OwnEmbedder):
        def _make_objective(self, module, images):
            return Short()

    with pytest.raises(ValueError, match=rf"Short .*without \['{missing}'\].*_terms"):
        Wrong().fit(images)
