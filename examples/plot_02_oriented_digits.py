"""
=======================================
Rotated and shifted digits: z and poses
=======================================

The data are the 1,797 digits of scikit-learn, each in a frame at a random angle and
place. IRL-INR splits every image into its content z and its pose, an angle theta and a
shift tau. This example checks whether the poses follow known rotations and shifts,
draws images from z, and shows the clusters that SCAN finds in z. The figures are those
of the paper (Kwon, Choi and Ryu, ICML 2023), from a run of a minute or two.
"""

# %%
# Train
# -----
# The light network is narrow, and the training is short. Without ``network`` and the
# epochs, ``make_pipeline`` trains longer, and full networks where there is a GPU. z
# joins what the network learns and scattering, which needs no training. SCAN first
# trains its heads on z, then fine-tunes a copy of the encoder with the heads.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans

from invariant_cluster import make_pipeline
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
pipe = make_pipeline(
    10, network="light", max_epochs=16, fine_tune_max_epochs=8, random_state=0
)
pipe.set_params(embed__learned__n_pixels=128).fit(images)
embedder, clusterer = pipe["embed"], pipe["cluster"]

# %%
# Poses follow known rotations
# ----------------------------
# A single angle cannot be checked, since each image has a canonical orientation of its
# own. The change of the angle can: if an image is rotated by alpha, theta must become
# ``theta + alpha``.
pose = PoseDisplay.from_estimator(pipe, images, random_state=1)
print(f"circular correlation {pose.correlation:.3f}, median error {pose.error:.2f} deg")
plt.show()

# %%
# If the image is then shifted by t, tau becomes ``R(alpha) tau + t``.
moved, alpha, shift = make_oriented(images, translation_std=0.05, random_state=1)
x, y = embedder.predict_pose(images)[1].T
cos, sin = np.cos(alpha), np.sin(alpha)
tau_expected = np.column_stack([cos * x - sin * y, sin * x + cos * y]) + shift
tau_moved = embedder.predict_pose(moved)[1]
print(
    "correlation of shifts:", translation_correlation(tau_expected, tau_moved).round(3)
)

# %%
# One digit in eight poses
# ------------------------
# The reconstruction has the pose of the input. In canonical orientation the
# reconstruction is the same each time: theta and tau hold the differences, z holds the
# content. The last row moves the pixels of the input to canonical orientation.
chosen = [np.flatnonzero(classes == digit)[1] for digit in (2, 4)]
ReconstructionDisplay.from_estimator(pipe, images[chosen])
plt.show()

# %%
# Directions of z
# ---------------
# The images start at the z of the 2 and follow the principal directions of z. They are
# drawn at three times the resolution of the data, since the INR is a function of the
# place, not a grid of pixels.
LatentTraversalDisplay.from_estimator(pipe, images, start=chosen[0], resolution=72)
plt.show()

# %%
# The clusters
# ------------
# The most confident members of each cluster. A cluster is named by the digit that it is
# matched with (Hungarian method) and that digit's share; the classes have no other use.
# sphinx_gallery_thumbnail_number = 4
ClusterGalleryDisplay.from_estimator(pipe, images, classes, n_images=16)
plt.show()

# %%
# The confusion matrix and the accuracy show how well clusters match the digits.
labels = clusterer.labels_
kmeans = KMeans(10, n_init=10, random_state=0).fit(clusterer.training_embedding_)
print(f"k-means on z: {100 * clustering_accuracy_score(classes, kmeans.labels_):.1f} %")
print(f"SCAN: {100 * clustering_accuracy_score(classes, labels):.1f} %")
MatchedConfusionMatrixDisplay.from_predictions(classes, labels)
plt.show()

# %%
# The map of z
# ------------
# Images that are near each other have similar z, whatever their rotation (t-SNE).
EmbeddingDisplay.from_estimator(embedder, images, classes, random_state=0)
plt.show()

# %%
# Conclusion
# ----------
# Half of the angles are right to a twentieth of a degree. The few wrong angles are off
# by half a turn, which happens to digits whose two ends are nearly alike. In our run
# k-means on z put 80 % of the digits into the cluster of their class, and SCAN 89 %.
# The confusion matrix shows which digits are taken for one another. A rotated 9 is much
# like a 6; here the handwriting separates most of them.
