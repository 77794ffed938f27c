"""Verdicts on fits that are as good as ours get, and on spoilt ones.

    python -m benchmarks.verdicts --data DIR [--fits NAME ...] [--seed 0]

Fits pipelines on at most 1,000 images of each data set, with heads alone and short
training, and on images that are spoilt as users spoil them. Prints a line of JSON for
each: whether it is spoilt, the accuracy (labels are used for nothing else), the level
of ``check_fit`` and what it tells. The limits of the checks were chosen on the measures
of these fits with seed 0, and not by labels. ``verdicts.jsonl`` beside this file has
the lines of seeds 0 and 1.
"""

import argparse
import json
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from benchmarks.machine import cpu_model
from benchmarks.ready_pipelines import WORDS, load_task
from invariant_cluster import check_fit, make_pipeline
from invariant_cluster.datasets import load_wafer_maps
from invariant_cluster.metrics import clustering_accuracy_score

N_IMAGES, N_EPOCHS = 1000, 18
LEARNED = {"network": "light", "max_epochs": N_EPOCHS}
FREE = {"features": "scattering"}
WAFER_COLORS = np.array([[255, 255, 255], [0, 160, 0], [220, 0, 0]], np.uint8)


class Given(NamedTuple):
    """Images, their classes, parameters of ``make_pipeline``, and file names."""

    images: np.ndarray
    target: np.ndarray
    parameters: dict[str, Any]
    names: list[str] | None = None


