"""
===========================================
Digits, each turned and moved: z and poses
===========================================

The 1,797 digits of scikit-learn, each laid into a frame at an angle and a place of its
own. IRL-INR splits every image into what it shows, z, and how it lies: an angle theta
and a shift tau. This page looks at all three: whether the poses follow known moves,
what the network draws from z, and which clusters SCAN finds in it. They are the figures
of the paper (Kwon, Choi and Ryu, ICML 2023), from a run of a minute or two.
"""

# %%
# Train
# -----
# ``light()`` is narrow and short; on a GPU write ``IRLINREmbedder()`` for the defaults.
# SCAN first trains its heads on z, then fine-tunes a copy of the encoder with them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits, make_oriented
from invariant_cluster.metrics import (
    clustering_accuracy_score,
    translation_correlation,
)
from invariant_cluster.plot import (
    ClusterGalleryDisplay,
    EmbeddingDisplay,
    LatentTraversalDisplay,
    MatchedConfusionMatrixDisplay,
    PoseDisplay,
    ReconstructionDisplay,
)

digits = load_oriented_digits()
images, classes = digits.images, digits.target
embedder = IRLINREmbedder.light().set_params(n_pixels=128, random_state=0)
clusterer = SCANClusterer(10, fine_tune_max_epochs=8, random_state=0)
pipe = Pipeline([("embed", embedder), ("cluster", clusterer)]).fit(images)

# %%
# Poses follow known moves
# ------------------------
# No angle is right by itself: each image has a canonical orientation of its own. What
# can be checked is the change: turn an image by alpha, and theta should become ``theta
# + alpha``.
pose = PoseDisplay.from_estimator(pipe, images, random_state=1)
print(f"circular correlation {pose.correlation:.3f}, median error {pose.error:.2f} deg")
plt.show()

# %%
# If the image is then moved by t, tau becomes ``R(alpha) tau + t``.
moved, alpha, shift = make_oriented(images, translation_std=0.05, random_state=1)
x, y = embedder.predict_pose(images)[1].T
cos, sin = np.cos(alpha), np.sin(alpha)
tau_expected = np.column_stack([cos * x - sin * y, sin * x + cos * y]) + shift
tau_moved = embedder.predict_pose(moved)[1]
print(
    "correlation of shifts:", translation_correlation(tau_expected, tau_moved).round(3)
)

# %%
# One digit, eight ways to lie
# ----------------------------
# The reconstruction lies as the input does. Drawn in canonical orientation it is the
# same each time: theta and tau hold what differs, z what stays. The last row moves the
# input's own pixels to canonical orientation.
chosen = [np.flatnonzero(classes == digit)[1] for digit in (2, 4)]
ReconstructionDisplay.from_estimator(pipe, images[chosen])
plt.show()

# %%
# What z means
# ------------
# From the z of the 2 along the principal directions of z, drawn at three times the
# resolution of the images: the INR is a function of the place, not a grid of pixels.
LatentTraversalDisplay.from_estimator(pipe, images, start=chosen[0], resolution=72)
plt.show()

# %%
# The clusters
# ------------
# The surest members of each. A cluster is named after the digit that it is matched with
# (Hungarian method); the classes are used for nothing else.
# sphinx_gallery_thumbnail_number = 4
ClusterGalleryDisplay.from_estimator(pipe, images, classes, n_images=16)
plt.show()

# %%
# Which digits are taken for which, and how often the digit is right:
labels = clusterer.labels_
kmeans = KMeans(10, n_init=10, random_state=0).fit(clusterer.training_embedding_)
print(f"k-means on z: {100 * clustering_accuracy_score(classes, kmeans.labels_):.1f} %")
print(f"SCAN: {100 * clustering_accuracy_score(classes, labels):.1f} %")
MatchedConfusionMatrixDisplay.from_predictions(classes, labels)
plt.show()

# %%
# The map of z
# ------------
# Near each other is what z takes for alike, whatever its turn (t-SNE).
EmbeddingDisplay.from_estimator(embedder, images, classes, random_state=0)
plt.show()

# %%
# What it says
# ------------
# Half of the angles are right to a twentieth of a degree; the few that are wrong are
# wrong by half a turn, as happens to digits whose two ends are nearly alike. In our run
# k-means on z put 78 % of the digits into the cluster of their class, and SCAN 90 %.
# The 3 and the 9 fare worst, taken for 8s and for 4s. A 9 that is turned is much like a
# 6; most are told apart here by the way they are written.
