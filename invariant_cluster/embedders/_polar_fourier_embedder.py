"""Rotation-invariant features without training, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from invariant_cluster.embedders._shared_parameters import OF_IMAGES
from invariant_cluster.geometry import (
    measure_mass,
    polar_magnitudes,
    polar_points,
    zernike_basis,
    zernike_magnitudes,
)
from invariant_cluster.images import (
    ImageLayout,
    check_images,
    measure_background,
    store_layout,
)
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
from invariant_cluster.runtime import at_most, map_batches
from invariant_cluster.validation import Interval, StrOptions, unchanged_on_error

_CPU = torch.device("cpu")
_MOST_TRAINING_IMAGES = 2**17  # their 256 features fill 256 MiB in float64
_TOO_LARGE = 1e15
_ROUNDING = 1e-12  # of the largest magnitude, far above what float64 rounds
_PCA_NUMBERS = ("n_components_", "n_features_in_", "n_samples_", "noise_variance_")
_PCA_ARRAYS = (
    "components_",
    "mean_",
    "explained_variance_",
    "explained_variance_ratio_",
    "singular_values_",
)


class PolarFourierEmbedder(
    SavableMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Rotation-invariant features without training: the baseline for learned ones.

    Each image is sampled on rings about its centre. A rotation shifts the samples along
    the angle, which does not change the magnitudes of their Fourier transform. A
    principal component analysis (PCA) reduces the magnitudes to d features. Ten
    thousand small images take seconds. A learned z that is not better than these
    features is not worth its training.

    A mirror image has the same magnitudes: whatever ``invariance`` is, classes that are
    each other's mirror image are not separated.

    Parameters
    ----------
    d : int, default=20
        Number of principal components; lower if there are fewer images or magnitudes.
    radial_basis : {"samples", "zernike"}, default="samples"
        Description of the Fourier coefficients along the radius: samples on ``n_radii``
        rings, or projections on Zernike's polynomials (Zernike moments).
    n_radii : int, default=16
        Number of rings of equal width between the centre and half the shorter side.
        Ignored with ``radial_basis="zernike"``.
    n_angles : int, default=64
        Samples on each ring. With a multiple of 4, quarter turns of square images
        change nothing but rounding; other angles need interpolation. Ignored with
        ``radial_basis="zernike"``.
    n_orders : int, default=16
        Number of Fourier orders, from 0, at most ``n_angles // 2 + 1``. Ignored with
        ``radial_basis="zernike"``.
    degree : int, default=14
        Highest degree of Zernike's polynomials: 64 moments at 14,
        ``(degree + 2)^2 / 4`` at an even degree. Ignored with
        ``radial_basis="samples"``.
    power : float, default=0.5
        Exponent of the magnitudes. Values below 1 raise the weak orders.
    invariance : str, default="rotation+translation"
        With "rotation+translation" each image is first moved so that its centre of mass
        is in the middle; with "rotation" alone rotations are about the image's centre
        (wafer maps). "+reflection" may be added to either and changes nothing.
    background : "auto", float or sequence of float, default="auto"
        Value of empty pixels, one for all channels or one per channel, in the images'
        units. The difference from the background, summed over channels, is the mass of
        an image. "auto" is the median of the border pixels over the training set.
    random_state : int, RandomState or None, default=None
        Seed of the PCA, which is random only with many magnitudes and few images;
        otherwise the seed is ignored.
    image_shape : tuple of int, optional
        Shape of one image, (h, w), (h, w, c) or (c, h, w). It folds flat rows into
        images and settles which axis holds the channels: the first or last if it alone
        has 1, 3 or 4 entries, the first if it alone has under 8, else the last.

    Attributes
    ----------
    pca_ : PCA
        Maps the magnitudes, raised to the power, to features.
    image_shape_ : tuple of int
        Shape of one image as it was given.
    background_ : ndarray of shape (c,)
        Value of empty pixels, in the images' units.
    n_features_in_ : int
        Number of values of one image.

    See Also
    --------
    IRLINREmbedder : Learned representations that do not change under rotation.

    References
    ----------
    Y. Sheng, H. H. Arsenault, "Experiments on pattern recognition using invariant
    Fourier-Mellin descriptors", Journal of the Optical Society of America A 3, 1986:
    the Fourier transform over the angle.

    A. Khotanzad, Y. H. Hong, "Invariant image recognition by Zernike moments", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 12, 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster import PolarFourierEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> embedder = PolarFourierEmbedder(d=8).fit(images)
    >>> z = embedder.transform(images)
    >>> z.shape
    (64, 8)
    >>> turned = np.rot90(images, axes=(1, 2))
    >>> bool(np.allclose(embedder.transform(turned), z, atol=1e-3))
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **OF_IMAGES,
        "radial_basis": [StrOptions({"samples", "zernike"})],
        "n_radii": [Interval(Integral, 1, None, closed="left")],
        "n_angles": [Interval(Integral, 1, None, closed="left")],
        "n_orders": [Interval(Integral, 1, None, closed="left")],
        "degree": [Interval(Integral, 0, None, closed="left")],
        "power": [Interval(Real, 0, None, closed="neither")],
    }

    pca_: PCA

    def __init__(
        self,
        d: int = 20,
        *,
        radial_basis: str = "samples",
        n_radii: int = 16,
        n_angles: int = 64,
        n_orders: int = 16,
        degree: int = 14,
        power: float = 0.5,
        invariance: str = "rotation+translation",
        background: Any = "auto",
        random_state: int | np.random.RandomState | None = None,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.d = d
        self.radial_basis = radial_basis
        self.n_radii = n_radii
        self.n_angles = n_angles
        self.n_orders = n_orders
        self.degree = degree
        self.power = power
        self.invariance = invariance
        self.background = background
        self.random_state = random_state
        self.image_shape = image_shape

    def fit(self, X: ArrayLike, y: object = None) -> PolarFourierEmbedder:
        """Find the principal components of the images' magnitudes.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
            Images of any real dtype, at least 8 x 8 pixels, or flat rows. uint8 arrays
            and memmaps stay as they are and are converted a batch at a time. Of more
            than 131,072 images evenly spaced ones are used.
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
            self.background_ = measure_background(images, self.background)
            sample = at_most(images, _MOST_TRAINING_IMAGES)
            magnitudes = map_batches(self._make_invariants(images), sample, device=_CPU)
            self.pca_ = self._fit_pca(magnitudes)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the features of each image.

        Parameters
        ----------
        X : array-like of n images, of the shape given to ``fit``

        Returns
        -------
        ndarray of shape (n, d), float32
            In the images' units to the power. A plain array: there is no network to
            fine-tune, so that ``SCANClusterer`` takes it with ``fine_tune=False``.
        """
        check_is_fitted(self, "pca_")
        images = check_images(self, X, reset=False)
        invariants = self._make_invariants(images)

        def project(raw: Tensor) -> Tensor:
            # All in float64: rows come out the same alone and together.
            return torch.from_numpy(self.pca_.transform(invariants(raw).numpy()))

        return map_batches(project, images, device=_CPU)

    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a model file holds of the embedder; all of it is needed."""
        check_is_fitted(self, "pca_")
        fitted = {name: getattr(self.pca_, name) for name in _PCA_NUMBERS}
        state = {
            "layout": self.layout_.to_json(),
            "background": self.background_.tolist(),
            "feature_names_in": names_of(self),
            "pca": {name: encode(value) for name, value in fitted.items()},
            # Products of arrays in another order are rounded otherwise.
            "order": "F" if self.pca_.components_.flags.f_contiguous else "C",
        }
        arrays = {
            name: torch.from_numpy(getattr(self.pca_, name)) for name in _PCA_ARRAYS
        }
        return Part({**encode_recipe(recipe_of(self)), "state": state}, arrays)

    def _restore(self, part: Part, encoder: object) -> None:
        """Set the fitted attributes from a part of a model file."""
        state = part.spec["state"]
        store_layout(self, ImageLayout.from_json(state["layout"]))
        self.background_ = np.asarray(state["background"], dtype=np.float32)
        set_names(self, state["feature_names_in"])
        self.pca_ = self._make_pca(len(part.tensors["components_"]))
        for name in _PCA_NUMBERS:
            setattr(self.pca_, name, decode(state["pca"][name]))
        for name in _PCA_ARRAYS:
            array = np.asarray(part.tensors[name].numpy(), order=state["order"])
            setattr(self.pca_, name, array)

    @property
    def _n_features_out(self) -> int:
        return int(self.pca_.n_components_)

    def __sklearn_tags__(self) -> Any:
        """Flat rows and images, dense; the output is float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_parameters(self) -> None:
        self._validate_params()
        most = self.n_angles // 2 + 1
        if self.radial_basis == "samples" and self.n_orders > most:
            raise ValueError(
                f"n_orders={self.n_orders} but n_angles={self.n_angles} samples a ring "
                f"have {most} Fourier orders: lower n_orders, or raise n_angles to "
                f"{2 * (self.n_orders - 1)}."
            )

    def _make_invariants(self, images: NDArray) -> Callable[[Tensor], Tensor]:
        """Return the map of raw images (n, c, h, w) to magnitudes to the power."""
        magnitudes = self._make_magnitudes(*images.shape[-2:])
        background = torch.from_numpy(self.background_)
        center = "translation" in self.invariance

        def invariants(raw: Tensor) -> Tensor:
            mass = measure_mass(raw, background, center=center)
            return _checked_size(_without_noise(magnitudes(mass)).pow(self.power))

        return invariants

    def _make_magnitudes(self, height: int, width: int) -> Callable[[Tensor], Tensor]:
        if self.radial_basis == "zernike":
            basis = zernike_basis(height, width, self.degree)
            return partial(zernike_magnitudes, basis=basis)
        points = polar_points(height, width, self.n_radii, self.n_angles)
        return partial(polar_magnitudes, points=points, n_orders=self.n_orders)

    def _fit_pca(self, magnitudes: NDArray) -> PCA:
        pca = self._make_pca(min(self.d, *magnitudes.shape))
        # Components of float32 would depend on the order of rows and on the processor.
        exact = magnitudes.astype(np.float64)
        with np.errstate(invalid="ignore"):  # blank images: no share of no variance
            return pca.fit(exact)

    def _make_pca(self, n_components: int) -> PCA:
        pca = PCA(n_components, random_state=self.random_state)
        # Whatever scikit-learn is configured to return, ``project`` needs arrays.
        return pca.set_output(transform="default")


def _without_noise(magnitudes: Tensor) -> Tensor:
    """Set rounding errors to 0: a small power would lift them."""
    largest = magnitudes.amax(dim=1, keepdim=True)
    return magnitudes.where(magnitudes > _ROUNDING * largest, 0.0)


def _checked_size(magnitudes: Tensor) -> Tensor:
    """Return magnitudes whose squares can be summed in float32."""
    largest = float(magnitudes.amax())
    if not largest < _TOO_LARGE:
        raise ValueError(
            f"X holds values so large that a feature is {largest:.0e}, beyond "
            f"{_TOO_LARGE:.0e}: divide X by its largest value."
        )
    return magnitudes
