"""TARGET-VAE as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from invariant_cluster.embedders._generative_embedder import VariationalEmbedder
from invariant_cluster.modules import (
    AttentionVAEEncoder,
    FourierFeatures,
    ImageAligner,
    PoseVAE,
    SpatialGenerator,
)
from invariant_cluster.validation import Interval, check_sizes
from invariant_cluster.views import FOR_CLUSTERING


class TargetVAEEmbedder(VariationalEmbedder):
    """Representations by a variational autoencoder with an equivariant encoder.

    TARGET-VAE (Nasiri and Bepler, NeurIPS 2022): a group convolution looks for the
    object at each of n rotations and all places, attention over these gives the
    posterior of theta and tau, and the features there that of z; an MLP of Fourier
    features and z draws the image. Trained on the evidence lower bound. The baseline of
    the IRL-INR paper that is nearest to it (tables 1 to 3).

    Parameters
    ----------
    d : int, default=32
        Dimension of z.
    n_rotations : int, default=8
        Order of the rotation group, 4, 8 or 16 in the papers (P_16: the best).
    n_kernels : int, default=32
        Features at each rotation and place; the paper's are 128. A step takes some
        ``32 * batch_size * n_rotations * n_kernels * h * w`` bytes, and time
        proportional to that times ``kernel_size**2``.
    kernel_size : int, optional
        Side of the kernels in pixels, odd; by default that of the image. Ignored with
        ``invariance="rotation"``, where it always is.
    generator_hidden : sequence of int, default=(512, 512)
        Widths of the decoder's hidden layers; six for complex images.
    n_frequencies : int, default=512
        Random Fourier features of the coordinates.
    frequency_scale : float, default=0.8
        Their standard deviation, in cycles per half of the longer side.
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
        As in :class:`IRLINREmbedder`.
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
    >>> from invariant_cluster import TargetVAEEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> embedder = TargetVAEEmbedder(
    ...     d=8, n_rotations=4, n_kernels=4, n_frequencies=8, generator_hidden=(8,),
    ...     max_epochs=1, random_state=0,
    ... )
    >>> embedder.fit_transform(images).shape
    (64, 8)
    """

    _title = "TARGET-VAE"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **VariationalEmbedder._parameter_constraints,
        "n_rotations": [Interval(Integral, 1, None, closed="left")],
        "n_kernels": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_frequencies": [Interval(Integral, 1, None, closed="left")],
        "frequency_scale": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        d: int = 32,
        *,
        n_rotations: int = 8,
        n_kernels: int = 32,
        kernel_size: int | None = None,
        generator_hidden: Sequence[int] = (512, 512),
        n_frequencies: int = 512,
        frequency_scale: float = 0.8,
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
        self.n_rotations = n_rotations
        self.n_kernels = n_kernels
        self.kernel_size = kernel_size
        self.generator_hidden = generator_hidden
        self.n_frequencies = n_frequencies
        self.frequency_scale = frequency_scale
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
        encoder = AttentionVAEEncoder(
            aligner,
            d=self.d,
            n_rotations=self.n_rotations,
            n_kernels=self.n_kernels,
            kernel_size=self._check_kernel_size(aligner),
            translation_std=self.translation_std,
            variation=FOR_CLUSTERING,
            train_dtype=self._train_dtype,
        )
        generator = SpatialGenerator(
            self.d,
            self._n_channels,
            check_sizes("generator_hidden", self.generator_hidden),
            features=FourierFeatures(self.n_frequencies, self.frequency_scale),
        )
        return PoseVAE(encoder, generator)

    def _check_kernel_size(self, aligner: ImageAligner) -> int | None:
        size, (_, height, width) = self.kernel_size, aligner.seen_shape
        if size is None or not self._translates:
            return None
        if size % 2 == 0:
            raise ValueError(
                f"kernel_size={size} but a kernel has a middle pixel: give an odd "
                "number."
            )
        longer = max(height, width)
        if size > longer:
            raise ValueError(
                f"kernel_size={size} but images of {height} x {width} pixels are "
                f"encoded: give {longer - 1 + longer % 2} or less."
            )
        return size
