"""What all embedders that train a network share: images in, z and poses out."""

from __future__ import annotations

import os
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from invariant_cluster.drift import one_warning
from invariant_cluster.embedders._alignment import Alignment
from invariant_cluster.embedders._drift_watch import DriftWatch, watched
from invariant_cluster.embedders._field_of_view import find_side, measure_size
from invariant_cluster.embedders._intensities import measure_intensities
from invariant_cluster.embedders._shared_parameters import OF_IMAGES, OF_TRAINING
from invariant_cluster.embedders._standardization import standardize_z
from invariant_cluster.embedders._theta_std import theta_std_of
from invariant_cluster.embedders._warm_start import continue_net
from invariant_cluster.geometry import pixels_to_units
from invariant_cluster.images import (
    ImageEmbedding,
    Smoothing,
    check_images,
    unmasked,
)
from invariant_cluster.modules import (
    ArrayEncoder,
    ImageAligner,
    ImageEncoder,
    PoseRule,
)
from invariant_cluster.persistence import (
    Part,
    SavableMixin,
    dump_embedder,
    make_blueprint,
    restore_embedder,
    write_onnx,
)
from invariant_cluster.progress import showing_progress
from invariant_cluster.runtime import (
    map_rows,
    resolve_device,
    resolve_precision,
    seeded,
)
from invariant_cluster.training import (
    TermNet,
    TrainingProgress,
    check_callbacks,
    check_shares,
    finish,
    history_frame,
    join_team,
    make_net,
    mean_loss,
    resting_net,
    shared_seed,
    train,
)
from invariant_cluster.validation import (
    unchanged_on_error,
)


