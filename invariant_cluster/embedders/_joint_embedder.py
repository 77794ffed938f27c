"""Several feature spaces side by side, as one scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.base import TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from invariant_cluster.drift import as_table, one_warning
from invariant_cluster.embedders._image_embedder import ImageEmbedder
from invariant_cluster.embedders._member_methods import MemberMethodsMixin
from invariant_cluster.images import ImageEmbedding, noticed_once
from invariant_cluster.modules import ImageEncoder
from invariant_cluster.persistence import (
    Part,
    SavableMixin,
    dump_members,
    restore_members,
)
from invariant_cluster.progress import progress_of
from invariant_cluster.validation import Composition, check_finite_array


class JointEmbedder(SavableMixin, MemberMethodsMixin, TransformerMixin, Composition):
    """Join the features of several embedders to one embedding with named spaces.

    Each embedder sees the same images. Its features are scaled so that all spaces have
    equal total variance, times the squares of their weights, and are put side by side.
    Neighbours in the joint space are near in most of the spaces. ``SCANClusterer``
    mines neighbours and starts its heads in the joint space, and then fine-tunes the
    encoder of the learned space.

    Parameters
    ----------
    embedders : list of (str, transformer)
        Name and embedder of each space. Names have no double underscore; they are the
        prefix of nested parameters, such as ``learned__d``.
    weights : sequence of float, optional
        Factor of each space, positive, in the order of the embedders. By default all
        are 1.

    Attributes
    ----------
    embedders_ : list of (str, transformer)
        The fitted embedders.
    scales_ : ndarray of shape (n_embedders,)
        Factor by which the features of each space are multiplied. That of the learned
        space is 1, so its columns are the encoder's output.
    spaces_ : dict of str to slice
        Columns of each space. A member with spaces of its own, such as another
        ``JointEmbedder``, adds these too, as "member__space".
    n_features_in_ : int
        Number of values of one image.

    See Also
    --------
    IRLINREmbedder : Learned features.
    ScatteringEmbedder, PolarFourierEmbedder : Features without training.
    ClassAverageEmbedder : Correlations with class averages, without training.
    SCANClusterer : Clusterer that uses all spaces.

    Notes
    -----
    The learned space is that of the first embedder with a network that can be
    fine-tuned. Without one, the scale of the first space is 1.

    Embedders without training are fitted first. ``fit`` trains copies anew, so
    ``warm_start`` of an embedder has no effect; scikit-learn's ``FrozenEstimator``
    keeps one that is fitted already.

    Examples
    --------
    >>> from invariant_cluster import JointEmbedder, PolarFourierEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> rings = PolarFourierEmbedder(d=8)
    >>> zernike = PolarFourierEmbedder(d=6, radial_basis="zernike")
    >>> embedder = JointEmbedder([("rings", rings), ("zernike", zernike)])
    >>> z = embedder.fit_transform(images)
    >>> z.shape, z.spaces["zernike"]
    ((64, 14), slice(8, 14, None))
    """

    def __init__(
        self,
        embedders: Sequence[tuple[str, Any]],
        *,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.embedders = embedders
        self.weights = weights

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit each embedder to the images, and measure the scales of their features.

        Parameters
        ----------
        X : array-like of n images
            Images, as every embedder takes them.
        y : object, optional
            Passed to the embedders, which ignore it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Bad names, weights, images or features; an earlier fit stays as it was.
        KeyboardInterrupt
            On Ctrl-C, after the fitted attributes were set to the state reached if a
            network was training; otherwise an earlier fit stays as it was.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: ArrayLike, y: object = None) -> ImageEmbedding:
        """Fit each embedder to the images and return their joint features.

        Parameters
        ----------
        X : array-like of n images
            Images, as every embedder takes them.
        y : object, optional
            Passed to the embedders, which ignore it.

        Returns
        -------
        ImageEmbedding of shape (n, d), float32
            As :meth:`transform` returns it.

        Raises
        ------
        ValueError, KeyboardInterrupt
            As :meth:`fit`.
        """
        weights = self._check_parameters()
        with noticed_once():
            fitted, interrupted = _fit_members(self.embedders, X, y)
        outputs = [_transform(member, X, name=name) for name, member in fitted]
        names = [name for name, _ in fitted]
        rows = _check_features(names, outputs)
        self.embedders_ = fitted
        self._learned = _index_of_learned(outputs)
        self.scales_ = _equal_scales(rows, weights, self._learned or 0)
        self.spaces_ = _side_by_side(names, outputs)
        self._encoded = _encoded_name(names, outputs, self._learned)
        if interrupted:
            raise KeyboardInterrupt
        learned = None if self._learned is None else outputs[self._learned]
        encoder, images = (
            (None, np.asanyarray(X))
            if learned is None
            else (learned.encoder, learned.images)
        )
        return ImageEmbedding(
            self._join(rows), images, encoder, self.spaces_, self._encoded
        )

    def transform(self, X: ArrayLike) -> ImageEmbedding:
        """Return the joint features of each image.

        Parameters
        ----------
        X : array-like of n images, of the shape given to ``fit``

        Returns
        -------
        ImageEmbedding of shape (n, d), float32
            The scaled features of all spaces, with the columns of each in ``spaces``.
            It holds the images and the encoder of the learned space too, for a
            clusterer to fine-tune; the features are then computed at their first use,
            so do not change X in between.
        """
        check_is_fitted(self, "embedders_")
        if self._learned is None:
            rows = self._compute(X)
            return ImageEmbedding(rows, np.asanyarray(X), spaces=self.spaces_)
        with one_warning() as told:
            name, embedder = self.embedders_[self._learned]
            learned = _transform(embedder, X, name=name)
        return ImageEmbedding.deferred(
            partial(self._compute, X, learned, is_told=told[0]),
            self._n_features_out,
            learned.images,
            learned.encoder,
            self.spaces_,
            self._encoded,
        )

    def check_drift(self, X: ArrayLike) -> pd.DataFrame:
        """Compare new images with the training images.

        Parameters
        ----------
        X : array-like of n images, of the shape given to ``fit``

        Returns
        -------
        DataFrame
            That of the first embedder that compares images, and the rows for z of the
            others, named by their embedders.
        """
        check_is_fitted(self, "embedders_")
        watching = [
            (name, member.check_drift(X))
            for name, member in self.embedders_
            if hasattr(member, "check_drift")
        ]
        tables = [table for _, table in watching[:1]]
        for name, table in watching[1:]:
            rows = table[table.index.str.startswith("z ")]
            tables.append(
                rows.rename(index=lambda aspect, name=name: f"{name}: {aspect}")
            )
        return pd.concat(tables) if tables else as_table([])

    def get_feature_names_out(self, input_features: object = None) -> NDArray:
        """Return the names of the joint features.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (d,), object
            Names such as "learned__irlinrembedder0".
        """
        check_is_fitted(self, "embedders_")
        names = [
            f"{name}__{feature}"
            for name, embedder in self.embedders_
            for feature in embedder.get_feature_names_out()
        ]
        return np.asarray(names, dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of this estimator and of its embedders.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the embedders by name and their parameters, such as
            ``learned__d``.

        Returns
        -------
        dict
            Values by name.
        """
        parameters: dict[str, Any] = self._get_params("embedders", deep=deep)
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator or of its embedders.

        Parameters
        ----------
        **params
            Values by name, such as ``learned__d=64``, or ``learned=...`` for a whole
            embedder.

        Returns
        -------
        self
        """
        self._set_params("embedders", **params)
        return self

    @property
    def named_embedders_(self) -> dict[str, Any]:
        """The fitted embedders by name."""
        return dict(self.embedders_)

    @property
    def _n_features_out(self) -> int:
        return int(max(columns.stop for columns in self.spaces_.values()))

    def __sklearn_tags__(self) -> Any:
        """Flat rows and images, dense; the output is float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_parameters(self) -> NDArray[np.float64]:
        """Return the weights of the spaces."""
        names = _names_of(self.embedders)
        self._validate_names(names)
        if self.weights is None:
            return np.ones(len(names))
        weights = check_finite_array(self.weights, "weights", (len(names),))
        if not (weights > 0).all():
            raise ValueError(
                f"weights={self.weights!r} must be positive: leave out an embedder "
                "instead of giving it the weight 0."
            )
        return weights.astype(np.float64)

    def _compute(
        self, X: ArrayLike, learned: Any = None, *, is_told: bool = False
    ) -> NDArray[np.float32]:
        """Return the joint features; those of the learned space may be known."""
        with one_warning(silent=is_told):
            return self._join(
                [
                    learned
                    if learned is not None and i == self._learned
                    else _transform(embedder, X, name=name)
                    for i, (name, embedder) in enumerate(self.embedders_)
                ]
            )

    def _join(self, rows: Sequence[ArrayLike]) -> NDArray[np.float32]:
        """Return the features of all spaces, scaled and side by side."""
        scaled = [
            np.asarray(part, dtype=np.float32) * np.float32(scale)
            for part, scale in zip(rows, self.scales_, strict=True)
        ]
        return np.hstack(scaled)

    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a model file holds of the embedder."""
        check_is_fitted(self, "embedders_")
        state = {
            "scales": self.scales_.tolist(),
            "spaces": [[name, c.start, c.stop] for name, c in self.spaces_.items()],
            "learned": self._learned,
            "encoded": self._encoded,
        }
        return dump_members(
            self, "embedders", self.embedders_, state, encoder_only=encoder_only
        )

    def _restore(self, part: Part, encoder: Any) -> None:
        """Set the fitted attributes from a part of a model file."""
        state = part.spec["state"]
        self.embedders_ = restore_members(part, encoder)
        self.embedders = [(name, clone(member)) for name, member in self.embedders_]
        self.scales_ = np.asarray(state["scales"], dtype=np.float64)
        self.spaces_ = {
            name: slice(start, stop) for name, start, stop in state["spaces"]
        }
        self._learned, self._encoded = state["learned"], state["encoded"]


def _names_of(embedders: Any) -> list[str]:
    """Return the names in a list of (name, embedder); raise if it is none."""
    try:
        names = [name for name, _ in embedders]
    except (TypeError, ValueError):
        names = []
    good = names and all(isinstance(name, str) and name for name in names)
    if not good or not all(_is_transformer(member) for _, member in embedders):
        raise ValueError(
            f"embedders={embedders!r} must be a list of one or more pairs of a name "
            "and an embedder, such as [('learned', IRLINREmbedder())]."
        )
    return names


def _is_transformer(member: Any) -> bool:
    return hasattr(member, "transform") and not isinstance(member, type)


def _fit_members(
    embedders: Sequence[tuple[str, Any]], X: ArrayLike, y: object
) -> tuple[list[tuple[str, Any]], bool]:
    """Return fitted copies of the embedders, and whether Ctrl-C cut a training short.

    Those without training come first, so that their errors do not follow hours of it.
    """
    fitted, interrupted = {}, False
    for name, member in sorted(embedders, key=lambda pair: _trains(pair[1])):
        fitted[name] = _copy(member)
        try:
            with progress_of(name):
                fitted[name].fit(X, y)
        except KeyboardInterrupt:
            if not _is_usable(fitted[name]):
                raise
            interrupted = True
    return [(name, fitted[name]) for name, _ in embedders], interrupted


def _trains(member: Any) -> bool:
    return isinstance(member, (ImageEmbedder, JointEmbedder))


def _copy(member: Any) -> Any:
    """Return an unfitted copy, whose output comes with its encoder."""
    copy = clone(member)
    if copy is not member and hasattr(copy, "set_output"):
        copy.set_output(transform="default")
    return copy


def _is_usable(embedder: Any) -> bool:
    """Return whether an embedder kept what it had trained until Ctrl-C."""
    kept = "embedders_" if isinstance(embedder, JointEmbedder) else "net_"
    return _trains(embedder) and hasattr(embedder, kept)


def _transform(embedder: Any, X: ArrayLike, *, name: str) -> Any:
    """Return an embedder's features, whatever scikit-learn is configured to return."""
    with config_context(transform_output="default"), progress_of(name):
        return embedder.transform(X)


