"""Simulated projections of a ribosome, of known pose and with chosen noise."""

from __future__ import annotations

import math
import os
from numbers import Real
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state, check_scalar

from invariant_cluster.datasets._archives import check_part, find_archive, read_arrays
from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.geometry import disc_mask

_FILE = "cryo_sim70s.npz"
_CHUNK = 1024
_KEYS = ("images", "labels", "class_names", "theta", "shift_yx")
_HOW_TO_GET = (
    f"{_FILE} is an .npz archive of projections made by a simulation, with images (n, "
    "h, w) uint8, labels (n,), class_names, theta (n,) in radians, counter-clockwise, "
    "and shift_yx (n, 2) in pixels, y down; numpy.savez_compressed writes it."
)
_DESCR = """Projections of a 70S ribosome
=============================

{n} simulated projections of {height}x{width} pixels of a map of the 70S ribosome along
{n_views} directions, each rotated in the plane and shifted by its own angle and shift.
{noise}
`theta` (radians, counter-clockwise) and `tau` (pixels, x and y, y up) are the true
rotations and shifts, up to one offset per view. `target` and `view` are the direction.

The projections are a simulation: say so wherever you show results, and do not
redistribute the file.
"""
_CLEAN = "The images are without noise."
_NOISY = """White Gaussian noise of standard deviation {std:.3g} was added: a
signal-to-noise ratio of {snr:g} (variance of the pixels inside the disc, mean over the
images, by the variance of the noise)."""


def load_projections(
    noise: float | None = None,
    *,
    data_home: str | os.PathLike[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Dataset:
    """Return simulated projections of a ribosome, of known pose, with noise.

    Parameters
    ----------
    noise : float, default=None
        Signal-to-noise ratio, positive: the lower, the noisier; 0.1 and 0.03 are usual
        for cryo-EM. None returns the images without noise.
    data_home : path-like, default=None
        Folder that holds ``cryo_sim70s.npz``; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``. The archive holds ``images`` (n, h, w) uint8,
        ``labels`` (n,), ``class_names``, ``theta`` (n,) in radians, counter-clockwise,
        and ``shift_yx`` (n, 2) in pixels, y down.
    random_state : int, RandomState or None, default=None
        Seed of the noise; None draws other noise at each call.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, h, w) float32, from 0 to 255 without noise, ``target`` (n,)
        int64, ``target_names``, ``DESCR``, and

        - ``theta`` (n,), the true rotation in radians, in [0, 2 pi), counter-clockwise;
        - ``tau`` (n, 2), the true shift (x, y) in pixels, y up;
        - ``view`` (n,) int64, the direction of projection, which is the target.

        Each view has its own zero of ``theta`` and ``tau``: compare poses within a
        view.

    Raises
    ------
    FileNotFoundError
        If there is no ``cryo_sim70s.npz``; the message names the path that was tried
        and the form of the file.
    TypeError
        If ``noise`` is not a number.
    ValueError
        If ``noise`` is not positive and finite, or the file is truncated or holds other
        data.

    See Also
    --------
    make_dsprites : Generate images of known pose that need no file.

    Notes
    -----
    The signal-to-noise ratio is the variance of the signal by the variance of the
    noise, as in electron microscopy since Frank and Al-Ali (1975). Here the variance of
    the signal is that of the pixels inside the disc whose diameter is the shorter side,
    of each image without noise, averaged over all images. All images get noise of the
    same variance, in every pixel, independent and normal; values are not clipped.

    The projections are a simulation: say so wherever you show results, and do not
    redistribute the file. Without noise simple methods separate all views, so add noise
    before you compare methods. The background is not 0. There is no split into
    training and test images.

    References
    ----------
    J. Frank and L. Al-Ali, "Signal-to-noise ratio of electron micrographs obtained by
    cross correlation", Nature 256, 1975.
    """
    noise = _check_noise(noise)
    path = find_archive(data_home, _FILE, _HOW_TO_GET)
    arrays = read_arrays(path, _KEYS)
    _check_arrays(path, arrays)
    images = arrays["images"].astype(np.float32)
    told = _CLEAN
    if noise is not None:
        std = math.sqrt(_signal_variance(images) / noise)
        _add_noise(images, std, random_state)
        told = _NOISY.format(std=std, snr=noise)
    theta, tau = _read_pose(arrays)
    names, view = arrays["class_names"], arrays["labels"].astype(np.int64)
    n, height, width = images.shape
    descr = _DESCR.format(
        n=n, height=height, width=width, n_views=len(names), noise=told
    )
    return make_bunch(
        images,
        view,
        names,
        descr,
        return_X_y=return_X_y,
        theta=theta,
        tau=tau,
        view=view,
    )


def _check_noise(noise: object) -> float | None:
    """Return the signal-to-noise ratio as a float, or None."""
    if noise is None:
        return None
    check_scalar(noise, "noise", Real)
    ratio = float(noise)  # type: ignore[arg-type]
    if not (np.isfinite(ratio) and ratio > 0):
        raise ValueError(
            f"noise={noise!r} must be positive and finite: it is the signal-to-noise "
            "ratio. Use None for images without noise."
        )
    return ratio


def _check_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Raise a ValueError unless the arrays are those of projections."""
    images, theta, shift = arrays["images"], arrays["theta"], arrays["shift_yx"]
    check_part(path, "", images, arrays["labels"], len(arrays["class_names"]))
    n = len(images)
    fits = images.ndim == 3 and theta.shape == (n,) and shift.shape == (n, 2)
    if not fits or theta.dtype.kind not in "fiu" or shift.dtype.kind not in "fiu":
        raise ValueError(
            f"{path} holds images {images.shape}, theta {theta.dtype} {theta.shape} "
            f"and shift_yx {shift.dtype} {shift.shape}. {_HOW_TO_GET}"
        )


def _signal_variance(images: NDArray[np.float32]) -> float:
    """Return the variance inside the disc of images (n, h, w), mean over them."""
    inside = disc_mask(*images.shape[1:])
    return float(images[:, np.asarray(inside)].var(axis=1, dtype=np.float64).mean())


def _add_noise(
    images: NDArray[np.float32],
    std: float,
    random_state: int | np.random.RandomState | None,
) -> None:
    """Add normal noise to images (n, h, w) in place."""
    rng = check_random_state(random_state)
    for start in range(0, len(images), _CHUNK):
        part = images[start : start + _CHUNK]
        part += rng.normal(0.0, std, size=part.shape).astype(np.float32)


def _read_pose(
    arrays: dict[str, np.ndarray],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return theta (n,) in [0, 2 pi) and tau (n, 2), y up."""
    theta = arrays["theta"].astype(np.float64) % (2 * math.pi)
    down, across = arrays["shift_yx"].astype(np.float64).T
    return theta, np.stack([across, -down], axis=1)
