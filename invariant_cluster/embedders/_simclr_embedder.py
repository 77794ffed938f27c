"""SimCLR as a scikit-learn transformer: what IRL-INR + SCAN is compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from invariant_cluster.embedders._image_embedder import ImageEmbedder
from invariant_cluster.embedders._trunk import make_trunk
from invariant_cluster.modules import ImageAligner, SimCLR, TrunkEncoder
from invariant_cluster.training import SimCLRNet, SimCLRObjective
from invariant_cluster.validation import Interval, StrOptions
from invariant_cluster.views import AUGMENTATIONS, FOR_CLUSTERING, Augmentation


class SimCLREmbedder(ImageEmbedder):
    """Representations by contrast: two views of an image agree, others do not.

    SimCLR (Chen et al., ICML 2020): an encoder, and in training a projection head on
    top of it, in whose space two augmented views of an image are nearer to each other
    than to all other images of the batch (NT-Xent). z is the encoder's output, before
    the projection. With ``SCANClusterer`` it is SimCLR + SCAN, the strongest baseline
    of the IRL-INR paper (tables 3 and 6).

    It draws no image and learns no pose: ``predict_pose`` and ``canonicalize`` follow
    the principal axis, as :class:`IRLINREmbedder` does without learning.

    Parameters
    ----------
    d : int, default=512
        Dimension of z.
    encoder, encoder_width
        As in :class:`IRLINREmbedder`.
    augmentation : str, default="auto"
        How views differ: "auto" is "S1+R+T", or "S1+R" where ``invariance`` knows no
        translation. R turns by any angle, T shifts by up to 7 % of the side, S1 is
        SimCLR's own (crop, jitter, blur), S2 RandAugment and Cutout, D deforms. Without
        R, z changes when the image is rotated.
    projection_dim : int, default=128
        Dimension of the space in which views are compared.
    temperature : float, default=0.5
        Of the contrast: the lower, the more the nearest other images count.
    invariance : str, default="rotation+translation"
        As in :class:`IRLINREmbedder`; "+reflection" mirrors half of the views.
    align : bool, default=False
        Whether each image is moved to its analytic pose before it is encoded. It is no
        part of SimCLR, and tells how much of an embedder's accuracy comes from it.
    background, intensity_range
        As in :class:`IRLINREmbedder`.
    max_epochs : int, default=200
    batch_size : int, default=128
    lr : float, default=1e-3
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
    weight_decay : float, default=5e-4
    device, precision, callbacks, warm_start, random_state, verbose, image_shape
        As in :class:`IRLINREmbedder`.

    Attributes
    ----------
    net_, encoder_, history_, image_shape_, intensity_range_, background_, n_iter_
        As in :class:`IRLINREmbedder`.

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
        "encoder": [StrOptions({"resnet18"}), callable],
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
