"""IRL-INR as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from invariant_cluster.embedders._alignment import Alignment, find_alignment
from invariant_cluster.embedders._generative_embedder import GenerativeEmbedder
from invariant_cluster.embedders._network_sizes import (
    NETWORKS,
    choose_network,
    settle_epochs,
    settle_sizes,
)
from invariant_cluster.embedders._trunk_factory import RESNETS, make_trunk
from invariant_cluster.geometry import SYMMETRY_RULES, symmetry_targets
from invariant_cluster.losses import CONSISTENCIES, RECONSTRUCTIONS
from invariant_cluster.modules import (
    IRLINR,
    FourierFeatures,
    Hypernetwork,
    HypernetworkDecoder,
    ImageAligner,
    ImplicitNetwork,
    PixelDecoder,
    PoseEncoder,
    PoseRule,
    SpatialGenerator,
)
from invariant_cluster.runtime import evenly_spaced, map_batches
from invariant_cluster.training import IRLINRNet, IRLINRObjective
from invariant_cluster.validation import Interval, Options, StrOptions, check_sizes
from invariant_cluster.views import Variation

_WEIGHT_ALIGNED = 0.01  # of the symmetry loss
_WEIGHT_UNALIGNED = 15.0
_OF_RAW_Z = ("cosine", "mse")  # losses of a z that is not normalised
_LIGHT_EPOCHS = 16
_CONTRAST = 0.2  # what copies differ by where brightness means nothing
_LEAST_DIRECTION = 1e-6  # below it, moments are rounding errors
PAPER_RECIPE: dict[str, Any] = {
    "align": False,
    "field_of_view": 1.0,
    "symmetry_breaking": "center_of_mass",
    "reconstruction": "squared_error",
    "consistency": "cosine",
    "n_copies": 2,
    "deformation": 0.0,
    "noise": 0.0,
    "smoothing": 0.0,
    "consistency_weight": 1.0,
    "symmetry_weight": 15.0,
    "lr": 1e-4,
    "lr_schedule": "constant",
}


class IRLINREmbedder(GenerativeEmbedder):
    """Representations that do not change when the image is rotated or moved.

    IRL-INR (Kwon, Choi and Ryu, ICML 2023): an encoder maps an image to
    (z, theta, tau), a hypernetwork maps z to the weights of an implicit neural
    representation (INR), and the INR, queried at coordinates rotated by theta and
    shifted by tau, draws the image. z encodes what the image shows, (theta, tau) its
    pose.

    Every default is meant to work: on a CPU a light network trains for some minutes, on
    a GPU one of the paper's size. "auto" values follow ``network``.

    Five parameters matter first: ``invariance`` says what means nothing; ``network``
    and ``max_epochs`` set size and time; ``object`` leaves out what lies beside the
    object; ``random_state`` makes runs repeatable. The Notes sort all parameters by
    purpose.

    Parameters
    ----------
    d : int or "auto", default="auto"
        Dimension of z: 32 for the light network, 512 for the full one.
    network : {"auto", "light", "full"}, default="auto"
        Size of everything that is "auto". "light" suits some thousand images on two CPU
        cores, "full" is the paper's size. "auto" is "full" on a GPU and "light" on a
        CPU. The user guide has a table of the sizes.
    encoder : {"auto", "resnet8", "resnet18"} or callable, default="auto"
        The convolutional network: "resnet18", the paper's, or "resnet8", which halves
        the resolution at once and suits a CPU. "auto" is "resnet8" in the light network
        and "resnet18" in the full one. Or a factory ``encoder(n_channels)`` of an
        ``nn.Module`` that maps images (n, c, h, w) in [0, 1] to features
        (n, n_features). h and w are those of the field of view. The images are
        contiguous in memory. In ``torch.channels_last`` memory a strided 1x1
        convolution of fewer than 16 channels crashes oneDNN.
    encoder_width : int or "auto", default="auto"
        Channels of the first convolution: 16 or 64, the paper's. Ignored with an
        encoder of your own.
    decoder : {"hypernetwork", "mlp", "pixels"}, default="hypernetwork"
        How an image is drawn from z: by an INR whose weights the hypernetwork makes of
        z; by one MLP for all images, of z and the same Fourier features; or by
        transposed convolutions that draw pixels, rotated by interpolation. The last two
        are the alternatives of the paper's section 4.5. Options that the chosen decoder
        does not use are ignored. On a GPU two fits with "pixels" and the same seed
        differ, since the gradient of the interpolation adds in no fixed order.
    n_frequencies : int or "auto", default="auto"
        Random Fourier features of the INR's coordinates, f in the paper: 64 or 256.
        Ignored with ``decoder="pixels"``.
    frequency_scale : float, default=2.0
        Standard deviation of the frequencies, sigma in the paper. Ignored with
        ``decoder="pixels"``.
    inr_hidden : sequence of int or "auto", default="auto"
        Widths of the hidden layers of the INR, or of the MLP that draws: three of 64 or
        three of 256. Ignored with ``decoder="pixels"``.
    hypernetwork_hidden : sequence of int or "auto", default="auto"
        Widths of the hidden layers of the hypernetwork: two of 64 or three of 256.
        Ignored with the other decoders.
    invariance : str, default="rotation+translation"
        Changes of the image under which z must not change: "rotation", with any of the
        following words in this order, joined by "+". "translation": without it tau is
        0, and moments and rotations are about the image's centre (wafer maps).
        "reflection": a mirror image shows the same object. "scale": aligned objects get
        the same size. "brightness": each image gets the same background and contrast.
        "color": images become grey.
    translation_std : float, default=0.1
        Standard deviation of the random shifts in training, as a fraction of the longer
        side. Ignored without translation in ``invariance``.
    align : "auto" or bool, default="auto"
        Whether each image is moved to its analytic pose before it is encoded. "auto"
        moves it if ``symmetry_breaking`` prescribes a pose, unless the images are
        textures, which have none: see ``alignment_``.
    field_of_view : "auto" or float, default="auto"
        Side of the square in the middle of an aligned image that is encoded and drawn,
        as a fraction of the longer side. "auto" is the square that 99 % of the training
        objects fill once they are centred: fewer pixels to compute, more detail.
        Ignored where images are not aligned, or where the square exceeds the shorter
        side.
    symmetry_breaking : str or None, default="auto"
        Rule that fixes the canonical orientation: "center_of_mass", its direction from
        the image's centre (the paper's rule); "complex_moment", the direction of mu_21,
        which also works when images are translated; "principal_axis", the long axis,
        towards the end that reaches farther (rotation alone: the heavier end). "auto"
        is "principal_axis"; ``None`` leaves the orientation to the network.
    reconstruction : {"cross_entropy", "squared_error"}, default="cross_entropy"
        Reconstruction loss; the paper's is "squared_error".
    consistency : str, default="nt_xent"
        Loss that keeps z the same for two views of an image: "nt_xent" (SimCLR;
        it also separates different images), "cross_correlation" (Barlow Twins; it also
        decorrelates the dimensions), "centered_cosine", or the paper's "cosine" and
        "mse". With the paper's two, z is the plain output of the encoder. With the
        others, each dimension of z has mean 0 and variance 1 over the training images,
        by batch normalisation; without it z encodes little but brightness for much of
        training.
    n_copies : {1, 2} or "auto", default="auto"
        Moved copies of each image in a training step. With 2, the paper's method, the
        consistency loss compares the copies; with 1 it compares the copy with the image
        itself, so the encoder sees two images instead of three. "auto" is 1 in the
        light network and 2 in the full one.
    temperature : float, default=0.5
        Temperature of NT-Xent. Higher values separate images less; 1 suits classes of
        very unequal size. Ignored with another ``consistency``.
    deformation : float, default=1.0
        Strength by which the copies are also bent, stretched and blurred, so that z
        ignores shape variation within a class. 0, as in the paper, moves them only. At
        1 they are rotated by 0.15 rad, stretched by 10 % and bent by 3 % of the side
        (standard deviations).
    noise : float, default=0.0
        Strength of salt-and-pepper noise on the copies, for images in which single
        pixels mean nothing (failing dies of a wafer). At 1 up to 40 % of the pixels
        become background and up to 10 % become specks.
    reconstruction_weight : float, default=1.0
        Weight of the reconstruction loss (lambda in the paper, there 1).
    consistency_weight : float, default=0.03
        Weight of the consistency loss (in the paper 1). NT-Xent is about 40 times
        larger than the per-pixel cross-entropy, hence the small weight.
    symmetry_weight : "auto" or float, default="auto"
        Weight of the symmetry-breaking loss (in the paper 15). "auto" is 0.01 where
        images are aligned, since little of the pose is left to learn and a larger
        weight would take from z; 0 for textures, which have no pose; else 15. Ignored
        with ``symmetry_breaking=None``.
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
    n_pixels : int, None or "auto", default="auto"
        Random pixels that a step reconstructs; None is all of them. 256 for the light
        network, all for the full one.
    max_epochs : int or "auto", default="auto"
        Passes over the images. "auto" is 200 for the full network, and for the light
        one as many as make about 4,000 steps, from 8 to 200.
    batch_size : int or "auto", default="auto"
        Images in a training step: 64 or 128.
    lr : float or "auto", default="auto"
        Learning rate of Adam, its peak with a schedule: 2e-3 or 1e-3.
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
        "one_cycle" rises to ``lr`` in the first 30 % of the steps and then falls to
        nearly 0; "constant" is the paper's.
    weight_decay : float, default=5e-4
        Weight decay of Adam, as in the paper.
    device : str, default="auto"
        A torch device; "auto" is the GPU if there is one.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of matrix products in training. "auto" selects bfloat16 on NVIDIA
        GPUs and x86 CPUs that have instructions for it (AMX or AVX-512 BF16), else
        float32. Embeddings are always computed in float32.
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
        images and settles which axis holds the channels: the first or last if it alone
        has 1, 3 or 4 entries, the first if it alone has under 8, else the last.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained model; ``net_.module_`` has encoder and decoder.
    encoder_ : nn.Module
        Maps raw images (n, c, h, w) to z.
    history_ : DataFrame
        One row per epoch: loss, each of its terms, the squared error whatever is
        minimised, the effective dimension of z, seconds.
    alignment_ : Alignment or None
        What ``align="auto"`` found, objects or textures, and why; ``print`` shows it,
        and so does ``verbose=1``. None if nothing was to be found. Its ``shows`` is
        "objects" or "textures", and ``mean_share``, ``border_share`` and
        ``center_spread`` are what was measured.
    image_shape_ : tuple of int
        Shape of one image as it was given.
    intensity_range_ : tuple of float
        Values that are scaled to 0 and 1.
    background_ : ndarray of shape (c,)
        Value of empty pixels, in the images' units.
    size_ : float or None
        Size that objects get with "scale" in ``invariance``: their root mean square
        radius, in halves of the longer side.
    tone_ : Tone
        Background and level that all images get with "brightness" in ``invariance``,
        and whether they become grey.
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
    PolarFourierEmbedder : Rotation-invariant features that need no training.
    ScatteringEmbedder : Features that deformations hardly change, without training.
    ClassAverageEmbedder : Alignment to class averages, in noise stronger than objects.
    SimCLREmbedder : Representations by contrast alone, without a decoder.
    SCANClusterer : Clusters of the representations.

    Notes
    -----
    Defaults differ from the paper where measurements were better: ``docs/recipe.md``
    has the figures, and :meth:`paper` returns the paper's recipe.

    Parameters by purpose:

    - *Set first*: ``invariance``, ``network``, ``max_epochs``, ``object``,
      ``random_state``.
    - *Your images*: ``image_shape``, ``background``, ``intensity_range``, ``stretch``,
      ``smoothing``, ``noise``.
    - *Pose*: ``align``, ``symmetry_breaking``, ``field_of_view``, ``translation_std``.
    - *Size of the networks*: ``d``, ``encoder``, ``encoder_width``, ``decoder``,
      ``n_frequencies``, ``frequency_scale``, ``inr_hidden``, ``hypernetwork_hidden``.
    - *Losses*: ``reconstruction``, ``consistency``, ``temperature``, ``n_copies``,
      ``deformation``, ``reconstruction_weight``, ``consistency_weight``,
      ``symmetry_weight``.
    - *Training*: ``batch_size``, ``lr``, ``lr_schedule``, ``weight_decay``,
      ``n_pixels``, ``callbacks``, ``warm_start``.
    - *The machine*: ``device``, ``precision``, ``verbose``.

    References
    ----------
    S. Kwon, J. Y. Choi, E. K. Ryu, "Rotation and Translation Invariant Representation
    Learning with Implicit Neural Representations", ICML 2023.

    Examples
    --------
    >>> from invariant_cluster import IRLINREmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> embedder = IRLINREmbedder(
    ...     d=8, encoder_width=2, n_frequencies=8, inr_hidden=(8,),
    ...     hypernetwork_hidden=(8,), max_epochs=1, random_state=0,
    ... )
    >>> embedder.fit_transform(images).shape
    (64, 8)
    """

    _title = "IRL-INR"
    _net_class = IRLINRNet
    _terms = (
        "reconstruction",
        "consistency",
        "symmetry",
        "squared_error",
        "effective_d",
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GenerativeEmbedder._parameter_constraints,
        "encoder": [StrOptions({"auto", *RESNETS}), callable],
        "network": [StrOptions(set(NETWORKS))],
        "d": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "encoder_width": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "decoder": [StrOptions({"hypernetwork", "mlp", "pixels"})],
        "n_frequencies": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "frequency_scale": [Interval(Real, 0, None, closed="neither")],
        "inr_hidden": [StrOptions({"auto"}), "array-like"],
        "hypernetwork_hidden": [StrOptions({"auto"}), "array-like"],
        "translation_std": [Interval(Real, 0, None, closed="left")],
        "align": [StrOptions({"auto"}), "boolean"],
        "field_of_view": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="right")],
        "symmetry_breaking": [
            StrOptions({"auto", *SYMMETRY_RULES}),
            None,
        ],
        "reconstruction": [StrOptions(set(RECONSTRUCTIONS))],
        "consistency": [StrOptions(set(CONSISTENCIES))],
        "n_copies": [StrOptions({"auto"}), Options(Integral, {1, 2})],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "deformation": [Interval(Real, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "reconstruction_weight": [Interval(Real, 0, None, closed="left")],
        "consistency_weight": [Interval(Real, 0, None, closed="left")],
        "symmetry_weight": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="left"),
        ],
        "n_pixels": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "max_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 2, None, closed="left"),
        ],
        "lr": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        d: int | str = "auto",
        *,
        network: str = "auto",
        encoder: str | Callable[[int], nn.Module] = "auto",
        encoder_width: int | str = "auto",
        decoder: str = "hypernetwork",
        n_frequencies: int | str = "auto",
        frequency_scale: float = 2.0,
        inr_hidden: Sequence[int] | str = "auto",
        hypernetwork_hidden: Sequence[int] | str = "auto",
        invariance: str = "rotation+translation",
        translation_std: float = 0.1,
        align: str | bool = "auto",
        field_of_view: str | float = "auto",
        symmetry_breaking: str | None = "auto",
        reconstruction: str = "cross_entropy",
        consistency: str = "nt_xent",
        n_copies: int | str = "auto",
        temperature: float = 0.5,
        deformation: float = 1.0,
        noise: float = 0.0,
        reconstruction_weight: float = 1.0,
        consistency_weight: float = 0.03,
        symmetry_weight: str | float = "auto",
        background: Any = "auto",
        intensity_range: Any = None,
        stretch: str = "auto",
        smoothing: float | str = "auto",
        object: str = "all",
        n_pixels: int | str | None = "auto",
        max_epochs: int | str = "auto",
        batch_size: int | str = "auto",
        lr: float | str = "auto",
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
        self.network = network
        self.encoder = encoder
        self.encoder_width = encoder_width
        self.decoder = decoder
        self.n_frequencies = n_frequencies
        self.frequency_scale = frequency_scale
        self.inr_hidden = inr_hidden
        self.hypernetwork_hidden = hypernetwork_hidden
        self.invariance = invariance
        self.translation_std = translation_std
        self.align = align
        self.field_of_view = field_of_view
        self.symmetry_breaking = symmetry_breaking
        self.reconstruction = reconstruction
        self.consistency = consistency
        self.n_copies = n_copies
        self.temperature = temperature
        self.deformation = deformation
        self.noise = noise
        self.reconstruction_weight = reconstruction_weight
        self.consistency_weight = consistency_weight
        self.symmetry_weight = symmetry_weight
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

    @classmethod
    def light(cls) -> Self:
        """Return an unfitted embedder that trains on a CPU in a minute or two.

        The light network and 16 epochs, for some thousand images on two cores; the
        other parameters are the constructor's.

        Examples
        --------
        >>> from invariant_cluster import IRLINREmbedder
        >>> embedder = IRLINREmbedder.light().set_params(max_epochs=24)
        >>> embedder.network, embedder.max_epochs
        ('light', 24)
        """
        return cls(network="light", max_epochs=_LIGHT_EPOCHS)

    @classmethod
    def paper(cls) -> Self:
        """Return an unfitted embedder with the paper's recipe, to compare with.

        The paper's network and 200 epochs (MNIST(U)); no alignment, crop, normalisation
        or deformation; the centre of mass as symmetry-breaking rule, squared error,
        plain cosine, weights 1, 1 and 15, a constant learning rate of 1e-4. On small
        budgets this recipe learns little (``docs/recipe.md``).
        """
        return cls(network="full", max_epochs=200, **PAPER_RECIPE)

    def _make_module(self, aligner: ImageAligner) -> IRLINR:
        sizes = self._sizes()
        decoder = self._make_decoder(aligner, sizes)
        width = sizes["encoder_width"]
        trunk, n_features = make_trunk(sizes["encoder"], width, aligner)
        encoder = PoseEncoder(
            aligner,
            trunk,
            n_features,
            d=sizes["d"],
            normalize=self.consistency not in _OF_RAW_Z,
            variation=self._find_variation(),
            train_dtype=self._train_dtype,
        )
        return IRLINR(encoder, decoder)

    def _make_decoder(self, aligner: ImageAligner, sizes: dict[str, Any]) -> nn.Module:
        d, n_channels = sizes["d"], self._n_channels
        options: dict[str, Any] = {
            "n_frequencies": sizes["n_frequencies"],
            "frequency_scale": self.frequency_scale,
        }
        inr_hidden = check_sizes("inr_hidden", sizes["inr_hidden"])
        hidden = check_sizes("hypernetwork_hidden", sizes["hypernetwork_hidden"])
        if self.decoder == "mlp":
            features = FourierFeatures(**options)
            return SpatialGenerator(d, n_channels, inr_hidden, features=features)
        if self.decoder == "pixels":
            return PixelDecoder(d, n_channels, max(aligner.seen_shape[1:]))
        implicit = ImplicitNetwork(n_channels, hidden=inr_hidden, **options)
        return HypernetworkDecoder(Hypernetwork(d, implicit, hidden=hidden), implicit)

    def _net_options(self) -> dict[str, Any]:
        sizes = self._sizes()
        return {
            "translation_std": self.translation_std if self._translates else 0.0,
            "n_pixels": sizes["n_pixels"],
            "n_copies": sizes["n_copies"],
        }

    def _sizes(self) -> dict[str, Any]:
        return settle_sizes(vars(self))

    def _count_epochs(self, n_images: int) -> int:
        return settle_epochs(vars(self), n_images)

    def _faster(self) -> str:
        is_light = choose_network(self.network, self.device) == "light"
        other = "" if is_light else "network='light', "
        return f"{other}a lower max_epochs or a ScatteringEmbedder"

    def _pose_rule(self) -> PoseRule:
        if self.symmetry_breaking == "auto":
            return super()._pose_rule()
        return PoseRule(self.symmetry_breaking, self._translates)

    def _may_align(self) -> bool:
        if self.align == "auto":
            return self.symmetry_breaking is not None
        return bool(self.align)

    def _find_alignment(self, images: NDArray) -> Alignment | None:
        if self.align != "auto" or self.symmetry_breaking is None:
            return None
        found = find_alignment(self._make_aligner(), images)
        if self.verbose:
            print(found)
        return found

    def _field_of_view(self) -> str | float:
        return self.field_of_view

    def _symmetry_weight(self, aligner: ImageAligner) -> float:
        if self.symmetry_weight != "auto":
            return float(self.symmetry_weight)
        if self.alignment_ and self.alignment_.is_texture:
            return 0.0
        return _WEIGHT_ALIGNED if aligner.align else _WEIGHT_UNALIGNED

    def _find_variation(self) -> Variation:
        """Return what z passes over besides pose."""
        contrast = _CONTRAST if "brightness" in self.invariance else 0.0
        return Variation(self.deformation, self.noise, self._reflects, contrast)

    def _make_objective(self, module: nn.Module, images: NDArray) -> nn.Module:
        aligner = cast(IRLINR, module).encoder.aligner
        return IRLINRObjective(
            reconstruction=self.reconstruction,
            consistency=self.consistency,
            temperature=self.temperature,
            pose_rule=aligner.pose_rule,
            direction_scale=_direction_scale(aligner, images),
            reconstruction_weight=self.reconstruction_weight,
            consistency_weight=self.consistency_weight,
            symmetry_weight=self._symmetry_weight(aligner),
        )


def _direction_scale(aligner: ImageAligner, images: NDArray) -> float:
    """Return the root mean square of the rule's direction vectors; 1 if they are 0."""
    rule = aligner.pose_rule

    def squares(raw: Tensor) -> Tensor:
        mass = aligner.mass(aligner(aligner.scale(raw)))
        _, direction = symmetry_targets(mass, rule.name, translates=rule.translates)
        return direction.square().sum(dim=1)

    cpu = torch.device("cpu")
    sample = evenly_spaced(images)
    scale = float(map_batches(squares, sample, device=cpu).mean()) ** 0.5
    return scale if scale > _LEAST_DIRECTION else 1.0
