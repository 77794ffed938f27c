"""What all embedders share: images in, z, poses and images out."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
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

from invariant_cluster._embedding import ImageEmbedding
from invariant_cluster._geometry import disc_mask, pixels_to_units
from invariant_cluster._intensity import evenly_spaced
from invariant_cluster._nets import (
    TermNet,
    check_callbacks,
    history_frame,
    train,
)
from invariant_cluster._runtime import (
    draw_seed,
    evaluating,
    map_batches,
    resolve_device,
    seeded,
)
from invariant_cluster._validation import check_images
from invariant_cluster.modules import ImageEncoder

_LEAST_VARIANCE = 1e-7
_MAY_CHANGE = {"max_epochs", "random_state", "verbose", "warm_start", "image_shape"}


class ImageEmbedder(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base of the embedders; a new one provides ``_make_net`` and ``_draw``.

    Its ``encoder_`` is an ``ImageEncoder``; everything that needs only z, poses or the
    input's own pixels is here.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

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
        images = self._check_images(X, reset=not resume, min_samples=2)
        if not resume:
            self._forget()
        with seeded(draw_seed(self.random_state)):
            net = self._continued_net() if resume else self._make_net(images)
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
            Remembers the images and the encoder, for a clusterer to fine-tune.
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X, reset=False)
        z = self._map(self.encoder_, images)
        return ImageEmbedding(z, images=np.asanyarray(X), encoder=self.encoder_)

    def predict_pose(
        self, X: ArrayLike, *, learned: bool = True
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
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

        Returns
        -------
        theta : ndarray of shape (n,)
            Radians in [0, 2 pi), counter-clockwise as displayed.
        tau : ndarray of shape (n, 2)
            (x, y) in pixels from the image's centre, y up.
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X, reset=False)
        encoder = self.encoder_
        estimate = encoder.predict_pose if learned else encoder.aligner.analytic_pose

        def pose_columns(raw: Tensor) -> Tensor:
            theta, tau = estimate(encoder.aligner.scale(raw))
            return torch.column_stack([theta, tau])

        pose = self._map(pose_columns, images)
        pixels = pose[:, 1:] / pixels_to_units(*images.shape[-2:])
        return pose[:, 0], pixels.astype(np.float32)

    def reconstruct(self, X: ArrayLike, canonical: bool = False) -> NDArray:
        """Return the images as the decoder draws them from z.

        Parameters
        ----------
        X : array-like of n images
        canonical : bool, default=False
            Draw them in canonical orientation instead of the estimated pose.

        Returns
        -------
        ndarray of the shape and in the units of X, float32
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X, reset=False)
        drawn = self._map(lambda raw: self._draw(raw, canonical), images)
        return self._to_user(drawn)

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
        images = self._check_images(X, reset=False)
        encoder = self.encoder_

        def canonical(raw: Tensor) -> Tensor:
            scaled = encoder.aligner.scale(raw)
            moved = encoder.canonical(scaled, learned=learned)
            return encoder.aligner.unscale(moved)

        return self._to_user(self._map(canonical, images))

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the negative mean squared reconstruction error, higher is better.

        On images scaled to [0, 1], over the pixels of the disc that no rotation throws
        away, summed over channels.
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X, reset=False)
        return -float(self._map(self._errors, images).mean(dtype=np.float64))

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
    def _make_net(self, images: NDArray) -> TermNet:
        """Return the untrained net for images (n, c, h, w)."""

    @abstractmethod
    def _draw(self, raw: Tensor, canonical: bool) -> Tensor:
        """Return reconstructions of raw images (n, c, h, w), in raw units."""

    def _check_parameters(self) -> None:
        self._validate_params()
        check_callbacks(self.callbacks)
        resolve_device(self.device)

    def _check_images(self, X: ArrayLike, **options: Any) -> NDArray:
        return check_images(self, X, image_shape=self.image_shape, **options)

    def _continued_net(self) -> TermNet:
        net = self.net_
        self._check_unchanged()
        net.set_params(max_epochs=self.max_epochs)
        return net

    def _check_unchanged(self) -> None:
        """Raise if a warm start would train another model, or in another way."""
        for name, value in self.get_params(deep=False).items():
            fitted = self._fitted_params[name]
            if name not in _MAY_CHANGE and repr(value) != repr(fitted):
                raise ValueError(
                    f"{name}={value!r} but warm_start goes on with {name}={fitted!r} "
                    "of the last fit: set it back, or set warm_start=False to start "
                    "anew."
                )

    def _forget(self) -> None:
        """Be unfitted while training: a failure must not leave old beside new."""
        if hasattr(self, "net_"):
            del self.net_

    def _store(self, net: TermNet, images: NDArray) -> None:
        """Set the fitted attributes; then pass on an interrupt."""
        self.net_ = net
        self._standardize(images)
        self._fitted_params = self.get_params(deep=False)
        self.history_ = history_frame(net)
        self.n_iter_ = len(self.history_)
        if net.interrupted_:
            raise KeyboardInterrupt

    def _standardize(self, images: NDArray) -> None:
        """Give z mean 0 and variance 1 over (64 MiB of) the training images.

        A dimension that hardly varies is not magnified: it would show rounding errors.
        """
        norm = self.encoder_.norm
        if not isinstance(norm, nn.BatchNorm1d):
            return
        norm.reset_running_stats()
        z = self._map(self.encoder_, evenly_spaced(images))
        variance = z.var(axis=0)
        variance[variance < _LEAST_VARIANCE] = 1.0
        norm.running_mean = torch.from_numpy(z.mean(axis=0))
        norm.running_var = torch.from_numpy(variance)

    def _map(self, function: Callable[[Tensor], Tensor], images: NDArray) -> NDArray:
        """Return a function of the images, computed in batches without gradients."""
        device = resolve_device(self.device)
        with evaluating(self.net_.module_, device):
            return map_batches(function, images, device=device)

    def _errors(self, raw: Tensor) -> Tensor:
        """Return the squared error of each image, shape (n,)."""
        scale = self.encoder_.aligner.scale
        difference = scale(self._draw(raw, False)) - scale(raw)
        inside = disc_mask(*raw.shape[-2:], device=raw.device)
        return difference.square().sum(dim=1)[:, inside].mean(dim=1)

    def _to_user(self, images: NDArray) -> NDArray:
        return self.layout_.from_channels(images)
