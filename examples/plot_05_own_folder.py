"""
=========================
Your own folder of images
=========================

This example reads a folder of PNG files, black on white and of different sizes, into an
array, clusters the array, and writes the clusters to a table that any program opens. No
parameter says that the paper is white.
"""

# %%
# A folder to start with
# ----------------------
# Use your own folder instead. This one holds 900 of the bundled digits as scans: dark
# ink on white paper, each rotated and shifted, in files of different sizes, without
# labels. ``load_image_folder`` also reads a folder with one sub-folder for each class.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image

from invariant_cluster import make_pipeline
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
# All images are padded to a square and resized to one size. Small images train fast;
# choose the smallest size in which you still see the differences that matter.
scans = load_image_folder(folder, size=20)
images = scans.images
print(images.shape, images.dtype, "values", images.min(), "to", images.max())

# %%
# From the array to clusters
# --------------------------
# ``background="auto"``, the default, measures the paper on the borders of the images.
# The pixels that differ from the paper are the object. ``background_`` is the measured
# value. The network is light and the training short.
pipe = make_pipeline(
    10, network="light", max_epochs=16, fine_tune_max_epochs=6, random_state=0
)
pipe.set_params(embed__learned__encoder_width=8, embed__learned__batch_size=32)
pipe.fit(images)
print("background:", pipe["embed"].background_)

# %%
# From clusters to a table
# ------------------------
# The table has one row for each file: its cluster, the confidence, and the pose of the
# object. A spreadsheet opens the CSV file.
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
# The images of the clusters
# --------------------------
# The most confident files of each cluster: on the left as in the folder, on the right
# in canonical orientation.
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
# Conclusion
# ----------
# Clusters of one digit are easy to name. 6 and 9 are one shape when rotated: look for
# clusters that hold both. 900 images and a minute of training are little: look at the
# clusters before you trust them, then train longer on more images.
