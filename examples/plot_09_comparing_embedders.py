"""
===================
Comparing embedders
===================

Every embedder of the package is a step of a ``Pipeline`` that can be exchanged for any
other: the paper's method, the methods that the paper compares with, and features
without training. Compare them on your own images to find the best. This example
compares all on oriented digits, with equally small networks and equally few epochs.
This does not show what each reaches after long training; :doc:`/results` has longer
runs.
"""

# %%
# The embedders
# -------------
# ``SimCLREmbedder`` has no pose: it must learn from augmented views that a rotation
# means nothing. With ``align=True``, which is not part of SimCLR, each image is first
# rotated to its principal axis, as in IRL-INR. The difference shows what alignment
# alone is worth.
import time

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.cluster import KMeans

from invariant_cluster import (
    IRLINREmbedder,
    PolarFourierEmbedder,
    SimCLREmbedder,
    SpatialVAEEmbedder,
    TargetVAEEmbedder,
)
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.metrics import (
    clustering_accuracy_score,
    invariance_scorer,
    neighbor_purity_score,
)

images, classes = load_oriented_digits(size=20, translation_std=0.05, return_X_y=True)
training = {"max_epochs": 8, "batch_size": 64, "lr": 2e-3, "random_state": 0}
small = {"d": 32, **training}
trunk = {"encoder": "resnet8", "encoder_width": 8}
decoder = {"n_frequencies": 32, "n_pixels": 128}
embedders = {
    "PolarFourier": PolarFourierEmbedder(random_state=0),
    "IRL-INR": IRLINREmbedder(
        **trunk,
        inr_hidden=(64, 64),
        hypernetwork_hidden=(64,),
        **decoder,
        **small,
    ),
    "SimCLR": SimCLREmbedder(**trunk, **small),
    "SimCLR, aligned": SimCLREmbedder(align=True, **trunk, **small),
    "TARGET-VAE": TargetVAEEmbedder(
        n_rotations=8,
        n_kernels=8,
        kernel_size=11,
        generator_hidden=(64, 64),
        **decoder,
        **small,
    ),
    "Spatial-VAE": SpatialVAEEmbedder(
        encoder_hidden=(200,), generator_hidden=(64, 64), n_pixels=128, **small
    ),
}

# %%
# Three scores
# ------------
# *invariance*: the centred cosine between the z of an image and of its rotated copy.
# *purity*: the share of nearest neighbours that have the class of the image. *k-means*:
# the accuracy of clusters. The last two need labels, the first does not.
kmeans = KMeans(10, n_init=10, random_state=0)
rows = {}
for name, embedder in embedders.items():
    start = time.perf_counter()
    z = embedder.fit_transform(images)
    rows[name] = {
        "seconds": time.perf_counter() - start,
        "invariance": invariance_scorer(embedder, images[:300]),
        "purity": neighbor_purity_score(z, classes),
        "k-means": clustering_accuracy_score(classes, kmeans.fit_predict(z)),
    }
table = pd.DataFrame(rows).T
print(table.round(2).to_string())

figure, ax = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
table.drop(columns="seconds").plot.bar(ax=ax, rot=15, ylim=(0, 1.15))
ax.legend(ncols=3, loc="upper right")
plt.show()

# %%
# Conclusion
# ----------
# In our run of eight epochs IRL-INR put 74 % of the digits into the cluster of their
# class, SimCLR 68 % with aligned inputs and 25 % without alignment. On these images,
# and after so short a training, alignment is most of the gain. The INR also gives
# images and learned poses, which SimCLR does not. The features that need no training
# reach 60 % in a second, more than the three other methods as they were published.
#
# Invariance alone is worth nothing: the z of TARGET-VAE hardly changes under rotation,
# and hardly between digits either. Read it together with a score of how well z
# separates classes.
