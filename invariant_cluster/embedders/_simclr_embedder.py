"""SimCLR as a scikit-learn transformer: what IRL-INR + SCAN is compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from invariant_cluster.embedders._image_embedder import ImageEmbedder
from invariant_cluster.embedders._trunk_factory import RESNETS, make_trunk
from invariant_cluster.modules import ImageAligner, SimCLR, TrunkEncoder
from invariant_cluster.training import SimCLRNet, SimCLRObjective
from invariant_cluster.validation import Interval, StrOptions
from invariant_cluster.views import AUGMENTATIONS, FOR_CLUSTERING, Augmentation


class SimCLREmbedder(ImageEmbedder):
    """Representations by contrast: two views of an image agree, others do not.

    SimCLR (Chen et al., ICML 2020) trains an encoder with a projection head on top. In
    the space of the head two augmented views of an image are nearer to each other than
    to all other images of the batch (NT-Xent). z is the output of the encoder, before
    the projection. With ``SCANClusterer`` it is SimCLR + SCAN, the strongest baseline
    of the IRL-INR paper (tables 3 and 6).

    SimCLR draws no image and learns no pose: ``predict_pose`` and ``canonicalize``
    follow the principal axis, as those of :class:`IRLINREmbedder` do without learning.

    Parameters
    ----------
    d : int, default=512
        Dimension of z.
    encoder : {"resnet8", "resnet18"} or callable, default="resnet18"
        The convolutional network ("resnet8" suits a CPU), or a factory
        ``encoder(n_channels)`` of an ``nn.Module`` that maps images (n, c, h, w) in
        [0, 1] to features (n, n_features).
    encoder_width : int, default=64
        Channels of the first convolution; 8 or 16 suit a CPU. Ignored with an
        encoder of your own.
    augmentation : str, default="auto"
        Difference between views: R rotates by any angle, T shifts by up to 7 % of the
        side, S1 is SimCLR's own (crop, jitter, blur), S2 RandAugment and Cutout, D
        deforms; names as in :class:`SCANClusterer`. "auto" is "S1+R+T" with translation
        in ``invariance``, else "S1+R". Without R, z changes when the image is rotated.
    projection_dim : int, default=128
        Dimension of the space in which views are compared.
    temperature : float, default=0.5
        Temperature of NT-Xent. Lower values give more weight to the nearest other
        images.
    invariance : str, default="rotation+translation"
        Changes of the image under which z must not change, as in
        :class:`IRLINREmbedder`; "+reflection" mirrors half of the views. Translation is
        ignored in training with ``align=False`` and an ``augmentation`` other than
        "auto".
    align : bool, default=False
        Whether each image is moved to its analytic pose before it is encoded. Alignment
        is not part of SimCLR; it shows how much of an accuracy comes from it.
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
    max_epochs : int, default=200
        Passes over the images.
    batch_size : int, default=128
        Images in a training step.
    lr : float, default=1e-3
        Learning rate of Adam, its peak with a schedule.
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
        "one_cycle" rises to ``lr`` in the first 30 % of the steps and then falls to
        nearly 0.
    weight_decay : float, default=5e-4
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
        Seed of the weights, the batches and the views.
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
        The trained model; ``net_.module_`` has encoder and projection head.
    encoder_ : nn.Module
        Maps raw images (n, c, h, w) to z.
    history_ : DataFrame
        One row per epoch: loss, the effective dimension of z, seconds.
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
    IRLINREmbedder : Contrast, reconstruction and pose together.
    SCANClusterer : Clusters of the representations.

    References
    ----------
    T. Chen, S. Kornblith, M. Norouzi, G. Hinton, "A Simple Framework for Contrastive
    Learning of Visual Representations", ICML 2020.

    Examples
    --------
    >>> from invariant_cluster import SimCLREmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> embedder = SimCLREmbedder(d=8, encoder_width=2, max_epochs=1, random_state=0)
    >>> embedder.fit_transform(images).shape
    (64, 8)
    """

    _title = "SimCLR"
    _net_class = SimCLRNet
    _terms = ("effective_d",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ImageEmbedder._parameter_constraints,
        "encoder": [StrOptions({*RESNETS}), callable],
        "encoder_width": [Interval(Integral, 1, None, closed="left")],
        "augmentation": [StrOptions({"auto", *AUGMENTATIONS})],
        "projection_dim": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        d: int = 512,
        *,
        encoder: str | Callable[[int], nn.Module] = "resnet18",
        encoder_width: int = 64,
        augmentation: str = "auto",
        projection_dim: int = 128,
        temperature: float = 0.5,
        invariance: str = "rotation+translation",
        align: bool = False,
        background: Any = "auto",
        intensity_range: Any = None,
        stretch: str = "auto",
        smoothing: float | str = "auto",
        object: str = "all",
        max_epochs: int = 200,
        batch_size: int = 128,
        lr: float = 1e-3,
        lr_schedule: str = "one_cycle",
        weight_decay: float = 5e-4,
        device: str = "auto",
        precision: str = "auto",
        callbacks: list[Any] | None = None,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.d = d
        self.encoder = encoder
        self.encoder_width = encoder_width
        self.augmentation = augmentation
        self.projection_dim = projection_dim
        self.temperature = temperature
        self.invariance = invariance
        self.align = align
        self.background = background
        self.intensity_range = intensity_range
        self.stretch = stretch
        self.smoothing = smoothing
        self.object = object
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

    def _make_module(self, aligner: ImageAligner) -> SimCLR:
        encoder = TrunkEncoder(
            aligner,
            *make_trunk(self.encoder, self.encoder_width, aligner),
            d=self.d,
            variation=FOR_CLUSTERING._replace(reflection=self._reflects),
            train_dtype=self._train_dtype,
        )
        return SimCLR(encoder, self.projection_dim)

    def _make_objective(self, module: nn.Module, images: NDArray) -> nn.Module:
        return SimCLRObjective(self.temperature)

    def _net_options(self) -> dict[str, Any]:
        return {"augmentation": self._augmentation}

    @property
    def _augmentation(self) -> Augmentation:
        name = self.augmentation
        if name == "auto":
            name = "S1+R+T" if self._translates else "S1+R"
        return Augmentation(name)
