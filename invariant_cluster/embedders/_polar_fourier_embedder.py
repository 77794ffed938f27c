"""Rotation-invariant features without training, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.embedders._feature_embedder import (
    FeatureEmbedder,
    without_rounding,
)
from invariant_cluster.embedders._intensities import measure_background_of
from invariant_cluster.embedders._shared_parameters import (
    OF_FEATURES,
    Invariances,
)
from invariant_cluster.geometry import (
    measure_mass,
    polar_magnitudes,
    polar_points,
    smooth_images,
    zernike_basis,
    zernike_magnitudes,
)
from invariant_cluster.images import (
    NO_SMOOTHING,
    NO_TONE,
    Smoothing,
    as_tone,
    entered,
    stretched,
    toned,
    toned_noise,
)
from invariant_cluster.runtime import to_tensor
from invariant_cluster.validation import Interval, StrOptions

_MOST_TRAINING_IMAGES = 2**17  # their 256 features fill 256 MiB in float64
_TOO_LARGE = 1e15


class PolarFourierEmbedder(FeatureEmbedder):
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
    whiten : float, default=0.0
        Each principal component is divided by its variance to this power, between 0,
        which leaves the components as they are, and 0.5, which gives all of them
        variance 1.
    invariance : str, default="rotation+translation"
        With "rotation+translation" each image is first moved so that its centre of mass
        is in the middle; with "rotation" alone rotations are about the image's centre
        (wafer maps). "+reflection" may be added to either and changes nothing;
        "+brightness" and "+color" as in :class:`IRLINREmbedder`.
    background : "auto", float or sequence of float, default="auto"
        Value of empty pixels, one for all channels or one per channel, in the images'
        units. The difference from the background, summed over channels, is the mass of
        an image. "auto" is the median of the border pixels over the training set.
    stretch : {"auto", "linear", "asinh"}, default="auto"
        How values are stretched before the smoothing. "asinh" shows faint images beside
        bright ones: ``asinh((J - b) / s)``, with background b and softening s.
        With "brightness" in ``invariance`` it comes after images have one level, and
        shows faint parts beside bright ones. "auto" is "linear" unless the images are
        floats and more than half of them would lie within a 256th of the linear range.
    smoothing : "auto" or float, default="auto"
        Width in pixels (standard deviation) of a Gaussian that smooths the images
        before anything else, against noise; 0 for none. "auto" measures the noise: 0
        unless the border is white noise of more than a fifth of the signal's variance.
    object : {"all", "central"}, default="all"
        What of an image is seen. "central" is the connected object nearest the middle:
        all else becomes background, such as stars beside a galaxy.
    device : str, default="auto"
        Where to compute the magnitudes; "auto" is the GPU if there is one, else the
        CPU.
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
    tone_ : Tone
        Background and level that all images get with "brightness" in ``invariance``,
        and whether they become grey.
    smoothing_ : float
        Width of the smoothing, in pixels.
    noise_level_ : float
        Standard deviation of white noise at the border, in the images' units, or in
        those of stretched images; 0 if images are not smoothed.
    n_features_in_ : int
        Number of values of one image.
    reference_ : Reference
        What :func:`check_drift` and warnings compare new images with: statistics and z
        of training images.

    See Also
    --------
    IRLINREmbedder : Learned representations that do not change under rotation.
    ScatteringEmbedder : Features of aligned images that deformations hardly change.
    ClassAverageEmbedder : Alignment to class averages, in noise stronger than objects.

    Notes
    -----
    The principal components are in the images' units to the power. Of more than 131,072
    training images evenly spaced ones are used.

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
        **OF_FEATURES,
        "invariance": [
            Invariances(("translation", "reflection", "brightness", "color"))
        ],
        "radial_basis": [StrOptions({"samples", "zernike"})],
        "n_radii": [Interval(Integral, 1, None, closed="left")],
        "n_angles": [Interval(Integral, 1, None, closed="left")],
        "n_orders": [Interval(Integral, 1, None, closed="left")],
        "degree": [Interval(Integral, 0, None, closed="left")],
    }

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
        whiten: float = 0.0,
        invariance: str = "rotation+translation",
        background: Any = "auto",
        stretch: str = "auto",
        smoothing: float | str = "auto",
        object: str = "all",
        device: str = "auto",
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
        self.whiten = whiten
        self.invariance = invariance
        self.background = background
        self.stretch = stretch
        self.smoothing = smoothing
        self.object = object
        self.device = device
        self.random_state = random_state
        self.image_shape = image_shape

    def _measure(self, images: NDArray) -> None:
        measure_background_of(self, images)

    def _most_rows(self) -> int:
        return _MOST_TRAINING_IMAGES

    def _dump_state(self) -> dict[str, Any]:
        return {
            "background": self.background_.tolist(),
            "smoothing": [self.smoothing_, self.noise_level_],
            "tone": list(self.tone_),
        }

    def _restore_state(self, state: dict[str, Any]) -> None:
        self.background_ = np.asarray(state["background"], dtype=np.float32)
        # Older files hold neither of these.
        self.smoothing_, self.noise_level_ = state.get("smoothing", NO_SMOOTHING)
        self.tone_ = as_tone(state.get("tone", NO_TONE))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        most = self.n_angles // 2 + 1
        if self.radial_basis == "samples" and self.n_orders > most:
            raise ValueError(
                f"n_orders={self.n_orders} but n_angles={self.n_angles} samples a ring "
                f"have {most} Fourier orders: lower n_orders, or raise n_angles to "
                f"{2 * (self.n_orders - 1)}."
            )

    def _make_features(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        """Return the map of raw images (n, c, h, w) to magnitudes to the power."""
        magnitudes = self._make_magnitudes(device)
        ground = to_tensor(self.background_, device)[None, :, None, None]
        background = stretched(ground, self.tone_.stretch).flatten()
        center = "translation" in self._fitted_params["invariance"]
        power = self._fitted_params["power"]
        smoothing, tone = Smoothing(self.smoothing_, self.noise_level_), self.tone_
        floor = toned_noise(smoothing.noise_floor, tone)

        def features(raw: Tensor) -> Tensor:
            if smoothing.width or tone != NO_TONE:
                raw = raw.double()
            smoothed = smooth_images(entered(raw, tone), smoothing.width)
            seen = toned(smoothed, tone)
            mass = measure_mass(seen, background, center=center, floor=floor)
            return _checked_size(without_rounding(magnitudes(mass)).pow(power))

        return features

    def _make_magnitudes(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        _, height, width = self.layout_.channels_first_shape
        given = self._fitted_params
        if given["radial_basis"] == "zernike":
            basis = zernike_basis(height, width, given["degree"]).to(device)
            return partial(zernike_magnitudes, basis=basis)
        points = polar_points(height, width, given["n_radii"], given["n_angles"])
        return partial(
            polar_magnitudes, points=points.to(device), n_orders=given["n_orders"]
        )


def _checked_size(magnitudes: Tensor) -> Tensor:
    """Return magnitudes whose squares can be summed in float32."""
    largest = float(magnitudes.amax())
    if not largest < _TOO_LARGE:
        raise ValueError(
            f"X holds values so large that a feature is {largest:.0e}, beyond "
            f"{_TOO_LARGE:.0e}: divide X by its largest value."
        )
    return magnitudes