class ImageEmbedder(
    DriftWatch,
    SavableMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of embedders that train a network: images in, z and poses out.

    A subclass defines a module and the loss that training minimises. Everything else is
    provided here: the checks of images and parameters, the training, ``transform``,
    ``predict_pose``, ``canonicalize``, ``score``, ``save``, ``load`` and
    ``export_onnx``. The subclass is a scikit-learn transformer for use with ``clone``,
    ``Pipeline`` and ``GridSearchCV``, and :class:`SCANClusterer` can fine-tune a copy
    of its encoder.

    Parameters
    ----------
    d : int, default=512
        Dimension of z.
    invariance : str, default="rotation+translation"
        Changes of the image that do not change z, as in :class:`IRLINREmbedder`.
    align : bool, default=True
        Whether each image is moved to its analytic pose before it is encoded.
    background, intensity_range, stretch, smoothing, object
        As in :class:`IRLINREmbedder`.
    max_epochs : int, default=200
        Number of epochs.
    batch_size : int, default=128
        Number of images in a training step.
    lr : float, default=1e-3
        Peak learning rate of Adam.
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
        Schedule of the learning rate.
    weight_decay : float, default=5e-4
        Weight decay of Adam.
    device, precision, callbacks, warm_start, random_state, verbose, image_shape
        As in :class:`IRLINREmbedder`.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the module.
    encoder_ : ImageEncoder
        Maps raw images (n, c, h, w) to z.
    history_ : DataFrame
        One row per epoch: loss, its terms, seconds.
    n_iter_ : int
        Number of epochs trained.
    image_shape_ : tuple of int
        Shape of one image as it was given.
    n_features_in_ : int
        Number of values of one image.
    intensity_range_ : tuple of float
        Values that are scaled to 0 and 1.
    background_ : ndarray of shape (c,)
        Value of empty pixels, in the images' units.
    size_ : float or None
        Size that objects get with "scale" in ``invariance``.
    tone_ : Tone
        Background and level that all images get with "brightness" in ``invariance``,
        and whether they become grey.
    smoothing_ : float
        Width of the smoothing, in pixels.
    noise_level_ : float
        Standard deviation of white noise at the border, in the images' units, or in
        those of stretched images; 0 if images are not smoothed.

    See Also
    --------
    ImageEncoder : Base class of the encoder that the module contains.
    EmbeddingClusterer : Base class of clusterers.
    SimCLREmbedder : An embedder that defines each of the hooks.

    Notes
    -----
    A subclass must define two methods:

    ``_make_module(aligner)``
        Returns the untrained ``nn.Module``. Its attribute ``encoder`` is an
        :class:`ImageEncoder` with this aligner and with ``d=self.d``. The module may
        have further parts, such as a decoder; only training uses them. Its ``forward``
        is the training step: it maps raw images (n, c, h, w) to the input of the
        objective.
    ``_make_objective(module, images)``
        Returns an ``nn.Module``. Its ``forward(outputs, _)`` takes the output of the
        training step (and None) and returns a dict of scalar tensors: "loss", which is
        minimised, and the terms that ``_terms`` names. ``images`` (n, c, h, w) are the
        training images, for constants of the loss that depend on them.

    It can define:

    ``__init__``
        Has its own parameters and those of the base that should be adjustable; stores
        the former and passes the latter to ``super().__init__``. Parameters that are
        not passed have the defaults above.
    ``_parameter_constraints``
        A dict that extends that of the base with a list of scikit-learn's constraints
        for each of its own parameters, such as ``[Interval(Real, 0, None,
        closed="left")]``. ``fit`` checks them.
    ``_terms``
        Tuple of the names of the terms beside "loss"; ``history_`` has a column for
        each. By default there are none.
    ``_title``
        Name in the progress bar; by default the name of the class.
    ``_net_class``
        A subclass of ``invariant_cluster.training.TermNet``, a skorch net. Its
        ``infer(x)`` is the training step instead of the module's ``forward``.
    ``_net_options()``
        Returns a dict of further arguments of the constructor of ``_net_class``.

    A parameter that is called ``encoder`` can be a factory of a module; ``load`` then
    takes it again. To load a model, import the module that defines the subclass first.

    Examples
    --------
    The gallery's example "Bringing your own embedder" defines one in full.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **OF_IMAGES,
        **OF_TRAINING,
    }
    _title: ClassVar[str] = ""
    _net_class: ClassVar[type[TermNet]] = TermNet
    # The criterion's, beside "loss": columns of history_.
    _terms: ClassVar[tuple[str, ...]] = ()
    # Parameters that subclasses may let be "auto".
    d: Any
    align: Any
    alignment_: Alignment | None
    max_epochs: Any
    batch_size: Any
    lr: Any

    def __init__(
        self,
        d: int = 512,
        *,
        invariance: str = "rotation+translation",
        align: bool = True,
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

    def fit(self, X: ArrayLike, y: object = None) -> Any:
        """Train on images without labels.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
            Images of any real dtype, at least 8 x 8 pixels, or flat rows. uint8 arrays
            and memmaps stay as they are and are converted a batch at a time.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Bad images or parameters, before any training.
        FloatingPointError
            When the loss becomes NaN or infinite.
        KeyboardInterrupt
            On Ctrl-C, after the fitted attributes were set to the state reached.
        """
        self._check_parameters()
        resume = self.warm_start and hasattr(self, "net_")
        join_team(self.device)
        with showing_progress(self.verbose):
            return self._train(X, resume=resume)

    def _train(self, X: ArrayLike, *, resume: bool) -> Any:
        """Train, or go on with the training."""
        with seeded(shared_seed(self.random_state), self.device):
            with unchanged_on_error(self):
                images = check_images(
                    self,
                    X,
                    reset=not resume,
                    image_shape=self.image_shape,
                    min_samples=2,
                )
                check_shares(self._sizes()["batch_size"], len(images))
                if resume:
                    net = continue_net(self, self._count_epochs(len(images)))
                else:
                    net = self._make_net(images)
            if not resume:
                self._forget()
            train(net, images, resume=resume)
        self._store(net, images)
        return self

    def transform(self, X: ArrayLike) -> ImageEmbedding:
        """Return the semantic representation z of each image.

        Parameters
        ----------
        X : array-like of n images, of the shape given to ``fit``

        Returns
        -------
        ImageEmbedding of shape (n, d), float32
            Holds the images and the encoder too, for a clusterer to fine-tune. z is
            computed at its first use; do not change X in between.
        """
        check_is_fitted(self, "net_")
        with one_warning() as told:
            images = self._check_images(X)
        encoder = self.encoder_
        represent = self._encode_with(encoder)
        encode = partial(watched, represent, images, self.reference_, is_told=told[0])
        seen = np.asanyarray(unmasked(X, self.layout_, self.background_))
        return ImageEmbedding.deferred(encode, encoder.d, seen, encoder)

    def predict_pose(
        self,
        X: ArrayLike,
        *,
        learned: bool = True,
        return_scale: bool = False,
        return_std: bool = False,
    ) -> tuple[NDArray[np.float32], ...]:
        """Return how each object lies relative to its canonical orientation.

        ``J(x) = I_can(R(-theta) (x - tau))``: turning an image by alpha about its
        centre and then moving it by t gives ``theta + alpha`` and
        ``R(alpha) tau + t``.

        Parameters
        ----------
        X : array-like of n images
        learned : bool, default=True
            Whether the network estimates the pose, or the symmetry-breaking rule alone,
            without learning.
        return_scale : bool, default=False
            Whether to return the size of the objects too.
        return_std : bool, default=False
            Whether to return how far theta can be off, as the last value.

        Returns
        -------
        theta : ndarray of shape (n,)
            Radians in [0, 2 pi), counter-clockwise as displayed.
        tau : ndarray of shape (n, 2)
            (x, y) in pixels from the image's centre, y up.
        scale : ndarray of shape (n,)
            Only with ``return_scale=True``: multiples of the size of a typical training
            image, at least 1/4 and at most 4; 1 without "scale" in ``invariance``.
        theta_std : ndarray of shape (n,)
            Only with ``return_std=True``: circular standard deviation of theta in
            radians, from 0 to 1.18; NaN for an image without a direction, whose theta
            means nothing.

        Notes
        -----
        The standard deviation is ``sqrt(-2 ln R)`` with R the expected length of the
        mean of ``e^{i error}``. It has two sources. Noise and interpolation change each
        pixel, and by that the moments that set theta. And where both ends of an object
        are nearly alike, the same errors can exchange them, which turns theta by pi.
        There is no direction if R is below 1/2: for round and symmetric objects, blank
        images, textures, and objects in too much noise. Without alignment, the spread
        of the estimates over turned copies of the image is added.
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X)
        encoder = self.encoder_
        aligner = encoder.aligner
        estimate = encoder.predict_pose if learned else aligner.analytic_pose
        spread = encoder.predict_spread if learned else aligner.analytic_spread

        def pose_columns(raw: Tensor) -> Tensor:
            images = aligner.scale(raw)
            theta, tau = estimate(images)
            scale = aligner.analytic_scale(images)
            columns = [theta, tau, torch.ones_like(theta) if scale is None else scale]
            if return_std:  # infinite ones are not allowed in what rows are mapped to
                columns.append(torch.exp(-spread(images).square() / 2))
            return torch.column_stack(columns)

        pose = self._map_encoder(pose_columns, images, title="poses")
        pixels = pose[:, 1:3] / pixels_to_units(*images.shape[-2:])
        found = [pose[:, 0], pixels.astype(np.float32)]
        if return_scale:
            found.append(pose[:, 3])
        if return_std:
            is_texture = self.alignment_ is not None and self.alignment_.is_texture
            found.append(theta_std_of(pose[:, 4] * (not is_texture)))
        return tuple(found)

    def canonicalize(self, X: ArrayLike, *, learned: bool = True) -> NDArray:
        """Return the images' own pixels, moved to canonical orientation.

        Parameters
        ----------
        X : array-like of n images
        learned : bool, default=True
            By the estimated pose, or by the symmetry-breaking rule alone.

        Returns
        -------
        ndarray of the shape and in the units of X, float32
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X)
        encoder = self.encoder_

        def canonical(raw: Tensor) -> Tensor:
            scaled = encoder.aligner.scale(raw)
            moved = encoder.canonical(scaled, learned=learned)
            return encoder.aligner.unscale(moved, like=raw)

        moved = self._map_encoder(canonical, images, title="canonical views")
        return self._to_user(moved)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the negative training loss of X, higher is better.

        It is the mean over batches of ``batch_size``, since some losses depend on the
        size of the batch. Random views are the same at every call.

        Parameters
        ----------
        X : array-like of n images
            At least two.
        y : ignored

        Returns
        -------
        float

        Raises
        ------
        FloatingPointError
            When training had diverged, so that the loss is not finite.
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X, min_samples=2)
        module = self.net_.module_
        net = resting_net(
            module,
            self._net_class,
            # That of a loaded model is gone: its constants are measured on X.
            self.net_.criterion_
            if self.net_.history
            else self._make_objective(module, images),
            device=str(resolve_device(self.device)),
            **self._net_options(),
        )
        return -mean_loss(net, images, self._sizes()["batch_size"])

    def export_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the encoder, preprocessing and alignment included, as an ONNX model.

        Its input "images" are images as they were given to ``fit``, in the same units,
        as float32; its output "z" is what ``transform`` returns, within 1e-4. Where
        ``symmetry_breaking="complex_moment"`` finds hardly a direction, rounding can
        turn an image by more. The number of images is free.

        Parameters
        ----------
        path : path-like
            Replaced if it exists, whole or not at all.

        Raises
        ------
        FileNotFoundError
            When the folder does not exist.
        ImportError
            Without the packages onnx and onnxscript.
        """
        check_is_fitted(self, "net_")
        example = torch.zeros(2, *self.layout_.given_shape)
        write_onnx(path, ArrayEncoder(self.encoder_), example)

    @property
    def encoder_(self) -> ImageEncoder:
        """The encoder, raw images (n, c, h, w) -> z; part of ``net_``."""
        encoder: ImageEncoder = self.net_.module_.encoder
        return encoder

    @property
    def _n_features_out(self) -> int:
        return self.encoder_.d

    def __sklearn_tags__(self) -> Any:
        """Flat rows and images, dense; the output is float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @abstractmethod
    def _make_module(self, aligner: ImageAligner) -> Any:
        """Return the untrained module.

        Parameters
        ----------
        aligner : ImageAligner
            Aligner of the module's ``encoder``.

        Returns
        -------
        nn.Module
            With an :class:`ImageEncoder` as its attribute ``encoder``.
        """

    @abstractmethod
    def _make_objective(self, module: nn.Module, images: NDArray) -> nn.Module:
        """Return the objective that training minimises.

        Parameters
        ----------
        module : nn.Module
            The module of ``_make_module``.
        images : ndarray of shape (n, c, h, w)
            The images to train on, in the user's units.

        Returns
        -------
        nn.Module
            Its ``forward(outputs, _)`` returns a dict of "loss" and all ``_terms``.
        """

    def _net_options(self) -> dict[str, Any]:
        """Return the arguments of ``_net_class`` beside those that all nets have."""
        return {}

    def _sizes(self) -> dict[str, Any]:
        """Return the parameters that set the size of networks and steps, settled.

        Those that are "auto" have values here; ``lr`` and ``batch_size`` are included.
        """
        return {"lr": self.lr, "batch_size": self.batch_size}

    def _faster(self) -> str:
        """Return which parameters, set in another way, make a fit take less time."""
        return "a lower max_epochs"

    def _count_epochs(self, n_images: int) -> int:
        """Return how many epochs to train."""
        return int(self.max_epochs)

    def _pose_rule(self) -> PoseRule:
        """Return what fixes the canonical orientation."""
        return PoseRule("principal_axis", self._translates)

    def _may_align(self) -> bool:
        """Return whether the parameters say to align images."""
        return bool(self.align)

    def _aligns(self) -> bool:
        """Return whether images are aligned, once it is known what they show."""
        return self._may_align() and not (
            self.alignment_ and self.alignment_.is_texture
        )

    def _find_alignment(self, images: NDArray) -> Alignment | None:
        """Return what the images show, if the parameters leave that open."""
        return None

    def _field_of_view(self) -> str | float:
        """Return how much of an aligned image is encoded."""
        return 1.0

    @property
    def _translates(self) -> bool:
        return "translation" in self.invariance

    @property
    def _reflects(self) -> bool:
        return "reflection" in self.invariance

    def _make_net(self, images: NDArray) -> TermNet:
        measure_intensities(self, images)
        self.size_ = self.alignment_ = None
        self.alignment_ = self._find_alignment(images)
        if "scale" in self.invariance and self._aligns():
            self.size_ = measure_size(self._make_aligner(), images)
        aligner = self._make_aligner()
        aligner.side = find_side(aligner, images, self._field_of_view())
        module = self._make_module(aligner)
        self._check_module(module)
        sizes = self._sizes()
        settled = {**sizes, "align": aligner.align}
        module.encoder.blueprint = make_blueprint(self, aligner, settled)
        return make_net(
            self._net_class,
            module,
            self._make_objective(module, images),
            lr=sizes["lr"],
            lr_schedule=self.lr_schedule,
            weight_decay=self.weight_decay,
            max_epochs=self._count_epochs(len(images)),
            batch_size=sizes["batch_size"],
            device=resolve_device(self.device),
            callbacks=[
                TrainingProgress(
                    self._title or type(self).__name__,
                    self.verbose,
                    fit=f"{type(self).__name__}.fit",
                    remedy=self._faster(),
                ),
                *(self.callbacks or []),
            ],
            terms=self._terms,
            **self._net_options(),
        )

    def _check_module(self, module: Any) -> None:
        """Raise if ``_make_module`` returned anything but a module with an encoder."""
        encoder = getattr(module, "encoder", None)
        if not isinstance(module, nn.Module) or not isinstance(encoder, ImageEncoder):
            raise TypeError(
                f"{type(self).__name__}._make_module returned a "
                f"{type(module).__name__} whose encoder is {encoder!r}: return an "
                "nn.Module with an ImageEncoder as its attribute encoder."
            )

    def _make_aligner(self, side: int | None = None) -> ImageAligner:
        return ImageAligner(
            self._pose_rule(),
            align=self._aligns(),
            intensity_range=self.intensity_range_,
            background=torch.from_numpy(self.background_),
            layout=self.layout_,
            side=side,
            size=self.size_,
            smoothing=Smoothing(self.smoothing_, self.noise_level_),
            tone=self.tone_,
        )

    @property
    def _train_dtype(self) -> torch.dtype | None:
        return resolve_precision(self.precision, self.device)

    @property
    def _n_channels(self) -> int:
        return self.layout_.channels_first_shape[0]

    def _check_parameters(self) -> None:
        self._validate_params()
        if "scale" in self.invariance and not self._may_align():
            raise ValueError(
                f"invariance={self.invariance!r} but images are not aligned "
                f"(align={self.align!r}), and only aligned objects are given one size: "
                "leave out 'scale', or align the images."
            )
        check_callbacks(self.callbacks)
        resolve_device(self.device)

    def _check_images(self, X: ArrayLike, **options: Any) -> NDArray:
        """Return new images as (n, c, h, w); warn if they are unlike those of fit."""
        images = check_images(self, X, reset=False, **options)
        self._watch(images)
        return images

    def _new_images(self, X: ArrayLike) -> NDArray:
        check_is_fitted(self, "net_")
        return check_images(self, X, reset=False)

    def _represent(self, images: NDArray) -> NDArray[np.float32]:
        return self._encode_with(self.encoder_)(images)

    def _encode_with(self, encoder: ImageEncoder) -> Callable[[NDArray], NDArray]:
        """Return the map of images to z, which a later fit does not change."""
        options: dict[str, Any] = {
            "device": self.device,
            "verbose": self.verbose,
            "title": "embed",
        }
        return partial(map_rows, encoder, encoder, **options)

    def _forget(self) -> None:
        """Be unfitted while training: a failure must not leave old beside new."""
        if hasattr(self, "net_"):
            del self.net_

    def _store(self, net: TermNet, images: NDArray) -> None:
        """Set the fitted attributes; then pass on an interrupt."""
        encoder = net.module_.encoder
        map_rows(encoder, encoder, images[:1], self.device)  # raises if it diverged
        _, pressed = finish(lambda: standardize_z(encoder, images, self.device))
        self.net_ = net
        self._remember(images)
        self._fitted_params = self.get_params(deep=False)
        self.history_ = history_frame(net)
        self.n_iter_ = len(self.history_)
        if net.interrupted_ or pressed:
            raise KeyboardInterrupt

    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a model file holds of the embedder."""
        check_is_fitted(self, "net_")
        part = dump_embedder(self, encoder_only=encoder_only)
        part.spec["state"]["alignment"] = self.alignment_ and list(self.alignment_)
        return self._with_reference(part)

    def _restore(self, part: Part, encoder: Any) -> None:
        """Set the fitted attributes from a part of a model file."""
        restore_embedder(self, self._take_reference(part), encoder)
        self.net_.batch_size = self._sizes()["batch_size"]  # of the training
        found = part.spec["state"].get("alignment")  # older files hold none
        self.alignment_ = found and Alignment(*found)

    def _rebuild_module(self, side: int | None) -> Any:
        """Return an untrained module; the geometry is set already."""
        self.alignment_ = None  # what it said is in the parameter align now
        with seeded(0):
            return self._make_module(self._make_aligner(side))

    def _map_encoder(
        self, function: Callable[[Tensor], Tensor], images: NDArray, title: str
    ) -> NDArray[np.float32]:
        """Return a function of rows and the encoder, computed in batches."""
        options: dict[str, Any] = {"title": title, "verbose": self.verbose}
        return map_rows(self.encoder_, function, images, self.device, **options)

    def _map(self, function: Callable[[Tensor], Tensor], images: NDArray) -> NDArray:
        """Return a function of rows and all the module, computed in batches."""
        options: dict[str, Any] = {"title": "draw", "verbose": self.verbose}
        return map_rows(self.net_.module_, function, images, self.device, **options)

    def _to_user(self, images: NDArray) -> NDArray:
        return self.layout_.from_channels(images)
