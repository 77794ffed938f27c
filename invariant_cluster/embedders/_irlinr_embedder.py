"""IRL-INR as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from invariant_cluster.embedders._generative_embedder import GenerativeEmbedder
from invariant_cluster.embedders._trunk import make_trunk
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
from invariant_cluster.validation import Interval, StrOptions, check_sizes
from invariant_cluster.views import Variation

_WEIGHT_ALIGNED = 0.01  # of the symmetry loss
_WEIGHT_UNALIGNED = 15.0
_LEAST_DIRECTION = 1e-6  # below it, moments are rounding errors
PAPER_RECIPE: dict[str, Any] = {
    "align": False,
    "field_of_view": 1.0,
    "normalize": False,
    "symmetry_breaking": "center_of_mass",
    "reconstruction": "squared_error",
    "consistency": "cosine",
    "deformation": 0.0,
    "noise": 0.0,
    "consistency_weight": 1.0,
    "symmetry_weight": 15.0,
    "lr": 1e-4,
    "lr_schedule": "constant",
}
LIGHT: dict[str, Any] = {
    "d": 32,
    "encoder_width": 8,
    "n_frequencies": 64,
    "inr_hidden": (64, 64, 64),
    "hypernetwork_hidden": (64, 64),
    "n_pixels": 256,
    "max_epochs": 16,
    "batch_size": 64,
    "lr": 2e-3,
}


class IRLINREmbedder(GenerativeEmbedder):
    """Representations that do not change when the image is rotated or moved.

    IRL-INR (Kwon, Choi and Ryu, ICML 2023): an encoder maps an image to
    (z, theta, tau), a hypernetwork maps z to the weights of an implicit neural
    representation (INR), and the INR, queried at coordinates turned by theta and
    shifted by tau, draws the image. z says what the image shows, (theta, tau) how it
    lies.

    Parameters
    ----------
    d : int, default=512
        Dimension of z.
    encoder : "resnet18" or callable, default="resnet18"
        Or a factory ``encoder(n_channels)`` of an ``nn.Module`` that maps images
        (n, c, h, w) in [0, 1] to features (n, n_features). h and w are those of the
        field of view. The images are contiguous in memory. In ``torch.channels_last``
        memory a strided 1x1 convolution of fewer than 16 channels crashes oneDNN.
    encoder_width : int, default=64
        Channels of ResNet18's first stage; 64 is the paper's, 8 or 16 suit a CPU.
    decoder : {"hypernetwork", "mlp", "pixels"}, default="hypernetwork"
        How z becomes an image: an INR whose weights the hypernetwork makes of z; one
        MLP for all images, of z and the same Fourier features; or transposed
        convolutions that draw pixels, turned by interpolation. The last two are the
        alternatives of the paper's section 4.5.
        ``inr_hidden`` are the MLP's widths too; what a decoder has not is without
        effect.
    n_frequencies : int, default=256
        Random Fourier features of the INR's coordinates, f in the paper.
    frequency_scale : float, default=2.0
        Their standard deviation, sigma in the paper.
    inr_hidden, hypernetwork_hidden : sequence of int, default=(256, 256, 256)
        Widths of the hidden layers.
    invariance : str, default="rotation+translation"
        Under what z must not change: "rotation", "rotation+translation", either with
        "+reflection" where a mirror image shows the same. Without translation tau is 0,
        and moments and turns are about the image's centre (wafer maps).
    translation_std : float, default=0.1
        Standard deviation of the random shifts in training, as a fraction of the longer
        side; without effect for ``invariance="rotation"``.
    align : "auto" or bool, default="auto"
        Whether each image is moved to its analytic pose before it is encoded. "auto"
        does where ``symmetry_breaking`` prescribes a pose.
    field_of_view : "auto" or float, default="auto"
        Side of the square in the middle of an aligned image that is encoded and drawn,
        as a fraction of the longer side. "auto" is what 99 % of the training objects
        fill once they are centred: less to compute, and more detail. Without effect
        where images are not aligned, or where the square exceeds the shorter side.
    normalize : bool, default=True
        Whether each dimension of z has mean 0 and variance 1 over the training images,
        by batch normalisation in training. Without it (the paper's) z long tells no
        more than how bright an image is.
    symmetry_breaking : str or None, default="auto"
        What fixes the canonical orientation: "center_of_mass", its direction from the
        image's centre (the paper's rule); "complex_moment", the direction of mu_21,
        which also works when images are translated; "principal_axis", the long axis,
        towards the end that reaches farther (rotation alone: the heavier one). "auto"
        is "principal_axis"; ``None`` leaves it to the network.
    reconstruction : {"cross_entropy", "squared_error"}, default="cross_entropy"
        Reconstruction loss; the paper's is "squared_error".
    consistency : str, default="nt_xent"
        What keeps z the same for two moved copies of an image: "nt_xent" (SimCLR's,
        which also keeps other images away), "cross_correlation" (Barlow Twins', which
        also keeps the dimensions uncorrelated), "centered_cosine", "cosine" (the
        paper's) or "mse".
    temperature : float, default=0.5
        Of "nt_xent". At 1 images are kept apart less, which suits classes of very
        unequal size.
    deformation : float, default=1.0
        Strength by which the two copies are also bent, stretched and blurred, so that
        z passes over what shape varies by within a kind; 0 for moves alone (the
        paper's). At 1: turned by 0.15 rad, stretched by 10 %, bent by 3 % of the side.
    noise : float, default=0.0
        Strength of salt-and-pepper noise on the copies, for images in which single
        pixels tell nothing (the failing dies of a wafer). At 1 up to 40 % of the pixels
        become background and up to 10 % specks.
    reconstruction_weight : float, default=1.0
    consistency_weight : float, default=0.03
        Small, since "nt_xent" is some forty times the cross-entropy of a pixel.
    symmetry_weight : "auto" or float, default="auto"
        "auto" is 0.01 where images are aligned, since little is left to learn of
        the pose and more would take from z; else 15. These three are lambda in the
        paper, there 1, 1 and 15.
    background : "auto", float or sequence of float, default="auto"
        Value of empty pixels, one for all or one a channel, in the images' units.
        "auto" is the median of the border pixels over the training set.
    intensity_range : (low, high), optional
        What is scaled to 0 and 1. By default the training set's range for integers, the
        0.1 and 99.9 percentiles for floats.
    n_pixels : int, optional
        How many pixels a step reconstructs, drawn at random; all by default.
    max_epochs : int, default=200
    batch_size : int, default=128
    lr : float, default=1e-3
        Learning rate of Adam; the highest, with a schedule.
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
        "one_cycle" rises to lr in the first third of the steps and then falls to nearly
        0; "constant" is the paper's.
    weight_decay : float, default=5e-4
        Of Adam, as in the paper.
    device : str, default="auto"
        A torch device; "auto" is the GPU where there is one.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of matrix products in training. "auto" selects bfloat16 on NVIDIA
        GPUs and x86 CPUs that have instructions for it (AMX or AVX-512 BF16), else
        float32. Embeddings are always computed in float32.
    callbacks : list of skorch callbacks, optional
        For example ``EarlyStopping(monitor="train_loss")``.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last one for ``max_epochs`` more, with the
        other parameters as they were.
    random_state : int, RandomState or None, default=None
    verbose : int, default=0
        1 shows a progress bar with the time left, 2 a line of losses an epoch too.
    image_shape : tuple of int, optional
        (h, w), (h, w, c) or (c, h, w): folds flat rows, and settles which axis holds
        the channels: the first or last if it alone has 1, 3 or 4 entries, the first if
        it alone has under 8, else the last.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained model; ``net_.module_`` has encoder and decoder.
    encoder_ : nn.Module
        Raw images (n, c, h, w) -> z.
    history_ : DataFrame
        One row an epoch: loss, each term, the squared error whatever is minimised,
        how many dimensions z uses, seconds.
    image_shape_ : tuple of int
        One image as it was given.
    intensity_range_ : tuple of float
    background_ : ndarray of shape (c,)
    n_features_in_ : int
        Values of one image.
    n_iter_ : int
        Epochs trained.

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
        "encoder": [StrOptions({"resnet18"}), callable],
        "encoder_width": [Interval(Integral, 1, None, closed="left")],
        "decoder": [StrOptions({"hypernetwork", "mlp", "pixels"})],
        "n_frequencies": [Interval(Integral, 1, None, closed="left")],
        "frequency_scale": [Interval(Real, 0, None, closed="neither")],
        "inr_hidden": ["array-like"],
        "hypernetwork_hidden": ["array-like"],
        "translation_std": [Interval(Real, 0, None, closed="left")],
        "align": [StrOptions({"auto"}), "boolean"],
        "normalize": ["boolean"],
        "field_of_view": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="right")],
        "symmetry_breaking": [
            StrOptions({"auto", *SYMMETRY_RULES}),
            None,
        ],
        "reconstruction": [StrOptions(set(RECONSTRUCTIONS))],
        "consistency": [StrOptions(set(CONSISTENCIES))],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "deformation": [Interval(Real, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "reconstruction_weight": [Interval(Real, 0, None, closed="left")],
        "consistency_weight": [Interval(Real, 0, None, closed="left")],
        "symmetry_weight": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="left"),
        ],
        "n_pixels": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        d: int = 512,
        *,
        encoder: str | Callable[[int], nn.Module] = "resnet18",
        encoder_width: int = 64,
        decoder: str = "hypernetwork",
        n_frequencies: int = 256,
        frequency_scale: float = 2.0,
        inr_hidden: Sequence[int] = (256, 256, 256),
        hypernetwork_hidden: Sequence[int] = (256, 256, 256),
        invariance: str = "rotation+translation",
        translation_std: float = 0.1,
        align: str | bool = "auto",
        field_of_view: str | float = "auto",
        normalize: bool = True,
        symmetry_breaking: str | None = "auto",
        reconstruction: str = "cross_entropy",
        consistency: str = "nt_xent",
        temperature: float = 0.5,
        deformation: float = 1.0,
        noise: float = 0.0,
        reconstruction_weight: float = 1.0,
        consistency_weight: float = 0.03,
        symmetry_weight: str | float = "auto",
        background: Any = "auto",
        intensity_range: Any = None,
        n_pixels: int | None = None,
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
        self.decoder = decoder
        self.n_frequencies = n_frequencies
        self.frequency_scale = frequency_scale
        self.inr_hidden = inr_hidden
        self.hypernetwork_hidden = hypernetwork_hidden
        self.invariance = invariance
        self.translation_std = translation_std
        self.align = align
        self.field_of_view = field_of_view
        self.normalize = normalize
        self.symmetry_breaking = symmetry_breaking
        self.reconstruction = reconstruction
        self.consistency = consistency
        self.temperature = temperature
        self.deformation = deformation
        self.noise = noise
        self.reconstruction_weight = reconstruction_weight
        self.consistency_weight = consistency_weight
        self.symmetry_weight = symmetry_weight
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

    @classmethod
    def light(cls) -> Self:
        """Return an unfitted embedder that some thousand images train on a CPU.

        Narrow networks, z of 32 values, 256 pixels reconstructed in a step and 16
        epochs of small batches: minutes on two cores. Losses, alignment and deformation
        are the constructor's; ``set_params`` changes any of it.

        Examples
        --------
        >>> from invariant_cluster import IRLINREmbedder
        >>> embedder = IRLINREmbedder.light().set_params(max_epochs=24)
        >>> embedder.d, embedder.max_epochs
        (32, 24)
        """
        return cls(**LIGHT)

    @classmethod
    def paper(cls) -> Self:
        """Return an unfitted embedder with the paper's own recipe, to compare with.

        No alignment, crop, normalisation or deformation; the centre of mass as
        symmetry-breaking rule, squared error, plain cosine, weights 1, 1 and 15, a
        constant learning rate of 1e-4. Sizes of the networks and 200 epochs (MNIST(U))
        are the defaults; ``set_params`` changes them. On small budgets it learns little
        (``docs/recipe.md``).
        """
        return cls(**PAPER_RECIPE)

    def _make_module(self, aligner: ImageAligner) -> IRLINR:
        decoder = self._make_decoder(aligner)
        trunk, n_features = make_trunk(self.encoder, self.encoder_width, aligner)
        encoder = PoseEncoder(
            aligner,
            trunk,
            n_features,
            d=self.d,
            normalize=self.normalize,
            variation=Variation(self.deformation, self.noise, self._reflects),
            train_dtype=self._train_dtype,
        )
        return IRLINR(encoder, decoder)

    def _make_decoder(self, aligner: ImageAligner) -> nn.Module:
        options: dict[str, Any] = {
            "n_frequencies": self.n_frequencies,
            "frequency_scale": self.frequency_scale,
        }
        inr_hidden = check_sizes("inr_hidden", self.inr_hidden)
        hidden = check_sizes("hypernetwork_hidden", self.hypernetwork_hidden)
        if self.decoder == "mlp":
            features = FourierFeatures(**options)
            return SpatialGenerator(
                self.d, self._n_channels, inr_hidden, features=features
            )
        if self.decoder == "pixels":
            return PixelDecoder(self.d, self._n_channels, max(aligner.seen_shape[1:]))
        implicit = ImplicitNetwork(self._n_channels, hidden=inr_hidden, **options)
        return HypernetworkDecoder(
            Hypernetwork(self.d, implicit, hidden=hidden), implicit
        )

    def _net_options(self) -> dict[str, Any]:
        return {
            "translation_std": self.translation_std if self._translates else 0.0,
            "n_pixels": self.n_pixels,
        }

    def _pose_rule(self) -> PoseRule:
        if self.symmetry_breaking == "auto":
            return super()._pose_rule()
        return PoseRule(self.symmetry_breaking, self._translates)

    def _aligns(self) -> bool:
        if self.align == "auto":
            return self.symmetry_breaking is not None
        return bool(self.align)

    def _field_of_view(self) -> str | float:
        return self.field_of_view

    def _symmetry_weight(self, aligner: ImageAligner) -> float:
        if self.symmetry_weight == "auto":
            return _WEIGHT_ALIGNED if aligner.align else _WEIGHT_UNALIGNED
        return float(self.symmetry_weight)

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
        _, direction = symmetry_targets(mass, rule.rule, translates=rule.translates)
        return direction.square().sum(dim=1)

    cpu = torch.device("cpu")
    sample = evenly_spaced(images)
    scale = float(map_batches(squares, sample, device=cpu).mean()) ** 0.5
    return scale if scale > _LEAST_DIRECTION else 1.0
