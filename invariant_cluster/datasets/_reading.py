"""How the image files of a folder become images of one size, kept with a model."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.datasets._arguments import check_option, check_side
from invariant_cluster.datasets._mask_places import check_masks
from invariant_cluster.datasets._masks import MaskLike, pack_mask
from invariant_cluster.datasets._palette import (
    Palette,
    PaletteColor,
    PaletteLike,
    parse_palette,
)
from invariant_cluster.validation import check_finite_array, check_same_length

COLORS = ("auto", "grey", "rgb")
GROUNDS = ("auto", "black", "white")
DEPTHS = ("raise", "widen", "scale")


@dataclass(frozen=True)
class Reading:
    """How image files are read, the same for every folder that a model is given.

    :func:`load_image_folder` returns it in ``reading``, and the images of
    :func:`open_images` have it as an attribute. ``transparent``, ``scale``, ``dtype``
    and ``palette`` then hold what was chosen for that folder.

    Parameters
    ----------
    size : int, default=64
        Side of the images in pixels.
    color : {"auto", "grey", "rgb"}, default="auto"
        Colours to which files are converted.
    transparent : {"auto", "black", "white"}, default="auto"
        Ground of transparent pixels.
    crop : (int, int, int, int), optional
        Pixels cut off at the top, right, bottom and left.
    mask : str, optional
        Region replaced by the background, as compressed text.
    masks : str, optional
        Where the mask of each file lies: "auto", the end of its name, such as "_mask",
        or its folder, such as "masks" or "../masks". ``*`` stands for the name of the
        folder of images.
    invert_masks : bool, default=False
        Whether objects are where ``masks`` are 0, instead of where they are not.
    keep_scale : bool, default=False
        Whether a pixel has one size in all images.
    mixed_depth : {"raise", "widen", "scale"}, default="raise"
        What is done with files of different dtypes.
    scale : float, optional
        Pixels of a file in one pixel of an image, with ``keep_scale``.
    dtype : str, optional
        Dtype of the images.
    palette : tuple of (values, role, share), "auto" or None
        Colours of wafer maps, which become maps of failing dies. A colour is red, green
        and blue from 0 to 255, and its role "outside", "pass", "fail" or "ignored".
    pass_bins : tuple of str, optional
        Bins of dies that pass, in tables of dies.

    See Also
    --------
    load_image_folder : Read a folder, with ``reading=`` like another one.

    Examples
    --------
    >>> from invariant_cluster.datasets import Reading
    >>> reading = Reading(size=32, color="grey", dtype="uint8")
    >>> Reading.from_json(reading.to_json()) == reading
    True
    """

    size: int = 64
    color: str = "auto"
    transparent: str = "auto"
    crop: tuple[int, int, int, int] | None = None
    mask: str | None = None
    keep_scale: bool = False
    mixed_depth: str = "raise"
    scale: float | None = None
    dtype: str | None = None
    palette: Palette | str | None = None
    pass_bins: tuple[str, ...] | None = None
    masks: str | None = None
    invert_masks: bool = False

    @property
    def frame(self) -> int | None:
        """Side in pixels of the files' frame; None if each image has its own."""
        return None if self.scale is None else round(self.scale * self.size)

    def to_file_pixels(self, tau: ArrayLike, sizes: ArrayLike) -> NDArray[np.float64]:
        """Return shifts in pixels of the files from shifts in pixels of the images.

        Parameters
        ----------
        tau : array-like of shape (n, 2)
            Shifts (x, y) in pixels of the images, from their centre, y up: those that
            ``predict_pose`` returns.
        sizes : array-like of shape (n, 2)
            Height and width of each file in pixels, after cropping: the ``sizes`` of
            the Bunch.

        Returns
        -------
        ndarray of shape (n, 2)
            Shifts (x, y) in pixels of each file, from the centre of the whole file,
            with what ``crop`` cuts off, y up. A point at (x, y) of a whole file of h x
            w pixels is in row ``h / 2 - y`` and column ``w / 2 + x``, counted from the
            outer edges of the first pixels; a pixel's middle is at its index plus 1/2.

        Raises
        ------
        ValueError
            If the shapes are not (n, 2), the lengths differ, or there is a palette:
            wafer maps are the boxes of the discs, which differ from file to file.

        Notes
        -----
        It undoes what reading does: crop, pad to a square and resize. If a margin is
        not split equally, the middle of the file is half a pixel off that of the
        square.

        Examples
        --------
        >>> from invariant_cluster.datasets import Reading
        >>> Reading(size=32).to_file_pixels([[4.0, -2.0]], sizes=[[60, 100]])
        array([[12.5 , -6.25]])
        """
        if self.palette is not None:
            raise ValueError(
                "to_file_pixels is not for wafer maps read with a palette, whose discs "
                "are cut out of the files: use tau as it is, in pixels of the maps."
            )
        shifts = check_finite_array(tau, "tau", (None, 2)).astype(np.float64)
        sides = check_finite_array(sizes, "sizes", (None, 2)).astype(np.int64)
        check_same_length(tau=shifts, sizes=sides)
        frames = np.full(len(sides), self.frame or 0)
        frames = frames if self.frame else sides.max(axis=1)
        # An odd margin is wider at the right and at the bottom.
        row, column = ((frames[:, None] - sides) % 2 / 2).T
        top, right, bottom, left = self.crop or (0, 0, 0, 0)
        middle = column + (left - right) / 2, -row - (top - bottom) / 2
        return shifts * (frames / self.size)[:, None] + np.stack(middle, axis=1)

    def to_json(self) -> str:
        """Return the parameters as text.

        Returns
        -------
        str
            A JSON object.
        """
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Reading:
        """Return the reading that :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            A JSON object.

        Returns
        -------
        Reading
            The reading.
        """
        values = json.loads(text)
        crop, bins = values.pop("crop", None), values.pop("pass_bins", None)
        return cls(
            **{**values, "palette": _palette_of(values.get("palette"))},
            crop=None if crop is None else tuple(crop),
            pass_bins=None if bins is None else tuple(bins),
        )


