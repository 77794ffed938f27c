"""
===================
Comparing embedders
===================

Every embedder of the package is a step of a ``Pipeline`` that can be exchanged for any
other: the paper's method, its rivals, and what needs no training. Which is best for
your images is a question to ask of your images. Here all are asked of oriented digits,
with equally small networks and equally few epochs, which is no fair judgement of what
each reaches in the end; :doc:`/results` has the longer runs.
"""

# %%
# The contestants
# ---------------
# ``SimCLREmbedder`` never sees a pose: it must learn from augmented views that a turn
# means nothing. With ``align=True``, which is no part of SimCLR, each image is first
# turned to its principal axis, as IRL-INR's are: the difference is what alignment alone
# is worth.
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
decoder = {"n_frequencies": 32, "n_pixels": 128}
embedders = {
    "PolarFourier": PolarFourierEmbedder(random_state=0),
    "IRL-INR": IRLINREmbedder(
        encoder_width=4,
        inr_hidden=(64, 64),
        hypernetwork_hidden=(64,),
        **decoder,
        **small,
    ),
    "SimCLR": SimCLREmbedder(encoder_width=4, **small),
    "SimCLR, aligned": SimCLREmbedder(encoder_width=4, align=True, **small),
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
# Three questions
# ---------------
# *invariance*: does z stay when the image is turned (the centred cosine of both z)?
# *purity*: are the nearest neighbours of an image of its class? *k-means*: do the
# classes come out as clusters? The last two need labels, the first none.
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
# What it says
# ------------
# In our run of eight epochs IRL-INR put 74 % of the digits into the cluster of their
# class, SimCLR 68 % once its inputs were aligned, and 25 % without alignment. On these
# images, and after so short a training, most of what there is to gain is alignment;
# what the INR gives in any case is the images and learned poses that SimCLR does not.
# The features that need no training reach 60 % in a second, more than the three rivals
# as they were published.
#
# Invariance alone is worth nothing: the z of TARGET-VAE hardly changes with a turn, and
# hardly with the digit either. Read it beside a score that asks what z tells apart.
