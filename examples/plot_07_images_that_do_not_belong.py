"""
=====================================
Finding the images that do not belong
=====================================

Every image gets a cluster, also one that has no business there: a second object in the
frame, a smudge, something that slipped in from another collection. The probability of
the cluster does not tell, since it only weighs the clusters against each other.
``SCANClusterer.score_samples`` asks something else: how far is the image's z from that
of its nearest neighbours?
"""

# %%
# A collection with strangers in it
# ---------------------------------
# 900 oriented digits and, unmarked among them, 30 images of three sorts: wafer maps,
# two digits in one frame, and smudges. Nobody tells the pipeline, which is trained on
# all.
import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps

digits = load_oriented_digits(size=20, translation_std=0.03).images
rng = np.random.default_rng(0)
wafers = load_wafer_maps(fail_map=True).images[rng.choice(1799, 10), 6:26, 6:26] * 255
pairs = np.maximum(digits[900:910], np.roll(digits[910:920], 5, axis=2))
smudges = gaussian_filter(rng.normal(size=(10, 20, 20)), (0, 2, 2))
smudges = (255 * (smudges > 0.06)).astype(np.uint8)
smudges[:, [0, -1]] = smudges[:, :, [0, -1]] = 0

images = np.concatenate([digits[:900], wafers, pairs, smudges])
sort = np.repeat(["digit", "wafer map", "two digits", "smudge"], [900, 10, 10, 10])
order = rng.permutation(len(images))
images, sort = images[order], sort[order]

# %%
# Train on everything
# -------------------
# The heads alone do here: the score is of the embedder's z in any case.
embedder = IRLINREmbedder.light().set_params(encoder_width=4, random_state=0)
clusterer = SCANClusterer(10, fine_tune=False, max_epochs=30, random_state=0)
pipe = Pipeline([("embed", embedder), ("cluster", clusterer)]).fit(images)
normality = pipe.score_samples(images)
confidence = pipe.predict_proba(images).max(axis=1)

# %%
# The strangest first
# -------------------
# The 48 images with the lowest scores; strangers have a red frame.
strangest = np.argsort(normality)[:48]
figure, axes = plt.subplots(4, 12, figsize=(9, 3.2), layout="constrained")
for ax, index in zip(axes.flat, strangest, strict=True):
    ax.imshow(images[index], cmap="gray")
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(color="none" if sort[index] == "digit" else "tab:red", linewidth=3)
plt.show()

# %%
# How well it finds them
# ----------------------
# The area under the ROC curve is the chance that a stranger ranks below a digit: 0.5 by
# guessing, 1 if all strangers come first.
strange = sort != "digit"
print("area under the ROC curve:  score_samples  confidence")
for name in ("wafer map", "two digits", "smudge"):
    kept = (sort == name) | ~strange
    by_score = roc_auc_score(strange[kept], -normality[kept])
    by_confidence = roc_auc_score(strange[kept], -confidence[kept])
    print(f"{name:25} {by_score:15.2f} {by_confidence:11.2f}")
found = strange[strangest[:30]].sum()
print(f"strangers among the 30 strangest: {found} of {strange.sum()}")

# %%
# Where to draw the line is for you to say: look at the lowest scores until what you see
# is what you want. For new images, compare with the scores of the training images.
threshold = np.quantile(normality, 0.03)
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
bins = np.linspace(normality.min(), normality.max(), 40)
ax.hist(normality[~strange], bins, label="digits", alpha=0.6)
ax.hist(normality[strange], bins, label="strangers", alpha=0.8, color="tab:red")
ax.axvline(threshold, color="black", linestyle="dashed", label="3 % quantile")
ax.set(xlabel="score_samples (lower is stranger)", ylabel="images", yscale="log")
ax.legend()
plt.show()

# %%
# What it says
# ------------
# In our run nearly every stranger has a lower score than nearly every digit (areas of
# 1.00, rounded), though the network was trained on all of them. The confidence is a
# poor judge: it finds two digits in a frame suspicious (0.86), and wafer maps less so
# than digits (0.36). These strangers were easy. A digit of a kind that is rare, or
# badly written, has few near neighbours too, and the digits that follow the strangers
# are such: the score finds what is unlike the rest, and cannot know why.
