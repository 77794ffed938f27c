"""What each colour of wafer maps means, found on the set of all maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._disc_box import Box, find_box, is_disc
from invariant_cluster.datasets._palette import (
    FAIL,
    IGNORED,
    OUTSIDE,
    PASS,
    Palette,
    PaletteColor,
    hue_of,
    order_palette,
)
from invariant_cluster.datasets._palette_colors import (
    are_thin,
    find_colors,
    nearest_color,
)
from invariant_cluster.datasets._resizing import resize_nearest

_CORNER = 0.04  # of the side
_MOST_COLORS = 3
_LEAST_CORNERS = 0.8
LEAST_DISCS = 0.8
_LEAST_GAP = 0.1  # a half, less the largest share of fails that is safe
_SIDE = 32

Codes = Sequence[NDArray[np.intp]]


class NoPaletteError(ValueError):
    """Pictures whose colours are not safely those of wafer maps; the text says why."""


def find_palette(images: Sequence[NDArray[np.uint8]]) -> Palette:
    """Return the palette of a set of wafer maps.

    Parameters
    ----------
    images : sequence of ndarray of shape (h, w, 3), uint8
        Maps of any sizes.

    Returns
    -------
    Palette
        Each colour and its meaning.

    Raises
    ------
    NoPaletteError
        If it cannot be told.
    """
    colors = find_colors(images)
    if len(colors) == 0:
        raise NoPaletteError("they are not drawn in a few colours")
    return find_roles([nearest_color(image, colors) for image in images], colors)


def find_roles(codes: Codes, colors: NDArray) -> Palette:
    """Return what each colour of wafer maps means.

    Parameters
    ----------
    codes : sequence of ndarray of shape (h, w), int
        Number of the colour of each pixel.
    colors : ndarray of shape (k, 3)
        The colours.

    Returns
    -------
    Palette
        The colour of the corners is outside, the more frequent one in the disc passes,
        the other fails; green passes and red fails whatever their shares are. Further
        colours in thin lines are ignored.

    Raises
    ------
    NoPaletteError
        If it cannot be told.
    """
    if len(colors) < 2:
        raise NoPaletteError("all have one colour")
    thin = np.zeros(len(colors), bool)
    if len(colors) > _MOST_COLORS:
        thin = are_thin(codes, len(colors))
    drawn = np.flatnonzero(~thin)
    if len(drawn) > _MOST_COLORS or len(drawn) < 2:
        raise NoPaletteError(f"they have {len(drawn)} colours instead of two or three")
    outside = _color_of_corners(codes, drawn)
    others = [int(code) for code in drawn if code != outside]
    ignored = [_made(colors, int(code), IGNORED) for code in np.flatnonzero(thin)]
    if len(drawn) == 2:
        found = _roles_of_two(codes, colors, outside, others[0])
    else:
        found = _roles_of_three(codes, colors, outside, others)
    return order_palette([*found, *ignored])


def _made(
    colors: NDArray, code: int, role: str, share: float | None = None
) -> PaletteColor:
    """Return a colour of a palette."""
    red, green, blue = (round(float(value), 2) for value in colors[code])
    return PaletteColor((red, green, blue), role, share)


def _color_of_corners(codes: Codes, drawn: NDArray) -> int:
    """Return the number of the colour in the corners of all pictures, no thin one."""
    counts = np.zeros(len(drawn))
    for image in codes:
        side = max(1, round(_CORNER * min(image.shape)))
        ends = np.r_[:side, -side:0]
        corners = image[np.ix_(ends, ends)]
        counts += [np.count_nonzero(corners == code) for code in drawn]
    if counts.max() < _LEAST_CORNERS * counts.sum():
        raise NoPaletteError("their corners have no common colour")
    return int(drawn[counts.argmax()])


def _roles_of_two(
    codes: Codes, colors: NDArray, ground: int, other: int
) -> list[PaletteColor]:
    """Return the roles of a ground on which other pixels fail.

    The failing dies of all maps together must fill a disc.
    """
    if share_of_discs([image != ground for image in codes]) >= LEAST_DISCS:
        raise NoPaletteError("only two colours are there: no die fails in any of them")
    union = np.zeros((_SIDE, _SIDE), bool)
    for image in codes:
        union |= resize_nearest(image == other, _SIDE)
    if not is_disc(union[find_box(union)]):
        raise NoPaletteError("they show no common disc")
    return [_made(colors, ground, PASS), _made(colors, other, FAIL)]


def _roles_of_three(
    codes: Codes, colors: NDArray, outside: int, others: Sequence[int]
) -> list[PaletteColor]:
    """Return the roles of a colour around the disc and of two in it."""
    inside = [np.isin(image, others) for image in codes]
    if share_of_discs(inside) < LEAST_DISCS:
        raise NoPaletteError("they show no common disc")
    boxes = [find_box(one) for one in inside]
    shares = _shares_in(codes, boxes, others)
    passing = _choose_passing(colors, others, shares)
    return [
        _made(colors, outside, OUTSIDE),
        _made(colors, others[passing], PASS, shares[passing]),
        _made(colors, others[1 - passing], FAIL, shares[1 - passing]),
    ]


def share_of_discs(inside: Sequence[NDArray[np.bool_]]) -> float:
    """Return the share of pictures whose object is a disc.

    Parameters
    ----------
    inside : sequence of ndarray of bool of shape (h, w)
        Where the objects are.

    Returns
    -------
    float
        From 0 to 1.
    """
    return float(np.mean([one.any() and is_disc(one[find_box(one)]) for one in inside]))


def _shares_in(
    codes: Codes, boxes: Sequence[Box], others: Sequence[int]
) -> list[float]:
    """Return the shares of two colours in the boxes of the discs, which sum to one."""
    pairs = list(zip(codes, boxes, strict=True))
    counts = [
        sum((image[box] == code).sum() for image, box in pairs) for code in others
    ]
    return [float(count / sum(counts)) for count in counts]


def _choose_passing(
    colors: NDArray, others: Sequence[int], shares: Sequence[float]
) -> int:
    """Return which of two colours passes: 0 or 1."""
    hues = [hue_of(tuple(colors[code])) for code in others]
    if sorted(hues) == ["green", "red"]:
        return hues.index("green")
    if abs(shares[0] - shares[1]) < 2 * _LEAST_GAP:
        raise NoPaletteError(
            f"{hues[0]} and {hues[1]} are about equally frequent in the disc, so "
            "either can be the passing dies"
        )
    return int(np.argmax(shares))
