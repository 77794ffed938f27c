"""The parameters of each scale, fixed once and for all data sets here.

``smoke`` takes seconds and serves the tests; ``quick`` takes at most 5 minutes of one
core in all, on the images of ``small`` with the light network; ``tiny`` takes at most 5
minutes a run and ``small`` at most 30 on 2 CPU cores; ``full`` trains the networks of
``small`` on all images at their own side, at most 150 minutes a run there; ``paper`` is
the paper's size and needs a GPU.
"""

from typing import Any, NamedTuple

from invariant_cluster.embedders import FULL, LIGHT
from invariant_cluster.pipelines import KINDS

DATASETS = (
    "mnist-u",
    "mnist-u-no9",
    "wm811k",
    "plankton",
    "galaxy-zoo",
    "galaxy-zoo-5",
    "cells",
    "steel",
    "cryo",
)
SCALES = ("smoke", "quick", "tiny", "small", "full", "paper")


class Settings(NamedTuple):
    """What a scale prescribes for a data set.

    Attributes
    ----------
    data : dict
        ``side`` of the images in pixels; ``n_train`` and ``n_test``, None for all.
    embedder, clusterer : dict
        Parameters of IRLINREmbedder and SCANClusterer that are not the default.
    rivals : dict of dict
        Parameters of each of ``RIVALS``.
    """

    data: dict[str, Any]
    embedder: dict[str, Any]
    clusterer: dict[str, Any]
    rivals: dict[str, dict[str, Any]]

    @property
    def invariance(self) -> str:
        """What does not change the meaning of an image."""
        return str(self.embedder.get("invariance", "rotation+translation"))

    @property
    def translates(self) -> bool:
        """Whether the data are shifted as well as turned."""
        return "translation" in self.invariance


