"""Correlation with class averages, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from invariant_cluster.drift import Watch, one_warning, watch_for
from invariant_cluster.embedders._class_averaging import Search, find_averages
from invariant_cluster.embedders._drift_watch import watched
from invariant_cluster.embedders._image_notices import notice_unfit
from invariant_cluster.embedders._intensities import measure_limits
from invariant_cluster.embedders._shared_parameters import (
    OF_FEATURES,
    Invariances,
)
from invariant_cluster.embedders._theta_std import theta_std_of
from invariant_cluster.embedders._untrained_embedder import UntrainedEmbedder
from invariant_cluster.geometry import (
    Match,
    Poses,
    angle_certainty,
    match_images,
    normalize_disc,
    shrink_square,
    undo_poses,
)
from invariant_cluster.images import (
    NO_SMOOTHING,
    NO_TONE,
    Tone,
    entered,
    measure_background,
)
from invariant_cluster.persistence import arrays_of
from invariant_cluster.progress import progress_bar
from invariant_cluster.runtime import at_most, map_batches, row_limit, to_tensor
from invariant_cluster.validation import Interval, StrOptions

_LARGEST_SIDE = 32
_MOST_IMAGES = 10_000  # on which averages are fitted
_MOST_VALUES = 2**24  # of the images that are held for that: 64 MiB
_BLOCK = 4096  # images that are compared with an average at a time
_CPU = torch.device("cpu")


class ClassAverageEmbedder(UntrainedEmbedder):
    """Correlation with class averages, for particles in noise stronger than they are.

    Two-dimensional class averaging, as in electron microscopy: k-means of images that
    are aligned to the means. Each image is compared with each class average in every
    pose of a grid, and joins the one with the highest correlation coefficient in the
    pose that reaches it. Each average is then computed anew from its images, moved
    back. Averages start as single images, drawn at random; of several starts the one
    with the highest total correlation goes on.

    All pixels of an image decide on its pose together, which therefore withstands noise
    in which neither mass nor axis can be seen. The averages show what the particles of
    each class look like. ``transform(X).argmax(axis=1)`` is the class of each image.

    Parameters
    ----------
    n_averages : int, default=10
        Number of class averages, at most the number of images.
    n_rotations : int, default=72
        Number of angles that are tried, evenly spaced over the full turn. Starts try
        half as many.
    max_shift : float, default=0.125
        Radius of the shifts that are tried, as a fraction of the shorter side, at most
        0.5. Ignored without "translation" in ``invariance``.
    n_starts : int, default=16
        Number of random starts.
    n_iterations : int, default=12
        Most alignments of a start, and of those that go on afterwards. One that raises
        the mean correlation by less than 1e-4 is the last.
    side : int or "auto", default="auto"
        Side in pixels to which images are shrunk, by averaging areas; larger takes
        longer and tells finer details and shifts apart. Images that are smaller stay as
        they are. "auto" is 32. Of images that are not square, the square in the middle
        is seen.
    invariance : str, default="rotation+translation"
        With "rotation" alone no shifts are tried. "+reflection" may be added to either:
        mirror images of the averages are then tried too.
    device : str, default="auto"
        Where to compute; "auto" is the GPU if there is one, else the CPU.
    random_state : int, RandomState or None, default=None
        Seed of the images from which starts begin.
    image_shape : tuple of int, optional
        Shape of one image, (h, w), (h, w, c) or (c, h, w). It folds flat rows into
        images and settles which axis holds the channels: the first or last if it alone
        has 1, 3 or 4 entries, the first if it alone has under 8, else the last.

    Attributes
    ----------
    class_averages_ : ndarray of shape (n_averages, side, side), float32
        Averages of images that had mean 0 and variance 1 inside the disc.
    correlation_ : float
        Mean correlation coefficient of the training images with the averages that they
        joined, in the last alignment.
    image_shape_ : tuple of int
        Shape of one image as it was given.
    background_ : ndarray of shape (c,)
        Median of the border pixels, in the images' units: what ``canonicalize`` fills
        pixels with that enter the frame.
    size_, tone_, smoothing_, noise_level_
        As of the other embedders: None, no tone but perhaps limits of values, 0 and 0,
        since images are neither scaled, toned nor smoothed.
    n_features_in_ : int
        Number of values of one image.
    reference_ : Reference
        What :func:`check_drift` and warnings compare new images with: statistics and z
        of training images.

    See Also
    --------
    IRLINREmbedder : Learned representations, for objects that can be seen.
    ScatteringEmbedder : Features of aligned images without training.

    Notes
    -----
    Channels are averaged. Pixels outside the disc whose diameter is the shorter side
    have no effect. Brightness and contrast of an image have none either, since its
    correlation is that of its normalised pixels; a constant image has correlation 0.

    Averages are fitted on at most 10,000 images (fewer if ``side`` is above 40), starts
    on at most 2,500 (or 50 for each average), evenly spaced. Starts see images of at
    most 16 pixels; the best quarter of them goes on at full size, and the best of those
    with all images.

    Time grows with the number of images times averages times rotations times shifts:
    2,250 images of 32 x 32 pixels take about half a minute on one CPU core.

    References
    ----------
    M. van Heel and J. Frank, "Use of multivariate statistics in analysing the images of
    biological macromolecules", Ultramicroscopy 6, 1981: classes of aligned images.

    P. Penczek, M. Radermacher and J. Frank, "Three-dimensional reconstruction of single
    particles embedded in ice", Ultramicroscopy 40, 1992: alignment without a reference.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster import ClassAverageEmbedder
    >>> from invariant_cluster.datasets import make_dsprites
    >>> sprites = make_dsprites(90, side=16, random_state=0)
    >>> noise = np.random.default_rng(0).normal(0, 200, sprites.images.shape)
    >>> embedder = ClassAverageEmbedder(3, n_rotations=24, n_starts=4, random_state=0)
    >>> embedder.fit_transform(sprites.images + noise).shape
    (90, 3)
    >>> embedder.class_averages_.shape
    (3, 16, 16)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_averages": [Interval(Integral, 1, None, closed="left")],
        "n_rotations": [Interval(Integral, 1, None, closed="left")],
        "max_shift": [Interval(Real, 0, 0.5, closed="both")],
        "n_starts": [Interval(Integral, 1, None, closed="left")],
        "n_iterations": [Interval(Integral, 1, None, closed="left")],
        "side": [StrOptions({"auto"}), Interval(Integral, 8, None, closed="left")],
        "invariance": [Invariances(("translation", "reflection"))],
        **{name: OF_FEATURES[name] for name in ("device", "random_state")},
        "image_shape": OF_FEATURES["image_shape"],
    }

    class_averages_: NDArray[np.float32]
    correlation_: float
    background_: NDArray[np.float32]
    size_: float | None
    tone_: Tone

    def __init__(
        self,
        n_averages: int = 10,
        *,
        n_rotations: int = 72,
        max_shift: float = 0.125,
        n_starts: int = 16,
        n_iterations: int = 12,
        side: int | str = "auto",
        invariance: str = "rotation+translation",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.n_averages = n_averages
        self.n_rotations = n_rotations
        self.max_shift = max_shift
        self.n_starts = n_starts
        self.n_iterations = n_iterations
        self.side = side
        self.invariance = invariance
        self.device = device
        self.random_state = random_state
        self.image_shape = image_shape

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the correlation of each image with each class average.

        Parameters
        ----------
        X : array-like of n images, of the shape given to ``fit``

        Returns
        -------
        ndarray of shape (n, n_averages), float32
            Correlation coefficients inside the disc, each in the best pose. The largest
            of a row is that of the average which the image joins.
        """
        check_is_fitted(self, "class_averages_")
        with one_warning():
            images = self._check_images(X)
            return watched(self._represent, images, self.reference_)

    def predict_pose(
        self,
        X: ArrayLike,
        *,
        learned: bool = True,
        return_scale: bool = False,
        return_std: bool = False,
        return_average: bool = False,
    ) -> tuple[NDArray, ...]:
        """Return how each image lies relative to the class average that it joins.

        ``J(x) = average(R(-theta) (x - tau))``, or the same with the mirror image of
        the average where that fits better and "reflection" is in ``invariance``.

        Parameters
        ----------
        X : array-like of n images
        learned : bool, default=True
            Has no effect: nothing is learned but the averages.
        return_scale : bool, default=False
            Whether to return the size of the objects too.
        return_std : bool, default=False
            Whether to return how far theta can be off.
        return_average : bool, default=False
            Whether to return the class average that each image joins, as the last
            value.

        Returns
        -------
        theta : ndarray of shape (n,)
            Radians in [0, 2 pi), counter-clockwise as displayed; multiples of the step
            of the grid.
        tau : ndarray of shape (n, 2)
            (x, y) in pixels of X from the image's centre, y up.
        scale : ndarray of shape (n,)
            Only with ``return_scale=True``: 1, since no other size is tried.
        theta_std : ndarray of shape (n,)
            Only with ``return_std=True``: circular standard deviation of theta in
            radians, from 0 to 1.18; NaN for an image without a direction, whose theta
            means nothing.
        average : ndarray of shape (n,), int64
            Only with ``return_average=True``: index in ``class_averages_``.

        Notes
        -----
        The standard deviation is that of all angles and shifts tried, each weighted
        with its likelihood given the average; it is at least that of a uniform error
        within a step of the angles. A round average, or an image in which nothing is
        seen of it, has no direction.
        """
        images, label, poses = self._find_poses(X)
        found = [poses.theta.numpy(), poses.tau.numpy()]
        if return_scale:
            found.append(np.ones(len(label), dtype=np.float32))
        if return_std:
            found.append(theta_std_of(self._certainty_of(images, label, poses)))
        if return_average:
            found.append(label.numpy())
        return tuple(found)

    def canonicalize(self, X: ArrayLike, *, learned: bool = True) -> NDArray:
        """Return the images' own pixels, moved to the pose of their class average.

        Parameters
        ----------
        X : array-like of n images
        learned : bool, default=True
            Has no effect, as in :meth:`predict_pose`.

        Returns
        -------
        ndarray of the shape and in the units of X, float32
            Images that fit the mirror image of their average are mirrored.
        """
        images, _, poses = self._find_poses(X)
        moved = np.empty(images.shape, dtype=np.float32)
        fill = to_tensor(self.background_)[:, None, None]
        for rows in gen_batches(len(images), row_limit(images)):
            part = Poses(*(values[rows] for values in poses))
            moved[rows] = undo_poses(to_tensor(images[rows]).float(), part, fill)
        return self.layout_.from_channels(moved)

    def _fit(self, images: NDArray) -> None:
        """Find the class averages."""
        side = min(self._largest_side(), *images.shape[-2:])
        self._check_n_averages(len(images))
        most = max(min(_MOST_IMAGES, _MOST_VALUES // side**2), 2 * self.n_averages)
        limits = measure_limits(images)
        self._set_background(measure_background(images), limits)
        notice_unfit(images)
        found = find_averages(
            self._view(at_most(images, most), side),
            self.n_averages,
            self.n_starts,
            self._search,
            check_random_state(self.random_state),
        )
        self.class_averages_ = found.images.cpu().numpy()
        self.correlation_ = found.correlation

    def _largest_side(self) -> int:
        return _LARGEST_SIDE if isinstance(self.side, str) else int(self.side)

    def _check_n_averages(self, n_images: int) -> None:
        if self.n_averages > n_images:
            raise ValueError(
                f"n_averages={self.n_averages!r} but X holds {n_images} images: give "
                "at most as many averages (make_pipeline makes one for each of "
                "n_clusters), and far fewer against noise."
            )

    def _set_background(
        self, background: NDArray[np.float32], limits: tuple[float, ...]
    ) -> None:
        """Set what reports and joint spaces ask of every embedder."""
        self.background_ = background
        self.smoothing_, self.noise_level_ = NO_SMOOTHING
        self.tone_, self.size_ = NO_TONE._replace(limits=limits), None

    @property
    def _search(self) -> Search:
        given = self._fitted_params
        return Search(
            given["n_rotations"],
            given["max_shift"] if "translation" in given["invariance"] else 0.0,
            "reflection" in given["invariance"],
            given["n_iterations"],
        )

    def _view(self, images: NDArray, side: int) -> Tensor:
        """Return images (n, c, h, w) as they are compared, (n, side, side)."""

        def view(raw: Tensor) -> Tensor:
            seen = entered(raw.double(), self.tone_).mean(dim=1)
            return normalize_disc(shrink_square(seen, side))

        device = self._find_device()
        seen = map_batches(view, images, device=device, title="shrink")
        return to_tensor(seen, device)

    def _match(self, images: NDArray) -> Match:
        """Return the best poses relative to each average, on the CPU."""
        averages = to_tensor(self.class_averages_, self._find_device())
        grid = self._search.grid(averages)
        blocks = []
        with progress_bar(len(images), "match") as advance:
            for rows in gen_batches(len(images), _BLOCK):
                seen = self._view(images[rows], averages.shape[-1])
                match = match_images(seen, averages, grid)
                blocks.append([values.cpu() for values in match])
                advance(len(seen))
        return Match(*(torch.cat(parts) for parts in zip(*blocks, strict=True)))

    def _find_poses(self, X: ArrayLike) -> tuple[NDArray, Tensor, Poses]:
        """Return images (n, c, h, w), their averages, and poses in their pixels."""
        check_is_fitted(self, "class_averages_")
        images = self._check_images(X)
        averages = torch.from_numpy(self.class_averages_)
        label, poses = self._match(images).best(self._search.grid(averages))
        pixel = min(images.shape[-2:]) / averages.shape[-1]
        return images, label, poses._replace(tau=poses.tau * pixel)

    def _certainty_of(self, images: NDArray, label: Tensor, poses: Poses) -> NDArray:
        """Return how sure the angle of each image is, (n,), from 0 to 1."""
        device = self._find_device()
        averages = to_tensor(self.class_averages_, device)
        grid = self._search.grid(averages)
        found = []
        for rows in gen_batches(len(images), _BLOCK):
            seen = self._view(images[rows], averages.shape[-1])
            part = Poses(*(values[rows].to(device) for values in poses))
            here = label[rows].to(device)
            found.append(angle_certainty(seen, averages, here, part, grid).cpu())
        certainty: NDArray = torch.cat(found).numpy()
        return certainty

    def _represent(self, images: NDArray) -> NDArray[np.float32]:
        correlation: NDArray[np.float32] = self._match(images).correlation.numpy()
        return correlation

    def _watched(self) -> Watch:
        # A correlation does not change with the brightness.
        return watch_for(f"{self.invariance}+brightness")

    def _dump_fitted(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        state = {
            "background": self.background_.tolist(),
            "limits": list(self.tone_.limits),
            "correlation": self.correlation_,
        }
        return state, arrays_of(self, ["class_averages_"])

    def _restore_fitted(
        self, state: dict[str, Any], tensors: dict[str, Tensor]
    ) -> None:
        background = np.asarray(state["background"], dtype=np.float32)
        # Older files hold no limits.
        self._set_background(background, tuple(state.get("limits", ())))
        self.class_averages_ = tensors["class_averages_"].numpy()
        self.correlation_ = state["correlation"]

    @property
    def _n_features_out(self) -> int:
        return len(self.class_averages_)
