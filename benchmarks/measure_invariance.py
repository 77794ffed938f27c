"""How far z and pose follow known moves: wafer maps, oriented digits, MNIST(U).

    python -m benchmarks.measure_invariance [--data DIR] [--seed 0]

Wafer maps: cosine of z, after subtracting the mean over the images, between an image
and its turned copy, and between images of different classes. Digits, and MNIST(U) at
32x32 where DIR holds mnist.npz: each image is turned by a known alpha about its centre
and moved by a known t ~ N(0, 1 pixel); the median error of the change of pose, for the
analytic pose, for the learned pose on aligned images, and for the learned pose alone.
"""

import argparse
import time

import numpy as np
import torch

from invariant_cluster import IRLINREmbedder
from invariant_cluster.datasets import (
    fetch_mnist_u,
    load_oriented_digits,
    load_wafer_maps,
    make_oriented,
)
from invariant_cluster.geometry import move_array
from invariant_cluster.metrics import (
    rotation_correlation,
    rotation_error,
    translation_correlation,
    translation_error,
)
from invariant_cluster.pipelines import KINDS


def measure_wafer_maps(seed: int) -> None:
    maps = load_wafer_maps(fail_map=True)
    embedder = IRLINREmbedder.light().set_params(
        **KINDS["wafers"].embedder, random_state=seed
    )
    z = np.asarray(embedder.fit_transform(maps.images))
    unit = to_unit(z, z)
    other = maps.target[:, None] != maps.target
    print(f"wafer maps: other class, mean cosine {(unit @ unit.T)[other].mean():.3f}")
    for name, images in {
        "interpolated": maps.images.astype(np.float32),
        "rounded to 0 and 1": maps.images,
    }.items():
        turned, *_ = make_oriented(images, translation_std=0, random_state=seed)
        cosine = (unit * to_unit(embedder.transform(turned), z)).sum(axis=1)
        print(f"wafer maps: image and turned copy, {name}: mean cosine ", end="")
        print(f"{cosine.mean():.3f}, median {np.median(cosine):.3f}")


def to_unit(z: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return z (n, d) less the mean of the reference, each row of length 1."""
    centered = np.asarray(z) - reference.mean(axis=0)
    return centered / np.linalg.norm(centered, axis=1, keepdims=True)


def measure_pose(name: str, images: np.ndarray, seed: int) -> None:
    random = np.random.default_rng(seed)
    alpha = random.uniform(0, 2 * np.pi, len(images))
    t = random.normal(0, 1, (len(images), 2))
    moved = move_array(images[:, None], alpha, t, 0)[:, 0]
    aligned = IRLINREmbedder.light().set_params(random_state=seed).fit(images)
    alone = IRLINREmbedder.light().set_params(
        random_state=seed, align=False, max_epochs=20
    )
    alone.fit(images)
    print_pose(f"{name}, analytic", aligned, images, moved, alpha, t, learned=False)
    print_pose(f"{name}, learned, aligned", aligned, images, moved, alpha, t)
    print_pose(f"{name}, learned alone", alone, images, moved, alpha, t)


def print_pose(
    name: str,
    embedder: IRLINREmbedder,
    images: np.ndarray,
    moved: np.ndarray,
    alpha: np.ndarray,
    t: np.ndarray,
    learned: bool = True,
) -> None:
    theta, tau = embedder.predict_pose(images, learned=learned)
    theta_moved, tau_moved = embedder.predict_pose(moved, learned=learned)
    change = theta_moved - theta
    cos, sin = np.cos(alpha), np.sin(alpha)
    x, y = tau.T
    expected = np.stack([cos * x - sin * y, sin * x + cos * y], axis=1) + t
    degrees = rotation_error(alpha, change, remove_offset=False)
    pixels = translation_error(expected, tau_moved)
    shift = translation_correlation(expected, tau_moved).round(4).tolist()
    print(f"{name}: median error {degrees:.2f} degrees, {pixels:.3f} pixels; ", end="")
    print(f"correlations {rotation_correlation(alpha, change):.4f}, {shift}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of mnist.npz")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    print(f"torch {torch.__version__}, seed {options.seed}")
    measure_wafer_maps(options.seed)
    digits = load_oriented_digits(random_state=options.seed)
    measure_pose("digits", digits.images, options.seed)
    if options.data:
        mnist = fetch_mnist_u(data_home=options.data, size=32, n_samples=3000)
        measure_pose("MNIST(U)", mnist.images, options.seed)
    print(f"{time.perf_counter() - start:.0f} s, {torch.get_num_threads()} thread(s)")


if __name__ == "__main__":
    main()
