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
    nothing makes the encoder infer the same z from every pose. It is a baseline of the
    IRL-INR paper (table 2).

    Parameters
    ----------
    d : int, default=32
        Dimension of z.
    encoder_hidden : sequence of int, default=(500, 500)
        Widths of the hidden layers of the encoder.
    generator_hidden : sequence of int, default=(500, 500)
        Widths of the hidden layers of the decoder.
    divergence_weight : float, default=1.0
        Weight of the KL divergence from the prior; 1 is the evidence lower bound.
    invariance : {"rotation+translation", "rotation"}, default="rotation+translation"
        Pose that the model infers: with translation the object may also be shifted,
        without it the object is always in the middle.
    translation_std : float, default=0.1
        Standard deviation of the prior of tau, as a fraction of the longer side.
        Ignored with ``invariance="rotation"``.
    align : bool, default=False
        Whether each image is moved to its analytic pose before it is encoded, which is
        not part of the published method.
    background : "auto", float or sequence of float, default="auto"
        Value of empty pixels, one for all channels or one per channel, in the images'
        units. "auto" is the median of the border pixels over the training set.
        Ignored in training with ``align=False``: only ``canonicalize`` and poses
        without learning use it.
    intensity_range : (low, high), optional
        Values that are scaled to 0 and 1. By default the range of the training set for
        integers, its 0.1 and 99.9 percentiles for floats.
    stretch : {"auto", "linear", "asinh"}, default="auto"
        How values are stretched before the smoothing. "asinh" shows faint images beside
        bright ones: ``asinh((J - b) / s)``, with background b and softening s.
        With "brightness" in ``invariance`` it comes after images have one level, and
        shows faint parts beside bright ones. "auto" is "linear" unless the images are
        floats and more than half of them would lie within a 256th of the linear range.
    smoothing : "auto" or float, default="auto"
        Width in pixels (standard deviation) of a Gaussian that smooths the images
        before anything else, against noise; 0 for none. "auto" measures the noise: 0
        unless the border is white noise of more than a fifth of the signal's variance.
    object : {"all", "central"}, default="all"
        What of an image is seen. "central" is the connected object nearest the middle:
        all else becomes background, such as stars beside a galaxy.
    n_pixels : int, optional
        Random pixels that a step reconstructs; by default all of them.
    max_epochs : int, default=200
        Passes over the images.
    batch_size : int, default=128
        Images in a training step.
    lr : float, default=1e-3
        Learning rate of Adam, its peak with a schedule.
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
        "one_cycle" rises to ``lr`` in the first 30 % of the steps and then falls to
        nearly 0.
    weight_decay : float, default=0.0
        Weight decay of Adam.
    device : str, default="auto"
        A torch device; "auto" is the GPU if there is one.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of matrix products in training. "auto" selects bfloat16 on NVIDIA
        GPUs and x86 CPUs that have instructions for it, else float32.
    callbacks : list of skorch callbacks, optional
        For example ``EarlyStopping(monitor="train_loss")``.
    warm_start : bool, default=False
        Whether ``fit`` continues the last fit for ``max_epochs`` more; the other
        parameters must be unchanged.
    random_state : int, RandomState or None, default=None
        Seed of the weights, the batches and the draws of z and pose.
    verbose : int, default=0
        1 shows progress bars with the time left, of training and of other methods that
        take more than a second; 2 also prints a line of losses for each epoch. With 0,
        a fit that will take more than ten minutes gives a ``LongFitWarning``.
    image_shape : tuple of int, optional
        Shape of one image, (h, w), (h, w, c) or (c, h, w). It folds flat rows into
        images and settles which axis holds the channels.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained model; ``net_.module_`` has encoder and decoder.
    encoder_ : nn.Module
        Maps raw images (n, c, h, w) to z.
    history_ : DataFrame
        One row per epoch: loss (the negative bound, nats per image), cross-entropy per
        pixel, KL divergence, squared error, seconds.
    image_shape_ : tuple of int
        Shape of one image as it was given.
    intensity_range_ : tuple of float
        Values that are scaled to 0 and 1.
    background_ : ndarray of shape (c,)
        Value of empty pixels, in the images' units.
    smoothing_ : float
        Width of the smoothing, in pixels.
    noise_level_ : float
        Standard deviation of white noise at the border, in the images' units, or in
        those of stretched images; 0 if images are not smoothed.
    n_features_in_ : int
        Number of values of one image.
    n_iter_ : int
        Number of epochs trained.
    reference_ : Reference
        What :func:`check_drift` and warnings compare new images with: statistics and z
        of training images.

    See Also
    --------
    TargetVAEEmbedder : A variational autoencoder with an equivariant encoder.
    IRLINREmbedder : Representations that do not change when the image is rotated.

    References
    ----------
    T. Bepler, E. D. Zhong, K. Kelley, E. Brignole, B. Berger, "Explicitly Disentangling
    Image Content from Translation and Rotation with spatial-VAE", NeurIPS 2019.

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
        stretch: str = "auto",
        smoothing: float | str = "auto",
        object: str = "all",
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
        self.stretch = stretch
        self.smoothing = smoothing
        self.object = object
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
