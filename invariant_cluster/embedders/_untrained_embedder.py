"""What all embedders share that train no network."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from invariant_cluster.embedders._drift_watch import DriftWatch
from invariant_cluster.images import ImageLayout, check_images, store_layout
from invariant_cluster.persistence import (
    Part,
    SavableMixin,
    decode,
    encode,
    encode_recipe,
    names_of,
    recipe_of,
    set_names,
)
from invariant_cluster.runtime import resolve_device
from invariant_cluster.validation import unchanged_on_error


class UntrainedEmbedder(
    DriftWatch,
    SavableMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base of embedders that train no network: checks, parameters of the fit, files.

    A subclass stores the parameters ``device``, ``random_state`` and ``image_shape``,
    and defines ``transform``, ``_n_features_out`` and the hooks:

    * ``_fit(images)`` sets the fitted attributes from images (n, c, h, w).
    * ``_dump_fitted()`` returns what a model file holds of these: JSON by name, and
      arrays as tensors by name.
    * ``_restore_fitted(state, tensors)`` sets them; the layout is there already.

    Parameters that are set after ``fit`` act on the next one. Other methods therefore
    read them from ``_fitted_params``.

    See Also
    --------
    FeatureEmbedder : Base of those whose features a PCA reduces.
    ImageEmbedder : Base of embedders that train a network.
    """

    device: str
    random_state: int | np.random.RandomState | None
    image_shape: Any
    layout_: ImageLayout
    _fitted_params: dict[str, Any]

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Measure on images what their features need.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
            Images of any real dtype, at least 8 x 8 pixels, or flat rows. uint8 arrays
            and memmaps stay as they are and are converted a batch at a time. Of very
            many images evenly spaced ones are used.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Bad images or parameters.
        """
        self._check_parameters()
        with unchanged_on_error(self):
            images = check_images(
                self, X, reset=True, image_shape=self.image_shape, min_samples=2
            )
            self._fitted_params = self.get_params(deep=False)
            self._fit(images)
            self._remember(images)
        return self

    @abstractmethod
    def _fit(self, images: NDArray) -> None:
        """Set the fitted attributes from images (n, c, h, w)."""

    @abstractmethod
    def _represent(self, images: NDArray) -> NDArray[np.float32]:
        """Return the features of images (n, c, h, w)."""

    @abstractmethod
    def _dump_fitted(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return what ``_fit`` set: JSON by name, and arrays by name."""

    @abstractmethod
    def _restore_fitted(
        self, state: dict[str, Any], tensors: dict[str, Tensor]
    ) -> None:
        """Set what ``_fit`` had set; the layout is there already."""

    def _check_images(self, X: ArrayLike) -> NDArray:
        """Return new images as (n, c, h, w); warn if they are unlike those of fit."""
        images = self._new_images(X)
        self._watch(images)
        return images

    def _new_images(self, X: ArrayLike) -> NDArray:
        check_is_fitted(self, "_fitted_params")
        return check_images(self, X, reset=False)

    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a model file holds of the embedder; all of it is needed."""
        check_is_fitted(self, "_fitted_params")
        fitted, tensors = self._dump_fitted()
        state = {
            "layout": self.layout_.to_json(),
            "feature_names_in": names_of(self),
            "fitted_params": {
                name: encode(value)
                for name, value in self._fitted_params.items()
                if name != "random_state"  # may be a generator, and is of no more use
            },
            **fitted,
        }
        spec = {**encode_recipe(recipe_of(self)), "state": state}
        return self._with_reference(Part(spec, tensors))

    def _restore(self, part: Part, encoder: object) -> None:
        """Set the fitted attributes from a part of a model file."""
        part = self._take_reference(part)
        state = part.spec["state"]
        store_layout(self, ImageLayout.from_json(state["layout"]))
        set_names(self, state["feature_names_in"])
        # Older files hold none.
        given = state.get("fitted_params", {})
        decoded = {name: decode(value) for name, value in given.items()}
        self._fitted_params = self.get_params(deep=False) | decoded
        self._restore_fitted(state, part.tensors)

    def __sklearn_tags__(self) -> Any:
        """Flat rows and images, dense; the output is float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_parameters(self) -> None:
        self._validate_params()
        self._find_device()

    def _find_device(self) -> torch.device:
        device = resolve_device(self.device)
        if device.type == "mps":
            raise ValueError(
                f"device={self.device!r} has no float64, in which "
                f"{type(self).__name__} computes: use device='cpu'."
            )
        return device
