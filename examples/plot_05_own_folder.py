"""
=========================
Your own folder of images
=========================

Files in, files out: a folder of PNGs, black on white and of all sizes, becomes an
array, the array becomes clusters, and the clusters become a table that any program
opens. Nothing in the pipeline is told that the paper is white.
"""

# %%
# A folder to begin with
# ----------------------
# Take your own instead. This one holds 900 of the bundled digits as a scanner might
# leave them: dark ink on white paper, each turned and moved, each file of its own size,
# without labels. ``load_image_folder`` also reads a folder with one sub-folder a class.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_image_folder, load_oriented_digits
from invariant_cluster.plot import ClusterGalleryDisplay

n_images = 900
digits = load_oriented_digits(size=32, translation_std=0.05)
rng = np.random.default_rng(0)
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name) / "scans"
folder.mkdir()
for number, image in enumerate(digits.images[:n_images]):
    side = int(rng.integers(28, 48))
    paper = Image.fromarray(255 - image).resize((side, side), Image.Resampling.BICUBIC)
    paper.save(folder / f"scan_{number:04d}.png")
print(*sorted(path.name for path in folder.iterdir())[:3], "...")

# %%
# From files to an array
# ----------------------
# All images get one size: padded to a square where they are not, then resized. Small
# images train fast; choose the smallest in which you still see what matters.
scans = load_image_folder(folder, size=20)
images = scans.images
print(images.shape, images.dtype, "values", images.min(), "to", images.max())

# %%
# From the array to clusters
# --------------------------
# ``background="auto"``, the default, measures the paper on the borders of the images;
# what differs from it is the object. ``background_`` says what was found.
embedder = IRLINREmbedder.light().set_params(
    encoder_width=4, batch_size=32, random_state=0
)
clusterer = SCANClusterer(10, fine_tune_max_epochs=6, random_state=0)
pipe = Pipeline([("embed", embedder), ("cluster", clusterer)]).fit(images)
print("background:", pipe["embed"].background_)

# %%
# From clusters to a table
# ------------------------
# One row a file: its cluster, how sure that is, and how the object lies. A file for
# your spreadsheet.
theta, tau = pipe["embed"].predict_pose(images)
clusters = pipe["cluster"]
table = pd.DataFrame(
    {
        "file": [Path(name).name for name in scans.filenames],
        "cluster": clusters.labels_,
        "confidence": clusters.probabilities_.max(axis=1),
        "degrees": np.rad2deg(theta),
        "x": tau[:, 0],
        "y": tau[:, 1],
    }
)
table.to_csv(folder.parent / "labels.csv", index=False)
print(table.head(6).to_string(index=False, float_format="{:.2f}".format))

# %%
# And a look at it
# ----------------
# The surest files of each cluster, as they lie in the folder and, to the right, brought
# to their canonical orientation.
upright = pipe["embed"].canonicalize(images)
figure, axes = plt.subplots(1, 2, figsize=(10, 6), layout="constrained")
ClusterGalleryDisplay.from_estimator(pipe, images, n_images=7, ax=axes[0])
ClusterGalleryDisplay.from_predictions(
    upright,
    clusters.labels_,
    table["confidence"],
    n_images=7,
    intensity_range=(0, 255),
    ax=axes[1],
)
plt.show()
temporary.cleanup()

# %%
# What it says
# ------------
# In our run most clusters are one digit, and a glance names them. 6 and 9, one shape
# when they are turned, share one, and the smallest gathers the 5s, 6s and 9s that are
# left. 900 images and a minute of training are little: look at the clusters before you
# trust them, then train longer on more.
