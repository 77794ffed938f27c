"""dSprites: is the shape found whatever its size, place and orientation?

Usage: python -m benchmarks.dsprites [--n-train 4000] [--n-test 2000] [--seeds 0]

Images of three shapes in six sizes, anywhere and turned by any angle, are generated and
shrunk. Rows: IRL-INR (light network) and scattering, with "rotation+translation" and
with "+scale". Each row: purity of 20 neighbours of z and, on test images, accuracy of
k-means and of SCAN's heads with three clusters; of IRL-INR the median error of the
angle, up to the symmetry of each shape and one offset for it, and of the place in
pixels.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.utils import Bunch

from benchmarks.data import shrink
from benchmarks.machine import cpu_model
from invariant_cluster import IRLINREmbedder, SCANClusterer, ScatteringEmbedder
from invariant_cluster.datasets import make_dsprites
from invariant_cluster.metrics import clustering_accuracy_score, neighbor_purity_score

TURNS = {"square": 4, "ellipse": 2, "heart": 1}  # that leave a shape as it is
WORDS = ("rotation+translation", "rotation+translation+scale")


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    print(f"{cpu_model()}, torch {torch.__version__}", flush=True)
    for seed in options.seeds:
        n_images = options.n_train + options.n_test
        sprites = make_dsprites(n_images, random_state=seed)
        images = shrink(sprites.images, options.side)
        for words in WORDS:
            for embedder in make_embedders(words, options.epochs, seed):
                start = time.perf_counter()
                found = judge(embedder, images, sprites, options.n_train, seed)
                found["seconds"] = time.perf_counter() - start
                shown = ", ".join(f"{key} {value:.4g}" for key, value in found.items())
                name = type(embedder).__name__
                print(f"seed {seed}, {words}, {name}: {shown}", flush=True)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dsprites",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--n-train", type=int, default=4000)
    parser.add_argument("--n-test", type=int, default=2000)
    parser.add_argument("--side", type=int, default=32, help="after shrinking")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1)
    return parser


def make_embedders(words: str, epochs: int, seed: int) -> list[Any]:
    """Return the embedders of the rows."""
    size = {"network": "light", "max_epochs": epochs}
    return [
        IRLINREmbedder(**size, invariance=words, random_state=seed),
        ScatteringEmbedder(invariance=words, random_state=seed),
    ]


def judge(
    embedder: Any, images: np.ndarray, sprites: Bunch, n_train: int, seed: int
) -> dict[str, float]:
    """Return how well z tells the shapes, and how well poses are found."""
    train, test = images[:n_train], images[n_train:]
    z = np.asarray(embedder.fit(train).transform(train))
    z_test = np.asarray(embedder.transform(test))
    labels, shapes = sprites.target[n_train:], list(sprites.target_names)
    means = KMeans(len(shapes), n_init=10, random_state=seed).fit(z)
    scan = SCANClusterer(len(shapes), fine_tune=False, random_state=seed).fit(z)
    found = {
        "purity": neighbor_purity_score(z, sprites.target[:n_train]),
        "k-means": clustering_accuracy_score(labels, means.predict(z_test)),
        "heads": clustering_accuracy_score(labels, scan.predict(z_test)),
    }
    if hasattr(embedder, "predict_pose"):
        theta, tau = embedder.predict_pose(test)
        apart = theta - sprites.theta[n_train:]
        for label, shape in enumerate(shapes):
            errors = angle_errors(apart[labels == label], TURNS[shape])
            found[f"{shape}, degrees"] = float(np.degrees(np.median(errors)))
        pixel = images.shape[1] / sprites.images.shape[1]
        off = np.linalg.norm(tau / pixel - sprites.tau[n_train:], axis=1)
        found["place, pixels"] = float(np.median(off))
    return found


def angle_errors(apart: np.ndarray, n_turns: int) -> np.ndarray:
    """Return errors in radians, up to a symmetry of some turns and the best offset."""
    turned = np.angle(np.exp(1j * n_turns * (apart[:, None] - apart))) / n_turns
    errors = np.abs(turned)
    return errors[:, np.median(errors, axis=0).argmin()]


if __name__ == "__main__":
    sys.exit(main())
