"""Arrays of wafer maps become maps of failing dies."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._arguments import check_side
from invariant_cluster.datasets._palette import (
    AUTO,
    FAIL,
    OUTSIDE,
    PASS,
    Palette,
    PaletteColor,
    PaletteLike,
    are_numbers,
    describe_palette,
    parse_palette,
)
from invariant_cluster.datasets._palette_colors import nearest_color
from invariant_cluster.datasets._palette_maps import as_eight_bits
from invariant_cluster.datasets._palette_roles import (
    LEAST_DISCS,
    NoPaletteError,
    find_palette,
    find_roles,
    share_of_discs,
)
from invariant_cluster.datasets._resizing import resize_nearest
from invariant_cluster.runtime import at_most

_MOST_LOOKED_AT = 1000
_MOST_LEVELS = 16
_MOST_STRANGE = 0.2  # of the pixels of maps of this palette
_BLOCK = 1024


def make_fail_maps(
    maps: NDArray | Sequence[NDArray],
    *,
    palette: PaletteLike = "auto",
    size: int | None = None,
) -> tuple[NDArray[np.uint8], Palette]:
    """Return the failing dies of wafer maps, and what their values were taken for.

    Parameters
    ----------
    maps : ndarray of shape (n, h, w) or (n, h, w, 3), or sequence of such maps
        Maps of three values, such as 0, 1, 2, or 0, 127, 255, or -1, 0, 1; or in three
        colours, uint8. A sequence may hold maps of different sizes.
    palette : "auto" or mapping, default="auto"
        Meaning of each value or colour, such as
        ``{0: "outside", 1: "pass", 2: "fail"}``, as for :func:`load_image_folder`, or
        the palette that this function returned for other maps. "auto" takes 0, 1, 2 for
        no die, pass and fail, and 0, 1 for maps of failing dies. Of other values that
        of the corners is outside, and the more frequent of the others passes.
    size : int, optional
        Side to which maps are resized by nearest neighbour, at least 8. By default they
        keep their size; maps of different sizes get 32.

    Returns
    -------
    images : ndarray of shape (n, h, w) or (n, size, size), uint8
        1 for a failing die, 0 elsewhere.
    palette : tuple of (values, role, share)
        The palette, for further maps.

    Raises
    ------
    ValueError
        If the maps are not safely those of wafers, or are no such arrays.

    Warns
    -----
    UserWarning
        If maps have values that the palette does not name.

    See Also
    --------
    load_die_table : Read wafer maps from tables of dies.

    Examples
    --------
    >>> from invariant_cluster.datasets import load_wafer_maps, make_fail_maps
    >>> maps = load_wafer_maps().images
    >>> fails, _ = make_fail_maps(maps)
    >>> bool((fails == load_wafer_maps(fail_map=True).images).all())
    True
    """
    given = parse_palette(palette)
    arrays = _as_arrays(maps)
    if given is None:
        raise TypeError(f"palette=None is no palette: give {AUTO!r}, or a mapping.")
    if size is None and len({one.shape for one in arrays}) > 1:
        size = 32
    rows = at_most(np.arange(len(arrays)), _MOST_LOOKED_AT)
    looked_at = [arrays[row] for row in rows]
    settled = given if isinstance(given, tuple) else _find(looked_at)
    warn_of_values(looked_at, settled)
    if size is None:
        pieces = [
            fails_of(np.stack(arrays[start : start + _BLOCK]), settled)
            for start in range(0, len(arrays), _BLOCK)
        ]
        return np.concatenate(pieces), settled
    side = check_side("size", size)
    fails = [resize_nearest(fails_of(one, settled), side) for one in arrays]
    return np.stack(fails), settled


def settle_values(
    images: Any, palette: Palette | str, *, exact: bool = False
) -> Palette:
    """Return the palette by which an array of wafer maps is read.

    Parameters
    ----------
    images : array-like of shape (n, h, w) or (n, h, w, 3), or list of maps
        The maps; at most 1,000 are read.
    palette : Palette or "auto"
        A palette of colours is not that of an array with values 0, 1 and 2, and one of
        numbers is not that of an array with other values.
    exact : bool, default=False
        Whether a palette of numbers is the user's own for these maps, and stays.

    Returns
    -------
    Palette
        The palette.

    Raises
    ------
    NoPaletteError
        If it is not safe.
    """
    some = some_of(images)
    if not isinstance(palette, tuple):
        return _find(some)
    is_code = some[0].ndim == 2 and max(one.max() for one in some) <= 2
    if not are_numbers(palette):
        return _find(some) if is_code else palette
    if exact:
        return palette
    unknown = _share_unknown(some, palette)
    is_other = unknown > (0 if is_code else _MOST_STRANGE)
    if is_other or (is_code and _are_fail_maps(some, palette)):
        return _find(some)
    return palette


def _are_fail_maps(maps: Sequence[NDArray], palette: Palette) -> bool:
    """Return whether maps of 0 and 1 are no discs of which 1 passes.

    Good wafers of a palette in which 2 fails are such discs.
    """
    passing = [color.values[0] for color in palette if color.role == PASS]
    if passing != [1.0] or any(one.max() > 1 for one in maps):
        return False
    return share_of_discs([one == 1 for one in maps]) < LEAST_DISCS


def some_of(images: Any) -> list[NDArray]:
    """Return at most 1,000 maps of an array or a list, evenly spaced, checked."""
    rows = at_most(np.arange(len(images)), _MOST_LOOKED_AT)
    is_list = isinstance(images, list)
    return _as_arrays([images[row] for row in rows] if is_list else images[rows])


def warn_of_values(maps: Sequence[NDArray], palette: Palette) -> None:
    """Warn if a palette does not seem to be that of maps.

    Parameters
    ----------
    maps : sequence of ndarray of shape (h, w) or (h, w, 3)
        Some maps.
    palette : Palette
        What their values are taken for.

    Warns
    -----
    UserWarning
        If a number is not of the palette, or a fifth of the pixels of pictures, in
        which colours are mixed at edges.
    """
    unknown = _share_unknown(maps, palette)
    if unknown > (0 if are_numbers(palette) else _MOST_STRANGE):
        warnings.warn(
            f"{100 * unknown:.3g} % of the pixels of wafer maps have a value that is "
            f"not of the palette {describe_palette(palette)}: they do not count as "
            "failing. Name all values that fail, such as palette={0: 'outside', "
            "1: 'pass', 2: 'fail', 3: 'fail'} (fit --palette "
            "0=outside,1=pass,2=fail,3=fail).",
            UserWarning,
            stacklevel=3,
        )


def fails_of(maps: NDArray, palette: Palette) -> NDArray[np.uint8]:
    """Return the failing dies of an array of wafer maps, pixel by pixel.

    Parameters
    ----------
    maps : ndarray of shape (..., h, w) or (..., h, w, 3)
        The maps.
    palette : Palette
        What their values mean.

    Returns
    -------
    ndarray of shape (..., h, w), uint8
        1 for a failing die, 0 elsewhere.
    """
    fails = np.array([*(color.role == FAIL for color in palette), False])
    return fails[_codes_of(maps, palette)].astype(np.uint8)


def _codes_of(maps: NDArray, palette: Palette) -> NDArray[np.intp]:
    """Return the number of the palette's colour of each pixel, or of colours if none.

    Of numbers, those in between two are the nearer one; others are none.
    """
    colors = np.array([color.values for color in palette])
    is_colored = maps.shape[-1] == 3 and maps.ndim > 2
    pixels = maps if is_colored else np.repeat(maps[..., None], 3, axis=-1)
    if are_numbers(palette):
        return nearest_color(pixels, colors, least_reach=0)
    return nearest_color(pixels, colors)


def _share_unknown(maps: Sequence[NDArray], palette: Palette) -> float:
    """Return the share of the pixels of maps that have no colour of a palette."""
    unknown = [np.mean(_codes_of(one, palette) == len(palette)) for one in maps]
    return float(np.mean(unknown))


def _as_arrays(maps: Any) -> list[NDArray]:
    """Return maps (h, w) or (h, w, 3) as a list."""
    arrays = [np.asarray(one) for one in maps]
    shapes = {one.shape[2:] for one in arrays}
    kinds = {one.dtype.kind for one in arrays}
    if shapes not in ({()}, {(3,)}) or not kinds <= set("biuf"):
        found = f"{arrays[0].dtype} of shape {arrays[0].shape}" if arrays else "nothing"
        raise NoPaletteError(
            f"maps holds {found}: give numbers of shape (n, h, w) or (n, h, w, 3), or "
            "a list of maps"
        )
    if any(one.dtype.kind == "f" and not np.isfinite(one).all() for one in arrays):
        raise NoPaletteError(
            "maps has NaN or infinity: give those pixels the value of the outside"
        )
    return arrays


def _find(maps: Sequence[NDArray]) -> Palette:
    """Return the palette of some maps."""
    if maps[0].ndim == 3:
        if any(one.dtype != np.uint8 for one in maps):
            raise NoPaletteError("maps in colour are not uint8")
        return find_palette(maps)
    levels = np.unique(np.concatenate([np.unique(one) for one in maps]))
    if len(levels) > _MOST_LEVELS:
        if any(one.dtype != np.uint8 for one in maps):
            raise NoPaletteError(f"they have {len(levels)} different values")
        return find_palette([as_eight_bits(one) for one in maps])
    if np.isin(levels, (0, 1)).all():
        return _numbered({0: PASS, 1: FAIL})
    if np.isin(levels, (0, 1, 2)).all():
        return _with_shares(maps, _numbered({0: OUTSIDE, 1: PASS, 2: FAIL}))
    codes = [np.searchsorted(levels, one) for one in maps]
    return find_roles(codes, np.repeat(levels[:, None].astype(float), 3, axis=1))


def _numbered(roles: dict[int, str]) -> Palette:
    """Return a palette of numbers."""
    return tuple(PaletteColor((float(n),) * 3, role) for n, role in roles.items())


def _with_shares(maps: Sequence[NDArray], palette: Palette) -> Palette:
    """Return a palette of numbers with the shares of dies that pass and fail."""
    counts = {
        color: sum(np.count_nonzero(one == color.values[0]) for one in maps)
        for color in palette
        if color.role != OUTSIDE
    }
    total = sum(counts.values())
    return tuple(
        color._replace(share=float(counts[color] / total)) if color in counts else color
        for color in palette
    )
