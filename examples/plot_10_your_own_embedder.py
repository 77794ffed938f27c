"""
==========================
Bringing your own embedder
==========================

A new method is one class. This example writes Barlow Twins (Zbontar et al., ICML 2021)
with a small convolutional encoder, as a scikit-learn transformer that works wherever
``IRLINREmbedder`` does: in a Pipeline with ``SCANClusterer``, with ``clone``,
``GridSearchCV`` and ``save``. Its base classes list in their docstrings everything that
a subclass can define: :class:`~invariant_cluster.ImageEmbedder` and
:class:`~invariant_cluster.ImageEncoder`.
"""

# %%
# The encoder
# -----------
# An encoder maps images to z. It receives them scaled to [0, 1] and, with
# ``align=True``, moved to their canonical orientation. ``self.norm`` gives each
# dimension of z mean 0 and variance 1.
import time
from numbers import Integral

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline
from torch import nn

from invariant_cluster import (
    ImageEmbedder,
    ImageEncoder,
    PolarFourierEmbedder,
    SCANClusterer,
)
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.losses import cross_correlation_consistency, effective_dimension
from invariant_cluster.metrics import (
    clustering_accuracy_score,
    invariance_scorer,
    neighbor_purity_score,
)
from invariant_cluster.validation import Interval
from invariant_cluster.views import rigid_views


class SmallEncoder(ImageEncoder):
    """Three convolutions, the mean over all pixels, and a linear map to z."""

    def __init__(self, aligner, d, width):
        super().__init__(aligner, d=d)
        layers, n_in = [], aligner.seen_shape[0]
        for n_out in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)]
            layers += [nn.BatchNorm2d(n_out), nn.ReLU()]
            n_in = n_out
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_in, d)]
        self.layers = nn.Sequential(*layers)

    def embed_aligned(self, seen):
        return self.norm(self.layers(seen))


# %%
# The training step and the loss
# ------------------------------
# The module holds the encoder and what only training needs. Its ``forward`` is the
# training step: here, two views of each image, each rotated and shifted at random, are
# encoded and projected. The objective turns the result into the loss, which is small if
# each projected dimension agrees between the views and is uncorrelated with the others.
# It also returns how many dimensions z uses, to be recorded for each epoch.
class BarlowTwins(nn.Module):
    def __init__(self, encoder, projection_dim, translation_std):
        super().__init__()
        self.encoder = encoder
        self.projector = nn.Sequential(
            nn.Linear(encoder.d, projection_dim),
            nn.BatchNorm1d(projection_dim),
            nn.ReLU(),
            nn.Linear(projection_dim, projection_dim),
        )
        self.translation_std = translation_std

    def forward(self, raw):
        aligner = self.encoder.aligner
        views = rigid_views(
            aligner.scale(raw).repeat(2, 1, 1, 1),
            translation_std=self.translation_std,
            fill=aligner.fill,
        )
        z = self.encoder.embed(views)
        return z, self.projector(z)


class RedundancyReduction(nn.Module):
    def forward(self, outputs, _):
        z, projected = outputs
        return {
            "loss": cross_correlation_consistency(*projected.chunk(2)),
            "effective_d": effective_dimension(z.detach()),
        }


# %%
# The embedder
# ------------
# Two methods return the module and the objective. The constructor lists the parameters
# that can be set: new ones are stored, and those of the base are passed on.
class BarlowTwinsEmbedder(ImageEmbedder):
    """Barlow Twins on rotated and shifted views."""

    _title = "Barlow Twins"
    _terms = ("effective_d",)
    _parameter_constraints = {
        **ImageEmbedder._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "projection_dim": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        d=32,
        *,
        width=16,
        projection_dim=128,
        align=False,
        max_epochs=30,
        lr=3e-3,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            d,
            align=align,
            max_epochs=max_epochs,
            lr=lr,
            random_state=random_state,
            verbose=verbose,
        )
        self.width = width
        self.projection_dim = projection_dim

    def _make_module(self, aligner):
        encoder = SmallEncoder(aligner, self.d, self.width)
        return BarlowTwins(encoder, self.projection_dim, translation_std=0.05)

    def _make_objective(self, module, images):
        return RedundancyReduction()


# %%
# Compare
# -------
# Barlow Twins on the images as they are, then on images that are moved to their
# canonical orientation first (``align=True``, provided by the base class), then
# features that need no training. Invariance is the mean cosine between z of an image
# and z of its rotated copy, after centring; 1 is best. Purity is the share of the
# nearest neighbours that are of the same class.
images, classes = load_oriented_digits(size=20, translation_std=0.05, return_X_y=True)
barlow = BarlowTwinsEmbedder(random_state=0)
embedders = {
    "Barlow Twins": barlow,
    "Barlow Twins, aligned": clone(barlow).set_params(align=True),
    "polar Fourier": PolarFourierEmbedder(random_state=0),
}
kmeans = KMeans(10, n_init=10, random_state=0)
rows = {}
for name, embedder in embedders.items():
    start = time.perf_counter()
    z = embedder.fit_transform(images)
    rows[name] = {
        "seconds": time.perf_counter() - start,
        "invariance": invariance_scorer(embedder, images),
        "purity": neighbor_purity_score(z, classes),
        "k-means accuracy": clustering_accuracy_score(classes, kmeans.fit_predict(z)),
    }
print(pd.DataFrame(rows).T.round(3).to_string())

# %%
# In a Pipeline
# -------------
# ``SCANClusterer`` fine-tunes a copy of the encoder, as it does behind any embedder of
# the package.
clusterer = SCANClusterer(10, augmentation="R", fine_tune_max_epochs=10, random_state=0)
pipe = Pipeline(
    [("embed", clone(barlow).set_params(align=True)), ("cluster", clusterer)]
)
pipe.fit(images)
accuracy = clustering_accuracy_score(classes, pipe.predict(images))
print(f"Barlow Twins, aligned, + SCAN: accuracy {accuracy:.3f}")

# %%
# Training
# --------
# The history has a column for each term that the objective returned.
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, term in zip(axes, ["loss", "effective_d"], strict=True):
    for name in ["Barlow Twins", "Barlow Twins, aligned"]:
        history = embedders[name].history_
        ax.plot(history.index + 1, history[term], label=name)
    ax.set(xlabel="epoch", ylabel=term)
    ax.set_ylim(bottom=0)
axes[0].legend()
plt.show()

# %%
# What it says
# ------------
# In our run, Barlow Twins on the images as they are was worse than the features without
# training: 0.41 of the neighbours were of the same class, against 0.78, and z used 3 of
# its 32 dimensions, as ``effective_d`` tells. On aligned images it used 16 and was
# better than those features: 0.85 of the neighbours, and with k-means 0.65 of the
# images in the cluster of their class, against 0.60. SCAN raised that to 0.70.
# ``IRLINREmbedder`` and SCAN reach 0.90 on such digits: :doc:`plot_02_oriented_digits`.
