"""MNIST(U): MNIST with each digit rotated and shifted."""

from __future__ import annotations

import os
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import check_scalar

from invariant_cluster.datasets._archives import (
    SUBSETS,
    check_part,
    find_archive,
    read_arrays,
)
from invariant_cluster.datasets._arguments import check_option, check_side
from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.datasets._oriented import make_oriented
from invariant_cluster.datasets._resizing import shrink_by_area

_PAPER_SIZE = 50
_SIDE = 28
_N_CLASSES = 10
_HOW_TO_GET = (
    "Use the mnist.npz that Keras distributes, or create it once from OpenML: "
    "X, y = sklearn.datasets.fetch_openml('mnist_784', version=1, return_X_y=True, "
    "as_frame=False); X = X.reshape(-1, 28, 28).astype('uint8'); "
    "y = y.astype('int64'); numpy.savez_compressed('mnist.npz', "
    "train_images=X[:60000], train_labels=y[:60000], test_images=X[60000:], "
    "test_labels=y[60000:])."
)
# Our names of the arrays, and those of Keras.
_KEY_FORMS = (("{}_images", "{}_labels"), ("x_{}", "y_{}"))
_DESCR = """MNIST(U)
========

MNIST (Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0), part "{subset}", {n}
digits. Each 28x28 digit is embedded in a black frame of {frame}x{frame}, rotated about
the frame's centre by its own angle, uniform on [0, 2 pi), and then shifted by
N(0, s^2) pixels in x and y, s = {std:.3g} (in the paper: 50x50, s = 5).{shrunk} `theta`
(radians, counter-clockwise) and `tau` (pixels of the images, x and y, y up) are the
rotations and shifts.
"""
_SHRUNK = """ The frames are
then shrunk to {size}x{size}, each pixel the mean of the area it covers."""


def fetch_mnist_u(
    *,
    data_home: str | os.PathLike[str] | None = None,
    subset: str = "train",
    size: int = 50,
    translation_std: float = 0.1,
    n_samples: int | None = None,
    random_state: int | np.random.RandomState | None = 0,
    return_X_y: bool = False,
) -> Dataset:
    """Return MNIST(U), made from the ``mnist.npz`` in data_home.

    As in section 4 of the IRL-INR paper, each digit is embedded in a 50x50 frame,
    rotated uniformly and shifted by N(0, 5^2) pixels. Nothing is downloaded.

    Parameters
    ----------
    data_home : path-like, default=None
        Folder that holds ``mnist.npz``; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``. The archive holds ``train_images`` (n, 28, 28)
        uint8, ``train_labels`` (n,), ``test_images`` and ``test_labels``; the names
        that Keras uses, ``x_train``, ``y_train``, ``x_test`` and ``y_test``, are read
        too.
    subset : {"train", "test", "all"}, default="train"
        Part of MNIST; "all" puts the training images first.
    size : int, default=50
        Side of the images in pixels, at least 8. From 50 on, it is the side of the
        frame. Below 50, the 50x50 images of the paper are made first and then shrunk by
        area: ``size=32`` shows the same scenes at 32x32, with ``tau`` in the larger
        pixels of the small images.
    translation_std : float, default=0.1
        Standard deviation of the shift in x and in y, as a fraction of the side.
    n_samples : int, default=None
        Number of images, the first ones of the subset in MNIST's order; None takes all.
    random_state : int, RandomState or None, default=0
        Seed of the rotations and shifts; None draws new ones at each call.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, size, size) uint8, ``target`` (n,) int64, ``target_names``,
        ``theta`` (n,) in radians, ``tau`` (n, 2) in pixels (x, y), y up, and ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no ``mnist.npz``; the message names the path that was tried and how
        to get the file.
    ValueError
        If the file is truncated or holds other data, or a parameter is out of range.

    See Also
    --------
    load_oriented_digits : Return smaller digits that need no file.
    make_oriented : Apply the same measurement model to other images.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, section
    4.1.1.
    """
    check_option("subset", subset, ("train", "test", "all"))
    size = check_side("size", size)
    path = find_archive(data_home, "mnist.npz", _HOW_TO_GET)
    digits, target = _read_digits(path, subset)
    n = _check_n_samples(n_samples, len(digits))
    frame = max(size, _PAPER_SIZE)
    images, theta, tau = make_oriented(
        digits[:n],
        size=frame,
        translation_std=translation_std,
        random_state=random_state,
    )
    if size < frame:
        images, tau = shrink_by_area(images, size), tau * (size / frame)
    return make_bunch(
        images,
        target[:n],
        np.arange(_N_CLASSES),
        _describe(subset, n, size, frame, translation_std),
        return_X_y=return_X_y,
        theta=theta,
        tau=tau,
    )


def _read_digits(path: Path, subset: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the digits (n, 28, 28) uint8 and labels (n,) of a subset."""
    parts = [prefix.rstrip("_") for prefix in SUBSETS[subset]]
    image_form, label_form = _key_form(path)
    image_keys = [image_form.format(part) for part in parts]
    label_keys = [label_form.format(part) for part in parts]
    arrays = read_arrays(path, image_keys + label_keys)
    for part, image_key, label_key in zip(parts, image_keys, label_keys, strict=True):
        images, labels = arrays[image_key], arrays[label_key]
        check_part(path, f"{part}_", images, labels, _N_CLASSES)
        if images.shape[1:] != (_SIDE, _SIDE):
            raise ValueError(
                f"{path}: {image_key} has shape {images.shape}, expected "
                f"(n, {_SIDE}, {_SIDE}). Download or create the file again."
            )
    return (
        np.concatenate([arrays[key] for key in image_keys]),
        np.concatenate([arrays[key] for key in label_keys]),
    )


def _key_form(path: Path) -> tuple[str, str]:
    """Return the patterns of the archive's keys: Keras's if present, else ours."""
    keras = _KEY_FORMS[1]
    try:
        read_arrays(path, [keras[1].format("train")])
    except ValueError:
        return _KEY_FORMS[0]
    return keras


def _check_n_samples(n_samples: int | None, available: int) -> int:
    """Return the number of images to take, checked against the number available."""
    if n_samples is None:
        return available
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    if n_samples > available:
        raise ValueError(
            f"n_samples={n_samples} exceeds the {available} images of the subset: "
            "lower n_samples or use subset='all'."
        )
    return int(n_samples)


def _describe(
    subset: str, n: int, size: int, frame: int, translation_std: float
) -> str:
    """Return the description of the data set with its parameters."""
    shrunk = _SHRUNK.format(size=size) if size < frame else ""
    std = translation_std * frame
    return _DESCR.format(subset=subset, n=n, frame=frame, std=std, shrunk=shrunk)
