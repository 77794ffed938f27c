"""
===========================================
Digits, each turned and moved: z and poses
===========================================

The 1,797 digits of scikit-learn, each laid into a frame at an angle and a place of its
own. IRL-INR splits every image into what it shows, z, and how it lies: an angle theta and
a shift tau. This page looks at all three: whether the poses follow known moves, what the
network draws from z, and which clusters SCAN finds in it. They are the figures of the
paper (Kwon, Choi and Ryu, ICML 2023), from a run of a minute or two.
"""

# %%
# Train
# -----
# A narrow encoder and few epochs; on a GPU leave them out and take the defaults. SCAN
# first trains its heads on z, then fine-tunes a copy of the encoder with them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits, make_oriented
from invariant_cluster.metrics import (
    clustering_accuracy_score,
    match_labels,
    matched_confusion_matrix,
    rotation_correlation,
    rotation_error,
    translation_correlation,
)

digits = load_oriented_digits()
images, classes = digits.images, digits.target
embedder = IRLINREmbedder(
    d=32,
    encoder_width=8,
    n_frequencies=64,
    inr_hidden=(64, 64, 64),
    hypernetwork_hidden=(64, 64),
    n_pixels=128,
    max_epochs=16,
    batch_size=64,
    lr=2e-3,
    random_state=0,
)
clusterer = SCANClusterer(10, max_epochs=8, random_state=0)
pipe = Pipeline([("embed", embedder), ("cluster", clusterer)]).fit(images)

# %%
# Poses follow known moves
# ------------------------
# No angle is right by itself: each image has a canonical orientation of its own. What can
# be checked is the change. Turn an image by alpha about its centre, then move it by t,
# and the pose should become ``theta + alpha`` and ``R(alpha) tau + t``.
moved, alpha, shift = make_oriented(images, translation_std=0.05, random_state=1)
theta, tau = embedder.predict_pose(images)
theta_moved, tau_moved = embedder.predict_pose(moved)

cos, sin = np.cos(alpha), np.sin(alpha)
x, y = tau.T
tau_expected = np.column_stack([cos * x - sin * y, sin * x + cos * y]) + shift
turned = (theta_moved - theta) % (2 * np.pi)
print(f"circular correlation of angles: {rotation_correlation(alpha, turned):.3f}")
print(f"median error: {rotation_error(alpha, turned, remove_offset=False):.2f} degrees")
print("correlation of shifts:", translation_correlation(tau_expected, tau_moved).round(3))

figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
axes[0].scatter(np.rad2deg(alpha), np.rad2deg(turned), s=4, alpha=0.4)
axes[0].set(
    xlabel="turned by (degrees)", ylabel="change of theta (degrees)", aspect="equal"
)
axes[0].set(xticks=range(0, 361, 90), yticks=range(0, 361, 90))
for column, name in enumerate("xy"):
    axes[1].scatter(
        tau_expected[:, column], tau_moved[:, column], s=4, alpha=0.4, label=name
    )
axes[1].set(xlabel="true shift (pixels)", ylabel="predicted shift (pixels)")
axes[1].set_aspect("equal")
axes[1].legend()
plt.show()


# %%
# One digit, eight ways to lie
# ----------------------------
# The reconstruction lies as the input does. Drawn in canonical orientation it is the same
# each time: theta and tau hold what differs, z what stays. The last row moves the input's
# own pixels to canonical orientation.
def show(ax: plt.Axes, image: np.ndarray) -> None:
    """Draw an image without axes."""
    ax.imshow(image, cmap="gray", vmin=0, vmax=255)
    ax.set(xticks=[], yticks=[], frame_on=False)


chosen = [np.flatnonzero(classes == digit)[1] for digit in (2, 4)]
copies = make_oriented(
    np.repeat(images[chosen], 8, axis=0), translation_std=0.03, return_pose=False
)
views = {
    "input, turned": copies,
    "reconstruction": embedder.reconstruct(copies),
    "canonical reconstruction": embedder.reconstruct(copies, canonical=True),
    "input, canonical view": embedder.canonicalize(copies),
}
figure, axes = plt.subplots(4, 16, figsize=(10, 2.6))
for row, (title, pictures) in zip(axes, views.items(), strict=True):
    for ax, picture in zip(row, pictures, strict=True):
        show(ax, picture)
    row[0].set_ylabel(title, rotation=0, ha="right", va="center")
plt.show()

# %%
# The clusters
# ------------
# Accuracy matches each cluster with one class (Hungarian method); classes are used for
# nothing else.
labels = clusterer.labels_
kmeans = KMeans(10, n_init=10, random_state=0).fit(clusterer.training_embedding_)
print(f"k-means on z: {100 * clustering_accuracy_score(classes, kmeans.labels_):.1f} %")
print(f"SCAN: {100 * clustering_accuracy_score(classes, labels):.1f} %")

named = match_labels(classes, labels)
figure, axes = plt.subplots(10, 16, figsize=(9, 5.6))
for digit, row in enumerate(axes):
    members = np.flatnonzero(named == digit)
    confidence = clusterer.probabilities_[members].max(axis=1)
    for ax, index in zip(row, members[np.argsort(-confidence)], strict=False):
        show(ax, images[index])
    row[0].set_ylabel(
        f"{digit}: {len(members)} images", rotation=0, ha="right", va="center"
    )
for ax in axes.flat:
    ax.set(xticks=[], yticks=[], frame_on=False)
figure.suptitle("The surest members of each cluster", y=0.93)
plt.show()

# %%
# Which digits are taken for which
# --------------------------------
counts = matched_confusion_matrix(classes, labels)
figure, ax = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
ax.imshow(np.sqrt(counts), cmap="Blues")
for (row, column), count in np.ndenumerate(counts):
    if count:
        colour = "white" if count > counts.max() / 3 else "black"
        ax.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
ax.set(xticks=range(10), yticks=range(10), xlabel="cluster", ylabel="digit")
plt.show()
