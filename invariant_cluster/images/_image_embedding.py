"""Representations z together with their images, the output of embedders."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, DTypeLike, NDArray

_FIXED = (
    "An ImageEmbedding cannot be changed in place, since its rows belong to its "
    "images: change a copy, z = np.array(z)."
)


class ImageEmbedding(NDArrayOperatorsMixin):
    """Representations z of images, together with the images and their encoder.

    A Pipeline passes a single object from step to step. With this one, a clusterer
    after an embedder can fine-tune a copy of the encoder on the images. NumPy functions
    and scikit-learn estimators take it like an array of shape (n, d), and
    ``np.asarray(z)`` converts it.

    Parameters
    ----------
    z : array-like of shape (n, d)
        Representations; a float32 array is not copied.
    images : ndarray of n images, optional
        Images as the user gave them, held by reference.
    encoder : nn.Module, optional
        Module that maps a batch of raw images (n, c, h, w) to z, including
        preprocessing.
    spaces : mapping of str to slice, optional
        Columns of z that each of several feature spaces takes up, by name.
    encoded : str, optional
        Name of the space that the encoder computes. By default the encoder computes all
        columns of z.

    Attributes
    ----------
    images : ndarray or None
        The images, if given.
    encoder : nn.Module or None
        The encoder, if given.
    spaces : mapping of str to slice
        Columns of each space; empty if z is one space without a name.
    encoded : str or None
        Name of the space that the encoder computes.
    shape : tuple of int
        (n, d).
    dtype : numpy.dtype
        float32.
    ndim : int
        2.

    Raises
    ------
    ValueError
        If z is not 2-D, the number of images differs from the number of rows,
        ``spaces`` holds other than slices, or ``encoded`` is not the name of a space.

    See Also
    --------
    SCANClusterer : Clusters an embedding and fine-tunes its encoder.
    JointEmbedder : Returns an embedding with several spaces.

    Notes
    -----
    Row selections by slices, index arrays and boolean masks keep images and encoder, so
    a clusterer fine-tunes in each fold of a cross-validation. Everything else that is
    computed from z, such as a column or a sum, is a plain array. Pickles and deep
    copies keep z, images and encoder.

    The ``transform`` of an embedder with a network returns an embedding whose z is
    computed at its first use. A fine-tuned ``SCANClusterer`` needs only the images, so
    ``predict`` of a Pipeline runs one encoder instead of two.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster import ImageEmbedding
    >>> z = ImageEmbedding(np.eye(3), images=np.zeros((3, 8, 8)))
    >>> z[1:].images.shape
    (2, 8, 8)
    >>> type(z.mean(axis=0)).__name__
    'ndarray'
    """

    def __init__(
        self,
        z: ArrayLike,
        images: NDArray | None = None,
        encoder: Any = None,
        spaces: Mapping[str, slice] | None = None,
        encoded: str | None = None,
    ) -> None:
        rows = np.asarray(z, dtype=np.float32)
        if rows.ndim != 2:
            raise ValueError(f"z has shape {rows.shape}: give rows of shape (n, d).")
        if images is not None and len(images) != len(rows):
            raise ValueError(
                f"images has {len(images)} rows but z has {len(rows)}: give one image "
                "for each row."
            )
        self._rows: NDArray[np.float32] | None = _read_only(rows)
        self._encode: Callable[[], NDArray[np.float32]] | None = None
        self._shape: tuple[int, int] = rows.shape
        self.images = None if images is None else np.asanyarray(images)
        self.encoder = encoder
        self._name_spaces(spaces, encoded)

    @classmethod
    def deferred(
        cls,
        encode: Callable[[], NDArray[np.float32]],
        d: int,
        images: NDArray,
        encoder: Any,
        spaces: Mapping[str, slice] | None = None,
        encoded: str | None = None,
    ) -> ImageEmbedding:
        """Return an embedding whose z is computed at its first use.

        Parameters
        ----------
        encode : callable
            Function without arguments that returns z (n, d), float32. It is called
            once, or again after an exception.
        d : int
            Dimension of z.
        images : ndarray of n images
            Images as the user gave them. They must not change before z is computed.
        encoder : nn.Module
            Module that maps raw images to z.
        spaces : mapping of str to slice, optional
            Columns of z that each of several feature spaces takes up.
        encoded : str, optional
            Name of the space that the encoder computes.

        Returns
        -------
        ImageEmbedding
            Embedding of shape (n, d).
        """
        embedding = cls.__new__(cls)
        embedding._rows, embedding._encode = None, encode
        embedding._shape = (len(images), d)
        embedding.images, embedding.encoder = images, encoder
        embedding._name_spaces(spaces, encoded)
        return embedding

    def space(self, name: str) -> NDArray[np.float32]:
        """Return the columns of one space.

        Parameters
        ----------
        name : str
            Name of the space, one of ``spaces``.

        Returns
        -------
        ndarray of shape (n, d of the space), float32
            Plain, read-only array.

        Raises
        ------
        ValueError
            If there is no such space.
        """
        if name not in self.spaces:
            raise ValueError(
                f"name={name!r} is no space of this embedding: choose one of "
                f"{list(self.spaces)}."
            )
        return np.asarray(self)[:, self.spaces[name]]

    @property
    def encoded_columns(self) -> slice:
        """Columns of z that the encoder computes."""
        return slice(None) if self.encoded is None else self.spaces[self.encoded]

    def _name_spaces(
        self, spaces: Mapping[str, slice] | None, encoded: str | None
    ) -> None:
        """Set the spaces and the name of the encoder's."""
        known = {} if spaces is None else spaces
        if not isinstance(known, Mapping) or not all(
            isinstance(columns, slice) for columns in known.values()
        ):
            raise ValueError(
                f"spaces={spaces!r} must map the name of each space to a slice of "
                "columns, such as {'learned': slice(0, 32)}."
            )
        self.spaces: Mapping[str, slice] = MappingProxyType(dict(known))
        if encoded is not None and encoded not in self.spaces:
            raise ValueError(
                f"encoded={encoded!r} is no space: choose one of {list(self.spaces)}."
            )
        self.encoded = encoded

    dtype = np.dtype(np.float32)
    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d), known before z is computed."""
        return self._shape

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        """Return z as a plain array, and compute it at its first use."""
        if self._rows is None:
            assert self._encode is not None
            self._rows, self._encode = _read_only(self._encode()), None
        wanted = self.dtype if dtype is None else np.dtype(dtype)
        if copy is False and wanted != self.dtype:
            raise ValueError(f"dtype={wanted} needs a copy of z, but copy=False.")
        return self._rows.astype(wanted, copy=bool(copy))

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        """Apply a ufunc to plain arrays, so that the results are plain."""
        if any(isinstance(out, ImageEmbedding) for out in kwargs.get("out", ())):
            raise TypeError(_FIXED)
        return getattr(ufunc, method)(*map(_plain, inputs), **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of z as an array, such as ``mean`` or ``T``."""
        if name.startswith("_"):  # looked up by the protocols of copy and pickle
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return iter(np.asarray(self))

    def __getitem__(self, key: Any) -> Any:
        """Return selected rows with their images; other selections are plain arrays."""
        rows = _rows_of(key)
        if self.images is None or rows is None:
            return np.asarray(self)[key]
        kept = np.asarray(self)[rows], self.images[rows]
        return ImageEmbedding(*kept, self.encoder, self.spaces, self.encoded)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(_FIXED)

    def __repr__(self) -> str:
        return f"ImageEmbedding({np.asarray(self)!r})"

    def __deepcopy__(self, memo: dict[int, Any] | None) -> ImageEmbedding:
        """Copy z, images and encoder."""
        images, encoder = copy.deepcopy((self.images, self.encoder), memo)
        return ImageEmbedding(
            np.array(self), images, encoder, self.spaces, self.encoded
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle z, images and encoder together."""
        parts = np.asarray(self), self.images, self.encoder
        return ImageEmbedding, (*parts, dict(self.spaces), self.encoded)


def take_rows(X: Any, rows: NDArray) -> Any:
    """Return rows of X in the form of X.

    Parameters
    ----------
    X : array-like of n rows
        ImageEmbedding, DataFrame or other array-like.
    rows : int ndarray of shape (m,)
        Indices of the rows.

    Returns
    -------
    ImageEmbedding, DataFrame or ndarray of m rows
        An ImageEmbedding keeps its images, a DataFrame its labels, a masked array its
        mask; everything else becomes an array.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster import ImageEmbedding
    >>> from invariant_cluster.images import take_rows
    >>> z = ImageEmbedding(np.eye(3), images=np.zeros((3, 8, 8)))
    >>> take_rows(z, np.array([0, 2])).images.shape
    (2, 8, 8)
    """
    if isinstance(X, pd.DataFrame):
        return X.iloc[rows]
    return X[rows] if isinstance(X, ImageEmbedding) else np.asanyarray(X)[rows]


def _rows_of(key: Any) -> Any:
    """Return a key as a slice or an index array of rows; None if it is another key."""
    if isinstance(key, tuple) and key[1:] in ((...,), (slice(None),)):
        key = key[0]
    if isinstance(key, slice):
        return key
    if isinstance(key, tuple) or not hasattr(key, "__len__"):
        return None
    array = np.asarray(key)
    if array.ndim == 1 and array.size == 0:
        return array.astype(np.intp)
    return array if array.ndim == 1 and array.dtype.kind in "biu" else None


def _read_only(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a view that cannot be written to."""
    view = rows.view()
    view.flags.writeable = False
    return view


def _plain(value: Any) -> Any:
    """Return an ImageEmbedding as a plain array, and other values unchanged."""
    return np.asarray(value) if isinstance(value, ImageEmbedding) else value
