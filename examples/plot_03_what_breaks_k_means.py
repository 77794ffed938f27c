"""
=========================================
Why k-means fails when images are rotated
=========================================

k-means on pixels groups images that overlap. This works while similar objects have the
same pose, and fails when each has a random pose: two rotated copies of one digit share
fewer pixels than two different digits in the same pose. This example clusters the same
1,797 digits upright, rotated, and rotated and shifted, from three representations: the
pixels, rotation-invariant features without training, and the learned z of IRL-INR.
"""

# %%
# The same digits three times
# ---------------------------
# The digits of scikit-learn are enlarged and placed in a frame: upright; rotated by
# random angles; and rotated and shifted. ``make_oriented`` is the package's model of
# images: an object, rotated by theta and shifted by tau.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.ndimage import zoom
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from invariant_cluster import IRLINREmbedder, PolarFourierEmbedder
from invariant_cluster.datasets import make_oriented
from invariant_cluster.metrics import clustering_accuracy_score

small, classes = load_digits(return_X_y=True)
digits = zoom(small.reshape(-1, 8, 8), (1, 1.75, 1.75), order=1)
frame = {"size": 20, "random_state": 0, "return_pose": False}
data = {
    "upright": make_oriented(digits, rotate=False, translation_std=0, **frame),
    "rotated": make_oriented(digits, translation_std=0, **frame),
    "rotated and shifted": make_oriented(digits, translation_std=0.07, **frame),
}

figure, axes = plt.subplots(3, 10, figsize=(8, 2.8), layout="constrained")
for row, (name, images) in zip(axes, data.items(), strict=True):
    for ax, image in zip(row, images, strict=False):
        ax.imshow(image, cmap="gray")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %%
# Three representations, one clustering
# -------------------------------------
# ``PolarFourierEmbedder`` samples each image on rings about its centre of mass and
# computes magnitudes that no rotation changes. ``IRLINREmbedder`` learns z from the
# images themselves, upright or not; the network is light. k-means is the same for all.


def flatten(images: np.ndarray) -> np.ndarray:
    """Return the pixels of each image as one row."""
    return images.reshape(len(images), -1)


embedder = IRLINREmbedder.light().set_params(
    encoder_width=8, translation_std=0.07, max_epochs=10, random_state=0
)
representations = {
    "pixels": flatten,
    "polar Fourier": PolarFourierEmbedder(random_state=0).fit_transform,
    "z of IRL-INR": embedder.fit_transform,
}
kmeans = KMeans(10, n_init=10, random_state=0)
accuracy = pd.DataFrame(
    {
        name: {
            title: clustering_accuracy_score(classes, kmeans.fit_predict(represent(X)))
            for title, represent in representations.items()
        }
        for name, X in data.items()
    }
)
print((100 * accuracy).round(1).to_string())

# %%
figure, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
(100 * accuracy).T.plot.bar(ax=ax, rot=0, ylabel="accuracy (%)", ylim=(0, 100))
ax.axhline(10, color="0.4", linewidth=1, linestyle="dotted")
ax.text(2.45, 11, "chance", ha="right", color="0.3", fontsize="small")
ax.legend(ncols=3, loc="upper right")
plt.show()

# %%
# Conclusion
# ----------
# While the digits are upright, pixels are a good representation: 80 % of the images
# fall into the cluster of their class, more than from z. Of the rotated digits 24 % do,
# and of the rotated and shifted ones 14 %, little more than chance. More images, or a
# better clustering of pixels, would not help: images that are near in pixels have the
# same pose, not the same content.
#
# Features that no rotation changes reach 60 % in all three cases. They lose a good part
# of the shape. The learned z keeps more of the shape and reaches 64 to 72 %: training
# draws each image from z and a pose, so z must encode the content.
#
# If your images are upright, do not use an invariant representation.
