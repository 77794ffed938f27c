"""Spatial-VAE as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from torch import nn

from invariant_cluster.embedders._generative_embedder import VariationalEmbedder
from invariant_cluster.modules import (
    ImageAligner,
    MLPVAEEncoder,
    PoseVAE,
    SpatialGenerator,
)
from invariant_cluster.validation import check_sizes
from invariant_cluster.views import FOR_CLUSTERING


class SpatialVAEEmbedder(VariationalEmbedder):
    """Representations by a variational autoencoder that also infers the pose.

    Spatial-VAE (Bepler et al., NeurIPS 2019): an MLP of all pixels gives the posterior
    of theta, tau and z, a second MLP of coordinates and z draws the image, and both are
    trained on the evidence lower bound. The decoder draws the object in any pose, but
    nothing makes the encoder infer the same z from every pose. A baseline of the
    IRL-INR paper (table 2).

    Parameters
    ----------
    d : int, default=32
        Dimension of z.
    encoder_hidden, generator_hidden : sequence of int, default=(500, 500)
        Widths of the hidden layers.
    divergence_weight : float, default=1.0
        Of the KL divergence from the prior; 1 is the evidence lower bound.
    invariance : {"rotation+translation", "rotation"}, default="rotation+translation"
        Whether the object is also shifted, or always in the middle.
    translation_std : float, default=0.1
        Standard deviation of the prior of tau, as a fraction of the longer side.
        Ignored with ``invariance="rotation"``.
    align : bool, default=False
        Whether each image is moved to its analytic pose before it is encoded, which is
        no part of the published method.
    background, intensity_range
        As in :class:`IRLINREmbedder`. The background is ignored in training with
        ``align=False``: only ``canonicalize`` and poses without learning use it.
    n_pixels : int, optional
        How many pixels a step reconstructs, drawn at random; all by default.
    max_epochs : int, default=200
    batch_size : int, default=128
    lr : float, default=1e-3
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
    weight_decay : float, default=0.0
    device, precision, callbacks, warm_start, random_state, verbose, image_shape
        As in :class:`IRLINREmbedder`.

    Attributes
    ----------
    net_, encoder_, image_shape_, intensity_range_, background_, n_features_in_, n_iter_
        As in :class:`IRLINREmbedder`.
    history_ : DataFrame
        One row an epoch: loss (the negative bound, nats an image), cross-entropy of a
        pixel, KL divergence, squared error, seconds.

    Examples
    --------
    >>> from invariant_cluster import SpatialVAEEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> embedder = SpatialVAEEmbedder(d=8, max_epochs=1, random_state=0)
    >>> embedder.fit_transform(images).shape
    (64, 8)
    """

    _title = "spatial-VAE"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **VariationalEmbedder._parameter_constraints,
        "encoder_hidden": ["array-like"],
    }

    def __init__(
        self,
        d: int = 32,
        *,
        encoder_hidden: Sequence[int] = (500, 500),
        generator_hidden: Sequence[int] = (500, 500),
        divergence_weight: float = 1.0,
        invariance: str = "rotation+translation",
        translation_std: float = 0.1,
        align: bool = False,
        background: Any = "auto",
        intensity_range: Any = None,
        n_pixels: int | None = None,
        max_epochs: int = 200,
        batch_size: int = 128,
        lr: float = 1e-3,
        lr_schedule: str = "one_cycle",
        weight_decay: float = 0.0,
        device: str = "auto",
        precision: str = "auto",
        callbacks: list[Any] | None = None,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.d = d
        self.encoder_hidden = encoder_hidden
        self.generator_hidden = generator_hidden
        self.divergence_weight = divergence_weight
        self.invariance = invariance
        self.translation_std = translation_std
        self.align = align
        self.background = background
        self.intensity_range = intensity_range
        self.n_pixels = n_pixels
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.device = device
        self.precision = precision
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.image_shape = image_shape

    def _make_module(self, aligner: ImageAligner) -> PoseVAE:
        encoder = MLPVAEEncoder(
            aligner,
            d=self.d,
            hidden=check_sizes("encoder_hidden", self.encoder_hidden),
            translation_std=self.translation_std,
            variation=FOR_CLUSTERING,
            train_dtype=self._train_dtype,
        )
        hidden = check_sizes("generator_hidden", self.generator_hidden)
        generator = SpatialGenerator(
            self.d, self._n_channels, hidden, activation=nn.Tanh
        )
        return PoseVAE(encoder, generator)