def _palette_of(given: Any) -> Palette | str | None:
    """Return the palette that JSON holds."""
    if given is None or isinstance(given, str):
        return given
    return tuple(PaletteColor(tuple(rgb), role, share) for rgb, role, share in given)


def make_reading(
    *,
    size: int = 64,
    color: str = "auto",
    transparent: str = "auto",
    crop: Sequence[int] | None = None,
    mask: MaskLike = None,
    masks: str | os.PathLike[str] | None = None,
    invert_masks: bool = False,
    keep_scale: bool = False,
    mixed_depth: str = "raise",
    palette: PaletteLike = None,
) -> Reading:
    """Return checked parameters of reading.

    Parameters
    ----------
    size, color, transparent, crop, mask, masks, invert_masks
        As for :func:`load_image_folder`.
    keep_scale, mixed_depth, palette
        As for :func:`load_image_folder`.

    Returns
    -------
    Reading
        The parameters, before a folder is seen.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not allowed.
    """
    check_option("color", color, COLORS)
    check_option("transparent", transparent, GROUNDS)
    check_option("mixed_depth", mixed_depth, DEPTHS)
    if not isinstance(keep_scale, bool):
        raise TypeError(f"keep_scale={keep_scale!r} is no bool: give True or False.")
    place = check_masks(masks)
    _check_inverted(invert_masks, place)
    if keep_scale and palette is not None:
        raise ValueError(
            "keep_scale=True is not for wafer maps (palette), whose discs all get one "
            "size: leave out palette (fit --palette none) or keep_scale."
        )
    return Reading(
        size=check_side("size", size),
        color=color,
        transparent=transparent,
        crop=_check_crop(crop),
        mask=pack_mask(mask),
        masks=place,
        invert_masks=invert_masks,
        keep_scale=keep_scale,
        mixed_depth=mixed_depth,
        palette=parse_palette(palette),
    )


def _check_inverted(invert_masks: Any, masks: str | None) -> None:
    """Raise unless it is a bool, and False without masks."""
    if not isinstance(invert_masks, bool):
        raise TypeError(
            f"invert_masks={invert_masks!r} is no bool: give True or False."
        )
    if invert_masks and masks is None:
        raise ValueError(
            "invert_masks=True but there are no masks: say where they lie with masks=."
        )


def choose_reading(given: Reading | None, **options: Any) -> Reading:
    """Return a given reading, or one made of options.

    Parameters
    ----------
    given : Reading or None
        Reading of another folder.
    **options : Any
        As for :func:`make_reading`.

    Returns
    -------
    Reading
        The given reading, if there is one.

    Raises
    ------
    TypeError
        If it is no Reading.
    ValueError
        If both are given, or an option is not allowed.
    """
    made = make_reading(**options)
    if given is None:
        return made
    if not isinstance(given, Reading):
        raise TypeError(
            f"reading={given!r} is no Reading: give the reading of a loaded folder."
        )
    if made != Reading():
        raise ValueError(
            "reading= holds all that says how files are read: leave out "
            f"{', '.join(options)}."
        )
    return given


def _check_crop(crop: Any) -> tuple[int, int, int, int] | None:
    """Return the margins to cut off as four ints; None if there are none."""
    if crop is None:
        return None
    try:
        sides = [int(side) for side in crop]
        valid = len(sides) == 4 and min(sides) >= 0 and sides == list(crop)
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            f"crop={crop!r} is no margin: give the pixels to cut off as (top, right, "
            "bottom, left), whole numbers from 0."
        )
    top, right, bottom, left = sides
    return (top, right, bottom, left) if any(sides) else None