DATA: dict[str, dict[str, Any]] = {
    "smoke": {"side": 16, "n_train": 200, "n_test": 100},
    "quick": {"side": 32, "n_train": None, "n_test": None},
    "tiny": {"side": 32, "n_train": None, "n_test": None},
    "small": {"side": 32, "n_train": None, "n_test": None},
    "full": {"side": 64, "n_train": None, "n_test": None},
    "paper": {"side": 32, "n_train": None, "n_test": None},
}
MNIST_DATA: dict[str, dict[str, Any]] = {
    "quick": {"n_train": 10000, "n_test": 2000},
    "tiny": {"n_train": 4000, "n_test": 2000},
    "small": {"n_train": 10000, "n_test": 2000},
    "full": {"side": 50},
    "paper": {"side": 50, "n_train": None, "n_test": None},
}
# Networks for two CPU cores, in larger batches; trunk and copies are the paper's.
SMALL: dict[str, Any] = {
    **LIGHT,
    "encoder": "resnet18",
    "n_copies": 2,
    "batch_size": 128,
}
EMBEDDER: dict[str, dict[str, Any]] = {
    "smoke": {
        **SMALL,
        "d": 8,
        "encoder_width": 2,
        "n_frequencies": 8,
        "inr_hidden": (8,),
        "hypernetwork_hidden": (8,),
        "n_pixels": None,
        "max_epochs": 1,
        "batch_size": 32,
    },
    "quick": {**LIGHT, "n_copies": 1, "batch_size": 128, "max_epochs": 8},
    "tiny": {**SMALL, "encoder_width": 8, "max_epochs": 12},
    "small": {**SMALL, "encoder_width": 16, "max_epochs": 12},
    "paper": {**FULL, "n_copies": 2, "max_epochs": 100, "batch_size": 256},
}
# The paper's rivals: of the same size and trained as long, where they have the same
# parameters, and with these of their own. At scale paper the VAEs have the paper's d.
RIVALS = ("SimCLR", "TARGET-VAE", "Spatial-VAE")
SHARED = {
    "SimCLR": (
        "d",
        "encoder",
        "encoder_width",
        "max_epochs",
        "batch_size",
        "lr",
        "invariance",
    ),
    "TARGET-VAE": ("d", "n_pixels", "max_epochs", "batch_size", "lr", "invariance"),
    "Spatial-VAE": ("d", "n_pixels", "max_epochs", "batch_size", "lr", "invariance"),
}
RIVAL: dict[tuple[str, str], dict[str, Any]] = {
    ("smoke", "SimCLR"): {"projection_dim": 8},
    ("smoke", "TARGET-VAE"): {
        "n_rotations": 4,
        "n_kernels": 2,
        "n_frequencies": 8,
        "generator_hidden": (8,),
    },
    ("smoke", "Spatial-VAE"): {"encoder_hidden": (8,), "generator_hidden": (8,)},
    ("tiny", "TARGET-VAE"): {
        "n_rotations": 8,
        "n_kernels": 8,
        "kernel_size": 17,
        "n_frequencies": 128,
        "generator_hidden": (128, 128),
    },
    # Never more than 12 epochs: each takes longer. Objects fill half of the frame.
    ("small", "TARGET-VAE"): {
        "n_rotations": 8,
        "n_kernels": 16,
        "kernel_size": 17,
        "n_frequencies": 128,
        "generator_hidden": (128, 128),
        "max_epochs": 12,
    },
    ("paper", "TARGET-VAE"): {"d": 32, "n_rotations": 16, "n_kernels": 128},
    ("paper", "Spatial-VAE"): {"d": 32},
    ("tiny", "Spatial-VAE"): {"generator_hidden": (256, 256)},
    ("small", "Spatial-VAE"): {"generator_hidden": (256, 256)},
}
SCAN = {"max_epochs": 100, "augmentation": "S1+R+T"}
# Of the space without training, beside IRL-INR's or alone.
SCATTERING: dict[str, Any] = {"n_turns": 2}
CLUSTERER: dict[str, dict[str, Any]] = {
    "smoke": {
        **SCAN,
        "n_neighbors": 5,
        "max_epochs": 1,
        "fine_tune_max_epochs": 1,
        "batch_size": 32,
    },
    "quick": {**SCAN, "fine_tune_max_epochs": 4},
    "tiny": {**SCAN, "fine_tune_max_epochs": 6},
    "small": {**SCAN, "fine_tune_max_epochs": 10},
    "full": {**SCAN, "fine_tune_max_epochs": 5},
    "paper": {**SCAN, "fine_tune_max_epochs": 50},
}
# What the data themselves ask for, at every scale.
KIND_OF_DATA = {"wm811k": KINDS["wafers"]}
# Cells may lie on either side; with five classes both spirals are one; sheets of steel
# have no centre.
INVARIANCE: dict[str, dict[str, Any]] = {
    "cells": {"invariance": "rotation+translation+reflection"},
    "galaxy-zoo-5": {"invariance": "rotation+translation+reflection"},
    "steel": {"invariance": "rotation+reflection"},
}
# A scale with the networks and the epochs of another.
SIZES_OF = {"full": "small"}
# What one scale prescribes for one data set alone.
EMBEDDER_OF_BOTH: dict[tuple[str, str], dict[str, Any]] = {
    # On training images k-means was better after 36 epochs than after 12; on those of
    # MNIST(U) and of WM-811K it was worse (one seed each).
    ("small", "plankton"): {"max_epochs": 36},
    # About as many steps as on MNIST(U), of which they are a fifth.
    ("small", "galaxy-zoo"): {"max_epochs": 60},
    ("small", "galaxy-zoo-5"): {"max_epochs": 60},
    ("small", "cryo"): {"max_epochs": 60},
    ("small", "cells"): {"max_epochs": 150},
    ("small", "steel"): {"max_epochs": 120},
    ("paper", "wm811k"): {"max_epochs": 300},
    ("paper", "plankton"): {"max_epochs": 300},
}


def get_settings(dataset: str, scale: str) -> Settings:
    """Return the settings of a data set at a scale."""
    sizes = SIZES_OF.get(scale, scale)
    data, kind = DATA[scale], KIND_OF_DATA.get(dataset, KINDS["general"])
    if dataset.startswith("mnist-u"):
        data = data | MNIST_DATA.get(scale, {})
    embedder = (
        EMBEDDER[sizes]
        | kind.embedder
        | INVARIANCE.get(dataset, {})
        | EMBEDDER_OF_BOTH.get((sizes, dataset), {})
    )
    return Settings(
        data,
        embedder,
        CLUSTERER[scale] | kind.clusterer,
        {name: get_rival(name, sizes, embedder) for name in RIVALS},
    )


def get_rival(name: str, scale: str, embedder: dict[str, Any]) -> dict[str, Any]:
    """Return a rival's parameters, given IRL-INR's."""
    shared = {key: embedder[key] for key in SHARED[name] if key in embedder}
    if name.endswith("VAE") and "invariance" in shared:  # they know no reflection
        shared["invariance"] = shared["invariance"].removesuffix("+reflection")
    return shared | RIVAL.get((scale, name), {})
