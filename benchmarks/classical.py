"""Features without training: the floor that a learned z has to beat."""

from typing import Any

import numpy as np
import torch

from benchmarks.scales import SCATTERING, Settings
from invariant_cluster import PolarFourierEmbedder, ScatteringEmbedder
from invariant_cluster.geometry import measure_mass
from invariant_cluster.images import measure_background
from invariant_cluster.runtime import map_batches

POLAR = {"n_radii": 16, "n_angles": 64, "n_orders": 16, "n_components": 20}
FEATURES: dict[str, dict[str, Any]] = {
    "raw pixels": {},
    "polar Fourier": {**POLAR, "power": 1.0},
    "polar Fourier root": {**POLAR, "power": 0.5},
    "polar Fourier whitened": {**POLAR, "power": 0.5, "whiten": 0.25},
    "Zernike": {"degree": 14, "power": 0.5, "n_components": 15},
    "scattering": SCATTERING,
}


def describe_features(name: str, settings: Settings) -> dict[str, Any]:
    """Return what identifies features without training in a record."""
    if name == "scattering":
        return make_embedder(name, settings.invariance, seed=0).get_params()
    return {"center": settings.translates} | FEATURES[name]


def compute_features(
    name: str, train: np.ndarray, test: np.ndarray, invariance: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return features of train and test images (n, h, w[, c]), each (n, k) float32.

    Parameters
    ----------
    name : str
        Of ``FEATURES``; all but the raw pixels are reduced by a PCA of the training
        images.
    invariance : str
        As the embedders take it. With "translation" each image is first moved so that
        its centre of mass is in the middle.
    """
    if name == "raw pixels":
        return raw_pixels(train, test, "translation" in invariance)
    embedder = make_embedder(name, invariance, seed).fit(train)
    return embedder.transform(train), embedder.transform(test)


def make_embedder(name: str, invariance: str, seed: int) -> Any:
    """Return the unfitted embedder of features other than the raw pixels."""
    common = {"invariance": invariance, "random_state": seed}
    if name == "scattering":
        return ScatteringEmbedder(**{**SCATTERING, **common})
    options = dict(FEATURES[name])
    return PolarFourierEmbedder(
        options.pop("n_components"),
        radial_basis="zernike" if name == "Zernike" else "samples",
        **{**options, **common},
    )


def raw_pixels(
    train: np.ndarray, test: np.ndarray, center: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mass of train and test images as rows, each (n, h w)."""
    parts = [channels_first(part) for part in (train, test)]
    background = torch.from_numpy(measure_background(parts[0]))

    def pixels(raw: torch.Tensor) -> torch.Tensor:
        return measure_mass(raw, background, center=center).flatten(1)

    cpu = torch.device("cpu")
    rows = [map_batches(pixels, part, device=cpu) for part in parts]
    return rows[0], rows[1]


def channels_first(images: np.ndarray) -> np.ndarray:
    """Return images (n, h, w) or (n, h, w, c) as (n, c, h, w)."""
    return np.moveaxis(images.reshape(*images.shape[:3], -1), -1, 1)
