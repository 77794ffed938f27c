"""Wavelet scattering coefficients without training, as a scikit-learn transformer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import reduce
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from invariant_cluster.embedders._alignment import Alignment, find_alignment
from invariant_cluster.embedders._feature_embedder import (
    FeatureEmbedder,
    without_rounding,
)
from invariant_cluster.embedders._field_of_view import find_side, measure_size
from invariant_cluster.embedders._intensities import measure_intensities
from invariant_cluster.embedders._shared_parameters import OF_FEATURES
from invariant_cluster.embedders._texture_invariants import (
    disc_average,
    rotation_magnitudes,
)
from invariant_cluster.images import NO_SMOOTHING, NO_TONE, Smoothing, as_tone
from invariant_cluster.modules import (
    ImageAligner,
    PoseRule,
    ScatteringTransform,
    SquareView,
)
from invariant_cluster.validation import Interval, Options, StrOptions

_SIDE_OF_OBJECTS = 32
_LARGEST_SIDE_OF_TEXTURES = 64
_MOST_VALUES = 2**26  # features of the training images: 256 MiB in float32
_CPU = torch.device("cpu")


class ScatteringEmbedder(FeatureEmbedder):
    """Wavelet scattering coefficients of aligned images: features without training.

    Each image is moved to its canonical pose, its centre of mass in the middle and its
    long axis along x. Its scattering coefficients are averages of the moduli of wavelet
    transforms, and of those of their moduli. Small deformations change them little,
    which cannot be said of pixels or of Fourier magnitudes. A principal component
    analysis (PCA), whitened in part, reduces them to d features.

    Textures have neither a middle nor a long axis. Of those (``align=None``) the whole
    image is described, whatever the place, and a Fourier transform over the direction
    of the wavelets removes the rotation.

    Parameters
    ----------
    d : int, default=32
        Number of principal components; lower if there are fewer images.
    align : {"auto", "principal_axis"} or None, default="auto"
        "principal_axis" is for images of objects: each is moved to its canonical pose,
        and the places in it are told apart. None is for textures. "auto" is None if the
        mean of the training images is flat, as that of textures is.
    n_turns : int or "auto", default="auto"
        Copies of an aligned object to either side, each turned by pi / n_angles more
        than the one before; fewer than half of ``n_angles``. The features are means
        over the pose and all copies, since objects of one kind differ in their pose. 0
        is the pose alone. "auto" is a quarter of ``n_angles``, which is as far as pi /
        4. Ignored with ``align=None``.
    n_scales : int or "auto", default="auto"
        Number of scales of the wavelets, each twice as coarse as the one before.
        "auto" is log2(side) - 2, at least 2: 3 for 32 pixels, 4 for 64.
    n_angles : int, default=8
        Number of directions of the wavelets. Of objects, the second wavelets have every
        second one if the number is even.
    order : {1, 2}, default=2
        How often the modulus of a wavelet transform is taken. Order 1 describes edges,
        order 2 also how they lie together; it is most of the features.
    whiten : float, default=0.4
        Each principal component is divided by its variance to this power, between 0,
        which leaves the components as they are, and 0.5, which gives all of them
        variance 1.
    power : float, default=0.5
        Exponent of the coefficients. Values below 1 raise the weak ones.
    side : int or "auto", default="auto"
        Side in pixels to which the square that is seen is resampled; larger takes
        longer. "auto" is 32 for objects; for textures 64, or the largest power of 2
        that the images have.
    field_of_view : "auto" or float, default="auto"
        Side of the square in the middle of an aligned image that is described, as a
        fraction of the longer side. "auto" is the square that 99 % of the training
        objects fill once they are centred. Ignored with ``align=None``, or where the
        square exceeds the shorter side.
    invariance : str, default="rotation+translation"
        With "rotation+translation" each image is first moved so that its centre of mass
        is in the middle; with "rotation" alone rotations are about the image's centre
        (wafer maps). "+reflection" may be added to either: mirror images then have
        equal features. Textures have no place, whether or not translation is added.
        "+scale", "+brightness" and "+color" as in :class:`IRLINREmbedder`.
    background : "auto", float or sequence of float, default="auto"
        Value of empty pixels, one for all channels or one per channel, in the images'
        units. "auto" is the median of the border pixels over the training set.
    intensity_range : (low, high), optional
        Values that are scaled to 0 and 1. By default the range of the training set for
        integers, its 0.1 and 99.9 percentiles for floats.
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
        Where to compute the coefficients; "auto" is the GPU if there is one, else the
        CPU.
    random_state : int, RandomState or None, default=None
        Seed of the PCA, which is random with more than 500 coefficients, as nearly
        always.
    image_shape : tuple of int, optional
        Shape of one image, (h, w), (h, w, c) or (c, h, w). It folds flat rows into
        images and settles which axis holds the channels: the first or last if it alone
        has 1, 3 or 4 entries, the first if it alone has under 8, else the last.

    Attributes
    ----------
    align_ : "principal_axis" or None
        Whether images are aligned, as given or as "auto" found.
    alignment_ : Alignment or None
        What ``align="auto"`` found, objects or textures, and why; ``print`` shows it.
        None if ``align`` was given. Its ``shows`` is "objects" or "textures", and
        ``mean_share``, ``border_share`` and ``center_spread`` are what was measured.
    pca_ : PCA
        Maps the coefficients, raised to the power, to features before they are
        whitened.
    scattering_ : ScatteringTransform
        The filters.
    view_ : SquareView
        Scales the images, moves them to their pose and resamples them.
    image_shape_ : tuple of int
        Shape of one image as it was given.
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
    n_features_in_ : int
        Number of values of one image.
    reference_ : Reference
        What :func:`check_drift` and warnings compare new images with: statistics and z
        of training images.

    See Also
    --------
    PolarFourierEmbedder : Fewer features, which are faster and exactly invariant.
    ClassAverageEmbedder : Alignment to class averages, in noise stronger than objects.
    IRLINREmbedder : Learned representations that do not change under rotation.

    Notes
    -----
    The channels of colour images are described one by one. Of so many training images
    that their coefficients take more than 256 MiB, evenly spaced ones are used for the
    PCA: about 8,600 of one channel with the defaults.

    References
    ----------
    S. Mallat, "Group invariant scattering", Communications on Pure and Applied
    Mathematics 65, 2012.

    J. Bruna and S. Mallat, "Invariant scattering convolution networks", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 35, 2013.

    L. Sifre and S. Mallat, "Rotation, scaling and deformation invariant scattering for
    texture discrimination", CVPR 2013: directions of textures.

    J. Anden and S. Mallat, "Deep scattering spectrum", IEEE Transactions on Signal
    Processing 62, 2014: a concave function of the coefficients before linear methods.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster import ScatteringEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:64]
    >>> embedder = ScatteringEmbedder(d=8, random_state=0).fit(images)
    >>> z = embedder.transform(images)
    >>> z.shape
    (64, 8)
    >>> turned = np.rot90(images, axes=(1, 2))
    >>> bool(np.allclose(embedder.transform(turned), z, atol=1e-3))
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **OF_FEATURES,
        "align": [StrOptions({"auto", "principal_axis"}), None],
        "n_turns": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "n_scales": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_angles": [Interval(Integral, 1, None, closed="left")],
        "order": [Options(Integral, {1, 2})],
        "side": [StrOptions({"auto"}), Interval(Integral, 8, None, closed="left")],
        "field_of_view": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="right")],
        "intensity_range": ["array-like", None],
    }

    align_: str | None
    alignment_: Alignment | None
    size_: float | None

    def __init__(
        self,
        d: int = 32,
        *,
        align: str | None = "auto",
        n_turns: int | str = "auto",
        n_scales: int | str = "auto",
        n_angles: int = 8,
        order: int = 2,
        whiten: float = 0.4,
        power: float = 0.5,
        side: int | str = "auto",
        field_of_view: str | float = "auto",
        invariance: str = "rotation+translation",
        background: Any = "auto",
        intensity_range: Any = None,
        stretch: str = "auto",
        smoothing: float | str = "auto",
        object: str = "all",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.d = d
        self.align = align
        self.n_turns = n_turns
        self.n_scales = n_scales
        self.n_angles = n_angles
        self.order = order
        self.whiten = whiten
        self.power = power
        self.side = side
        self.field_of_view = field_of_view
        self.invariance = invariance
        self.background = background
        self.intensity_range = intensity_range
        self.stretch = stretch
        self.smoothing = smoothing
        self.object = object
        self.device = device
        self.random_state = random_state
        self.image_shape = image_shape

    def _measure(self, images: NDArray) -> None:
        measure_intensities(self, images)
        self.size_ = None
        if "scale" in self.invariance and self.align is None:
            raise ValueError(
                f"invariance={self.invariance!r} but align=None, and only aligned "
                "objects are given one size: leave out 'scale', or set "
                "align='principal_axis'."
            )
        self._choose_align(images)
        extent = min(images.shape[-2:])
        if self.align_:
            extent = self._measure_objects(images)
        side = self._choose_side(extent)
        self._build(
            extent=extent,
            side=side,
            n_scales=self._choose_n_scales(side),
            n_angles=self.n_angles,
            order=self.order,
            translates=self._translates and self.align_ is not None,
            n_turns=self._choose_n_turns() if self.align_ else 0,
        )

    def _measure_objects(self, images: NDArray) -> int:
        """Return the side in pixels of the square that objects fill; set their size."""
        if "scale" in self.invariance:
            rule = self._make_aligner("principal_axis", translates=self._translates)
            self.size_ = measure_size(rule, images)
        aligner = self._make_aligner("principal_axis", translates=self._translates)
        found = find_side(aligner, images, self.field_of_view)
        return found or max(images.shape[-2:])

    def _choose_align(self, images: NDArray) -> None:
        """Set whether images are aligned, and why."""
        self.align_, self.alignment_ = self.align, None
        if self.align == "auto":
            aligner = self._make_aligner(None, translates=False)
            found = self.alignment_ = find_alignment(aligner, images)
            self.align_ = None if found.is_texture else "principal_axis"

    def _choose_side(self, extent: int) -> int:
        if not isinstance(self.side, str):
            return int(self.side)
        if self.align_:
            return _SIDE_OF_OBJECTS
        return min(_LARGEST_SIDE_OF_TEXTURES, 2 ** int(math.log2(extent)))

    def _choose_n_scales(self, side: int) -> int:
        if not isinstance(self.n_scales, str):
            return int(self.n_scales)
        return max(2, int(math.log2(side)) - 2)

    def _choose_n_turns(self) -> int:
        if isinstance(self.n_turns, str):
            return self.n_angles // 4
        if self.n_turns > 0 and self.n_angles <= 2 * self.n_turns:
            raise ValueError(
                f"n_turns={self.n_turns!r} with n_angles={self.n_angles!r}: copies "
                "would be turned by a quarter turn or more. Use n_turns="
                f"{(self.n_angles - 1) // 2} at most, or more angles."
            )
        return int(self.n_turns)

    @property
    def _translates(self) -> bool:
        return "translation" in self.invariance

    @property
    def _reflects(self) -> bool:
        return "reflection" in self._fitted_params["invariance"]

    def _make_aligner(self, rule: str | None, *, translates: bool) -> ImageAligner:
        return ImageAligner(
            PoseRule(rule, translates),
            align=True,
            intensity_range=self.intensity_range_,
            background=torch.from_numpy(self.background_),
            layout=self.layout_,
            smoothing=Smoothing(self.smoothing_, self.noise_level_),
            tone=self.tone_,
            size=self.size_ if rule else None,
        )

    def _build(
        self,
        *,
        extent: int,
        side: int,
        n_scales: int,
        n_angles: int,
        order: int,
        translates: bool,
        n_turns: int = 0,  # files of textures from before it hold none
    ) -> None:
        """Set the modules that compute the coefficients, and the copies' turns."""
        is_texture = self.align_ is None
        self._turns = range(-n_turns, n_turns + 1)
        aligner = self._make_aligner(self.align_, translates=translates)
        self.view_ = SquareView(aligner, extent=extent, side=side)
        self.scattering_ = ScatteringTransform(
            side,
            n_scales,
            n_angles,
            order=order,
            angle_step=1 if is_texture or n_angles % 2 else 2,
            boundary="reflect" if is_texture else "periodic",
        )

    def _make_features(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        """Return the map of raw images (n, c, h, w) to coefficients to the power."""
        view, scattering = _on(device, self.view_), _on(device, self.scattering_)
        describe = self._describe_object if self.align_ else self._describe_texture
        power = self._fitted_params["power"]

        def describe_copy(at: Tensor, steps: int, n: int) -> Tensor:
            copy = scattering.turn(at, steps) if steps else at
            rows = describe(scattering, copy).reshape(n, -1)
            return _root(without_rounding(rows), power)

        def features(raw: Tensor) -> Tensor:
            at = scattering(view(raw).flatten(0, 1))
            copies = (describe_copy(at, steps, len(raw)) for steps in self._turns)
            return reduce(torch.add, copies) / len(self._turns)

        return features

    def _describe_object(self, scattering: ScatteringTransform, at: Tensor) -> Tensor:
        """Return coefficients (n, n_paths, m, m); or the mean with the mirror."""
        return (at + scattering.mirror(at)) / 2 if self._reflects else at

    def _describe_texture(self, scattering: ScatteringTransform, at: Tensor) -> Tensor:
        """Return magnitudes (n, k) of coefficients (n, n_paths, m, m)."""
        _, first, second = scattering.split(disc_average(at))
        return rotation_magnitudes(first, second, reflects=self._reflects)

    def _most_rows(self) -> int:
        blank = torch.zeros(1, *self.layout_.channels_first_shape)
        return max(2, _MOST_VALUES // self._make_features(_CPU)(blank).shape[1])

    def _dump_state(self) -> dict[str, Any]:
        return {
            "background": self.background_.tolist(),
            "intensity_range": list(self.intensity_range_),
            "smoothing": [self.smoothing_, self.noise_level_],
            "tone": list(self.tone_),
            "size": self.size_,
            "align": self.align_,
            "alignment": self.alignment_ and list(self.alignment_),
            # Not as the parameters are now: they may have been set after the fit.
            "sizes": {
                "extent": int(self.view_.extent),
                "side": self.view_.side,
                "n_scales": self.scattering_.n_scales,
                "n_angles": int(self.scattering_.n_angles),
                "order": int(self.scattering_.order),
                "translates": self.view_.aligner.pose_rule.translates,
                "n_turns": self._turns[-1],
            },
        }

    def _restore_state(self, state: dict[str, Any]) -> None:
        if state["align"] and "n_turns" not in state["sizes"]:
            raise ValueError(
                "The file holds a ScatteringEmbedder of objects from before features "
                "were means over turned copies: fit and save it again."
            )
        self.background_ = np.asarray(state["background"], dtype=np.float32)
        low, high = state["intensity_range"]
        self.intensity_range_ = low, high
        # Older files hold none of these.
        self.smoothing_, self.noise_level_ = state.get("smoothing", NO_SMOOTHING)
        self.tone_ = as_tone(state.get("tone", NO_TONE))
        self.size_ = state.get("size")
        self.align_ = state["align"]
        found = state.get("alignment")
        self.alignment_ = found and Alignment(*found)
        self._build(**state["sizes"])


def _on(device: torch.device, module: nn.Module) -> Any:
    """Return the module on a device; the fitted one stays on the CPU."""
    return module if device == _CPU else copy.deepcopy(module).to(device)


def _root(coefficients: Tensor, power: float) -> Tensor:
    """Return the size of coefficients to a power, with their sign."""
    return coefficients.sign() * coefficients.abs().pow(power)
