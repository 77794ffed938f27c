"""
==========================
Clustering real wafer maps
==========================

A wafer map shows which dies of a silicon wafer failed. The pattern (a ring, a scratch,
a blob at the edge) shows what went wrong in production; its orientation means nothing.
This example clusters 1,799 real maps (WM-811K) without labels. SCAN works in two
feature spaces at once: the learned one of IRL-INR, and wavelet scattering, which needs
no training. The result is compared with each space alone, and with two cheap methods:
k-means on raw pixels, and magnitudes of polar Fourier transforms.

Labels are used for the scores alone. This command runs three seeds with a progress
bar::

    python examples/plot_01_wafer_maps.py --seeds 0 1 2 --verbose 1
"""

# %%
# The images have 32 x 32 pixels, with 1 where a die failed. All methods use them.
import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from sklearn.pipeline import make_pipeline as join

from invariant_cluster import PolarFourierEmbedder, make_pipeline
from invariant_cluster.datasets import load_wafer_maps
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.plot import ClusterGalleryDisplay, ReconstructionDisplay

parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, nargs="+", default=[0])
parser.add_argument("--verbose", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("demo_output"))
options = parser.parse_args()
options.out.mkdir(parents=True, exist_ok=True)

maps = load_wafer_maps(fail_map=True)
images, classes, names = maps.images, maps.target, maps.target_names
n_clusters = len(names)


# %%
# A light network for two CPU cores makes the learned space, with the parameters for
# wafer maps. A wafer map is always centred, and its mirror image shows the same
# pattern: ``invariance="rotation+reflection"``. Single dies fail at random:
# ``noise=2``. SCAN trains ten heads, of which the loss keeps one, and no encoder: on
# wafer maps fine-tuning lost accuracy. The epochs were chosen by the time they take.
# Noise, temperature, weights and SCAN's parameters were chosen on the training part of
# WM-811K, from which the bundled maps are taken.
def make_estimator(seed: int) -> Pipeline:
    """Return the embedder and the clusterer as one estimator."""
    return make_pipeline(
        n_clusters,
        kind="wafers",
        network="light",
        max_epochs=16,
        random_state=seed,
        verbose=options.verbose,
    )


# %%
# The scores, and the other methods. Raw pixels and ``PolarFourierEmbedder`` are cheap;
# the columns of the joint embedding are those of the learned space and of scattering.
def score(labels: np.ndarray) -> dict[str, float]:
    """Return accuracy (matched), NMI and ARI in percent."""
    return {
        "accuracy": 100 * clustering_accuracy_score(classes, labels),
        "NMI": 100 * normalized_mutual_info_score(classes, labels),
        "ARI": 100 * adjusted_rand_score(classes, labels),
    }


def run(seed: int) -> tuple[Pipeline, list[dict]]:
    """Return the fitted pipeline and the scores of all methods."""
    flat = images.reshape(len(images), -1)
    kmeans = KMeans(n_clusters, n_init=10, random_state=seed)
    mixture = join(
        PolarFourierEmbedder(power=1.0, invariance="rotation", random_state=seed),
        GaussianMixture(n_clusters, n_init=3, reg_covar=1e-3, random_state=seed),
    )
    estimator = make_estimator(seed).fit(images)
    joint = estimator[-1].training_embedding_
    learned, scattering = (joint[:, s] for s in estimator[0].spaces_.values())
    heads = clone(estimator[-1])
    labels = {
        "raw pixels + k-means": kmeans.fit_predict(flat),
        "polar Fourier magnitudes + mixture": mixture.fit_predict(images),
        "scattering + k-means": kmeans.fit_predict(scattering),
        "scattering + SCAN's heads": heads.fit_predict(scattering),
        "z of IRL-INR + k-means": kmeans.fit_predict(learned),
        "z of IRL-INR + SCAN's heads": heads.fit_predict(learned),
        "both + k-means": kmeans.fit_predict(joint),
        "both + SCAN's heads": estimator[-1].labels_,
    }
    rows = [{"method": name, "seed": seed, **score(v)} for name, v in labels.items()]
    return estimator, rows


# %%
# Train and compare. The accuracy matches each cluster with one class (Hungarian
# method). All scores are in percent, with mean and standard deviation over the seeds.
print(f"{len(images)} wafer maps, classes: {', '.join(names)}")
results, start = [], time.perf_counter()
for seed in options.seeds:
    print(f"Seed {seed}:", flush=True)
    estimator, rows = run(seed)
    results += rows

table = pd.DataFrame(results).groupby("method", sort=False).agg(["mean", "std"])
table = table.drop(columns="seed").dropna(axis="columns")  # no deviation of one seed
seconds = time.perf_counter() - start
print(f"\n{len(options.seeds)} seed(s) in {seconds:.0f} s, torch {torch.__version__},")
print(f"{torch.get_num_threads()} thread(s); percent:\n")
print(table.round(1).to_string(), "\n")


# %%
# The clusters of the last seed: the twelve most confident maps of each. A cluster is
# named by the class that it is matched with and by the share that is of this class.
gallery = ClusterGalleryDisplay.from_estimator(
    estimator, images, classes, target_names=names, cmap="magma"
)
gallery.ax_.set_title("Clusters of wafer maps, most confident first")
gallery.figure_.savefig(options.out / "wafer_clusters.png", dpi=110)

# %%
# Two maps, rotated by eight angles. The reconstruction follows the rotation; in
# canonical orientation all eight are the same image.
class_names = names[classes]
chosen = [np.flatnonzero(class_names == name)[0] for name in ("Edge-Loc", "Donut")]
views = ReconstructionDisplay.from_estimator(estimator, images[chosen], cmap="magma")
views.figure_.savefig(options.out / "wafer_views.png", dpi=110)
print(
    f"Pictures: {options.out / 'wafer_clusters.png'}, {options.out / 'wafer_views.png'}"
)