class Source(NamedTuple):
    """Where images come from, and the seed of everything random."""

    folder: str | None
    seed: int

    @property
    def random(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def load(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return training images and classes of a data set."""
        split = load_task(name, self.folder, self.seed).split
        return split.train[:N_IMAGES], split.train_labels[:N_IMAGES]


def good(name: str, source: Source, **parameters: Any) -> Given:
    """A data set as it is, with the words that describe it."""
    return Given(*source.load(name), {**WORDS[name], **parameters})


def wafers(source: Source, **parameters: Any) -> Given:
    """The bundled wafer maps."""
    maps = load_wafer_maps(fail_map=True)
    rows = source.random.permutation(len(maps.images))[:N_IMAGES]
    kind = {"kind": "wafers", **parameters}
    return Given(maps.images[rows], maps.target[rows], kind)


def colored_wafers(source: Source) -> Given:
    """Wafer maps as pictures in three colours, which are taken for brightness."""
    maps = load_wafer_maps(fail_map=False)
    rows = source.random.permutation(len(maps.images))[:500]
    values = np.clip(np.rint(maps.images[rows]), 0, 2).astype(int)
    return Given(WAFER_COLORS[values], maps.target[rows], {"kind": "wafers", **LEARNED})


def fluxes(source: Source) -> Given:
    """Galaxies whose brightness spans six decades, in a linear range."""
    images, target = source.load("galaxy-zoo")
    gain = 10 ** source.random.uniform(0, 6, len(images))
    bright = (images * gain[:, None, None, None]).astype(np.float32)
    return Given(bright[:600], target[:600], {**FREE, "stretch": "linear"})


def saturated(source: Source) -> Given:
    """Cells, every seventh image in other units."""
    images, target = source.load("cells")
    images = images.astype(np.float32) / 255
    images[::7] *= 1e4
    return Given(images, target, {**FREE, "stretch": "linear"})


def blanks(source: Source) -> Given:
    """Digits, six of ten images blank."""
    images, target = source.load("mnist-u")
    images = images[:600].copy()
    images[source.random.random(len(images)) < 0.6] = 0
    return Given(images, target[:600], FREE)


def all_blank(source: Source) -> Given:
    """Thirty blank images."""
    images = np.full((30, 32, 32), 7, np.uint8)
    short = {"features": "learned", "network": "light", "max_epochs": 2}
    return Given(images, np.zeros(30, int), {**short, "n_neighbors": 10})


def noise(source: Source) -> Given:
    """Images of noise alone."""
    images = source.random.integers(0, 255, (800, 32, 32)).astype(np.uint8)
    return Given(images, np.arange(800) % 8, FREE)


def offsets(source: Source) -> Given:
    """Dim digits, each on a background of its own."""
    images, target = source.load("mnist-u")
    offset = source.random.uniform(0, 200, len(images))
    dim = (images * 0.2 + offset[:, None, None]).astype(np.uint8)
    return Given(dim, target, LEARNED)


def two_days(source: Source) -> Given:
    """Plankton, half of it taken with less light on another day."""
    images, target = source.load("plankton")
    days = np.arange(len(images)) % 2
    dim = np.where(days[:, None, None] == 1, images * 0.55 + 20, images)
    names = [f"2026-0{day + 1}-15/{row}.png" for row, day in enumerate(days)]
    return Given(dim.astype(np.uint8), target, LEARNED, names)


def untrained(source: Source) -> Given:
    """A hundred digits, for two epochs."""
    images, target = source.load("mnist-u")
    short = {"features": "learned", "network": "light", "max_epochs": 2}
    return Given(images[:100], target[:100], short)


def off_center(source: Source) -> Given:
    """Digits anywhere in the frame, of which it is said that they are centred."""
    images, target = source.load("mnist-u")
    shifts = source.random.integers(-9, 10, (len(images), 2))
    moved = [np.roll(x, s, (0, 1)) for x, s in zip(images, shifts, strict=True)]
    return Given(np.stack(moved), target, {**FREE, "invariance": "rotation"})


def aligned_textures(source: Source) -> Given:
    """Surfaces of steel, taken for objects."""
    images, target = source.load("steel")
    learned = {**LEARNED, "features": "learned", "invariance": "rotation+reflection"}
    return Given(images, target, learned)


def drowned(source: Source) -> Given:
    """Projections in noise, without the word that says so."""
    return Given(*source.load("cryo-snr-0.03"), FREE)


def too_many(source: Source) -> Given:
    """Fifty clusters of two hundred digits."""
    images, target = source.load("mnist-u")
    return Given(images[:200], target[:200], {**FREE, "n_clusters": 50})


GOOD: dict[str, Callable[[Source], Given]] = {
    "digits": partial(good, "mnist-u", **FREE),
    "digits, learned": partial(good, "mnist-u", **LEARNED, features="learned"),
    "digits, both": partial(good, "mnist-u", **LEARNED),
    "wm811k": partial(good, "wm811k", **FREE),
    "wm811k, both": partial(good, "wm811k", **LEARNED),
    "wafers": partial(wafers, **FREE),
    "wafers, both": partial(wafers, **LEARNED),
    "plankton": partial(good, "plankton", **FREE),
    "plankton, both": partial(good, "plankton", **LEARNED),
    "galaxies": partial(good, "galaxy-zoo"),
    "galaxies, 5 classes": partial(good, "galaxy-zoo-5"),
    "cells": partial(good, "cells", **FREE),
    "cells, both": partial(good, "cells", **LEARNED),
    "steel": partial(good, "steel"),
    "steel, turned": partial(good, "steel-turned"),
    "cryo, SNR 1": partial(good, "cryo-snr-1"),
    "cryo, SNR 0.1": partial(good, "cryo-snr-0.1"),
}
SPOILT: dict[str, Callable[[Source], Given]] = {
    "wafers in three colours": colored_wafers,
    "galaxies over six decades": fluxes,
    "cells, some in other units": saturated,
    "digits, most blank": blanks,
    "blank images": all_blank,
    "noise alone": noise,
    "digits on any background": offsets,
    "plankton of two days": two_days,
    "digits, two epochs": untrained,
    "digits off centre": off_center,
    "steel taken for objects": aligned_textures,
    "cryo, SNR 0.03, as objects": drowned,
    "fifty clusters": too_many,
}


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    source = Source(options.data, options.seed)
    for name, make in {**GOOD, **SPOILT}.items():
        if name in options.fits:
            record = judge(make(source), options.seed)
            head = {"fit": name, "spoilt": name in SPOILT}
            tail = {"seed": options.seed, "cpu": cpu_model()}
            print(json.dumps({**head, **record, **tail}), flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR")
    names = [*GOOD, *SPOILT]
    parser.add_argument("--fits", nargs="+", choices=names, default=names)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def judge(given: Given, seed: int) -> dict[str, Any]:
    """Return the accuracy of a fit, and what the verdict tells of it."""
    pipe = fit(given, seed)
    verdict = check_fit(pipe, given.images, names=given.names)
    labels = pipe[-1].labels_
    return {
        "n_images": len(given.images),
        "accuracy": clustering_accuracy_score(given.target, labels),
        "level": verdict.level,
        "troubles": {found.check: found.value for found in verdict.troubles},
    }


def fit(given: Given, seed: int) -> Pipeline:
    """Return the pipeline of the images, with heads alone."""
    parameters = {"n_clusters": len(np.unique(given.target)), **given.parameters}
    pipe = make_pipeline(**parameters, fine_tune=False, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the verdict alone is judged here
        return pipe.fit(given.images)


if __name__ == "__main__":
    main()
