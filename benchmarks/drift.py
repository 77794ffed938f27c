"""How many spoilt inputs a fitted model warns of, and how many honest ones.

A scattering embedder is fitted on the training images of each data set, 32 x 32 pixels.
Spoilt: 200 test images in other units, inverted, dimmed, on another background, from
another camera, of another size, and test images of the other data sets. Honest: random
batches of test images as they are, and the test images of each class alone, since a new
batch need not hold the classes in the same shares.

    python -m benchmarks.drift --data DIR
"""

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from benchmarks.data import Split, load_split
from benchmarks.machine import cpu_model
from benchmarks.scales import Settings
from invariant_cluster import DriftWarning, ScatteringEmbedder

DATASETS = (
    "mnist-u",
    "wm811k",
    "plankton",
    "galaxy-zoo",
    "cells",
    "steel",
    "cryo",
)
SIDE, N_TRAIN, N_TEST, N_SPOILT = 32, 3000, 1500, 200
BATCHES = (1, 5, 20, 50, 100, 200)
N_BATCHES = 36
SETTINGS = Settings({"side": SIDE, "n_train": N_TRAIN, "n_test": N_TEST}, {}, {}, {})


def main() -> None:
    options = parse_arguments()
    splits = {
        name: load_split(name, SETTINGS, options.data) for name in options.datasets
    }
    for name, split in splits.items():
        embedder = ScatteringEmbedder(random_state=0).fit(split.train)
        others = {other: s.test for other, s in splits.items() if other != name}
        spoilt = dict(make_spoilt(split.test[:N_SPOILT], others))
        honest = dict(make_honest(split, options.seed))
        missed = [case for case, x in spoilt.items() if not is_told(embedder, x)]
        false = [case for case, x in honest.items() if is_told(embedder, x)]
        record = {
            "dataset": name,
            "n_spoilt": len(spoilt),
            "n_told": len(spoilt) - len(missed),
            "missed": missed,
            "n_honest": len(honest),
            "n_false": len(false),
            "false": false,
            "seed": options.seed,
            "cpu": cpu_model(),
        }
        print(json.dumps(record), flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the data sets' files")
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=DATASETS)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def is_told(embedder: Any, images: np.ndarray) -> bool:
    """Return whether the embedder warns of drift in images."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        embedder.transform(images)
    return any(issubclass(warning.category, DriftWarning) for warning in told)


def make_honest(split: Split, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a name and images: random batches, and each class alone."""
    rng = np.random.default_rng(seed)
    for number in range(N_BATCHES):
        n_images = min(BATCHES[number % len(BATCHES)], len(split.test))
        rows = rng.choice(len(split.test), n_images, replace=False)
        yield f"batch {number} of {n_images}", split.test[rows]
    for label in np.unique(split.test_labels):
        yield f"class {label}", split.test[split.test_labels == label][:N_SPOILT]


def make_spoilt(
    images: np.ndarray, others: dict[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a name and spoilt images, in the layout of the images."""
    for name, spoil in SPOILERS.items():
        yield name, spoil(images)
    for name, other in others.items():
        yield f"images of {name}", with_channels_of(images, other[:N_SPOILT])


def with_channels_of(images: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return other images, grey or in colour as the images are."""
    if images.ndim == other.ndim:
        return other
    if other.ndim == 4:
        return other.mean(axis=3).astype(other.dtype)
    return np.repeat(other[..., None], 3, axis=3)


def as_uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def blur(images: np.ndarray, width: float) -> np.ndarray:
    """Smooth images (n, h, w[, c]) by a Gaussian of a width in pixels."""
    sigma = (0, width, width, 0)[: images.ndim]
    return as_uint8(gaussian_filter(images.astype(float), sigma))


def magnify(images: np.ndarray, factor: float) -> np.ndarray:
    """Show what is in images at another size, on the median of their borders."""
    edges = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    scales = (1, factor, factor, 1)[: images.ndim]
    scaled = as_uint8(zoom(images.astype(float), scales, order=1))
    result = np.full_like(images, np.median(edges))
    side, new = images.shape[1], scaled.shape[1]
    inner, outer = max(0, (new - side) // 2), max(0, (side - new) // 2)
    size = min(side, new)
    shown = slice(inner, inner + size)
    place = slice(outer, outer + size)
    result[:, place, place] = scaled[:, shown, shown]
    return result


def add_noise(images: np.ndarray, level: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, level, images.shape)
    return as_uint8(images + noise)


SPOILERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "divided by 255": lambda x: (x / 255).astype(np.float32),
    "uint16, times 257": lambda x: x.astype(np.uint16) * 257,
    "standardised": lambda x: ((x - x.mean()) / x.std()).astype(np.float32),
    "inverted": lambda x: 255 - x,
    "a third as bright": lambda x: as_uint8(x * 0.33),
    "half as bright": lambda x: as_uint8(x * 0.5),
    "background 100 higher": lambda x: as_uint8(x / 2 + 100),
    "100 added": lambda x: as_uint8(x + 100.0),
    "blurred by 1 pixel": lambda x: blur(x, 1.0),
    "gain 0.8, offset 20, blurred": lambda x: blur(as_uint8(x * 0.8 + 20), 0.7),
    "noise of 20": lambda x: add_noise(x, 20.0),
    "half the size": lambda x: magnify(x, 0.5),
    "1.5 times the size": lambda x: magnify(x, 1.5),
}


if __name__ == "__main__":
    main()
