"""What all embedders without training share: features of images, and their PCA."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from invariant_cluster.drift import one_warning
from invariant_cluster.embedders._drift_watch import watched
from invariant_cluster.embedders._shared_parameters import OF_FEATURES
from invariant_cluster.embedders._untrained_embedder import UntrainedEmbedder
from invariant_cluster.persistence import arrays_of, decode, encode
from invariant_cluster.progress import waiting
from invariant_cluster.runtime import at_most, map_batches

_NO_VARIANCE = 1e-12  # of the largest variance, far above what float32 rounds
_ROUNDING = 1e-12  # of the largest feature, far above what float64 rounds
_PCA_NUMBERS = ("n_components_", "n_features_in_", "n_samples_", "noise_variance_")
_PCA_ARRAYS = (
    "components_",
    "mean_",
    "explained_variance_",
    "explained_variance_ratio_",
    "singular_values_",
)


class FeatureEmbedder(UntrainedEmbedder):
    """Base of embedders whose features are computed, not learned.

    The features of each image are reduced to d by a principal component analysis (PCA),
    whose components may be whitened in part. A subclass stores the parameters d,
    ``whiten``, ``invariance``, ``background``, ``device``, ``random_state`` and
    ``image_shape``, and defines the hooks:

    * ``_measure(images)`` sets what ``fit`` measures on the training images.
    * ``_make_features(device)`` returns the map of raw images to features.
    * ``_most_rows()`` is how many training images the PCA takes at most.
    * ``_dump_state()`` and ``_restore_state(state)`` say in JSON what was measured.

    Parameters that are set after ``fit`` act on the next one. ``_make_features``, which
    ``transform`` calls too, therefore reads them from ``_fitted_params``.

    See Also
    --------
    ImageEmbedder : Base of embedders that train a network.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = OF_FEATURES

    d: int
    whiten: float
    pca_: PCA

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the features of each image.

        Parameters
        ----------
        X : array-like of n images, of the shape given to ``fit``

        Returns
        -------
        ndarray of shape (n, d), float32
            Principal components. A plain array: there is no network to fine-tune, so
            that ``SCANClusterer`` takes it with ``fine_tune=False``.
        """
        check_is_fitted(self, "pca_")
        with one_warning():
            images = self._check_images(X)
            return watched(self._represent, images, self.reference_)

    def _represent(self, images: NDArray) -> NDArray[np.float32]:
        device = self._find_device()
        features = self._make_features(device)
        whiten = self._fitted_params["whiten"]

        def project(raw: Tensor) -> Tensor:
            # All in float64: rows come out the same alone and together.
            z = self.pca_.transform(features(raw).cpu().numpy())
            return torch.from_numpy(whitened(z, self.pca_, whiten))

        return map_batches(project, images, device=device, title="features")

    @abstractmethod
    def _measure(self, images: NDArray) -> None:
        """Set the fitted attributes that features need, from images (n, c, h, w)."""

    @abstractmethod
    def _make_features(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        """Return the map of raw images (n, c, h, w) on a device to features (n, k)."""

    @abstractmethod
    def _most_rows(self) -> int:
        """Return of how many images at most the features are held for the PCA."""

    @abstractmethod
    def _dump_state(self) -> dict[str, Any]:
        """Return as JSON what ``_measure`` set."""

    @abstractmethod
    def _restore_state(self, state: dict[str, Any]) -> None:
        """Set what ``_measure`` had set; the layout is there already."""

    def _fit(self, images: NDArray) -> None:
        """Find the principal components of the images' features."""
        with waiting("measure images"):
            self._measure(images)
        device = self._find_device()
        sample = at_most(images, self._most_rows())
        compute = self._make_features(device)
        features = map_batches(compute, sample, device=device, title="features to fit")
        with waiting("principal components"):
            self.pca_ = self._fit_pca(features)

    def _dump_fitted(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        fitted = {name: getattr(self.pca_, name) for name in _PCA_NUMBERS}
        state = {
            "pca": {name: encode(value) for name, value in fitted.items()},
            # Products of arrays in another order are rounded otherwise.
            "order": "F" if self.pca_.components_.flags.f_contiguous else "C",
            **self._dump_state(),
        }
        return state, arrays_of(self.pca_, _PCA_ARRAYS)

    def _restore_fitted(
        self, state: dict[str, Any], tensors: dict[str, Tensor]
    ) -> None:
        self._restore_state(state)
        self.pca_ = self._make_pca(len(tensors["components_"]))
        for name in _PCA_NUMBERS:
            setattr(self.pca_, name, decode(state["pca"][name]))
        for name in _PCA_ARRAYS:
            array = np.asarray(tensors[name].numpy(), order=state["order"])
            setattr(self.pca_, name, array)

    @property
    def _n_features_out(self) -> int:
        return int(self.pca_.n_components_)

    def _fit_pca(self, features: NDArray) -> PCA:
        pca = self._make_pca(min(self.d, *features.shape))
        # Components of float32 would depend on the order of rows and on the processor.
        exact = features.astype(np.float64)
        with np.errstate(invalid="ignore"):  # blank images: no share of no variance
            return pca.fit(exact)

    def _make_pca(self, n_components: int) -> PCA:
        pca = PCA(n_components, random_state=self.random_state)
        # Whatever scikit-learn is configured to return, ``transform`` needs arrays.
        return pca.set_output(transform="default")


def whitened(z: NDArray, pca: PCA, power: float) -> NDArray:
    """Return principal components divided by their variance to a power.

    Parameters
    ----------
    z : ndarray of shape (n, d)
        Principal components.
    pca : PCA
        Holds the variance of each.
    power : float
        0 changes nothing, 0.5 makes all variances 1.

    Returns
    -------
    ndarray of shape (n, d)
        A component without variance in training becomes 0: it is rounding.
    """
    if power == 0:
        return z
    variance = pca.explained_variance_
    varies = variance > _NO_VARIANCE * variance.max()
    return z * np.where(varies, np.where(varies, variance, 1.0) ** -power, 0.0)


def without_rounding(features: Tensor) -> Tensor:
    """Set rounding errors to 0: a small power would lift them.

    Parameters
    ----------
    features : Tensor of shape (n, k), float64

    Returns
    -------
    Tensor of shape (n, k)
        0 where the size is below 1e-12 of the largest feature of the image.
    """
    size = features.abs()
    largest = size.amax(dim=1, keepdim=True)
    return features.where(size > _ROUNDING * largest, 0.0)
