"""What brightness, size and noise do to clusters and poses, with and without remedy.

Usage: python -m benchmarks.nuisances brightness --dataset mnist-u --data DIR
       python -m benchmarks.nuisances scale --dataset mnist-u --data DIR
       python -m benchmarks.nuisances noise --dataset cryo --data DIR --snr 1 0.3 0.1

``brightness``: every second image becomes ``0.4 J + 30``, as from another camera. Rows:
images as they are; half of them dimmed; the same with "brightness" in ``invariance``.

``scale``: every second image is shrunk to half its side, about its middle, on its own
background. Rows: as they are; half of them shrunk; the same with "scale".

``noise``: white Gaussian noise is added to the images at their own size, then they are
shrunk. The signal-to-noise ratio is that of variances inside the disc. Rows for each
ratio: ``smoothing="auto"`` and ``smoothing=0``, of IRL-INR and of scattering; of cryo
also "class averaging" (``ClassAverageEmbedder``), the classical alignment to averages
by cross-correlation, whose averages are the clusters.

Each row: accuracy of k-means on z and of SCAN's heads on test images, how well clusters
tell the changed half (ARI), and the median error of in-plane angles where they are
known (of the analytic pose of test images, but for one offset a class). Of class
averaging: the accuracy of its labels, the mean correlation of training images with
their averages, and the error of the angles of alignment. Networks and steps are those
of ``IRLINREmbedder``'s light network with ``--epochs`` passes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from benchmarks.data import Pose, Split, load_cryo_pose, load_split, shrink
from benchmarks.machine import cpu_model
from benchmarks.scales import DATASETS, get_settings
from invariant_cluster import (
    ClassAverageEmbedder,
    IRLINREmbedder,
    SCANClusterer,
    ScatteringEmbedder,
)
from invariant_cluster.geometry import disc_mask
from invariant_cluster.metrics import clustering_accuracy_score

GAIN, OFFSET = 0.4, 30.0
SCALE = "full"  # whose images are of their own size
ANGLES = "error of angles, degrees"
Row = tuple[str, Any, Split]


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    settings = get_settings(options.dataset, options.scale)
    split = load_split(options.dataset, settings, options.data)
    poses = None
    if options.dataset == "cryo":
        poses = load_cryo_pose(settings, options.data)
    print(f"{cpu_model()}, torch {torch.__version__}, {options.dataset}", flush=True)
    for seed in options.seeds:
        for name, estimator, part in rows_of(split, options, seed):
            if options.only not in name:
                continue
            start = time.perf_counter()
            found = judge(estimator, part, poses, seed)
            found["seconds"] = time.perf_counter() - start
            shown = ", ".join(f"{key} {value:.3g}" for key, value in found.items())
            print(f"seed {seed}, {name}: {shown}", flush=True)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nuisances",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("nuisance", choices=(*CHANGES, "noise"))
    parser.add_argument("--dataset", choices=DATASETS, default="mnist-u")
    parser.add_argument("--data", help="folder of the archives")
    parser.add_argument("--scale", default=SCALE, help="whose images are taken")
    parser.add_argument("--side", type=int, default=32, help="after the change")
    parser.add_argument("--n-train", type=int, default=4000)
    parser.add_argument("--n-test", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--snr", type=float, nargs="+", default=[1, 0.3, 0.1])
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1)
    return parser


def rows_of(split: Split, options: argparse.Namespace, seed: int) -> Iterator[Row]:
    """Yield name, estimator and images of each row."""
    size = {"max_epochs": options.epochs, "network": "light", "random_state": seed}
    if options.nuisance in CHANGES:
        small, change = reduced(split, options), CHANGES[options.nuisance]
        half = small._replace(train=change(small.train), test=change(small.test))
        word = f"rotation+translation+{options.nuisance}"
        yield "as they are", IRLINREmbedder(**size), small
        yield "half changed", IRLINREmbedder(**size), half
        remedy = IRLINREmbedder(**size, invariance=word)
        yield f"half changed, +{options.nuisance}", remedy, half
        return
    for snr in options.snr:
        noisy = reduced(add_noise(split, snr, seed), options)
        for smoothing in ("auto", 0):
            title = f"SNR {snr:g}, smoothing={smoothing!r}"
            yield (
                f"{title}, IRL-INR",
                IRLINREmbedder(**size, smoothing=smoothing),
                noisy,
            )
            yield (
                f"{title}, scattering",
                ScatteringEmbedder(smoothing=smoothing, random_state=seed),
                noisy,
            )
        if options.dataset == "cryo":
            averaging = ClassAverageEmbedder(split.n_classes, random_state=seed)
            yield f"SNR {snr:g}, class averaging", averaging, noisy


def reduced(split: Split, options: argparse.Namespace) -> Split:
    """Return at most the images that were asked for, shrunk."""
    n_train, n_test = options.n_train, options.n_test
    return Split(
        shrink(split.train[:n_train], options.side),
        split.train_labels[:n_train],
        shrink(split.test[:n_test], options.side),
        split.test_labels[:n_test],
    )


def dimmed(images: np.ndarray) -> np.ndarray:
    """Return images of which every second is darker and paler."""
    other = images.copy()
    other[1::2] = np.round(GAIN * other[1::2] + OFFSET)
    return other


def halved(images: np.ndarray) -> np.ndarray:
    """Return images of which every second shows its object at half the size."""
    other = images.copy()
    side = images.shape[1] // 2
    first = (images.shape[1] - side) // 2
    edge = np.concatenate([images[:, 0], images[:, -1]], axis=1)
    other[1::2] = np.median(edge, axis=1)[1::2, None, None]
    middle = slice(first, first + side)
    other[1::2, middle, middle] = shrink(images[1::2], side)
    return other


CHANGES = {"brightness": dimmed, "scale": halved}


def add_noise(split: Split, snr: float, seed: int) -> Split:
    """Return float32 images with white noise."""
    random = np.random.default_rng(seed)
    inside = disc_mask(*split.train.shape[1:3]).numpy()
    level = float(split.train[:, inside].std(dtype=np.float64)) / np.sqrt(snr)

    def noisy(images: np.ndarray) -> np.ndarray:
        noise = random.normal(0, level, images.shape)
        return (images + noise).astype(np.float32)

    return split._replace(train=noisy(split.train), test=noisy(split.test))


def judge(
    estimator: Any, split: Split, poses: Pose | None, seed: int
) -> dict[str, float]:
    """Return how good the clusters and the angles of the test images are."""
    if isinstance(estimator, ClassAverageEmbedder):
        return judge_averages(estimator, split, poses)
    return judge_embedder(estimator, split, poses, seed)


def judge_averages(
    averaging: ClassAverageEmbedder, split: Split, poses: Pose | None
) -> dict[str, float]:
    """Return how good the labels and the angles of the test images are."""
    clusters = averaging.fit(split.train).transform(split.test).argmax(axis=1)
    found = {
        "labels": clustering_accuracy_score(split.test_labels, clusters),
        "correlation": averaging.correlation_,
    }
    if poses is not None:
        theta, _ = averaging.predict_pose(split.test)
        found[ANGLES] = error_of(theta, poses.theta, split.test_labels)
    return found


def judge_embedder(
    embedder: Any, split: Split, poses: Pose | None, seed: int
) -> dict[str, float]:
    """Return how good z and the clusters of the test images are."""
    z = embedder.fit(split.train).transform(split.train)
    z, test = np.asarray(z), np.asarray(embedder.transform(split.test))
    means = KMeans(split.n_classes, n_init=10, random_state=seed).fit(z)
    scan = SCANClusterer(split.n_classes, fine_tune=False, random_state=seed).fit(z)
    labels, clusters = split.test_labels, scan.predict(test)
    half = np.arange(len(labels)) % 2
    found = {
        "k-means": clustering_accuracy_score(labels, means.predict(test)),
        "heads": clustering_accuracy_score(labels, clusters),
        "ARI with the half": adjusted_rand_score(half, clusters),
        "smoothing": embedder.smoothing_,
    }
    if poses is not None and hasattr(embedder, "predict_pose"):
        theta, _ = embedder.predict_pose(split.test, learned=False)
        found[ANGLES] = error_of(theta, poses.theta, labels)
    return found


def error_of(theta: np.ndarray, true: np.ndarray, labels: np.ndarray) -> float:
    """Return the median error in degrees, with the best offset of each class.

    Offsets are tried at the errors themselves, so that flipped poses do not shift it.
    """
    errors = []
    for label in np.unique(labels):
        apart = (theta - true[: len(theta)])[labels == label]
        tried = np.abs(np.angle(np.exp(1j * (apart[:, None] - apart))))
        errors.append(tried[:, np.median(tried, axis=0).argmin()])
    return float(np.degrees(np.median(np.concatenate(errors))))


if __name__ == "__main__":
    sys.exit(main())
