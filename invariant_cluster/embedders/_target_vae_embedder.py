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
    object at each of n rotations and at all places. Attention over these gives the
    posterior of theta and tau, and the features there give that of z. An MLP of Fourier
    features and z draws the image. The model is trained on the evidence lower bound. It
    is the baseline of the IRL-INR paper that is nearest to IRL-INR (tables 1 to 3).

    Parameters
    ----------
    d : int, default=32
        Dimension of z.
    n_rotations : int, default=8
        Order of the rotation group; 4, 8 or 16 in the papers, 16 being the best.
    n_kernels : int, default=32
        Features at each rotation and place; 128 in the paper. A training step takes
        about ``32 * batch_size * n_rotations * n_kernels * h * w`` bytes, and time
        proportional to that times ``kernel_size**2``.
    kernel_size : int, optional
        Side of the kernels in pixels, odd. By default that of the image. Ignored with
        ``invariance="rotation"``, where it always is that of the image.
    generator_hidden : sequence of int, default=(512, 512)
        Widths of the hidden layers of the decoder; use six layers for complex images.
    n_frequencies : int, default=512
        Random Fourier features of the coordinates.
    frequency_scale : float, default=0.8
        Standard deviation of the frequencies, in cycles per half of the longer side.
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
    SpatialVAEEmbedder : A variational autoencoder whose encoder is an MLP.
    IRLINREmbedder : Representations that do not change when the image is rotated.

    References
    ----------
    A. Nasiri, T. Bepler, "Unsupervised Object Representation Learning using Translation
    and Rotation Group Equivariant VAE", NeurIPS 2022.

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