def _check_features(
    names: Sequence[str], outputs: Sequence[Any]
) -> list[NDArray[np.float32]]:
    """Return the features (n, d) of each embedder as arrays; raise if they are none."""
    n_images = len(outputs[0])
    return [
        check_finite_array(
            output, f"The output of embedder {name!r}", (n_images, None)
        ).astype(np.float32, copy=False)
        for name, output in zip(names, outputs, strict=True)
    ]


def _index_of_learned(outputs: Sequence[Any]) -> int | None:
    """Return which output, if any, is the first with an encoder to fine-tune."""
    for i, output in enumerate(outputs):
        if isinstance(getattr(output, "encoder", None), ImageEncoder):
            return i
    return None


def _equal_scales(
    rows: Sequence[NDArray], weights: NDArray, unit: int
) -> NDArray[np.float64]:
    """Return factors that make the total variances equal, times the weights.

    The factor of the space with the index ``unit`` is 1. A space without variance keeps
    its scale.
    """
    variances = [part.var(axis=0, dtype=np.float64).sum() for part in rows]
    sizes = np.sqrt([v if v > 0 else variances[unit] or 1.0 for v in variances])
    factors = weights / sizes
    scales: NDArray[np.float64] = factors / factors[unit]
    return scales


def _side_by_side(names: Sequence[str], outputs: Sequence[Any]) -> dict[str, slice]:
    """Return the columns of each output, followed by those of its own spaces."""
    spaces, start = {}, 0
    for name, output in zip(names, outputs, strict=True):
        stop = start + output.shape[1]
        spaces[name] = slice(start, stop)
        for inner, columns in _spaces_of(output).items():
            first, last, _ = columns.indices(output.shape[1])
            spaces[f"{name}__{inner}"] = slice(start + first, start + last)
        start = stop
    return spaces


def _spaces_of(output: Any) -> Mapping[str, slice]:
    return output.spaces if isinstance(output, ImageEmbedding) else {}


def _encoded_name(
    names: Sequence[str], outputs: Sequence[Any], learned: int | None
) -> str | None:
    """Return the name of the space that the encoder of the learned output computes."""
    if learned is None:
        return None
    inner = outputs[learned].encoded
    return names[learned] if inner is None else f"{names[learned]}__{inner}"
