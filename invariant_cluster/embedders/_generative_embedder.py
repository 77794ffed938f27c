"""What embedders share whose model draws images."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from invariant_cluster.embedders._image_embedder import ImageEmbedder
from invariant_cluster.geometry import disc_mask
from invariant_cluster.images import MIN_SIDE, check_finite
from invariant_cluster.training import ELBOObjective, VAENet
from invariant_cluster.validation import Interval, StrOptions

_MOST_PIXELS = 2**18  # drawn at once


class GenerativeEmbedder(ImageEmbedder):
    """Base of embedders whose module is an ``ImageModel``."""

    def reconstruct(self, X: ArrayLike, canonical: bool = False) -> NDArray:
        """Return the images as the decoder draws them from z.

        Parameters
        ----------
        X : array-like of n images
        canonical : bool, default=False
            Whether to draw the images in canonical orientation instead of the estimated
            pose.

        Returns
        -------
        ndarray of the shape and in the units of X, float32
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X)
        drawn = self._map(lambda raw: self._draw(raw, canonical), images)
        return self._to_user(drawn)

    def draw(self, z: ArrayLike, *, resolution: int | None = None) -> NDArray:
        """Return the images of representations z, in canonical orientation.

        Parameters
        ----------
        z : array-like of shape (n, d)
            Representations that ``transform`` returns, or any points between them.
        resolution : int, optional
            Pixels of the longer side, at least 8; by default those of the training
            images. Decoders of coordinates are continuous and draw at any resolution;
            the image of ``decoder="pixels"`` is interpolated.

        Returns
        -------
        ndarray of shape (n, h, w), (n, h, w, c) or (n, c, h, w), float32
            In the units and layout of the training images, flat rows folded.

        Raises
        ------
        ValueError
            z of another shape, a resolution under 8.
        """
        check_is_fitted(self, "net_")
        rows = np.asarray(z, dtype=np.float32)
        self._check_drawable(rows, resolution)
        shape = self.layout_.channels_first_shape
        height, width = (
            round(side * (resolution or max(shape[1:])) / max(shape[1:]))
            for side in shape[1:]
        )

        def draw(z: Tensor) -> Tensor:
            theta, tau = z.new_zeros(len(z)), z.new_zeros(len(z), 2)
            drawn = self.net_.module_.draw_image(z, theta, tau, (height, width))
            return self.encoder_.aligner.unscale(drawn)

        most = max(1, _MOST_PIXELS // (height * width))
        batches = gen_batches(len(rows), most)
        drawn = np.concatenate([self._map(draw, rows[batch]) for batch in batches])
        if self.layout_.order == "hw":
            return drawn[:, 0]
        return np.moveaxis(drawn, 1, -1) if self.layout_.order == "hwc" else drawn

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the negative mean squared reconstruction error, higher is better.

        On images scaled to [0, 1], over the pixels of the disc that no rotation throws
        away, summed over channels.
        """
        check_is_fitted(self, "net_")
        images = self._check_images(X)
        return -float(self._map(self._errors, images).mean(dtype=np.float64))

    def _draw(self, raw: Tensor, canonical: bool) -> Tensor:
        """Return reconstructions of raw images (n, c, h, w), in raw units."""
        drawn = self._draw_scaled(raw, canonical)
        return self.encoder_.aligner.unscale(drawn, like=raw)

    def _draw_scaled(self, raw: Tensor, canonical: bool) -> Tensor:
        """Return reconstructions of raw images (n, c, h, w), scaled to [0, 1]."""
        encoder = self.encoder_
        images = encoder.aligner.scale(raw)
        z, theta, tau = encoder.infer(images)
        scale = encoder.aligner.analytic_scale(images)
        if canonical:
            theta, tau, scale = torch.zeros_like(theta), torch.zeros_like(tau), None
        drawn: Tensor = self.net_.module_.draw_image(z, theta, tau, scale=scale)
        return drawn

    def _check_drawable(self, z: NDArray, resolution: int | None) -> None:
        d = self.encoder_.d
        if z.ndim != 2 or z.shape[1] != d or not len(z):
            raise ValueError(
                f"z has shape {z.shape}, but this {type(self).__name__} draws rows "
                f"(n, {d}): give what its transform returns."
            )
        check_finite(z, "z")
        if resolution is not None and resolution < MIN_SIDE:
            raise ValueError(
                f"resolution={resolution!r} is too small: give {MIN_SIDE} pixels or "
                "more, or None for the size of the training images."
            )

    def _errors(self, raw: Tensor) -> Tensor:
        """Return the squared error of each image, shape (n,)."""
        drawn, images = self._draw_scaled(raw, False), self.encoder_.aligner.scale(raw)
        difference = drawn - images
        inside = disc_mask(*raw.shape[-2:], device=raw.device)
        return difference.square().sum(dim=1)[:, inside].mean(dim=1)


class VariationalEmbedder(GenerativeEmbedder):
    """Base of embedders that are trained on the evidence lower bound.

    Their module is a ``PoseVAE``. A mirror image is another object to them.
    """

    _net_class = VAENet
    _terms = ("reconstruction", "divergence", "squared_error")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GenerativeEmbedder._parameter_constraints,
        "generator_hidden": ["array-like"],
        "divergence_weight": [Interval(Real, 0, None, closed="left")],
        "invariance": [StrOptions({"rotation", "rotation+translation"})],
        "translation_std": [Interval(Real, 0, None, closed="neither")],
        "n_pixels": [Interval(Integral, 1, None, closed="left"), None],
    }

    def _make_objective(self, module: nn.Module, images: NDArray) -> nn.Module:
        return ELBOObjective(self.divergence_weight)

    def _net_options(self) -> dict[str, Any]:
        return {"n_pixels": self.n_pixels}
